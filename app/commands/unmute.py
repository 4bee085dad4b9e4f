"""`unmute`: replies and mentions again."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.commands.grammar import Parts
from app.commands.requests import MuteRequest
from app.market.mention import Mode
from app.market.spoken import HandOut
from app.services import mutes
from app.services.scene import Scene
from app.storage.db import Tx


def build(parts: Parts) -> MuteRequest:
    return MuteRequest(Mode.EVERY)


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("unmute"),)


async def handle(tx: Tx, scene: Scene, request: MuteRequest) -> str:
    await mutes.choose(tx, scene.user_id, scene.place.repository.id, request.mode)
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
    order=34,
)
