"""`dry-run`: what a command would do, without doing it."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands import registry
from app.commands.command import Command
from app.language.grammar import BadCommand, Parts
from app.language.requests import DRY_RUN, DryRunRequest
from app.language.text import lower
from app.market.exchange.spoken import HandOut

NAME = DRY_RUN


def build(parts: Parts) -> DryRunRequest:
    command, request = registry.understand(parts["command"], parts["now"])
    if isinstance(request, DryRunRequest):
        raise BadCommand("A dry run of a dry run does nothing twice.")
    return DryRunRequest(command.name, request)


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """A dry run of what the command in it should have been."""
    inner = [word for word in words if lower(word) != NAME]
    return tuple(one.rehearsed() for one in registry.hand_outs_of(inner, now))


COMMAND = Command(
    name=NAME,
    usage="dry-run COMMAND",
    summary="Tell what a command would do, changing nothing.",
    who="Everybody who may use the command.",
    notes=("Nobody is mentioned. Until you really say it, others may change what it would do.",),
    examples=("dry-run offer fixed 50 at 0.40 by in 2 weeks", "dry-run cancel all"),
    rules="command",
    build=build,
    mend=mend,
    stands=False,
    order=16,
)
