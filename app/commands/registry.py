"""All commands: every module beside this one that has a COMMAND. Adding a command is adding a file."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from lark import Lark

import app.commands
from app.commands.escape import code
from app.commands.grammar import BadCommand, Command, assemble, nearest, read
from app.commands.requests import Request
from app.commands.words import fold, lower
from app.market.errors import Refusal

MAX_LENGTH = 500
"""Characters of one command; more is not read."""


@cache
def commands() -> tuple[Command, ...]:
    """In the order of the help."""
    names = [module.name for module in pkgutil.iter_modules(app.commands.__path__)]
    modules = [import_module(f"{app.commands.__name__}.{name}") for name in names]
    found = [getattr(module, "COMMAND", None) for module in modules]
    return tuple(sorted((one for one in found if isinstance(one, Command)), key=lambda one: (one.order, one.name)))


def find(name: str) -> Command | None:
    """The command of that name or alias, in any case."""
    return next((one for one in commands() if lower(name) in (one.name, *one.aliases)), None)


def similar(name: str) -> Command | None:
    """The command whose name looks most like this one."""
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
    near = similar(words[0])
    if near is None:
        known = ", ".join(f"`{one.name}`" for one in commands())
        return BadCommand(f"There is no command {code(words[0])}; there are {known}.", "/bugmark help")
    sentence = f"There is no command {code(words[0])}; did you mean `{near.name}`?"
    return BadCommand(sentence, _correction(near, words[1:], now))


def _correction(command: Command, words: list[str], now: int) -> str:
    """A command that parses, as near to these words as the command's own mending gets."""
    mended = command.mend([lower(word) for word in words], now)
    return next(f"/bugmark {text}" for text in (mended, *command.examples) if _parses(text, now))


def _parses(text: str, now: int) -> bool:
    name, *words = text.split(" ")
    command = find(name)
    try:
        return command is not None and bool(_read(command, words, now))
    except Refusal:
        return False
