"""`dry-run`: what a command would do, without doing it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.commands import registry
from app.commands.command import Command
from app.language.grammar import BadCommand, Parts
from app.language.requests import DryRunRequest
from app.language.text import lower
from app.market.exchange.spoken import HandOut, Unclear
from app.market.terms.errors import Refusal
from app.services.rules.context import CommandContext
from app.storage.engine.db import FIRST_IMAGINED, Tx, rehearsal
from app.storage.people.places import Place

NAME = registry.DRY_RUN
_SPAN = re.compile(r"(`[^`]*`)")
_MENTION = re.compile(r"(?<![A-Za-z0-9_/.`])@([A-Za-z0-9][A-Za-z0-9-]*)")
_CORRECTED = re.compile(r"^/bugmark ")


def build(parts: Parts) -> DryRunRequest:
    command, request = registry.understand(parts["command"], parts["now"])
    if isinstance(request, DryRunRequest):
        raise BadCommand("A dry run of a dry run does nothing twice.")
    return DryRunRequest(command.name, request)


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """A dry run of what the command in it should have been."""
    inner = [word for word in words if lower(word) != NAME]
    return tuple(one.rehearsed() for one in registry.hand_outs_of(inner, now))


def _command(request: DryRunRequest) -> Command:
    return next(one for one in registry.commands() if one.name == request.name)


async def prepare(oracle: Any, place: Place, request: DryRunRequest) -> DryRunRequest | None:
    """Ask GitHub what the command itself would ask."""
    command = _command(request)
    if command.prepare is None:
        return request
    found = await command.prepare(oracle, place, request.request)
    return None if found is None else replace(request, request=found)


async def handle(tx: Tx, context: CommandContext, request: DryRunRequest) -> str:
    try:
        async with rehearsal(tx):
            answer = await _command(request).handle(tx, context, request.request)
    except Unclear as refusal:
        raise Unclear(_would(refusal), *(one.rehearsed() for one in refusal.instead)) from refusal
    except Refusal as refusal:
        again = _CORRECTED.sub(f"/bugmark {NAME} ", refusal.correction) if refusal.correction else None
        raise Refusal(_would(refusal), again) from refusal
    quoted = "\n".join(f"> {line}" for line in without_mentions(answer).splitlines())
    return f"**Nothing was done.** The answer would be:\n\n{quoted}"


def _would(refusal: Refusal) -> str:
    return f"This would be refused: {refusal.sentence}"


def without_mentions(answer: str) -> str:
    """Names instead of mentions, and no number for offers and contracts that were never made."""
    parts = _SPAN.split(answer)
    parts[::2] = [_MENTION.sub(r"**\1**", part) for part in parts[::2]]
    return _IMAGINED.sub(r"\1…", "".join(parts))


_IMAGINED = re.compile(f"([ocF]){str(FIRST_IMAGINED)[:3]}[0-9]{{{len(str(FIRST_IMAGINED)) - 3}}}")


COMMAND = Command(
    name=NAME,
    usage="dry-run COMMAND",
    summary="Tell what a command would do, changing nothing.",
    who="Everybody who may use the command.",
    notes=("Nobody is mentioned. Until you really say it, others may change what it would do.",),
    examples=("dry-run offer fixed 50 at 0.40 by in 2 weeks", "dry-run cancel all"),
    rules="command",
    build=build,
    handle=handle,
    prepare=prepare,
    mend=mend,
    stands=False,
    order=16,
)
