"""Kinds of values in `.github/bugmark.yml`: their reading, bounds, words and JSON Schema.

No amount, price or span is ever a float; `0.40` is read by the same reader as in a command.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.market.terms.contract import MAX_VOLUME, UNIT_MILLS
from app.market.terms.errors import Refusal
from app.market.terms.money import parse_amount, parse_price, parse_volume
from app.services.rules.yaml_source import Scalar

MINUTE, HOUR, DAY = 60, 3600, 86_400
MOST_LABELS = 100
MOST_GRANT_MILLS = 1_000_000 * UNIT_MILLS
MOST_STAKE_MILLS = 10**9 * UNIT_MILLS
NONE = "none"

JsonSchema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Takes:
    """Values that a key takes, as the end of a sentence."""

    words: str


_UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_SPAN = re.compile(r"([0-9]{1,6})([smhdw])")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_WRONG = PydanticCustomError("unreadable", "unreadable")
"""Its words are never shown: what a key takes is said by the key."""


def _reading(read: Callable[[Scalar], Any]) -> BeforeValidator:
    """Whatever is no single value, or not one of this kind, is refused."""

    def checked(value: object) -> object:
        if not isinstance(value, Scalar):
            raise _WRONG
        try:
            return read(value)
        except (Refusal, LookupError) as error:
            raise _WRONG from error

    return BeforeValidator(checked)


def _truth(text: Scalar) -> bool:
    return {"true": True, "false": False}[text.lower() if text.plain else ""]


def _whole(text: Scalar) -> int:
    if not text.plain or not _WHOLE.fullmatch(text):
        raise _WRONG
    return int(text)


def _span(text: Scalar) -> int:
    if text == "0":
        return 0
    match = _SPAN.fullmatch(text)
    if match is None:
        raise _WRONG
    return int(match[1]) * _UNITS[match[2]]


def _amount(text: Scalar) -> int:
    return 0 if text == "0" else parse_amount(text)


def _or_none(read: Callable[[Scalar], int]) -> Callable[[Scalar], int | None]:
    return lambda text: None if text == NONE else read(text)


def _number(least: int, most: int) -> JsonSchema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _maybe(schema: JsonSchema) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [*schema.get("anyOf", [schema]), {"const": NONE}]})


_PRICE_SCHEMA: JsonSchema = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "string", "pattern": r"^(0\.[0-9]{1,3}|\.[0-9]{1,2}|[0-9]{1,2}(\.[0-9])?%)$"},
    ]
}
_SPAN_SCHEMA: JsonSchema = {"anyOf": [{"type": "string", "pattern": "^[0-9]{1,6}[smhdw]$"}, {"const": 0}]}


_WHOLE_UNITS = "([1-9][0-9]{0,2}([,_][0-9]{3})+|[0-9]+)"


def _amount_schema(most_mills: int) -> JsonSchema:
    grouped = rf"^({_WHOLE_UNITS}(\.[0-9]{{1,2}})?k?|0\.[0-9]{{3}})$"
    return {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": most_mills // UNIT_MILLS},
            {"type": "string", "pattern": grouped},
        ]
    }


def _units_schema() -> JsonSchema:
    text = {"type": "string", "pattern": f"^{_WHOLE_UNITS}k?$"}
    return {"anyOf": [_number(1, MAX_VOLUME), text]}


PRICE_WORDS = "a price between 0 and 1, in steps of 0.001: `0.40`, `40%` or `.4`"
SPAN_WORDS = "a number with its unit: `30m`, `24h`, `7d` or `2w`"

Truth = Annotated[bool, _reading(_truth), Takes("`true` or `false`")]
Price = Annotated[int, Field(ge=1, le=999), _reading(parse_price), Takes(PRICE_WORDS), WithJsonSchema(_PRICE_SCHEMA)]
Label = Annotated[str, Field(min_length=1, max_length=50), _reading(str.strip)]
Names = Annotated[
    list[Label], Field(max_length=MOST_LABELS), Takes(f"a list of at most {MOST_LABELS} labels of 1 to 50 characters")
]
Verdict = Annotated[Literal["unfixed", "void"], _reading(str), Takes("`unfixed` or `void`")]
Least = Annotated[
    int,
    Field(ge=MINUTE, le=366 * DAY),
    _reading(_span),
    Takes(f"{SPAN_WORDS}, from `1m` to `366d`"),
    WithJsonSchema(_SPAN_SCHEMA),
]
Most = Annotated[
    int,
    Field(ge=HOUR, le=3660 * DAY),
    _reading(_span),
    Takes(f"{SPAN_WORDS}, from `1h` to `3660d`"),
    WithJsonSchema(_SPAN_SCHEMA),
]
Window = Annotated[
    int,
    Field(ge=0, le=30 * DAY),
    _reading(_span),
    Takes(f"{SPAN_WORDS}, up to `30d`, or `0`"),
    WithJsonSchema(_SPAN_SCHEMA),
]


Grant = Annotated[
    int,
    Field(ge=0, le=MOST_GRANT_MILLS),
    _reading(_amount),
    Takes("an amount in tokens from 0 to 1,000,000"),
    WithJsonSchema(_amount_schema(MOST_GRANT_MILLS)),
]
Fee = Annotated[int, Field(ge=0, le=1000), _reading(_whole), Takes("a whole number from 0 to 1000")]
Currency = Annotated[
    Literal["play"],
    _reading(str),
    Takes("`play`: any other currency must be backed by a chain, and there is none yet"),
]
Insiders = Annotated[Literal["allow", "disclose", "forbid"], _reading(str), Takes("`allow`, `disclose` or `forbid`")]
Replies = Annotated[Literal["full", "reactions"], _reading(str), Takes("`full` or `reactions`")]
MaybeCount = Annotated[
    Annotated[int, Field(ge=1, le=10_000)] | None,
    _reading(_or_none(_whole)),
    Takes("a whole number from 1 to 10000, or `none`"),
    _maybe(_number(1, 10_000)),
]
MaybeAmount = Annotated[
    Annotated[int, Field(ge=1, le=MOST_STAKE_MILLS)] | None,
    _reading(_or_none(parse_amount)),
    Takes("an amount in tokens up to 1,000,000,000, or `none`"),
    _maybe(_amount_schema(MOST_STAKE_MILLS)),
]
MaybeUnits = Annotated[
    Annotated[int, Field(ge=1, le=MAX_VOLUME)] | None,
    _reading(_or_none(parse_volume)),
    Takes("a whole number of units up to 1,000,000,000, or `none`"),
    _maybe(_units_schema()),
]
MaybePause = Annotated[
    Annotated[int, Field(ge=1, le=DAY)] | None,
    _reading(_or_none(_span)),
    Takes(f"{SPAN_WORDS}, from `1s` to `1d`, or `none`"),
    _maybe(_SPAN_SCHEMA["anyOf"][0]),
]
MaybeDays = Annotated[
    Annotated[int, Field(ge=1, le=3660)] | None,
    _reading(_or_none(_whole)),
    Takes("a whole number from 1 to 3660, or `none`"),
    _maybe(_number(1, 3660)),
]
