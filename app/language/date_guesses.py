"""Dates that commands do not take, in the spellings of many countries: the instants that they can mean.

Only for the commands that refusals hand out to be copied: nothing is ever done on such a reading, and what would have
to be made up (a day, a zone) is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

from app.language.dates import AmbiguousDate, BadDate, parse_instant, parse_span
from app.language.likeness import nearest

_MONTHS = {
    1: "januar jänner janvier enero janeiro gennaio januari",
    2: "februar février fevrier febrero fevereiro febbraio februari",
    3: "märz maerz mars marzo março marco maart",
    4: "avril abril aprile",
    5: "mai mayo maio maggio mei",
    6: "juni juin junio junho giugno",
    7: "juli juillet julio julho luglio",
    8: "août aout agosto augustus",
    9: "septembre septiembre setembro settembre",
    10: "oktober octobre octubre outubro ottobre",
    11: "novembre noviembre novembro",
    12: "dezember décembre decembre diciembre dezembro dicembre",
}
_FOREIGN = {name: month for month, names in _MONTHS.items() for name in names.split()}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WORDS_OF_DAYS = ("today", "tomorrow", *_WEEKDAYS)
_LEADING = re.compile(r"(?:(?:by|on|the|this|coming|until|before) )+")
"""Words that a date can do without."""

_MONTH = r"(?P<month>[a-zà-ÿ]{3,10})\.?"


def near_date(words: str, now: int) -> tuple[int, ...]:
    """The instants that a date may mean; none where it cannot be read. `words` in lower case."""
    text = _LEADING.sub("", " ".join(words.split()))
    text = text if text.endswith("..") else text.rstrip(".,")
    try:
        return (parse_instant(text, now),)
    except AmbiguousDate as unclear:
        return tuple(parse_instant(day, now) for day in unclear.readings)
    except BadDate:
        return tuple(dict.fromkeys(_guessed(text, now)))


def near_range(words: str, now: int) -> tuple[int | None, int] | None:
    """`a..b` for `a to b` and for `b..a`; None where an end is no date, or could be two."""
    ends = re.split(r" ?(?:\.\.\.?|…|–| to | till | through | - ) ?", words)
    if len(ends) != 2 or not all(end and len(near_date(end, now)) == 1 for end in ends):
        return None
    first, last = sorted(ends, key=lambda end: near_date(end, now))
    try:
        return parse_span(f"{first}..{last}", now)
    except BadDate:
        return None


def _guessed(text: str, now: int) -> Iterator[int]:
    for pattern, guess in _GUESSES:
        match = pattern.fullmatch(text)
        for found in guess(match, now) if match else ():
            try:
                yield parse_instant(found, now)
            except BadDate:
                continue
        if match:
            return
    near = nearest(text, _WORDS_OF_DAYS, most=1)
    swapped = [word for word in _WORDS_OF_DAYS if sorted(word) == sorted(text)]
    for found in [near] if near else swapped:
        yield parse_instant(found, now)


def _today(now: int) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def _years(match: re.Match[str], now: int) -> Iterator[str]:
    yield f"in {12 * int(match['count'] if match['count'].isdecimal() else 1)} months"


def _ordered(match: re.Match[str], now: int) -> Iterator[str]:
    """`31.12.2026`, `12/31/2026`: a number above 12 is the day. What may be two days is known to be so before."""
    one, two = int(match["one"]), int(match["two"])
    day, month = (one, two) if one > 12 else (two, one)
    yield f"{match['year']}-{month:02}-{day:02}"


def _year_first(match: re.Match[str], now: int) -> Iterator[str]:
    yield f"{match['year']}-{int(match['month']):02}-{int(match['day']):02}"


def _named(match: re.Match[str], now: int) -> Iterator[str]:
    """A month in another language, and `the 1st of December 2026`."""
    month = _FOREIGN.get(match["month"])
    named = f"{month:02}" if month else ""
    day = int(match["day"])
    yield f"{match['year']}-{named}-{day:02}" if named else f"{day} {match['month']} {match['year']}"


def _yearless(match: re.Match[str], now: int) -> Iterator[str]:
    """`1 dec` is the next such day; both years are said, so that whoever copies one has chosen it."""
    for year in range(_today(now).year, _today(now).year + 3):
        month = _FOREIGN.get(match["month"])
        day = int(match["day"])
        found = f"{year}-{month:02}-{day:02}" if month else f"{day} {match['month']} {year}"
        try:
            if parse_instant(found, now) > now:
                yield found
                yield found.replace(str(year), str(year + 1))
                return
        except BadDate:
            continue


def _next_weekday(match: re.Match[str], now: int) -> Iterator[str]:
    """`next friday` is the coming one to some, the one after it to others."""
    at = parse_instant(match["day"], now)
    for weeks in (0, 7):
        yield f"{datetime.fromtimestamp(at, UTC).date() + timedelta(days=weeks)}"


def _end_of_year(match: re.Match[str], now: int) -> Iterator[str]:
    yield f"{_today(now).year}-12-31"


def _end_of_month(match: re.Match[str], now: int) -> Iterator[str]:
    yield "end of month"


def _relative(match: re.Match[str], now: int) -> Iterator[str]:
    yield f"in {match['rest']}"


_ORDINAL = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er|º|ª|\.)?"
_OF = "(?: (?:of|de|of the))?"
_GUESSES: list[tuple[re.Pattern[str], Callable[[re.Match[str], int], Iterator[str]]]] = [
    (re.compile(r"(?:in |within )?(?P<count>[0-9]{1,3}|an?|one) ?(?:years?|yrs?|y)"), _years),
    (re.compile(r"(?P<one>[0-9]{1,2})([./-])(?P<two>[0-9]{1,2})\2(?P<year>[0-9]{4})"), _ordered),
    (re.compile(r"(?P<year>[0-9]{4})([./-])(?P<month>[0-9]{1,2})\2(?P<day>[0-9]{1,2})"), _year_first),
    (re.compile(r"(?P<year>[0-9]{4})年(?P<month>[0-9]{1,2})月(?P<day>[0-9]{1,2})日"), _year_first),
    (re.compile(rf"{_ORDINAL}{_OF} {_MONTH}(?:,? | de | del )(?P<year>[0-9]{{4}})"), _named),
    (re.compile(rf"{_MONTH} {_ORDINAL},? (?P<year>[0-9]{{4}})"), _named),
    (re.compile(rf"{_ORDINAL}{_OF} {_MONTH}"), _yearless),
    (re.compile(rf"{_MONTH} {_ORDINAL}"), _yearless),
    (re.compile(rf"next (?P<day>{'|'.join(f'{day[:3]}(?:{day[3:]})?' for day in _WEEKDAYS)})"), _next_weekday),
    (re.compile(r"(?:the )?end of (?:the |this )?month|month end|month-end|eom"), _end_of_month),
    (re.compile(r"(?:the )?end of (?:the |this )?year|year end|year-end|eoy"), _end_of_year),
    (re.compile(r"(?:in |within )?next (?P<rest>[0-9].+)"), _relative),
    (re.compile(r"(?:in )?(?P<rest>.+) from (?:now|today)"), _relative),
]
