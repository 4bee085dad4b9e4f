"""`market`: a maintainer halts the thread's market, or lifts that halt."""

from collections.abc import Sequence

from app.commands.command import Command
from app.language.escape import code
from app.language.grammar import Parts
from app.language.requests import MarketRequest
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut
from app.market.terms.statement import shown
from app.services.life import halting
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx
from app.storage.market.contracts import ContractRow

ACTS = ("halt", "resume")
HALT, RESUME = "market halt a fix may have leaked", "market resume it is clear now"
MAX_REASON = 200


def build(parts: Parts) -> MarketRequest:
    return MarketRequest(parts["act"] == "halt", parts["reason"])


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Point to `price` for the state of the market."""
    if words and lower(words[0]) in ACTS:
        return (HandOut("market", {"act": lower(words[0]), "reason": Blank.REASON}),)
    return () if words else (HandOut("price"),)


async def handle(tx: Tx, context: CommandContext, request: MarketRequest) -> str:
    if request.halt:
        halted = await halting.halt_market(tx, context, request.reason)
        return (
            f"**Trading is halted** in {_names(halted)}: {code(request.reason, MAX_REASON)}. Offers can be cancelled; "
            "windows and maturations go on. A maintainer without a position lifts it with "
            "`/bugmark market resume REASON`."
        )
    lifted = await halting.resume_market(tx, context)
    closing = [row for row in lifted if row.halt_reason is not None]
    still = f" {_names(closing)} stays halted while its window runs." if closing else ""
    return f"**The halt is lifted** in {_names(lifted)}: {code(request.reason, MAX_REASON)}.{still}"


def _names(rows: list[ContractRow]) -> str:
    return ", ".join(shown(row.kind, row.id) for row in rows)


COMMAND = Command(
    name="market",
    usage="market (halt|resume) REASON",
    summary="Halt trading in this thread, or resume what a maintainer halted.",
    who="Those with triage rights or better who hold no units here.",
    notes=("A halt stops no clock: maturations come, closes open their windows, and verdicts are given.",),
    examples=(HALT, RESUME),
    rules="act reason",
    build=build,
    handle=handle,
    mend=mend,
    risks=True,
    winds_up=True,
    for_others=True,
    needs_rights=True,
    order=41,
)
