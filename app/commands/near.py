"""What was probably meant by a date or a number that cannot be read, in words that can be.

Only for the commands that refusals hand out to be copied: nothing is ever done on such a guess.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches

from app.commands.dates import BadDate, parse_instant
from app.market.contract import UNIT_MILLS
from app.market.errors import Refusal
from app.market.money import format_price, parse_amount, parse_price, parse_volume

MOST_DECIMALS = 3
LEAST_VOLUME = 5
"""Fewer units may not rest in a book."""

LEAST_AHEAD_SECONDS, MOST_AHEAD_SECONDS = 2 * 3600, 700 * 86_400
"""What a contract may run, with room to spare: a date outside would only be refused again."""

MOST_DAYS = 366
KNOWN_WORDS = ("today", "tomorrow", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def near_date(words: str, now: int) -> str | None:
    """A date that can be read and is still to come; None where nothing suggests itself. `words` in lower case."""
    text = _LEADING.sub("", " ".join(words.replace("utc", "z").replace("gmt", "z").rstrip(".").split()))
    if _ahead(text, now):
        return text
    for pattern, guess in _GUESSES:
        match = re.fullmatch(pattern, text)
        found = _tried(guess, match, now) if match else None
        if found is not None:
            return found
    return next(iter(get_close_matches(text, KNOWN_WORDS, n=1, cutoff=0.75)), None)


def near_clock(words: str, now: int) -> str | None:
    """`2026-12-01T18:00Z` for a day and a clock time apart: `2026-12-01 18:00`."""
    match = re.fullmatch(_CLOCK, words.replace("utc", "z").replace("gmt", "z"))
    return _tried(_clock, match, now) if match else None


def near_range(words: str, now: int) -> str | None:
    """`a..b` for `a to b` and for `b..a`; None where either is no date that can be read."""
    ends = re.split(r" ?(?:\.\.\.?|…|–| to | - ) ?", words)
    if len(ends) != 2 or not all(_ahead(end, now) for end in ends):
        return None
    return "..".join(sorted(ends, key=lambda end: parse_instant(end, now)))


def _tried(guess: Callable[[re.Match[str], int], str], match: re.Match[str], now: int) -> str | None:
    try:
        found = guess(match, now)
    except (BadDate, ValueError):
        return None
    return found if _ahead(found, now) else None


def _ahead(words: str, now: int) -> bool:
    try:
        return now + LEAST_AHEAD_SECONDS < parse_instant(words, now) <= now + MOST_AHEAD_SECONDS
    except BadDate:
        return False


def _today(now: int) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def _spans(match: re.Match[str], now: int) -> str:
    """`2 weeks` are `in 2 weeks`, `a week` is `in 1 weeks`, `1y` is `in 12 months`."""
    count = int(match["count"]) if (match["count"] or "").isdecimal() else 1
    name = {"w": "week", "d": "day", "h": "hour", "m": "month", "y": "year"}.get(match["unit"], match["unit"])
    return f"in {count * 12} months" if name == "year" else f"in {count} {name}s"


def _ordered(match: re.Match[str], now: int) -> str:
    """`31.12.2026`, `12/31/2026`: a day before a month, unless that is no day."""
    day, month, year = int(match["one"]), int(match["two"]), int(match["year"])
    day, month = (month, day) if month > 12 else (day, month)
    return date(year if year > 99 else 2000 + year, month, day).isoformat()


def _year_first(match: re.Match[str], now: int) -> str:
    return date(int(match["year"]), int(match["month"]), int(match["day"])).isoformat()


def _clock(match: re.Match[str], now: int) -> str:
    """A clock time without its zone is taken for UTC, without its day for the next such time that leaves some hours."""
    at = datetime.fromtimestamp(now, UTC).replace(
        hour=int(match["hour"]), minute=int(match["minute"]), second=int(match["second"] or 0)
    )
    if match["day"]:
        day = date.fromisoformat(match["day"])
        at = at.replace(year=day.year, month=day.month, day=day.day)
    elif at.timestamp() < now + LEAST_AHEAD_SECONDS:
        at += timedelta(days=1)
    return f"{at:%Y-%m-%dT%H:%M:%S}Z".replace(":00Z", "Z")


def _named_day(match: re.Match[str], now: int) -> str:
    """`1 dec`, `dec 1st`: the next such day, or the one of the year that is said."""
    for year in [match["year"]] if match["year"] else [_today(now).year, _today(now).year + 1]:
        found = f"{int(match['day'])} {match['month']} {year}"
        if parse_instant(found, now) > now:
            break
    return found


def _named_month(match: re.Match[str], now: int) -> str:
    """`december`, `dec 2026`: its last day, the next one where no year is said."""
    years = [int(match["year"])] if match["year"] else [_today(now).year, _today(now).year + 1]
    for year in years:
        month = datetime.fromtimestamp(parse_instant(f"1 {match['month']} {year}", now), UTC).month
        found = date(year, month, monthrange(year, month)[1]).isoformat()
        if parse_instant(found, now) > now:
            break
    return found


def _bare(match: re.Match[str], now: int) -> str:
    """`7` is taken for days, `2027` for a year, `20261201` for a day."""
    digits = match[0]
    if len(digits) == 8:
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    if len(digits) == 4:
        return f"{digits}-12-31"
    return f"in {int(digits)} days" if int(digits) <= MOST_DAYS else ""


_LEADING = re.compile(r"(?:(?:by|on|at|the|this|coming|next|within|in) )+")
"""Words that a date can do without: `next friday` is `friday`."""

_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_MONTH = r"(?P<month>[a-z]{3,9})"
_CLOCK = (
    r"(?:(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[t ])?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2}))? ?z?"
)
_GUESSES: list[tuple[str, Callable[[re.Match[str], int], str]]] = [
    (r".*\.\.(?P<rest>[^.]+)", lambda match, now: match["rest"].strip()),
    (r"(?:(?P<count>[0-9]+|an?|one) ?)?(?P<unit>day|week|month|hour|year|[wdhmy])s?", _spans),
    (r"(?P<one>[0-9]{1,2})[./-](?P<two>[0-9]{1,2})[./-](?P<year>[0-9]{4}|[0-9]{2})", _ordered),
    (r"(?P<year>[0-9]{4})[./-](?P<month>[0-9]{1,2})[./-](?P<day>[0-9]{1,2})", _year_first),
    (_CLOCK, _clock),
    (rf"{_DAY}(?: of)? {_MONTH},?(?: (?P<year>[0-9]{{4}}))?", _named_day),
    (rf"{_MONTH} {_DAY},?(?: (?P<year>[0-9]{{4}}))?", _named_day),
    (rf"{_MONTH}(?: (?P<year>[0-9]{{4}}))?", _named_month),
    (r"[0-9]{1,4}|[0-9]{8}", _bare),
    (r"(?:end of the month|month end|eom)", lambda match, now: "end of month"),
    (r"(?:end of (?:the )?year|year end|eoy)", lambda match, now: f"{_today(now).year}-12-31"),
    (r"(?:end of (?:the )?week|week end|eow|weekend)", lambda match, now: "sunday"),
]


def near_volume(word: str) -> str | None:
    """`10` for `10.5`, `1000` for `1e3` and for `1.000`; nothing below what may rest in a book."""
    number = _number(word)
    return _readable(str(number // 10**MOST_DECIMALS), parse_volume) if number >= LEAST_VOLUME * 1000 else None


def near_amount(word: str) -> str | None:
    number = _number(word)
    return _readable(f"{number // 1000}.{number % 1000:03}".removesuffix(".000"), parse_amount)


def near_price(word: str) -> str | None:
    """`0.4` for `0,4`, `0.123` for `0.12345`, `40%` for `40`."""
    whole, _, fraction = word.strip("$€£").replace(",", ".").partition(".")
    if not fraction and re.fullmatch("[1-9][0-9]", whole):
        return format_price(int(whole) * UNIT_MILLS // 100)
    return _readable(f"{whole}.{fraction[:MOST_DECIMALS]}", parse_price)


_NUMBER = re.compile(r"[-+$€£]*(?P<whole>[0-9]{1,15})(?:[.,](?P<fraction>[0-9]*))?(?:e\+?(?P<zeros>[0-9]{1,2}))?.{0,8}")
_THOUSANDS = re.compile(r"[-+$€£]*[0-9]{1,3}(?:[.,'_][0-9]{3})+")


def _number(word: str) -> int:
    """What the word may say, in thousandths, cut; 0 if nothing."""
    if _THOUSANDS.fullmatch(word):
        return int("".join(filter(str.isdecimal, word))) * 1000
    match = _NUMBER.fullmatch(word)
    if match is None:
        return 0
    places = MOST_DECIMALS + int(match["zeros"] or 0)
    return int(match["whole"] + ((match["fraction"] or "") + "0" * places)[:places])


def _readable(text: str, parse: Callable[[str], int]) -> str | None:
    try:
        parse(text)
    except Refusal:
        return None
    return text
