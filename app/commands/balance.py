"""`balance`: one's own money."""

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import BalanceRequest
from app.market.exchange.spoken import HandOut
from app.replies import reply
from app.services.rules.context import CommandContext
from app.services.views import holdings
from app.storage.engine.db import Tx


def build(parts: Parts) -> BalanceRequest:
    return BalanceRequest()


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("balance"),)


async def handle(tx: Tx, context: CommandContext, _request: BalanceRequest) -> str:
    return reply.balance_words(await holdings.user_view(tx, context.place, context.user_id, context.now))


COMMAND = Command(
    name="balance",
    usage="balance",
    summary="Show your money: what is free and what your offers hold back.",
    who="Everybody, about themselves.",
    examples=("balance",),
    build=build,
    handle=handle,
    mend=mend,
    stands=False,
    order=25,
)
