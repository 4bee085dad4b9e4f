"""`help`: what there is, printed from the table of commands. Examples stand in code, where nothing runs."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands import registry
from app.commands.escape import code
from app.commands.grammar import BadCommand, Command, Parts
from app.commands.requests import HelpRequest
from app.services.trading import Scene
from app.storage.db import Tx


def build(parts: Parts) -> HelpRequest:
    if "topic" not in parts:
        return HelpRequest(None)
    return HelpRequest(_named(parts["topic"]).name)


def mend(words: Sequence[str], now: int) -> str:
    near = registry.similar(words[0]) if words else None
    return f"help {near.name}" if near else "help"


def help_text(command: str | None) -> str:
    """Markdown: the overview, or one command by name or alias. Raises BadCommand where there is no such command."""
    return _overview() if command is None else describe(_named(command))


def describe(command: Command) -> str:
    """A command's usage, who may use it, notes and examples."""
    also = f" Also written {', '.join(f'`{alias}`' for alias in command.aliases)}." if command.aliases else ""
    parts = [
        f"{command.summary}{also}",
        block([command.usage]),
        f"Who may: {command.who}",
        "\n".join(f"- {note}" for note in command.notes),
        f"Examples:\n\n{block(command.examples)}",
    ]
    return "\n\n".join(filter(None, parts))


def block(commands: Sequence[str]) -> str:
    """Commands to copy."""
    lines = "\n".join(f"/bugmark {command}" for command in commands)
    return f"```text\n{lines}\n```"


def _overview() -> str:
    rows = "\n".join(f"- `{command.name}`: {command.summary}" for command in registry.commands())
    return (
        "BugMark trades contracts on whether an issue is fixed by a date: one unit of the side that comes true "
        f"pays 1 token, the other nothing.\n\n{rows}\n\n"
        f"A complete command, and how to learn more of one:\n\n{block(['offer fixed 50 by in 2 weeks', 'help offer'])}"
    )


def _named(name: str) -> Command:
    found = registry.find(name)
    if found is None:
        known = ", ".join(f"`{command.name}`" for command in registry.commands())
        raise BadCommand(f"There is no command {code(name)}; there are {known}.", "/bugmark help")
    return found


async def handle(tx: Tx, scene: Scene, request: HelpRequest) -> str:
    return help_text(request.command)


COMMAND = Command(
    name="help",
    usage="help [COMMAND]",
    summary="Show what there is, or how one command is written.",
    who="Everybody.",
    examples=("help", "help offer"),
    rules="topic?",
    build=build,
    handle=handle,
    mend=mend,
    order=8,
)
