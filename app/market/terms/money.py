"""Text becomes an integer here and nowhere else: amounts and prices in mills, volumes in units.

Digits are ASCII, arithmetic is on integers, nothing is rounded: what is not exact is refused. Thousands may be
grouped in threes by `,` or `_`; `k` is a thousand. One rule for all numbers: with one `.` or `,` and exactly three
digits behind it a number is ambiguous, unless it begins with `0.` or is `N,NNN` with N from 1 to 999.
"""

import re

from app.market.terms.contract import MAX_VOLUME, UNIT_MILLS
from app.market.terms.errors import Refusal

MAX_AMOUNT_MILLS = 9 * 10**15
"""No more money than this exists in one currency (docs/market.md §2)."""

_MAX_LENGTH = 32
_NUMBER = re.compile(
    r"(?P<whole>[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?:_[0-9]{3})+|[0-9]*)(?:\.(?P<fraction>[0-9]+))?"
    r"(?P<suffix>[kK%]?)"
)
_UNCLEAR = re.compile(r"(?!0\.|[1-9][0-9]{0,2},)(?P<whole>[0-9]*)[.,](?P<three>[0-9]{3})(?P<suffix>[kK%]?)")
_SUFFIX_PLACES = {"": 0, "k": 3, "K": 3, "%": -2}

AMOUNT_HELP = "an amount is in tokens, above 0, with at most three decimals: `50`, `12.50`, `1,000` or `2k`"
VOLUME_HELP = "a volume is a whole number of units from 1 to 1,000,000,000: `50`, `1_000`, `1,000` or `2k`"
PRICE_HELP = "a price lies between 0 and 1, in steps of 0.001: `0.40`, `40%` or `.4`"


class Unreadable(Refusal):
    """Text that is no number of the kind asked for; `why` says what such a number looks like.

    The sentence does not repeat the text: whoever answers a user escapes it first.
    """

    kind = "number"
    why = ""

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.why[:1].upper()}{self.why[1:]}.")
        self.text = text


class AmbiguousNumber(Unreadable):
    """`1.000` is a thousand to half of the world and one to the other half; `0,900` is 900 to nobody, yet to a reader.

    `readings` are the same number written so that it is clear: first as a fraction, then by thousands.
    """

    def __init__(self, text: str, readings: tuple[str, str]) -> None:
        fraction, thousands = readings
        self.why = f"it may be `{fraction}` or `{thousands}`"
        super().__init__(text)
        self.readings = readings


class BadAmount(Unreadable):
    kind = "amount"
    why = AMOUNT_HELP


class BadVolume(Unreadable):
    kind = "volume"
    why = VOLUME_HELP


class BadPrice(Unreadable):
    kind = "price"
    why = PRICE_HELP


def parse_amount(text: str) -> int:
    """Mills of an amount in tokens. Raises BadAmount or AmbiguousNumber."""
    amount_mills = _scaled(text, 3, "kK")
    if amount_mills is None or not 0 < amount_mills <= MAX_AMOUNT_MILLS:
        raise BadAmount(text)
    return amount_mills


def parse_volume(text: str) -> int:
    """Units. Raises BadVolume or AmbiguousNumber."""
    volume = _scaled(text, 0, "kK")
    if volume is None or not 0 < volume <= MAX_VOLUME:
        raise BadVolume(text)
    return volume


def parse_price(text: str) -> int:
    """Mills that a unit costs, 1..999. Raises BadPrice or AmbiguousNumber."""
    price = _scaled(text, 3, "%")
    if price is None or not 0 < price < UNIT_MILLS:
        raise BadPrice(text)
    return price


def _scaled(text: str, places: int, suffixes: str) -> int | None:
    """The number times 10**places, None where that is no integer or the text no number. Raises AmbiguousNumber."""
    _check_clear(text)
    match = _NUMBER.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None or match["suffix"] not in ("", *suffixes):
        return None
    whole = match["whole"].replace(",", "").replace("_", "")
    if not whole and not match["fraction"]:
        return None
    fraction = match["fraction"] or ""
    shift = places + _SUFFIX_PLACES[match["suffix"]] - len(fraction)
    digits = int(f"{whole}{fraction}")
    return digits * 10**shift if shift >= 0 else _divided(digits, 10**-shift)


def _check_clear(text: str) -> None:
    match = _UNCLEAR.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match:
        fraction = f"{int(match['whole'] or 0)}.{match['three']}".rstrip("0").rstrip(".")
        suffix = match["suffix"]
        raise AmbiguousNumber(text, (f"{fraction}{suffix}", f"{int(match['whole'] + match['three'])}{suffix}"))


def _divided(number: int, divisor: int) -> int | None:
    quotient, rest = divmod(number, divisor)
    return None if rest else quotient


def format_mills(amount_mills: int) -> str:
    """`25.00`, `1,234.50`, `0.005`: tokens with two decimals, the third only where it is needed."""
    sign = "-" if amount_mills < 0 else ""
    tokens, mills = divmod(abs(amount_mills), UNIT_MILLS)
    return f"{sign}{tokens:,}.{_decimals(mills)}"


def format_price(price: int) -> str:
    """`0.50`, and `0.405` where the third decimal is needed."""
    return format_mills(price)


def _decimals(mills: int) -> str:
    digits = f"{mills:03}"
    return digits[:2] if digits.endswith("0") else digits


def command_amount(amount_mills: int) -> str | None:
    """The amount as a command takes it, with two decimals at most: `25`, `12.50`; None where it has a third."""
    tokens, mills = divmod(amount_mills, UNIT_MILLS)
    if mills % 10:
        return None
    return f"{tokens}.{mills // 10:02}" if mills else str(tokens)


def command_price(price: int) -> str:
    """The price as a command takes it, with two decimals at most: `0.40`, and `40.5%` where that would not do."""
    return f"{price // 10}.{price % 10}%" if price % 10 else format_price(price)
