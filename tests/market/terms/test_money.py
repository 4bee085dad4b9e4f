"""Amounts, volumes and prices: from text to integers and back."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.terms.errors import Refusal
from app.market.terms.money import (
    AmbiguousNumber,
    BadAmount,
    BadPrice,
    BadVolume,
    Unreadable,
    command_amount,
    command_price,
    format_mills,
    format_price,
    parse_amount,
    parse_price,
    parse_volume,
)

AMOUNTS = {
    "50": 50_000,
    "12.50": 12_500,
    "12.5": 12_500,
    ".5": 500,
    "0.001": 1,
    "0.0010": 1,
    "1_000": 1_000_000,
    "1,000": 1_000_000,
    "1,234,567.891": 1_234_567_891,
    "2k": 2_000_000,
    "2K": 2_000_000,
    "2.5k": 2_500_000,
    "0.000001k": 1,
    "1.00100": 1_001,
    "0" * 31 + "5": 5_000,
    "9,000,000,000,000": 9 * 10**15,
}
VOLUMES = {"50": 50, "1_000": 1000, "1,000": 1000, "2k": 2000, "1.5k": 1500, "1": 1, "5.0": 5, "1000000000": 10**9}
VOLUMES |= {"2K": 2000}
PRICES = {"0.40": 400, ".4": 400, "40%": 400, "40.5%": 405, "0.405": 405, "0.4000": 400, "0.001": 1, "99.9%": 999}

NO_NUMBERS = [
    "",
    ".",
    "5.",
    "-5",
    "+5",
    "1e3",
    "0x10",
    "fifty",
    "5 0",
    "1,00",
    "10,00",
    "1_00",
    ",5",
    "_5",
    "5_",
    "1,0000",
]
NO_NUMBERS += [
    "５0",
    "\u0665",
    "2\u212a",
    "5€",
    "5\n",
    "1__000",
    "1,000_000",
    "½",
    "²",
    "1" * 40,
    "0",
    "0.0",
    "nan",
    "inf",
]
NO_AMOUNTS = [
    *NO_NUMBERS,
    "1.2345",
    "0.00020",
    "0" * 32 + "5",
    "0.0001",
    "50%",
    "2kk",
    "9,000,000,000,000.001",
    "99999999999999999999",
]
NO_VOLUMES = [*NO_NUMBERS, "2.5", "0.5", "50%", "1000000001", "1.0005k", "1000001k"]
NO_PRICES = [*NO_NUMBERS, "1", "1.00", "100%", "0%", "0.4005", "40.55%", "0,4", "0.4k", "0.0004", "40", "%", ".%"]


@pytest.mark.parametrize(("text", "mills"), AMOUNTS.items())
def test_amounts(text: str, mills: int) -> None:
    assert parse_amount(text) == mills


@pytest.mark.parametrize(("text", "units"), VOLUMES.items())
def test_volumes(text: str, units: int) -> None:
    assert parse_volume(text) == units


@pytest.mark.parametrize(("text", "mills"), PRICES.items())
def test_prices(text: str, mills: int) -> None:
    assert parse_price(text) == mills


@pytest.mark.parametrize(
    ("parse", "text", "refusal"),
    [(parse_amount, text, BadAmount) for text in NO_AMOUNTS]
    + [(parse_volume, text, BadVolume) for text in NO_VOLUMES]
    + [(parse_price, text, BadPrice) for text in NO_PRICES],
)
def test_what_is_not_exact_is_refused_with_examples(
    parse: Callable[[str], int], text: str, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal, match=r"`.*`") as caught:
        parse(text)
    assert caught.value.sentence.endswith(".")


@pytest.mark.parametrize(
    ("parse", "sentence"),
    [
        (parse_amount, "An amount is in tokens, above 0, with at most three decimals: `50`, `12.50`, `1,000` or `2k`."),
        (parse_volume, "A volume is a whole number of units from 1 to 1,000,000,000: `50`, `1_000`, `1,000` or `2k`."),
        (parse_price, "A price lies between 0 and 1, in steps of 0.001: `0.40`, `40%` or `.4`."),
    ],
)
def test_a_refused_number_is_answered_with_what_such_a_number_looks_like(
    parse: Callable[[str], int], sentence: str
) -> None:
    with pytest.raises(Unreadable) as caught:
        parse("fifty")
    refused = caught.value
    assert (refused.sentence, str(refused), refused.text, refused.correction) == (sentence, sentence, "fifty", None)


@pytest.mark.parametrize(
    ("mills", "text"),
    [
        (25_000, "25.00"),
        (0, "0.00"),
        (5, "0.005"),
        (10, "0.01"),
        (12_345, "12.345"),
        (999_990, "999.99"),
        (1_000_000, "1,000.00"),
        (1_234_567_890, "1,234,567.89"),
        (-5_500, "-5.50"),
    ],
)
def test_amounts_are_printed_with_two_decimals_and_the_third_where_needed(mills: int, text: str) -> None:
    assert format_mills(mills) == text


def test_prices_are_printed_alike() -> None:
    assert [format_price(price) for price in (1, 405, 500, 999)] == ["0.001", "0.405", "0.50", "0.999"]


@given(st.integers(1, 9 * 10**15))
def test_an_amount_printed_for_a_command_has_two_decimals_at_most_and_reads_as_itself(mills: int) -> None:
    printed = command_amount(mills)
    assert (printed is None) == bool(mills % 10)
    if printed is not None:
        assert re.fullmatch(r"[0-9]+(\.[0-9]{2})?", printed)
        assert parse_amount(printed) == mills


@given(st.integers(1, 999))
def test_a_price_printed_for_a_command_has_two_decimals_at_most_and_reads_as_itself(price: int) -> None:
    printed = command_price(price)
    assert re.fullmatch(r"0\.[0-9]{2}|[0-9]{1,2}\.[0-9]%", printed)
    assert parse_price(printed) == price


UNCLEAR = {
    # what is typed: (as a fraction, by thousands)
    "1.000": ("1", "1000"),
    "12.345": ("12.345", "12345"),
    "0,900": ("0.9", "900"),
    "000,100": ("0.1", "100"),
    "012,345": ("12.345", "12345"),
    "0,001": ("0.001", "1"),
    "1234,567": ("1234.567", "1234567"),
    "1234.500": ("1234.5", "1234500"),
    ".500": ("0.5", "500"),
    ",500": ("0.5", "500"),
    "00.500": ("0.5", "500"),
    "1.500k": ("1.5k", "1500k"),
    "0,500K": ("0.5K", "500K"),
    "40.500%": ("40.5%", "40500%"),
}


@pytest.mark.parametrize("parse", [parse_amount, parse_volume, parse_price])
@pytest.mark.parametrize(("text", "readings"), UNCLEAR.items())
def test_one_separator_with_three_digits_behind_it_is_refused_with_both_readings(
    parse: Callable[[str], int], text: str, readings: tuple[str, str]
) -> None:
    with pytest.raises(AmbiguousNumber) as refused:
        parse(text)
    assert refused.value.readings == readings
    assert refused.value.why == f"it may be `{readings[0]}` or `{readings[1]}`"


@pytest.mark.parametrize(
    "text", ["1.000,50", "1.000,5", "2,5k", "12,5", "1.000.000", "1,00,000", "0,5", "0,90", "0,000,100"]
)
def test_a_decimal_comma_and_other_groups_are_refused(text: str) -> None:
    for parse, refusal in ((parse_amount, BadAmount), (parse_volume, BadVolume), (parse_price, BadPrice)):
        with pytest.raises(refusal):
            parse(text)


CLEAR = {"1,000": 1000, "12,345": 12_345, "999,999": 999_999, "1_000": 1000, "1,000.000": 1000, "1,234,567": 1_234_567}


@pytest.mark.parametrize(("text", "units"), CLEAR.items())
def test_thousands_are_clear_in_groups_that_begin_with_no_nought(text: str, units: int) -> None:
    assert (parse_volume(text), parse_amount(text)) == (units, 1000 * units)


def test_a_nought_and_a_point_begin_a_fraction() -> None:
    assert (parse_amount("0.500"), parse_price("0.500"), parse_amount("0.125")) == (500, 500, 125)


@given(st.integers(1, 999))
def test_a_printed_price_reads_as_itself(price: int) -> None:
    assert parse_price(format_price(price)) == price


@given(st.text(max_size=50) | st.from_regex(r"[0-9_,.]{0,20}[kK%]?", fullmatch=True))
def test_any_text_is_a_number_in_its_bounds_or_refused(text: str) -> None:
    for parse, most in ((parse_amount, 9 * 10**15), (parse_volume, 10**9), (parse_price, 999)):
        try:
            assert 0 < parse(text) <= most
        except AmbiguousNumber as refusal:
            assert len(text) < 15 or text not in refusal.sentence.replace(refusal.readings[1], "")
        except Refusal as refusal:
            assert text not in refusal.sentence or len(text) < 15
