"""`balance`: one's own money."""

from collections.abc import Sequence

from app.commands.grammar import Command, Parts
from app.commands.requests import BalanceRequest
from app.market.money import format_mills
from app.services import accounts
from app.services.trading import Scene
from app.storage.db import Tx


def build(parts: Parts) -> BalanceRequest:
    return BalanceRequest()


def mend(words: Sequence[str], now: int) -> str:
    return "balance"


async def handle(tx: Tx, scene: Scene, _request: BalanceRequest) -> str:
    repository = scene.place.repository
    found = await accounts.balance(tx, scene.user_id, repository.owner_id)
    total = format_mills(found.free_mills + found.reserve_mills)
    return (
        f"You have {total} play tokens in the repositories of {repository.owner_login}: "
        f"{format_mills(found.free_mills)} free, {format_mills(found.reserve_mills)} held for your open offers."
    )


COMMAND = Command(
    name="balance",
    usage="balance",
    summary="Show your money: what is free and what your offers hold back.",
    who="Everybody, about themselves.",
    examples=("balance",),
    build=build,
    handle=handle,
    mend=mend,
    order=7,
)
