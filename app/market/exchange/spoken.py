"""Commands as they are handed out to be copied: typed parts, printed by one function.

A part that could not be read is a `Blank`: it stands there as a word in capitals, and the command does not run before
somebody has written something else instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.market.terms.instants import command_date
from app.market.terms.money import command_amount, command_price

MOST_REPEATED = 200
"""Characters of somebody's own words that a command to copy repeats."""


class Blank(StrEnum):
    """A part left to be filled in."""

    VOLUME = "VOLUME"
    AMOUNT = "AMOUNT"
    PRICE = "PRICE"
    DATE = "DATE"
    REASON = "REASON"
    OFFER = "OFFER"
    USER = "@USER"
    PACKAGE = "PACKAGE"
    SEVERITY = "SEVERITY"
    NAME = "NAME"
    NUMBER = "NUMBER"
    TAG = "TAG"
    FORECAST = "FORECAST"
    TEXT = "TEXT"


@dataclass(frozen=True, slots=True)
class HandOut:
    """A command to copy: its name, and its parts by the names that the grammar has for them.

    `means` says in words what sets it apart from others handed out with it; `dry`: what it would do is asked for.
    """

    name: str
    parts: Mapping[str, Any] = field(default_factory=dict)
    means: str = ""
    dry: bool = False

    @property
    def blank(self) -> bool:
        """Tell if something must be filled in before it runs."""
        return any(isinstance(value, Blank) for value in self.parts.values())

    @property
    def text(self) -> str:
        """Words after `/bugmark `."""
        return printed(self)

    def rehearsed(self) -> HandOut:
        return replace(self, dry=True)


class Unclear(Refusal):
    """A refusal with commands to copy: several where several may have been meant."""

    def __init__(self, sentence: str, *instead: HandOut) -> None:
        super().__init__(sentence, f"/bugmark {instead[0].text}" if len(instead) == 1 else None)
        self.instead = instead


MOST_HANDED_OUT = 4
"""Hand out no complete command if several may have been meant."""


def each(command: HandOut, part: str, values: Sequence[tuple[Any, str]], blank: Blank) -> tuple[HandOut, ...]:
    """The command once for each (value, meaning) of a part; with a blank in it where they are too many."""
    chosen = values if 0 < len(values) <= MOST_HANDED_OUT else [(blank, "")]
    return tuple(replace(command, parts={**command.parts, part: value}, means=means) for value, means in chosen)


def printed(command: HandOut) -> str:
    """Print the words after `/bugmark `: the one place where typed parts become a command."""
    words = [_PRINTERS[part](command.parts[part]) for part in _PRINTERS if part in command.parts]
    return " ".join(filter(None, ["dry-run" if command.dry else "", command.name, *words]))


def _after(word: str, said: Callable[[Any], str] = str) -> Callable[[Any], str]:
    return lambda value: f"{word} {value if isinstance(value, Blank) else said(value)}"


def _alone(said: Callable[[Any], str] = str) -> Callable[[Any], str]:
    return lambda value: value if isinstance(value, Blank) else said(value)


def _keyword(word: str) -> Callable[[Any], str]:
    return lambda value: word if value else ""


def _amount(mills: int) -> str:
    return command_amount(mills) or Blank.AMOUNT


def _truth(side: Side) -> str:
    return "true" if side is Side.FIXED else "false"


def _range(ends: tuple[int | None, int]) -> str:
    return spoken_dates(ends[1], ends[0])


def _name(text: str) -> str:
    return f'"{repeated(text)}"'


_PRINTERS: dict[str, Callable[[Any], str]] = {
    "act": _alone(),
    "ruling": _alone(lambda outcome: str(outcome.value).lower()),
    "side": _alone(lambda side: str(side.value).lower()),
    "truth": _alone(_truth),
    "offer_id": _alone(lambda number: f"o{number}"),
    "login": _alone(lambda login: f"@{login}"),
    "topic": _alone(),
    "daily": _keyword("daily"),
    "stop": _keyword("stop"),
    "numbered": _alone(lambda number: f"F{number}"),
    "package": _after("advisory", ":".join),
    "severity": _after("severity"),
    "label": _after("issue label", _name),
    "title": _after("title", _name),
    "milestone": _after("milestone", lambda name: f"{_name(name)} closed"),
    "pull": _after("pull", lambda number: f"{number} merged"),
    "release": _after("release", lambda tag: f"{repeated(tag)} published"),
    "everything": _keyword("all"),
    "volume": _alone(),
    "spend": _after("for", _amount),
    "amount": _alone(_amount),
    "at": _after("at", command_price),
    "deposit": _after("deposit", _amount),
    "profit": _after("profit", _amount),
    "by_range": _after("by", _range),
    "by": _after("by", command_date),
    "within": _after("by", command_date),
    "on": _after("on", lambda number: f"F{number}"),
    "which": _after("on", str),
    "void_at": _after("at", command_price),
    "until": _after("until", command_date),
    "all_or_none": _keyword("all-or-none"),
    "now_or_never": _keyword("now-or-never"),
    "post_only": _keyword("post-only"),
    "pool": _keyword("pool"),
    "cancel_on_halt": _keyword("cancel-on-halt"),
    "reason": _alone(lambda text: repeated(text)),
}
"""In the order in which they are said."""


def repeated(text: str) -> str:
    """Somebody's words as a command to copy has them: it stands in a code span."""
    return "".join(char for char in text if char.isprintable()).replace("`", "'")[:MOST_REPEATED].strip()


def spoken(new: NewOffer, by_at: int | Blank | None, from_at: int | None = None, **instead: object) -> str:
    """`/bugmark offer fixed 50 at 0.40 by 2026-12-01`, with its conditions. `instead` are parts to be said so."""
    return f"/bugmark {offered(new, by_at, from_at, **instead).text}"


def offered(new: NewOffer, by_at: int | Blank | None, from_at: int | None = None, **instead: object) -> HandOut:
    """The same, in parts."""
    dates: dict[str, object] = {} if by_at is None else {"by": by_at}
    if from_at is not None:
        dates = {"by_range": (from_at, by_at)}
    if new.until_at is not None and (not isinstance(by_at, int) or new.until_at < by_at):
        dates["until"] = new.until_at
    said = {word.replace("-", "_"): True for word in conditions(new)}
    parts = {"side": new.side, "volume": new.volume, "at": new.price, **dates, **said, **instead}
    return HandOut("offer" if new.action is Action.BUY else "sell", parts)


def spoken_dates(by_at: int, from_at: int | None = None) -> str:
    """`2026-12-01`, or a range as `2026-12-01..2026-12-31`, whose first date means the first second of its day."""
    if from_at is None:
        return command_date(by_at)
    start = datetime.fromtimestamp(from_at, UTC)
    first = f"{start:%Y-%m-%d}" if from_at % 86_400 == 0 else f"{start:%Y-%m-%dT%H:%M:%S}Z"
    return f"{first}..{command_date(by_at)}"


def conditions(offer: NewOffer | Offer) -> list[str]:
    """The conditions as they are typed; what another one implies is left out."""
    pooled = offer.pool if isinstance(offer, NewOffer) else offer.pooled
    said = {
        "all-or-none": offer.all_or_none,
        "now-or-never": offer.now_or_never,
        "post-only": offer.post_only,
        "pool": pooled,
        "cancel-on-halt": offer.cancel_on_halt and not offer.post_only,
    }
    return [word for word, holds in said.items() if holds]
