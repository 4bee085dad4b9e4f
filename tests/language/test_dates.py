"""The notations of dates. The comment is made on Tuesday, 28 November 2017, 11:53:20 UTC."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.language.dates import AmbiguousDate, BadDate, format_day, format_instant, parse_instant


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


NOW = at("2017-11-28T11:53:20")


@pytest.mark.parametrize(
    ("words", "instant"),
    [
        ("2026-12-01", "2026-12-01T23:59:59"),
        ("1 Dec 2026", "2026-12-01T23:59:59"),
        ("01 december 2026", "2026-12-01T23:59:59"),
        ("Dec 1 2026", "2026-12-01T23:59:59"),
        ("Dec 1, 2026", "2026-12-01T23:59:59"),
        ("29 feb 2028", "2028-02-29T23:59:59"),
        ("2026-12-01T18:00Z", "2026-12-01T18:00:00"),
        ("2026-12-01t18:00z", "2026-12-01T18:00:00"),
        ("2026-12-01T18:00:30Z", "2026-12-01T18:00:30"),
        ("2026-12-01T01:00+02:00", "2026-11-30T23:00:00"),
        ("2026-12-01T18:00:01-05:30", "2026-12-01T23:30:01"),
        ("today", "2017-11-28T23:59:59"),
        ("tomorrow", "2017-11-29T23:59:59"),
        ("Wednesday", "2017-11-29T23:59:59"),
        ("friday", "2017-12-01T23:59:59"),
        ("mon", "2017-12-04T23:59:59"),
        ("tuesday", "2017-12-05T23:59:59"),
        ("3d", "2017-12-01T23:59:59"),
        ("2w", "2017-12-12T23:59:59"),
        ("in 1 day", "2017-11-29T23:59:59"),
        ("in 2 weeks", "2017-12-12T23:59:59"),
        ("in 2 months", "2018-01-28T23:59:59"),
        ("in 15 months", "2019-02-28T23:59:59"),
        ("end of month", "2017-11-30T23:59:59"),
        ("36h", "2017-11-29T23:53:20"),
        ("in 1 hour", "2017-11-28T12:53:20"),
        ("15 Sept 2027", "2027-09-15T23:59:59"),
        ("Sept 15 2027", "2027-09-15T23:59:59"),
        ("Sept. 15, 2027", "2027-09-15T23:59:59"),
        ("Dec. 1, 2028", "2028-12-01T23:59:59"),
        ("Dec. 1 2028", "2028-12-01T23:59:59"),
        ("Dec.1,2028", "2028-12-01T23:59:59"),
        ("1st of December 2028", "2028-12-01T23:59:59"),
        ("December 2nd, 2028", "2028-12-02T23:59:59"),
        ("15-Sep-2027", "2027-09-15T23:59:59"),
        ("1 dec, 2026", "2026-12-01T23:59:59"),
        ("2026-12-01T18Z", "2026-12-01T18:00:00"),
        ("2026-12-01T18:00+0200", "2026-12-01T16:00:00"),
        ("2026-12-01T18:00+02", "2026-12-01T16:00:00"),
        ("2026-12-01T18:00-0530", "2026-12-01T23:30:00"),
        ("2026-12-01 18:00Z", "2026-12-01T18:00:00"),
        ("2026-12-01 18:00 UTC", "2026-12-01T18:00:00"),
        ("tues", "2017-12-05T23:59:59"),
        ("Weds", "2017-11-29T23:59:59"),
        ("thurs", "2017-11-30T23:59:59"),
        ("two weeks", "2017-12-12T23:59:59"),
        ("2 weeks", "2017-12-12T23:59:59"),
        ("in two weeks", "2017-12-12T23:59:59"),
        ("within 2 weeks", "2017-12-12T23:59:59"),
        ("within 2w", "2017-12-12T23:59:59"),
        ("in 3d", "2017-12-01T23:59:59"),
        ("a month", "2017-12-28T23:59:59"),
        ("within twelve months", "2018-11-28T23:59:59"),
        ("36 hours", "2017-11-29T23:53:20"),
        ("within 36h", "2017-11-29T23:53:20"),
        ("an hour", "2017-11-28T12:53:20"),
    ],
)
def test_a_date_means_an_instant(words: str, instant: str) -> None:
    assert parse_instant(words, NOW) == at(instant)


@pytest.mark.parametrize(
    ("now", "words", "instant"),
    [
        ("2024-01-31T10:00:00", "in 1 month", "2024-02-29T23:59:59"),
        ("2023-01-31T10:00:00", "in 1 month", "2023-02-28T23:59:59"),
        ("2023-10-31T00:00:00", "in 1 month", "2023-11-30T23:59:59"),
        ("2023-12-31T23:59:59", "end of month", "2023-12-31T23:59:59"),
        ("2023-12-31T23:59:59", "tomorrow", "2024-01-01T23:59:59"),
        ("2023-12-31T00:00:00", "1d", "2024-01-01T23:59:59"),
        ("2023-12-31T23:30:00", "1h", "2024-01-01T00:30:00"),
        ("2023-12-31T23:30:00", "sunday", "2024-01-07T23:59:59"),
    ],
)
def test_relative_dates_count_from_the_comment(now: str, words: str, instant: str) -> None:
    assert parse_instant(words, at(now)) == at(instant)


@pytest.mark.parametrize(
    ("words", "instant"),
    [
        ("2026-12-01", "2026-12-01T00:00:00"),
        ("in 2 weeks", "2017-12-12T00:00:00"),
        ("36h", "2017-11-29T23:53:20"),
        ("2026-12-01T18:00Z", "2026-12-01T18:00:00"),
    ],
)
def test_a_range_starts_with_the_first_second_of_a_day(words: str, instant: str) -> None:
    assert parse_instant(words, NOW, start=True) == at(instant)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("18:00", "zone"),
        ("2026-12-01T18:00", "zone"),
        ("2026-12-01 18:00:00", "zone"),
        ("7", "bare number"),
        ("20261201", "bare number"),
        ("2026", "bare number"),
        ("may", "bare month"),
        ("December", "bare month"),
        ("1 Dec", "needs its year"),
        ("Dec 1", "needs its year"),
        ("Dec 2026", "needs its day"),
        ("12/31/2026", "begins with its year"),
        ("1/2/26", "begins with its year"),
        ("the 1st of December 2026", "no notation|weekday"),
        ("2026-12-01T18:00+2", "no notation"),
        ("twoweeks", "no notation"),
        ("within 0 days", "no notation"),
        ("next two weeks", "weekday alone"),
        ("2026-02-30", "no such day"),
        ("30 feb 2026", "no such day"),
        ("0000-01-01", "no such day"),
        ("2026-12-01T24:00Z", "no such day or hour"),
        ("2026-12-01T18:60Z", "no such day or hour"),
        ("999999w", "no such day"),
        ("in 999999 months", "no such day"),
        ("1969-12-31", "outside"),
        ("9999-12-31T23:59-01:00", "outside"),
        ("2026-12-01..2026-12-31", "range"),
        ("0d", "no notation"),
        ("in 0 weeks", "no notation"),
        ("2m", "no notation"),
        ("next friday", "weekday alone is the next one"),
        ("soon", "no notation"),
        ("", "no notation"),
        ("1 foo 2026", "no notation"),
        ("２w", "no notation"),
        ("2026-12-0\u0661", "no notation"),
        ("2026-1-1", "begins with its year"),
        ("31.12.2026", "begins with its year"),
        ("2026/12/31", "begins with its year"),
        ("2026-W01-1", "no notation"),
        ("2026-12-01T18:00Z " * 9, "too long"),
    ],
)
def test_anything_else_is_refused_with_examples(words: str, why: str) -> None:
    with pytest.raises(BadDate, match=why) as refusal:
        parse_instant(words, NOW)
    assert "`2026-12-01`" in refusal.value.sentence


@pytest.mark.parametrize(
    ("words", "why", "readings"),
    [
        ("12/01/2027", "is ambiguous: 12 January or December 1?", ("12 Jan 2027", "1 Dec 2027")),
        ("1/2/2026", "is ambiguous: 1 February or January 2?", ("1 Feb 2026", "2 Jan 2026")),
        ("01.02.2026", "is ambiguous: 1 February or January 2?", ("1 Feb 2026", "2 Jan 2026")),
        ("3-4-2026", "is ambiguous: 3 April or March 4?", ("3 Apr 2026", "4 Mar 2026")),
    ],
)
def test_a_day_and_a_month_in_digits_are_refused_with_both_readings(
    words: str, why: str, readings: tuple[str, str]
) -> None:
    with pytest.raises(AmbiguousDate) as refused:
        parse_instant(words, NOW)
    assert (refused.value.why, refused.value.readings) == (why, readings)
    assert refused.value.sentence == f"This date {why}"


@given(st.text(alphabet="0123456789-:tTzZ+ dwhmayindecofrk.", max_size=30), st.integers(0, 250_000_000_000))
def test_any_words_are_an_instant_or_refused(words: str, now: int) -> None:
    try:
        instant = parse_instant(words, now)
    except BadDate:
        return
    assert 0 <= instant < at("9999-12-31T23:59:59") + 1
    assert format_instant(instant).endswith("UTC")


@given(st.integers(0, 250_000_000_000))
def test_an_instant_that_is_printed_in_iso_reads_as_itself(instant: int) -> None:
    assert parse_instant(f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%S}Z", NOW) == instant


def test_days_are_printed_short() -> None:
    assert format_day(at("2017-12-01T23:59:59")) == "1 Dec 2017"
