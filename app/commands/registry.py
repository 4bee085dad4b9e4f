"""All commands: every module beside this one that has a COMMAND. Adding a command is adding a file."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module

from lark import Lark

import app.commands
from app.commands.command import Command
from app.language.escape import code
from app.language.grammar import BadCommand, Leaving, Parts, assemble
from app.language.intents import CANCEL, INTENTS, LEAVE, NO_WORK, WORK, Intent, left, taken_back
from app.language.likeness import distance, nearest
from app.language.parser import read
from app.language.requests import DRY_RUN, Request
from app.language.text import fold, lower
from app.market.exchange.spoken import HandOut
from app.market.terms.errors import Refusal

MAX_LENGTH = 500
"""Characters of one command; more is not read."""


WALLET = ("deposit", "withdraw", "link", "wallet")
NO_WALLET = "There is no wallet on this server: it trades in play tokens, which are neither paid in nor paid out."

ORDINARY = frozenset(
    ["find", "bug", "live", "but", "guy", "sold", "hold", "fun", "tale", "tape", "bake", "tell", "bell", "well", "cell"]
) | {"word", "worth", "fork", "found"}
"""Words that look like a command and mean what they say."""


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
    """The command whose name looks like this one: two letters away at most, one where it may cost something."""
    near = nearest(lower(name), [word for one in commands() for word in (one.name, *one.aliases)])
    found = find(near) if near else None
    if found is None or name in ORDINARY:
        return None
    return found if not found.risks or distance(lower(name), near or "") == 1 else None


def parse(text: str, now: int) -> Request:
    """Read a command's request; see `understand`."""
    return understand(text, now)[1]


def understand(text: str, now: int) -> tuple[Command, Request]:
    """A command and what it asks for. `text` is what follows `/bugmark`, `now` when the comment was made.

    Raises a Refusal with a sentence and a command to copy; nothing else, whatever the text.
    """
    words = [_bare(word) for word in fold(text).split(" ")]
    words = words if words != [""] else ["help"]
    if len(text) > MAX_LENGTH:
        raise BadCommand(f"A command has at most {MAX_LENGTH} characters, this one {len(text):,}.", HandOut("help"))
    command = find(words[0])
    if command is None:
        raise _unknown(words, now)
    try:
        return command, _read(command, words[1:], now)
    except Refusal as refusal:
        raise BadCommand(refusal.sentence, *hand_outs(command, words[1:], now)) from refusal


def _read(command: Command, words: Sequence[str], now: int) -> Request:
    return command.build(_parts(command, words, now))


def _parts(command: Command, words: Sequence[str], now: int) -> Parts:
    return read(_grammar(), " ".join([command.name, *words]), now)


def _bare(word: str) -> str:
    """`--by` is `by`."""
    return word[2:] if word.startswith("--") and len(word) > 2 else word


@cache
def _grammar() -> Lark:
    return assemble(commands())


def _unknown(words: list[str], now: int) -> BadCommand:
    verb, rest = lower(words[0]).rstrip("?:"), words[1:]
    if verb in WALLET and not (verb == "withdraw" and reads_as_offer(rest)):
        return BadCommand(NO_WALLET, HandOut("balance"))
    intent = INTENTS.get(verb, Intent("cancel", CANCEL) if verb == "withdraw" else None)
    if intent is not None:
        return _intended(words[0], intent, rest, now)
    near = similar(words[0])
    if near is None:
        known = ", ".join(f"`{one.name}`" for one in commands())
        return BadCommand(f"There is no command {code(words[0])}; there are {known}.", HandOut("help"))
    sentence = f"There is no command {code(words[0])}; did you mean `{near.name}`?"
    return BadCommand(sentence, *(_same_words(near, rest, now) if near.risks else hand_outs(near, rest, now)))


def _intended(verb: str, intent: Intent, rest: list[str], now: int) -> BadCommand:
    """A word whose meaning is known."""
    command = next(one for one in commands() if one.name == intent.command)
    why = f"There is no command {code(verb)}; {intent.why or f'that is `{command.name}` here'}."
    if intent.kind == LEAVE:
        return Leaving(why, *(_checked(left(rest, now), now) or _help(command)))
    if intent.kind == CANCEL:
        return BadCommand(why, *taken_back(rest, now))
    if intent.kind in (WORK, NO_WORK):
        return BadCommand(why, HandOut("work", {"stop": True} if intent.kind == NO_WORK else {}))
    return BadCommand(why, *(_exactly(command, rest, now) or hand_outs(command, rest, now)))


def _same_words(command: Command, words: list[str], now: int) -> tuple[HandOut, ...]:
    """A misspelt command that may cost something is handed out with just what was said, if that can be read."""
    return _exactly(command, words, now) or _help(command)


def _exactly(command: Command, words: list[str], now: int) -> tuple[HandOut, ...]:
    try:
        parts = {part: value for part, value in _parts(command, words, now).items() if part != "now"}
        _read(command, words, now)
    except Refusal:
        return ()
    return _checked((HandOut(command.name, parts),), now)


def hand_outs(command: Command, words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Commands to copy instead of one of this kind; its help where nothing is sure."""
    return _checked(command.mend(words, now), now) or _help(command)


def hand_outs_of(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """The same of a whole line, the name first."""
    command = find(words[0]) if words else None
    if command is not None:
        return _exactly(command, list(words[1:]), now) or hand_outs(command, words[1:], now)
    return _unknown(list(words), now).instead if words else (HandOut("help"),)


def _help(command: Command) -> tuple[HandOut, ...]:
    return (HandOut("help", {"topic": command.name}),)


def _checked(found: tuple[HandOut, ...], now: int) -> tuple[HandOut, ...]:
    """All or none: each runs, or has a blank and is refused."""
    return found if all(_reads(one.text, now) is not one.blank for one in found) else ()


def _reads(text: str, now: int) -> bool:
    """A backtick would end the code span in which it is handed out."""
    name, *words = text.split(" ")
    command = find(name)
    try:
        return command is not None and "`" not in text and bool(_read(command, words, now))
    except Refusal:
        return False


def reads_as_offer(words: Sequence[str]) -> bool:
    """`withdraw o17` is about an offer."""
    return len(words) == 1 and re.fullmatch("[oO][0-9]{1,18}", words[0]) is not None
