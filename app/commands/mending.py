"""A command to copy instead of one that could not be read: what can be read of it is kept, the rest is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.commands.grammar import KEYWORDS, READERS, SIDES, date_length, nearest
from app.market.errors import Refusal
from app.market.instants import command_date, last_second

SUGGESTED_SPAN_SECONDS = 90 * 86_400
USUAL_PRICE = "at 0.50"
MOST_DECIMALS = 3
IN_SPAN_WORDS = 3
"""`in 2 weeks`"""


@dataclass(slots=True)
class _Kept:
    """What could be read of an offer, in the words of a command."""

    side: str = "fixed"
    quantity: str = ""
    price: str = ""
    dates: dict[str, str] = field(default_factory=dict)
    now_or_never: str = ""


@dataclass(frozen=True, slots=True)
class OfferMender:
    """How `offer` and `sell` are mended. `usual` stands where no volume can be read.

    `quantities` are the keywords that may stand for a volume, `prices` those that say a price.
    """

    name: str
    usual: str
    quantities: tuple[str, ...]
    prices: tuple[str, ...]

    def __call__(self, words: Sequence[str], now: int) -> str:
        kept = _Kept()
        at = 0
        while at < len(words):
            at += self._keep(kept, words[at:], now)
        price = kept.price
        if kept.quantity.startswith("for ") and not price.startswith("at"):
            price = USUAL_PRICE
        clauses = [kept.quantity or self.usual, price, *kept.dates.values(), kept.now_or_never]
        return " ".join(filter(None, [self.name, kept.side, *clauses]))

    def _keep(self, kept: _Kept, words: Sequence[str], now: int) -> int:
        """Keep what the first of the words says; returns how many it took."""
        word = nearest(words[0], (*SIDES, *KEYWORDS)) or words[0]
        value = words[1] if len(words) > 1 else ""
        if word.startswith("@"):
            return self._keep_price(kept, "at", word[1:] or value, 1 if word[1:] else 2)
        if word in ("at", "deposit", "profit"):
            return self._keep_price(kept, word, value, 2)
        if word in ("by", "until"):
            return _keep_date(kept, word, words[1:], now)
        if word == "for" and word in self.quantities and reads("spend", value, now):
            kept.quantity = kept.quantity or f"for {value}"
            return 2
        self._keep_word(kept, word, now)
        return 1

    def _keep_price(self, kept: _Kept, clause: str, value: str, taken: int) -> int:
        """A price that cannot be read becomes the one it looks like, else the usual one; of several the first stays."""
        good = reads(clause, value, 0)
        if clause in self.prices:
            near = value if good else _near(clause, value)
            kept.price = kept.price or (f"{clause} {near}" if near else USUAL_PRICE)
        return taken if good or value not in KEYWORDS else taken - 1

    def _keep_word(self, kept: _Kept, word: str, now: int) -> None:
        if word in SIDES:
            kept.side = word
        elif word == "now-or-never":
            kept.now_or_never = word
        elif not kept.quantity and (word == "all" in self.quantities or reads("volume", word, now)):
            kept.quantity = word
        elif not kept.price and reads("at", word, now):
            kept.price = f"at {word}"


def _near(clause: str, value: str) -> str | None:
    """The price that was meant by `0,40` or `0.12345`."""
    whole, _, fraction = value.replace(",", ".").partition(".")
    candidate = f"{whole}.{fraction[:MOST_DECIMALS]}"
    return candidate if reads(clause, candidate, 0) else None


def _keep_date(kept: _Kept, clause: str, words: Sequence[str], now: int) -> int:
    """A date that cannot be read becomes the one it looks like, else one some months ahead; such an expiry none."""
    count = date_length(words, now)
    if count:
        kept.dates.setdefault(clause, f"{clause} {' '.join(words[:count])}")
    elif words[:1] == ["next"] and (count := date_length(words[1:], now)):
        kept.dates.setdefault(clause, f"{clause} {' '.join(words[1 : 1 + count])}")
        return 2 + count
    elif date_length(["in", *words[:2]], now) == IN_SPAN_WORDS:
        kept.dates.setdefault(clause, f"{clause} in {' '.join(words[:2])}")
        return IN_SPAN_WORDS
    elif clause == "by":
        kept.dates.setdefault(clause, f"by {suggested_date(now)}")
    return 1 + count


def suggested_date(now: int) -> str:
    return command_date(last_second(now + SUGGESTED_SPAN_SECONDS))


def reads(part: str, words: str, now: int) -> bool:
    """Whether a part of a command can be read from these words."""
    try:
        READERS[part](words, now)
    except Refusal:
        return False
    return True
