"""Words of other bots and of exchanges, and the command of ours that does what they say. They come before likeness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.language.corrections import OfferMender, reads
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut

CANCEL, LEAVE, WORK, NO_WORK, SAME = "cancel", "leave", "work", "work stop", "same"


@dataclass(frozen=True, slots=True)
class Intent:
    """Meaning of a word. `kind` SAME: the command of that name, mended as if it had been typed."""

    command: str
    kind: str = SAME
    why: str = ""


NOTHING_TO_CLAIM = (
    "there is nothing to claim: whoever holds FIXED when this is fixed is paid, and `work` says that you are on it"
)
_SAME = {
    "give": "tip send transfer pay gift",
    "price": "status odds quote chance probability ticker chart stats",
    "positions": "portfolio holdings",
    "balance": "funds account credits",
    "offers": "orders",
    "book": "orderbook depth",
    "history": "trades fills",
    "fund": "pledge donate contribute prize",
    "offer": "bet wager",
    "help": "commands usage info",
    "dispute": "appeal contest challenge object",
    "dry-run": "simulate preview",
}
INTENTS: dict[str, Intent] = {
    **{word: Intent(command) for command, words in _SAME.items() for word in words.split()},
    **dict.fromkeys(("undo", "revoke", "retract"), Intent("cancel", CANCEL)),
    **dict.fromkeys(("exit", "close", "leave"), Intent("sell", LEAVE)),
    **dict.fromkeys(("claim", "attempt", "assign", "working", "start"), Intent("work", WORK, NOTHING_TO_CLAIM)),
    **dict.fromkeys(("unassign", "unclaim", "abandon", "quit"), Intent("work", NO_WORK)),
}

_LEAVER = OfferMender("sell", quantities=("all",), prices=("at",), conditions=())


def taken_back(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """`undo o17`: nothing else is cancelled than what was named."""
    return (HandOut("cancel", cancelled(words, now)),)


def cancelled(words: Sequence[str], now: int) -> dict[str, object]:
    """The one offer that the words name, or all where they say so; else a blank."""
    said = [lower(word) for word in words]
    offers = [word for word in said if word.startswith("o") and reads("offer_id", word, now)]
    alone = said if len(said) == 1 and said[0].isdecimal() and reads("offer_id", said[0], now) else []
    named = list(dict.fromkeys([*offers, *alone]))
    everything = "all" in said or "everything" in said
    if everything and set(said) <= {"all", "everything", "my", "offers", "of", "them"}:
        return {"everything": True}
    clear = len(named) == 1 and not everything
    return {"offer_id": int(named[0].removeprefix("o")) if clear else Blank.OFFER}


def left(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """`exit`: both sides, where the words name none. What is held is known to nobody here."""
    slots = _LEAVER.read([word for word in words if lower(word) not in ("my", "position", "positions", "out")], now)
    if slots is None:
        return ()
    if "volume" not in slots.found:
        slots.found["everything"] = (True,)
    return _LEAVER.completed(slots).hand_outs("sell")
