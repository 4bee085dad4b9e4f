"""Values of a command's parts, read from their words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from app.language.dates import BadDate, parse_instant, parse_span
from app.language.forecast_names import parse_name, parse_package, parse_pull, parse_severity, parse_tag
from app.language.text import lower
from app.market.terms.contract import Outcome, Side
from app.market.terms.money import Unreadable, parse_amount, parse_price, parse_volume

MOST_DATE_WORDS = 9
"""`in 2 weeks .. end of month`, with blanks to spare."""


class BadOfferNumber(Unreadable):
    kind = "offer"
    why = "an offer has a number such as `o17`"


class BadLogin(Unreadable):
    kind = "user"
    why = "a user is named by their GitHub login, such as `@adam`"


MAX_OFFER_NUMBER = 2**63 - 1
_OFFER_NUMBER = re.compile(r"[oO]?([0-9]{1,18})")
_LOGIN = re.compile(r"@?([A-Za-z0-9][A-Za-z0-9_-]{0,38})")


def parse_offer_number(text: str) -> int:
    """`o17`, `O17` or `17`. Raises BadOfferNumber."""
    match = _OFFER_NUMBER.fullmatch(text)
    if match is None or not 0 < int(match[1]) <= MAX_OFFER_NUMBER:
        raise BadOfferNumber(text)
    return int(match[1])


def parse_login(text: str) -> str:
    """`@adam` or `adam`, without the sign. Raises BadLogin."""
    match = _LOGIN.fullmatch(text)
    if match is None:
        raise BadLogin(text)
    return match[1]


RULINGS = {
    "fixed": Outcome.FIXED,
    "true": Outcome.FIXED,
    "unfixed": Outcome.UNFIXED,
    "false": Outcome.UNFIXED,
    "void": Outcome.VOID,
}

READERS: dict[str, Callable[[str, int], object]] = {
    "side": lambda words, now: Side(words.upper()),
    "volume": lambda words, now: parse_volume(words),
    "amount": lambda words, now: parse_amount(words),
    "spend": lambda words, now: parse_amount(words),
    "at": lambda words, now: parse_price(words),
    "deposit": lambda words, now: parse_amount(words),
    "profit": lambda words, now: parse_amount(words),
    "by": parse_instant,
    "within": lambda words, now: parse_instant(f"in {words}", now),
    "by_range": parse_span,
    "until": parse_instant,
    "offer_id": lambda words, now: parse_offer_number(words),
    "login": lambda words, now: parse_login(words),
    "topic": lambda words, now: lower(words),
    "command": lambda words, now: words,
    "truth": lambda words, now: Side.FIXED if lower(words) == "true" else Side.UNFIXED,
    "on": lambda words, now: int(words[1:]),
    "numbered": lambda words, now: int(words[1:]),
    "package": lambda words, now: parse_package(words),
    "severity": lambda words, now: parse_severity(words),
    "label": lambda words, now: parse_name(words),
    "title": lambda words, now: parse_name(words),
    "milestone": lambda words, now: parse_name(words),
    "pull": lambda words, now: parse_pull(words),
    "release": lambda words, now: parse_tag(words),
    "which": lambda words, now: int(words.split(" ")[1][1:]),
    "ruling": lambda words, now: RULINGS[lower(words)],
    "void_at": lambda words, now: parse_price(words.split(" ")[1]),
    "act": lambda words, now: lower(words),
    "reason": lambda words, now: words,
}
"""Readers of a part's words, given the comment's instant. A part without words is just there."""


def date_length(words: Sequence[str], now: int, part: str = "by") -> int:
    """Count the first words that make a date for this part; 0 if none."""
    for count in range(min(len(words), MOST_DATE_WORDS), 0, -1):
        try:
            READERS[part](" ".join(words[:count]), now)
        except BadDate:
            continue
        return count
    return 0
