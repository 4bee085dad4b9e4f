"""Numbers that commands do not take, in the spellings of many countries: what they can mean.

Only for the commands that refusals hand out to be copied: nothing is ever done on such a reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from app.language.dates import COUNTS
from app.market.terms.errors import Refusal
from app.market.terms.money import AmbiguousNumber, command_amount, parse_amount, parse_price, parse_volume

Readings = tuple[int, ...]
"""Readings of a number, in the unit of its part; none if it cannot be read."""

PARSERS: dict[str, Callable[[str], int]] = {
    "volume": parse_volume,
    "amount": parse_amount,
    "spend": parse_amount,
    "deposit": parse_amount,
    "profit": parse_amount,
    "at": parse_price,
}
CURRENCIES = ("r$", "us$", "$", "€", "£", "₹", "¥", "￥")
_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "hundred": 100,
    "zehn": 10,
    "dix": 10,
    "diez": 10,
    "dez": 10,
}
NUMBER_WORDS = {word: count for word, count in COUNTS.items() if word not in ("a", "an")} | _TENS
_FULL_WIDTH = {0xFF10 + digit: str(digit) for digit in range(10)} | {0xFF0C: ",", 0xFF0E: "."}
_GROUPED_BY_POINTS = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}")
_POINTS_AND_COMMA = re.compile(r"([1-9][0-9]{0,2}(?:\.[0-9]{3})+),([0-9]{1,2})")
_DECIMAL_COMMA = re.compile(r"([0-9]+),([0-9]{1,2})(k?)")
_LAKHS = re.compile(r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}")
_SCIENTIFIC = re.compile(r"([1-9][0-9]*)e\+?([1-9])")
_CENTS = re.compile(r"([1-9][0-9]?)[¢￠]")
_GROUPED_BY_MARKS = re.compile(r"[1-9][0-9]{0,2}(?:[\u00a0\u202f'’][0-9]{3})+(?:[.,][0-9]{1,2})?")


def near_number(part: str, word: str) -> Readings:
    """Readings of a word as this part of a command; both of an ambiguous one. `word` in lower case."""
    try:
        return (PARSERS[part](word),)
    except AmbiguousNumber as unclear:
        return _readings(part, unclear.readings)
    except Refusal:
        plain = _plain(word)
    if plain != word:
        return near_number(part, plain)
    written = _rewritten(part, plain)
    return _readings(part, (written,)) if written else ()


def _readings(part: str, texts: tuple[str, ...]) -> Readings:
    """All of them or none, so that no hand-out decides between two. A price of a whole token is none to anybody."""
    found = [value for text in texts if (value := _value(part, text)) is not None]
    enough = found if part == "at" or len(found) == len(texts) else []
    return tuple(dict.fromkeys(enough))


def _value(part: str, text: str) -> int | None:
    """None where a command to copy could not say it, with two decimals at most."""
    try:
        value = PARSERS[part](text)
    except Refusal:
        return None
    return value if part in ("volume", "at") or command_amount(value) else None


def _plain(word: str) -> str:
    """Without a sign of money, in ASCII digits."""
    text = word.translate(_FULL_WIDTH).removeprefix("+")
    for sign in CURRENCIES:
        text = text.removeprefix(sign).removesuffix(sign)
    return text


def _rewritten(part: str, word: str) -> str | None:
    """The one thing that a spelling can mean, as a command takes it."""
    if word in NUMBER_WORDS and part != "at":
        return str(NUMBER_WORDS[word])
    if _GROUPED_BY_POINTS.fullmatch(word):
        return word.replace(".", "")
    if match := _POINTS_AND_COMMA.fullmatch(word):
        return f"{match[1].replace('.', '')}.{match[2]}"
    if match := _DECIMAL_COMMA.fullmatch(word):
        return f"{match[1]}.{match[2]}{match[3]}"
    if _GROUPED_BY_MARKS.fullmatch(word):
        return re.sub("[\u00a0\u202f'’]", "", word).replace(",", ".")
    if _LAKHS.fullmatch(word):
        return word.replace(",", "")
    if match := _SCIENTIFIC.fullmatch(word):
        return f"{match[1]}{'0' * int(match[2])}"
    if (match := _CENTS.fullmatch(word)) and part == "at":
        return f"{match[1]}%"
    return None


def looks_like_a_price(word: str) -> bool:
    """`0.4`, `.4`, `0,4`, `40%`: nothing else is written so."""
    return re.fullmatch(r"0?[.,][0-9]{1,2}|[0-9]{1,2}(?:\.[0-9])?%", word) is not None
