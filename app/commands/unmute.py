"""`unmute`: replies and mentions again."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import MuteRequest
from app.market.exchange.spoken import HandOut
from app.market.terms.mention import Mode
from app.services.mentions import mutes
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx


def build(parts: Parts) -> MuteRequest:
    return MuteRequest(Mode.EVERY)


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("unmute"),)


async def handle(tx: Tx, context: CommandContext, request: MuteRequest) -> str:
    await mutes.choose(tx, context.user_id, context.place.repository.id, request.mode)
    return "Your comments in this repository are answered again, and every fill of your offers mentions you."


COMMAND = Command(
    name="unmute",
    usage="unmute",
    summary="Be answered and mentioned in this repository again.",
    who="Everybody, for themselves.",
    examples=("unmute",),
    build=build,
    handle=handle,
    mend=mend,
    winds_up=True,
    stands=False,
    order=34,
)
