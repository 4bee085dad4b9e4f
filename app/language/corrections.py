"""Commands to copy instead of one that could not be read: what can be read of it is kept, the rest is left blank.

A command that is handed out must never cost the person who copies it. So nothing is made up; what may be two things is
handed out as both; and where words are left that nobody understood, no command that trades is handed out at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from app.language.date_guesses import near_date, near_range
from app.language.dates import format_day
from app.language.grammar import CONDITIONS, KEYWORDS, TRUTHS
from app.language.guesses import looks_like_a_price, near_number
from app.language.likeness import nearest
from app.language.sides import side_phrase
from app.language.text import lower
from app.language.values import READERS
from app.market.exchange.spoken import MOST_HANDED_OUT, Blank, HandOut
from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.market.terms.instants import command_date
from app.market.terms.money import command_price, format_mills

_POLITE = "please pls plz thanks thx thank you hi hello hey the a an this it issue bug to"
_UNITS = "unit units share shares token tokens coin coins"
_MONEY = "$ usd us$ dollar dollars € eur euro euros £ gbp pounds ₹ rs rs. inr rupees ¥ 円 jpy yen r$ brl reais"
FILLERS = frozenset(f"{_POLITE} {_UNITS} {_MONEY}".split(" "))
"""Words that change nothing."""

BOTH = (Side.FIXED, Side.UNFIXED)


@dataclass(slots=True)
class Slots:
    """The parts of a command as they were read: for each all that it may be, a Blank where it could not be read."""

    found: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)
    """Words that nobody understood."""

    def keep(self, part: str, readings: Iterable[Any], blank: Blank) -> None:
        """Treat a part that is given twice as unclear."""
        read = tuple(readings) or (blank,)
        self.found[part] = read if part not in self.found or self.found[part] == read else (blank,)

    def hand_outs(self, name: str) -> tuple[HandOut, ...]:
        """One for each reading."""
        if len(self.readings()) > MOST_HANDED_OUT:
            self.found |= {part: (BLANKS[part],) for part in self.found if part in BLANKS and self._open(part)}
        return tuple(HandOut(name, parts, self._means(name, parts)) for parts in self.readings())

    def readings(self) -> list[dict[str, Any]]:
        return [dict(zip(self.found, values, strict=True)) for values in product(*self.found.values())]

    def _open(self, part: str) -> bool:
        return len(self.found[part]) > 1

    def _means(self, name: str, parts: dict[str, Any]) -> str:
        """The part that this reading says otherwise than the others."""
        return ", ".join(MEANINGS[part](name, parts[part]) for part in parts if part in MEANINGS and self._open(part))


BLANKS = {
    "volume": Blank.VOLUME,
    "spend": Blank.AMOUNT,
    "amount": Blank.AMOUNT,
    "deposit": Blank.AMOUNT,
    "profit": Blank.AMOUNT,
    "at": Blank.PRICE,
    "by": Blank.DATE,
    "by_range": Blank.DATE,
    "until": Blank.DATE,
}


def _side_means(name: str, side: Side) -> str:
    if name == "sell":
        return f"you hold {side.value}"
    return "it pays if this is fixed" if side is Side.FIXED else "it pays if this is not fixed"


def _tokens(name: str, mills: int) -> str:
    return f"{format_mills(mills)} tokens"


def _day(name: str, at: int) -> str:
    return format_day(at) if at % 86_400 == 86_399 else command_date(at)


MEANINGS: dict[str, Callable[[str, Any], str]] = {
    "side": _side_means,
    "truth": lambda name, side: f"it pays if the forecast comes {'true' if side is Side.FIXED else 'out false'}",
    "volume": lambda name, units: f"{units:,} unit{'' if units == 1 else 's'}",
    "spend": _tokens,
    "amount": _tokens,
    "deposit": _tokens,
    "profit": _tokens,
    "at": lambda name, price: f"{command_price(price)} a unit",
    "by": _day,
    "by_range": lambda name, ends: _day(name, ends[1]),
    "until": _day,
}


@dataclass(frozen=True, slots=True)
class OfferMender:
    """Corrections of commands about offers. `quantities` are the keywords that may stand for a volume, `prices` those
    that say a price, `conditions` those the command takes; `by` is the part that reads its maturation.
    """

    name: str
    quantities: tuple[str, ...] = ()
    prices: tuple[str, ...] = ("at", "deposit", "profit")
    conditions: tuple[str, ...] = CONDITIONS
    by: str = "by"

    def __call__(self, words: Sequence[str], now: int) -> tuple[HandOut, ...]:
        slots = self.read(words, now)
        return () if slots is None else self.completed(slots).hand_outs(self.name)

    def read(self, words: Sequence[str], now: int) -> Slots | None:
        """None where words are left that may say anything."""
        slots = Slots()
        said = joined([lower(word) for word in words])
        at = 0
        while at < len(said):
            at += self._keep(slots, said[at:], now)
        return None if slots.unclear else slots

    def completed(self, slots: Slots) -> Slots:
        """With blanks for what such a command cannot do without, in the order in which it is said."""
        found = slots.found
        if "side" not in found and "truth" not in found:
            found["side"] = BOTH
        if "on" in found and "side" in found:  # the sides of a forecast have names of their own
            found["truth"] = found.pop("side")
        if not {"volume", "spend", "everything"} & found.keys():
            found["volume"] = (Blank.VOLUME,)
        if len({"at", "deposit", "profit"} & found.keys()) > 1 or (
            "spend" in found and {"deposit", "profit"} & found.keys()
        ):
            for rival in ("deposit", "profit"):
                found.pop(rival, None)
            found["at"] = (Blank.PRICE,)
        if "post_only" in found and self.prices == ("at",):  # a sale without a price waits for nothing
            found.setdefault("at", (Blank.PRICE,))
        return slots

    def _keep(self, slots: Slots, words: Sequence[str], now: int) -> int:
        """Keep what the first of the words says; returns how many it took."""
        word, value = words[0], words[1] if len(words) > 1 else ""
        if re.fullmatch("on f?[0-9]{1,18}", f"{word} {value}"):
            slots.keep("on", [int(value.removeprefix("f"))], Blank.OFFER)
            return 2
        if word == "on" and side_phrase(words[1:])[1]:
            return 1
        if word.startswith("@") or word in self.prices:
            part = "at" if word.startswith("@") else word
            return self._keep_number(slots, part, word[1:] if word[1:] and word[0] == "@" else "", value)
        if word == "for" and word in self.quantities and not {"volume", "spend"} & slots.found.keys():
            return self._keep_number(slots, "spend", "", value)
        if word in ("by", "before") or word == "until":
            return 1 + keep_date(slots, "until" if word == "until" else self.by, words[1:], now)
        return self._keep_word(slots, words)

    def _keep_number(self, slots: Slots, part: str, inside: str, value: str) -> int:
        """The number that a keyword announces, in the same word or in the next one."""
        taken = 1 if inside or not value or value in KEYWORDS else 2
        slots.keep(part, near_number(part, inside or (value if taken == 2 else "")), BLANKS[part])
        return taken

    def _keep_word(self, slots: Slots, words: Sequence[str]) -> int:
        word = words[0]
        condition = word if word in CONDITIONS else nearest(word, CONDITIONS)
        if condition:
            self._keep_condition(slots, condition)
        elif word in TRUTHS:
            slots.keep("truth", [READERS["truth"](word, 0)], Blank.TEXT)
        elif word in ("all", "everything") and "all" in self.quantities:
            slots.keep("everything", [True], Blank.VOLUME)
        elif taken := self._keep_side(slots, words):
            return taken
        elif looks_like_a_price(word) and "at" not in slots.found:
            slots.keep("at", near_number("at", word), Blank.PRICE)
        elif word not in FILLERS and (near_number("volume", word) or self._in_its_place(slots, word)):
            slots.keep("volume", near_number("volume", word), Blank.VOLUME)
        elif word not in FILLERS:
            slots.unclear.append(word)
        return 1

    def _in_its_place(self, slots: Slots, word: str) -> bool:
        """A word of which nothing is known stands where only a volume can."""
        return (
            "side" in slots.found
            and not {"volume", "spend", "everything"} & slots.found.keys()
            and word not in KEYWORDS
        )

    def _keep_side(self, slots: Slots, words: Sequence[str]) -> int:
        """A side, or a word in its place that says none: then both are meant."""
        side, taken = side_phrase(words)
        first = not slots.found and not near_number("volume", words[0]) and words[0] not in (*KEYWORDS, *FILLERS)
        if taken or (first and not looks_like_a_price(words[0])):
            both = side is None or slots.found.get("side", (side,)) != (side,)
            slots.found["side"] = BOTH if both else (side,)
            return max(taken, 1)
        return 0

    def _keep_condition(self, slots: Slots, word: str) -> None:
        """`pool` says nothing of a sale; of those that exclude each other none can be left out for somebody."""
        part = word.replace("-", "_")
        rivals = {"all_or_none", "now_or_never"} if part == "post_only" else {"post_only"}
        if part in ("post_only", "all_or_none", "now_or_never") and rivals & slots.found.keys():
            slots.unclear.append(word)
        elif word in self.conditions:
            slots.found[part] = (True,)
        elif word != "pool":
            slots.unclear.append(word)


def keep_date(slots: Slots, part: str, words: Sequence[str], now: int) -> int:
    """The date up to the next keyword, blank if it cannot be read; returns how many words that are."""
    end = next((at for at, word in enumerate(words) if at and _ends_a_date(word)), len(words))
    end = 0 if words and words[0] in KEYWORDS else end
    said = list(words[:end])
    while said and said[-1] in FILLERS:
        said.pop()
    readings: Sequence[Any] = near_date(" ".join(said), now)
    spans = near_range(" ".join(said), now) if part == "by_range" and not readings else None
    slots.keep(
        part, [spans] if spans else [(None, at) for at in readings] if part == "by_range" else readings, Blank.DATE
    )
    return end


def _ends_a_date(word: str) -> bool:
    return word in (*KEYWORDS, "on") or word.startswith("@") or nearest(word, CONDITIONS) is not None


def joined(words: Sequence[str]) -> list[str]:
    """Words that belong together as one: `1 000`, `40 %`, `post only`."""
    text = " ".join(words)
    for condition in CONDITIONS:
        text = text.replace(condition.replace("-", " "), condition)
    text = re.sub(r"(?<![^ ])[1-9][0-9]{0,2}(?: 000)+(?![^ ])", lambda found: found[0].replace(" ", ""), text)
    return re.sub(r"([0-9]) %", r"\1%", text).split(" ") if text else []


def reads(part: str, words: str, now: int) -> bool:
    """Tell if a part of a command can be read from these words."""
    try:
        READERS[part](words, now)
    except Refusal:
        return False
    return True


def numbers(words: Iterable[str], part: str) -> list[str]:
    """Those of the words that may say such a number."""
    return [word for word in words if near_number(part, lower(word))]
