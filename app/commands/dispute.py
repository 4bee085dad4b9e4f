"""`dispute`: say that an announced verdict is wrong, with a bond."""

import re
from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.parser import FILLED_IN
from app.language.requests import DisputeRequest
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut

EXAMPLE = "dispute the commit does not fix it"


def build(parts: Parts) -> DisputeRequest:
    return DisputeRequest(parts["reason"], parts.get("which"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """A reason is nobody's but the user's own."""
    which = len(words) > 1 and lower(words[0]) == "on" and re.fullmatch("[cCfF][0-9]{1,18}", words[1])
    reason = " ".join(words[2:] if which else words)
    spare: dict[str, object] = {"which": f"{lower(words[1][0]).replace('f', 'F')}{words[1][1:]}"} if which else {}
    return (
        HandOut("dispute", {**spare, "reason": reason if reason.strip() not in FILLED_IN | {""} else Blank.REASON}),
    )


COMMAND = Command(
    name="dispute",
    usage="dispute [on CONTRACT] REASON",
    summary="Dispute the verdict that was announced for a contract, or join whoever does.",
    who="Whoever would lose by the verdict, while its window runs.",
    notes=(
        "It takes a bond from your free money: 0.05 for each unit that would lose (0.10 where a merged pull request "
        "closed the issue), at least 1 token and 0.5 % of the escrow.",
        "There is one dispute a window. Others who would lose can join it until the window ends, each with a bond of "
        "0.05 a unit and at least 1 token; one ruling answers everybody.",
        "A maintainer without a position decides with `resolve`. If nobody does for 7 days, the state of the issue "
        "decides if the close was backed, and the bonds come back; if it was not, the contract is void, and the bonds "
        "go to those whom the verdict would have paid.",
        "Without `on c3` the only verdict by which you would lose is meant.",
    ),
    examples=(EXAMPLE, "dispute on c3 it was closed by mistake"),
    rules="which? reason",
    build=build,
    mend=mend,
    risks=True,
    for_others=True,
    stands=False,
    order=32,
)
