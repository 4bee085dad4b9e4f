"""`balance`: one's own money."""

from collections.abc import Sequence

from app.commands import replies
from app.commands.command import Command
from app.commands.grammar import Parts
from app.commands.requests import BalanceRequest
from app.market.spoken import HandOut
from app.services import holdings
from app.services.scene import Scene
from app.storage.db import Tx


def build(parts: Parts) -> BalanceRequest:
    return BalanceRequest()


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("balance"),)


async def handle(tx: Tx, scene: Scene, _request: BalanceRequest) -> str:
    return replies.balance_words(await holdings.user_view(tx, scene.place, scene.user_id, scene.now))


COMMAND = Command(
    name="balance",
    usage="balance",
    summary="Show your money: what is free and what your offers hold back.",
    who="Everybody, about themselves.",
    examples=("balance",),
    build=build,
    handle=handle,
    mend=mend,
    order=25,
)
