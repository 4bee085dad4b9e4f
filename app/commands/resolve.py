"""`resolve`: a maintainer decides a dispute."""

from collections.abc import Mapping, Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import ResolveRequest
from app.language.text import lower
from app.language.values import RULINGS
from app.market.exchange.spoken import Blank, HandOut
from app.market.terms.instants import format_instant
from app.market.terms.money import format_mills
from app.market.terms.statement import said, shown
from app.services.life import rulings
from app.services.life.rulings import Resolved
from app.services.rules.context import CommandContext
from app.services.views.state_words import once_set_aside
from app.storage.engine.db import Tx
from app.storage.people import places

EXAMPLE = "resolve fixed the release contains the fix"


def build(parts: Parts) -> ResolveRequest:
    return ResolveRequest(parts["ruling"], parts["reason"], parts.get("which"), parts.get("void_at"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Without an outcome none is chosen for anybody."""
    if len(words) == 1 and lower(words[0]) in RULINGS:
        return (HandOut("resolve", {"ruling": RULINGS[lower(words[0])], "reason": Blank.REASON}),)
    return ()


async def handle(tx: Tx, context: CommandContext, request: ResolveRequest) -> str:
    found = await rulings.resolve(tx, context, request.outcome, request.reason, request.contract, request.price)
    return told(found, request, await places.logins(tx, set(found.bonds)))


def told(found: Resolved, request: ResolveRequest, logins: Mapping[int, str]) -> str:
    row, outcome = found.contract, said(found.contract.kind, request.outcome)
    after = (
        f"this close is set aside and {once_set_aside(row)}"
        if found.aside
        else f"it settles as {outcome} after {format_instant(found.due_at)}"
    )
    return f"**{shown(row.kind, row.id)}: the dispute is resolved as {outcome}**; {after}. {_bonds(found, logins)}"


def _bonds(found: Resolved, logins: Mapping[int, str]) -> str:
    each = [(format_mills(mills), f"**{logins.get(user, '')}**") for user, mills in found.bonds.items()]
    if len(each) == 1:
        ((bond, name),) = each
        return f"The bond of {bond} {f'goes back to {name}' if found.upheld else f'of {name} goes to fees'}."
    told = ", ".join(f"{name} ({bond})" for bond, name in each)
    return f"The bonds of {told} {'go back' if found.upheld else 'go to fees'}."


COMMAND = Command(
    name="resolve",
    usage="resolve (fixed|unfixed|void) [on CONTRACT] [at PRICE] REASON",
    summary="Decide a dispute.",
    who="Those with triage rights or better who hold no units here.",
    notes=(
        "`unfixed` before maturation sets this close aside: trading resumes.",
        "`void` gives everybody their money back, as far as the money in the contract goes. If somebody left with a "
        "gain or a loss, the rest is shared as if a unit of FIXED were worth 0.50, or the price given with `at`.",
        "The bonds of all who disputed go back if the verdict was wrong, else to fees.",
    ),
    examples=(
        EXAMPLE,
        "resolve unfixed it still crashes",
        "resolve void at 0.40 nobody can tell",
        "resolve fixed on c3 done",
    ),
    rules="ruling which? void_at? reason",
    build=build,
    handle=handle,
    mend=mend,
    risks=True,
    winds_up=True,
    for_others=True,
    needs_rights=True,
    stands=False,
    order=40,
)
