"""A command to copy instead of one that could not be read: what can be read of it is kept, the rest is filled in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.commands.grammar import KEYWORDS, READERS, SIDES, date_length, nearest
from app.market.errors import Refusal
from app.market.instants import command_date, last_second

SUGGESTED_SPAN_SECONDS = 90 * 86_400
USUAL_PRICE = "0.50"
_PRICED = ("at", "deposit", "profit")


@dataclass(slots=True)
class Salvage:
    """What could be read of an offer, in the words of a command."""

    side: str = "fixed"
    quantity: str = ""
    price: str = ""
    dates: dict[str, str] = field(default_factory=dict)
    now_or_never: bool = False

    def command(self, name: str, usual: str) -> str:
        price = self.price
        if self.quantity.startswith("for ") and not price.startswith("at"):
            price = f"at {USUAL_PRICE}"
        clauses = [price, *self.dates.values(), "now-or-never" if self.now_or_never else ""]
        return " ".join(filter(None, [name, self.side, self.quantity or usual, *clauses]))


def offer_mender(name: str, usual: str, quantities: Sequence[str]) -> Callable[[Sequence[str], int], str]:
    """How `offer` and `sell` are mended; `usual` stands where no volume can be read.

    `quantities` are the words that may stand for a volume.
    """

    def mend(words: Sequence[str], now: int) -> str:
        found = Salvage()
        at = 0
        while at < len(words):
            at += _salvage(found, words[at:], now, quantities)
        return found.command(name, usual)

    return mend


def _salvage(found: Salvage, words: Sequence[str], now: int, quantities: Sequence[str]) -> int:
    """Keep what the first of the words says; returns how many it took."""
    word = nearest(words[0], (*SIDES, *KEYWORDS)) or words[0]
    value = words[1] if len(words) > 1 else ""
    if word.startswith("@"):
        return _salvage_price(found, "at", word[1:] or value, 1 if word[1:] else 2)
    if word in _PRICED:
        return _salvage_price(found, word, value, 2)
    if word in ("by", "until"):
        return _salvage_date(found, word, words[1:], now)
    if word == "for" and word in quantities:
        found.quantity = found.quantity or (f"for {value}" if reads("spend", value, now) else "")
        return 2
    _salvage_word(found, word, now, quantities)
    return 1


def _salvage_price(found: Salvage, clause: str, value: str, taken: int) -> int:
    """A price that cannot be read becomes the usual one; of several the first stays."""
    good = reads(clause, value, 0)
    found.price = found.price or (f"{clause} {value}" if good else f"at {USUAL_PRICE}")
    return taken if good or value not in KEYWORDS else 1


def _salvage_date(found: Salvage, clause: str, words: Sequence[str], now: int) -> int:
    """A date that cannot be read becomes one some months ahead, an expiry that cannot be read none."""
    count = date_length(words, now)
    if count:
        found.dates.setdefault(clause, f"{clause} {' '.join(words[:count])}")
        return 1 + count
    if clause == "by":
        found.dates.setdefault(clause, f"{clause} {suggested_date(now)}")
    return 1


def _salvage_word(found: Salvage, word: str, now: int, quantities: Sequence[str]) -> None:
    if word in SIDES:
        found.side = word
    elif word == "now-or-never":
        found.now_or_never = True
    elif not found.quantity and (word in quantities or reads("volume", word, now)):
        found.quantity = word
    elif not found.price and reads("at", word, now):
        found.price = f"at {word}"


def suggested_date(now: int) -> str:
    return command_date(last_second(now + SUGGESTED_SPAN_SECONDS))


def reads(part: str, words: str, now: int) -> bool:
    """Whether a part of a command can be read from these words."""
    try:
        READERS[part](words, now)
    except Refusal:
        return False
    return True
