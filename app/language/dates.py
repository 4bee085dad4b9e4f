"""The notations of a date. An instant is whole seconds since the epoch, UTC; `now` is when the comment was made.

A date without a clock time is the last second of its UTC day, relative ones too, but hours count exactly. What could
be read in two ways is refused.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from app.language.text import lower
from app.market.terms.errors import Refusal
from app.market.terms.instants import format_instant

__all__ = [
    "COUNTS",
    "DATE_HELP",
    "AmbiguousDate",
    "BadDate",
    "format_day",
    "format_instant",
    "parse_instant",
    "parse_span",
]

DATE_HELP = "`2026-12-01`, `1 Dec 2026`, `2026-12-01T18:00Z`, `friday`, `in 2 weeks`, `end of month` or `36h`"
DAY_SECONDS = 86_400
MAX_AT = 253_402_300_799
"""9999-12-31T23:59:59Z, the last instant that a calendar here knows."""

_MAX_LENGTH = 60
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september")
_LAST_MONTHS = ("october", "november", "december")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MORE_WEEKDAYS = {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
COUNTS = {"a": 1, "an": 1, **{word: count for count, word in enumerate(_WORDS, 1)}}
"""Numbers that people write as words: `two weeks`."""

_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_YEAR = "(?P<year>[0-9]{4})"
_DAY = "(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_COUNT = rf"(?:in |within )?(?:(?P<count>[0-9]{{1,6}}) ?|(?P<word>{'|'.join(COUNTS)}) )"


class BadDate(Refusal):
    """Words that are no date. `why` says so without repeating them, in the middle of a sentence."""

    def __init__(self, words: str, why: str) -> None:
        self.words = words
        self.why = f"{why}; a date is written {DATE_HELP}"
        super().__init__(f"{self.why[:1].upper()}{self.why[1:]}.")


class AmbiguousDate(BadDate):
    """A day of a month in digits: `12/01/2027`. `readings` are both days that it may be, as written in a command."""

    def __init__(self, words: str, days: tuple[date, date]) -> None:
        first, second = days
        super().__init__(words, "day and month could be taken for each other")
        self.why = f"is ambiguous: {first.day} {first:%B} or {second:%B} {second.day}?"
        self.sentence = f"This date {self.why}"
        self.readings = tuple(f"{day.day} {day:%b} {day.year:04}" for day in days)


def parse_instant(words: str, now: int, *, start: bool = False) -> int:
    """The instant that a date means. With `start` a date without a clock time is its day's first second.

    Raises BadDate.
    """
    text = lower(words)
    if len(text) > _MAX_LENGTH:
        raise BadDate(words, "this is too long for a date")
    try:
        at = _clock_instant(text, now)
        if at is None:
            at = _seconds(_day(text, _today(now))) + (0 if start else DAY_SECONDS - 1)
    except (ValueError, OverflowError):
        raise BadDate(words, "there is no such day or hour in the calendar") from None
    except LookupError:
        _check_clear(words, text)
        raise BadDate(words, _why_not(text)) from None
    if not 0 <= at <= MAX_AT:
        raise BadDate(words, "this is outside the years 1970 to 9999")
    return at


def parse_span(words: str, now: int) -> tuple[int | None, int]:
    """A date, or a range of them as `A..B`: (first second of A, last second of B); None where there is no A.

    Raises BadDate.
    """
    first, dots, last = words.partition("..")
    if not dots:
        return None, parse_instant(words, now)
    if not first.strip(" ") or not last.strip(" "):
        raise BadDate(words, "a range has a date on both sides, as in `2026-12-01..2026-12-31`")
    from_at, by_at = parse_instant(first.strip(" "), now, start=True), parse_instant(last.strip(" "), now)
    if from_at > by_at:
        raise BadDate(words, "the range ends before it begins")
    return from_at, by_at


def format_day(at: int) -> str:
    """`1 Dec 2017`"""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment.day} {moment:%b} {moment.year}"


def _today(now: int) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def _seconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_SECONDS


_ZONED = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[t ](?P<hour>[0-9]{2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?)?"
    r"(?: ?(?:z|utc|gmt)|(?P<sign>[+-])(?P<zone_hours>[0-9]{2})(?::?(?P<zone_minutes>[0-9]{2}))?)"
)
_HOURS = re.compile(rf"{_COUNT}hours?|(?:in |within )?(?P<short>[0-9]{{1,6}})h")


def _clock_instant(text: str, now: int) -> int | None:
    """Notations that name a second: a clock time with its zone, a count of hours."""
    if match := _HOURS.fullmatch(text):
        return now + 3600 * (_count(match["short"]) if match["short"] else _counted(match))
    if match := _ZONED.fullmatch(text):
        clock = _clock(int(match["hour"]), int(match["minute"] or 0), int(match["second"] or 0))
        zone = _clock(int(match["zone_hours"] or 0), int(match["zone_minutes"] or 0), 0)
        east = zone if match["sign"] == "+" else -zone
        return _seconds(date.fromisoformat(match["day"])) + clock - east
    return None


def _clock(hour: int, minute: int, second: int) -> int:
    """Seconds since midnight. Raises ValueError for an hour that no clock shows."""
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError
    return hour * 3600 + minute * 60 + second


def _day(text: str, today: date) -> date:
    """The day that a notation without a clock time means. LookupError: it is none; ValueError: no such day."""
    if text in _NAMED:
        return _NAMED[text](today)
    if text in _WEEKDAY_NUMBERS:
        return today + timedelta(days=(_WEEKDAY_NUMBERS[text] - today.weekday() - 1) % 7 + 1)
    for pattern, read in _DAYS:
        if match := pattern.fullmatch(text):
            return read(match, today)
    raise LookupError


def _month_end(today: date) -> date:
    return today.replace(day=monthrange(today.year, today.month)[1])


def _iso_day(match: re.Match[str], today: date) -> date:
    return date.fromisoformat(match[0])


def _written_day(match: re.Match[str], today: date) -> date:
    return date(int(match["year"]), _MONTH_NUMBERS[match["month"]], int(match["day"]))


def _counted_day(match: re.Match[str], today: date) -> date:
    count, unit = _counted(match), match["unit"]
    if unit.startswith("month"):
        return _months_later(today, count)
    return today + timedelta(days=count * (7 if unit.startswith("w") else 1))


def _months_later(today: date, months: int) -> date:
    """Clamped to the last day of the month."""
    years, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    if years > 9999:
        raise OverflowError
    return date(years, month + 1, min(today.day, monthrange(years, month + 1)[1]))


def _counted(match: re.Match[str]) -> int:
    return COUNTS[match["word"]] if match["word"] else _count(match["count"])


def _count(digits: str) -> int:
    """A count of at least one; none is no date."""
    if not int(digits):
        raise LookupError
    return int(digits)


_NAMED: dict[str, Callable[[date], date]] = {
    "today": lambda today: today,
    "tomorrow": lambda today: today + timedelta(days=1),
    "end of month": _month_end,
}
_WEEKDAY_NUMBERS = {word: i for i, name in enumerate(_WEEKDAYS) for word in (name, name[:3])} | _MORE_WEEKDAYS
_MONTH_NUMBERS = {word: i for i, name in enumerate((*_MONTHS, *_LAST_MONTHS), 1) for word in (name, name[:3])}
_MONTH_NUMBERS["sept"] = 9
_DAYS: list[tuple[re.Pattern[str], Callable[[re.Match[str], date], date]]] = [
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), _iso_day),
    (re.compile(rf"{_DAY}(?: of)?[ -]{_MONTH},?[ -]{_YEAR}"), _written_day),
    (re.compile(rf"{_MONTH} ?{_DAY}(?:, ?| ){_YEAR}"), _written_day),
    (re.compile(r"(?:in |within )?(?P<count>[0-9]{1,6})(?P<word>)(?P<unit>[dw])"), _counted_day),
    (re.compile(rf"{_COUNT}(?P<unit>(?:day|week|month)s?)"), _counted_day),
]

_MISTAKES = [
    (re.compile(r".*[0-9]:[0-9]{2}(?::[0-9]{2})?"), "a clock time needs its zone, as in `2026-12-01T18:00Z`"),
    (re.compile(r"[0-9]+"), "a bare number is no date"),
    (re.compile(r".*\.\..*"), "one date is asked for, not a range"),
    (re.compile(r"[0-9]+[./-][0-9]+[./-][0-9]+"), "a date in digits begins with its year and has two digits each"),
    (re.compile(r"(?:next|this|on|the) .*"), "a weekday alone is the next one"),
]


_IN_DIGITS = re.compile(r"(?P<one>0?[1-9]|1[0-2])(?P<mark>[./-])(?P<two>0?[1-9]|1[0-2])(?P=mark)(?P<year>[0-9]{4})")


def _check_clear(words: str, text: str) -> None:
    """Raises AmbiguousDate for digits that are two days."""
    match = _IN_DIGITS.fullmatch(text)
    one, two, year = (int(match[name]) for name in ("one", "two", "year")) if match else (0, 0, 0)
    if one != two and year:
        raise AmbiguousDate(words, (date(year, two, one), date(year, one, two)))


def _why_not(text: str) -> str:
    """Explain words that fit no notation."""
    for pattern, why in _MISTAKES:
        if pattern.fullmatch(text):
            return why
    words = text.replace(",", "").split(" ")
    if not any(word in _MONTH_NUMBERS for word in words):
        return "it fits no notation"
    if len(words) == 1:
        return "a bare month is no date"
    return "a date needs its day" if re.search("[0-9]{4}", text) else "a date needs its year"
