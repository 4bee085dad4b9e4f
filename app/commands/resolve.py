"""`resolve`: a maintainer decides a dispute."""

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import ResolveRequest
from app.language.text import lower
from app.language.values import RULINGS
from app.market.exchange.spoken import Blank, HandOut

EXAMPLE = "resolve fixed the release contains the fix"


def build(parts: Parts) -> ResolveRequest:
    return ResolveRequest(parts["ruling"], parts["reason"], parts.get("which"), parts.get("void_at"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Without an outcome none is chosen for anybody."""
    if len(words) == 1 and lower(words[0]) in RULINGS:
        return (HandOut("resolve", {"ruling": RULINGS[lower(words[0])], "reason": Blank.REASON}),)
    return ()


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
    mend=mend,
    risks=True,
    for_others=True,
    stands=False,
    order=40,
)
