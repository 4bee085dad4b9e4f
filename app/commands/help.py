"""`help`: what there is, printed from the table of commands. Examples stand in code, where nothing runs."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands import registry
from app.commands.command import Command
from app.language.escape import code
from app.language.grammar import BadCommand, Parts
from app.language.requests import HelpRequest
from app.market.exchange.spoken import HandOut
from app.replies.formats import folded
from app.replies.reply import visible_lines

GROUPS = {1: "Trade", 2: "Look", 3: "More", 4: "Maintainers"}
"""Names of the groups, by the tens of a command's order."""

MOST_LINES = 8
"""Lines that fit in a reply that also welcomes somebody."""

FIRST_EXAMPLES = 3


def build(parts: Parts) -> HelpRequest:
    if "topic" not in parts:
        return HelpRequest(None)
    return HelpRequest(_named(parts["topic"]).name)


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    near = registry.find(words[0]) or registry.similar(words[0]) if words else None
    return (HandOut("help", {"topic": near.name} if near else {}),)


def help_text(command: str | None) -> str:
    """Markdown: the overview, or one command by name or alias. Raises BadCommand where there is no such command."""
    return _overview() if command is None else _brief(_named(command))


def _brief(command: Command) -> str:
    """As the page has it; of what is too long for a reply the notes fold away."""
    whole = describe(command)
    if visible_lines(whole) <= MOST_LINES:
        return whole
    first, more = command.examples[:FIRST_EXAMPLES], command.examples[FIRST_EXAMPLES:]
    notes = [f"Who may: {command.who}", _notes(command), block(more) if more else ""]
    head = f"{_opening(command)}\n\n{block([command.usage])}\n\nExamples:\n\n{block(first)}"
    return f"{head}\n\n{folded('Notes and more examples', _paragraphs(notes))}"


def describe(command: Command) -> str:
    """A command's usage, who may use it, notes and examples."""
    parts = [
        _opening(command),
        block([command.usage]),
        f"Who may: {command.who}",
        _notes(command),
        f"Examples:\n\n{block(command.examples)}",
    ]
    return _paragraphs(parts)


def _opening(command: Command) -> str:
    also = f" Also written {', '.join(f'`{alias}`' for alias in command.aliases)}." if command.aliases else ""
    return f"{command.summary}{also}"


def _notes(command: Command) -> str:
    return "\n".join(f"- {note}" for note in command.notes)


def _paragraphs(parts: Sequence[str]) -> str:
    return "\n\n".join(filter(None, parts))


def block(commands: Sequence[str]) -> str:
    """Commands to copy."""
    lines = "\n".join(f"/bugmark {command}" for command in commands)
    return f"```text\n{lines}\n```"


def _overview() -> str:
    known = registry.commands()
    groups = [
        f"- {title}: {', '.join(f'`{command.name}`' for command in known if command.order // 10 == tens)}"
        for tens, title in GROUPS.items()
    ]
    rows = "\n".join(f"- `{command.name}`: {command.summary}" for command in known)
    return _paragraphs(
        [
            "You can bet on whether an issue is fixed by a date. One unit of the side that comes true pays 1 token, "
            "one of the other side nothing.",
            "\n".join(groups),
            block(["offer fixed 50 by in 2 weeks", "help offer"]),
            folded("What each of them does", rows),
        ]
    )


def _named(name: str) -> Command:
    found = registry.find(name)
    if found is None:
        known = ", ".join(f"`{command.name}`" for command in registry.commands())
        raise BadCommand(f"There is no command {code(name)}; there are {known}.", HandOut("help"))
    return found


COMMAND = Command(
    name="help",
    usage="help [COMMAND]",
    summary="Show what there is, or how one command is written.",
    who="Everybody.",
    examples=("help", "help offer"),
    rules="topic?",
    build=build,
    mend=mend,
    stands=False,
    order=26,
)
