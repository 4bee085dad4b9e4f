"""A command's text against the grammar: its parts with their values, or a refusal."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from app.language.dates import AmbiguousDate, BadDate
from app.language.escape import code
from app.language.grammar import KEYWORDS, SINGLE, BadCommand, Parts
from app.language.syntax_errors import MAX_UNDERSTOOD, after, did_you_mean, misfit
from app.language.text import lower
from app.language.values import READERS, date_length
from app.market.exchange.spoken import Blank
from app.market.terms.money import AmbiguousNumber, Unreadable

_EXCLUSIVE = (
    (frozenset({"at", "deposit", "profit"}), "both say the price"),
    (frozenset({"post_only", "all_or_none"}), "`post-only` is for offers that only wait"),
    (frozenset({"post_only", "now_or_never"}), "one only waits, the other never does"),
)
"""Parts of which a command has one at most, and why."""

FILLED_IN = frozenset(Blank)
_FREE = frozenset({"reason", "label", "title", "milestone", "pull", "release", "login"})
"""Parts that would take the blank of a command to copy for words of somebody's own."""

CLOCK_HINT = "; a clock time is written together with its day and zone: `2026-12-01T18:00Z`."


def read(grammar: Lark, source: str, now: int) -> Parts:
    """The parts of a command. `source` begins with the command's own name and has single blanks. Raises a Refusal."""
    try:
        tree = grammar.parse(lower(source))
    except UnexpectedInput as error:
        _check_values(grammar, source, now)
        raise BadCommand(misfit(error, source)) from None
    (command,) = tree.children
    found: dict[str, object] = {"now": now}
    for part in cast("Tree[Token]", command).children:
        name = str(cast("Tree[Token]", part).data)
        _check_once(name, found, source)
        found[name] = _value(cast("Tree[Token]", part), source, now)
    return cast("Parts", found)


def _check_values(grammar: Lark, source: str, now: int) -> None:
    """Blame the value before a misfit if it is at fault: `50by friday`."""
    with suppress(UnexpectedInput):
        for token in grammar.parse_interactive(lower(source)).iter_parse():
            if token.type in SINGLE:
                _value(Tree(SINGLE[token.type], [token]), source, now)


def _check_once(name: str, found: dict[str, object], source: str) -> None:
    where = f"In {code(source, MAX_UNDERSTOOD)},"
    if name in found:
        raise BadCommand(f"{where} `{_typed(name)}` is given twice; once is enough.")
    for rivals, why in _EXCLUSIVE:
        for rival in rivals.intersection(found) if name in rivals else ():
            raise BadCommand(f"{where} `{_typed(rival)}` and `{_typed(name)}` exclude each other: {why}.")


def _typed(name: str) -> str:
    """The word that a part begins with."""
    return "by" if name == "by_range" else name.replace("_", "-")


def _value(part: Tree[Token], source: str, now: int) -> object:
    """Read a part's value. Raises BadCommand with the part's own words."""
    tokens = cast("list[Token]", part.children)
    if not tokens:
        return True
    start, end = tokens[0].start_pos or 0, tokens[-1].end_pos or 0
    words = source[start:end]
    if words in FILLED_IN and part.data in _FREE:
        raise BadCommand(f"{after(source, start)}{code(words)} stands for something that you fill in.")
    try:
        return READERS[str(part.data)](words, now)
    except AmbiguousDate as error:
        raise BadCommand(f"{after(source, start)}{code(words)} {error.why}") from None
    except BadDate as error:
        raise BadCommand(_bad_date(str(part.data), source, start, words, now, error)) from None
    except AmbiguousNumber as error:
        raise BadCommand(f"{after(source, start)}{code(words)} is unclear: {error.why}.") from None
    except Unreadable as error:
        raise BadCommand(f"{after(source, start)}{code(words)} is no {error.kind}: {error.why}.") from None


def _bad_date(part: str, source: str, start: int, words: str, now: int, error: BadDate) -> str:
    """Blame the words after a date if the words only begin with one."""
    readable = date_length(words.split(" "), now, part)
    if not readable:
        return f"{after(source, start)}{code(words)} is no date: {error.why}."
    rest = start + len(" ".join(words.split(" ")[:readable])) + 1
    word = source[rest:].split(" ")[0]
    hint = CLOCK_HINT if re.fullmatch("[0-9]{1,2}:[0-9]{2}.*", word) else did_you_mean(word, KEYWORDS)
    return f"{after(source, rest)}{code(word)} is not understood{hint}"
