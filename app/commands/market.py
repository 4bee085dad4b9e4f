"""`market`: a maintainer halts the thread's market, or lifts that halt."""

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import MarketRequest
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut

ACTS = ("halt", "resume")
HALT, RESUME = "market halt a fix may have leaked", "market resume it is clear now"


def build(parts: Parts) -> MarketRequest:
    return MarketRequest(parts["act"] == "halt", parts["reason"])


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Point to `price` for the state of the market."""
    if words and lower(words[0]) in ACTS:
        return (HandOut("market", {"act": lower(words[0]), "reason": Blank.REASON}),)
    return () if words else (HandOut("price"),)


COMMAND = Command(
    name="market",
    usage="market (halt|resume) REASON",
    summary="Halt trading in this thread, or resume what a maintainer halted.",
    who="Those with triage rights or better who hold no units here.",
    notes=("A halt stops no clock: maturations come, closes open their windows, and verdicts are given.",),
    examples=(HALT, RESUME),
    rules="act reason",
    build=build,
    mend=mend,
    risks=True,
    for_others=True,
    order=41,
)
