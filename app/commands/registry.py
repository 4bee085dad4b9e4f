"""All commands: every module beside this one that has a COMMAND. Adding a command is adding a file."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module

from lark import Lark

import app.commands
from app.commands.command import Command
from app.commands.escape import code
from app.commands.grammar import BadCommand, assemble
from app.commands.misfit import nearest
from app.commands.reading import read
from app.commands.requests import Request
from app.commands.words import fold, lower
from app.market.errors import Refusal

MAX_LENGTH = 500
"""Characters of one command; more is not read."""


DRY_RUN = "dry-run"

WALLET = ("deposit", "withdraw", "link", "wallet")
NO_WALLET = "There is no wallet on this server: it trades in play tokens, which are neither paid in nor paid out."

LEAST_TO_GUESS = 3
"""Letters of a word below which it looks like anything."""


@cache
def commands() -> tuple[Command, ...]:
    """In the order of the help."""
    names = [module.name for module in pkgutil.iter_modules(app.commands.__path__)]
    modules = [import_module(f"{app.commands.__name__}.{name}") for name in names]
    found = [getattr(module, "COMMAND", None) for module in modules]
    return tuple(sorted((one for one in found if isinstance(one, Command)), key=lambda one: (one.order, one.name)))


def named(text: str) -> Command | None:
    """The command that a text begins with."""
    return find(_bare(fold(text).split(" ")[0]))


def meant(text: str) -> Command | None:
    """The command that a text begins with; of a dry run the one that it is a dry run of."""
    first, _, rest = fold(text).partition(" ")
    command = named(first)
    return named(rest) if command is not None and command.name == DRY_RUN else command


def find(name: str) -> Command | None:
    """The command of that name or alias, in any case."""
    return next((one for one in commands() if lower(name) in (one.name, *one.aliases)), None)


def similar(name: str) -> Command | None:
    """The command whose name looks most like this one."""
    if len(name) < LEAST_TO_GUESS:
        return None
    near = nearest(name, [word for one in commands() for word in (one.name, *one.aliases)])
    return find(near) if near else None


def parse(text: str, now: int) -> Request:
    """What a command asks for; see `understand`."""
    return understand(text, now)[1]


def understand(text: str, now: int) -> tuple[Command, Request]:
    """A command and what it asks for. `text` is what follows `/bugmark`, `now` when the comment was made.

    Raises a Refusal with a sentence and a command to copy; nothing else, whatever the text.
    """
    words = [_bare(word) for word in fold(text).split(" ")]
    words = words if words != [""] else ["help"]
    if len(text) > MAX_LENGTH:
        raise BadCommand(f"A command has at most {MAX_LENGTH} characters, this one {len(text):,}.", "/bugmark help")
    command = find(words[0])
    if command is None:
        raise _unknown(words, now)
    try:
        return command, _read(command, words[1:], now)
    except Refusal as refusal:
        raise BadCommand(refusal.sentence, _correction(command, words[1:], now)) from refusal


def _read(command: Command, words: list[str], now: int) -> Request:
    return command.build(read(_grammar(), " ".join([command.name, *words]), now))


def _bare(word: str) -> str:
    """`--by` is `by`."""
    return word[2:] if word.startswith("--") and len(word) > 2 else word


@cache
def _grammar() -> Lark:
    return assemble(commands())


def _unknown(words: list[str], now: int) -> BadCommand:
    if lower(words[0]) in WALLET:
        return BadCommand(NO_WALLET, "/bugmark balance")
    near = similar(words[0])
    if near is None:
        known = ", ".join(f"`{one.name}`" for one in commands())
        return BadCommand(f"There is no command {code(words[0])}; there are {known}.", "/bugmark help")
    sentence = f"There is no command {code(words[0])}; did you mean `{near.name}`?"
    return BadCommand(sentence, _correction(near, words[1:], now))


def mended(words: Sequence[str], now: int) -> str:
    """A command that parses, as near to these words as can be: what follows `/bugmark`."""
    command = (find(words[0]) or similar(words[0])) if words else None
    return _mended(command, words[1:], now) if command else "help"


def _mended(command: Command, words: Sequence[str], now: int) -> str:
    found = command.mend([lower(word) for word in words], now)
    return next(text for text in (found, *command.examples) if _parses(text, now))


def _correction(command: Command, words: list[str], now: int) -> str:
    return f"/bugmark {_mended(command, words, now)}"


def _parses(text: str, now: int) -> bool:
    """A backtick would end the code span in which it is handed out."""
    name, *words = text.split(" ")
    command = find(name)
    try:
        return command is not None and "`" not in text and bool(_read(command, words, now))
    except Refusal:
        return False
