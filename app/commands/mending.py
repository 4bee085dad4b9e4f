"""A command to copy instead of one that could not be read: what can be read of it is kept, the rest is filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.commands.grammar import CONDITIONS, KEYWORDS, SIDES, TRUTHS
from app.commands.misfit import nearest
from app.commands.near import near_amount, near_clock, near_date, near_price, near_range, near_volume
from app.commands.values import READERS, date_length
from app.market.errors import Refusal
from app.market.instants import command_date, last_second

SUGGESTED_SPAN_SECONDS = 90 * 86_400
USUAL_PRICE = "at 0.50"
PRICES = ("at", "deposit", "profit")
EXCLUDED_BY_POST_ONLY = frozenset({"all-or-none", "now-or-never"})


@dataclass(slots=True)
class _Kept:
    """What could be read of an offer, in the words of a command."""

    side: str = ""
    quantity: str = ""
    price: str = ""
    dates: dict[str, str] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OfferMender:
    """How commands about offers are mended. `head` is what they begin with, `usual` stands where no volume can be read.

    `quantities` are the keywords that may stand for a volume, `prices` those that say a price, `conditions` those the
    command takes; `by` is the part that reads its maturation, `side` what is meant where none is named.
    """

    head: str
    usual: str
    quantities: tuple[str, ...] = ()
    prices: tuple[str, ...] = PRICES
    conditions: tuple[str, ...] = CONDITIONS
    side: str = "fixed"
    by: str = "by"

    def __call__(self, words: Sequence[str], now: int) -> str:
        kept = self.kept(joined(words), now)
        price = kept.price
        if kept.quantity.startswith("for ") and not price.startswith("at"):
            price = USUAL_PRICE
        if "post-only" in kept.conditions and not price and self.prices == ("at",):  # a sale at once waits for nothing
            price = USUAL_PRICE
        if "on" in kept.dates:  # a forecast has a date of its own
            kept.dates.pop("by", None)
        clauses = [kept.side or self.side, kept.quantity or self.usual, price, *kept.dates.values(), *kept.conditions]
        return " ".join(filter(None, [self.head, *clauses]))

    def kept(self, words: Sequence[str], now: int) -> _Kept:
        found = _Kept()
        at = 0
        while at < len(words):
            at += self._keep(found, words[at:], now)
        return found

    def _keep(self, kept: _Kept, words: Sequence[str], now: int) -> int:
        """Keep what the first of the words says; returns how many it took."""
        word = nearest(words[0], (*SIDES, *TRUTHS, *KEYWORDS)) or words[0]
        value = words[1] if len(words) > 1 else ""
        if words[0] == "on" and re.fullmatch("f?[0-9]{1,18}", value):
            kept.dates.setdefault("on", f"on F{value.removeprefix('f')}")
            return 2
        if word.startswith("@"):
            return self._keep_price(kept, "at", word[1:] or value, 1 if word[1:] else 2)
        if word in PRICES:
            return self._keep_price(kept, word, value, 2)
        if word in ("by", "until"):
            return self._keep_date(kept, word, words[1:], now)
        if word == "for" and kept.quantity and reads("at", value, 0):  # a price that is called an amount
            return self._keep_price(kept, "at", value, 2)
        if word == "for" and word in self.quantities and _amount(value):
            kept.quantity = kept.quantity or f"for {_amount(value)}"
            return 2
        self._keep_word(kept, word)
        return 1

    def _keep_price(self, kept: _Kept, clause: str, value: str, taken: int) -> int:
        """A price that cannot be read becomes the one it looks like, else the usual one; of several the first stays."""
        near = nearly(clause, value, near_price if clause == "at" else near_amount)
        if clause in self.prices:
            kept.price = kept.price or (f"{clause} {near}" if near else USUAL_PRICE)
        return taken if near or value not in KEYWORDS else taken - 1

    def _keep_word(self, kept: _Kept, word: str) -> None:
        if word in (*SIDES, *TRUTHS):
            kept.side = kept.side or word
        elif word in CONDITIONS:
            self._keep_condition(kept, word)
        elif not kept.quantity and (word == "all" in self.quantities or nearly("volume", word, _volume)):
            kept.quantity = word if word == "all" else nearly("volume", word, _volume) or ""
        elif not kept.price and reads("at", word, 0):
            kept.price = f"at {word}"

    def _keep_condition(self, kept: _Kept, word: str) -> None:
        """Of those that exclude each other the first stays."""
        if word not in self.conditions or word in kept.conditions:
            return
        rivals = EXCLUDED_BY_POST_ONLY if word == "post-only" else {"post-only"}
        if word not in {"post-only", *EXCLUDED_BY_POST_ONLY} or not rivals.intersection(kept.conditions):
            kept.conditions.append(word)

    def _keep_date(self, kept: _Kept, clause: str, words: Sequence[str], now: int) -> int:
        """A date that cannot be read becomes the one it looks like, else one some months ahead; such an expiry none."""
        found, count = kept_date(words, now, self.by if clause == "by" else clause)
        if found or clause == "by":
            kept.dates.setdefault(clause, f"{clause} {found or suggested_date(now)}")
        return 1 + count


def kept_date(words: Sequence[str], now: int, part: str = "by") -> tuple[str, int]:
    """The date that the first words are, or nearly are, and how many they are; ("", 0) where they are none."""
    end = next((at for at, word in enumerate(words) if word in KEYWORDS), len(words))
    count = date_length(words, now, part)
    if count == end and count:
        return " ".join(words[:count]), count
    longer = near_range(" ".join(words[:end]), now) if part == "by_range" else None
    if longer or (count and near_clock(" ".join(words[:end]), now)):
        return longer or near_clock(" ".join(words[:end]), now) or "", end
    if count:
        return " ".join(words[:count]), count
    for count in range(min(end, 6), 0, -1):
        found = near_date(" ".join(words[:count]), now)
        if found:
            return found, count
    return "", 0


def suggested_date(now: int) -> str:
    return command_date(last_second(now + SUGGESTED_SPAN_SECONDS))


def joined(words: Sequence[str]) -> list[str]:
    """Words that belong together as one: `1 000`, `40 %`, `post only`."""
    text = " ".join(words)
    for condition in CONDITIONS:
        text = text.replace(condition.replace("-", " "), condition)
    text = re.sub(r"(?<=[0-9]) (?=000(?: |$))", "", text)
    return re.sub(r"([0-9]) %", r"\1%", text).split(" ")


def nearly(part: str, word: str, near: Callable[[str], str | None]) -> str | None:
    """The word if the part can be read from it, else what it looks like."""
    return word if reads(part, word, 0) else near(word)


def _volume(word: str) -> str | None:
    """What looks like a price is none."""
    return None if word.startswith((".", "0")) or word.endswith("%") else near_volume(word)


def _amount(word: str) -> str | None:
    return nearly("spend", word, near_amount)


def reads(part: str, words: str, now: int) -> bool:
    """Whether a part of a command can be read from these words."""
    try:
        READERS[part](words, now)
    except Refusal:
        return False
    return True
