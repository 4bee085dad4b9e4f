"""The runner of comments with its gate, and a request as the thread would answer it."""

from __future__ import annotations

from app.base.clock import Clock
from app.commands.help import help_text
from app.language.requests import Request
from app.replies.results import words
from app.services.orders.deadline import Oracle
from app.services.orders.gate import Gate
from app.services.rules.config import ConfigSource
from app.services.rules.context import CommandContext
from app.services.uses import table
from app.storage.engine.db import Database, Tx
from app.storage.people.places import Repository
from app.thread.runner import Runner


def runner_of(db: Database, oracle: Oracle, clock: Clock, configs: ConfigSource) -> Runner:
    return Runner(db, Gate(db, oracle, clock, configs, no_rules), clock, configs)


async def no_rules(_repository: Repository) -> None:
    """GitHub gives no answer about the repository's file."""


async def answer(tx: Tx, context: CommandContext, request: Request) -> str:
    """What comes of the request, in the words of the thread. Raises a Refusal."""
    return words(await table.of(request).handle(tx, context, request), help_text)
