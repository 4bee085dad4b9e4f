"""What somebody quotes of our own comments: mail clients paste them without a mark, and nothing in them may run.

Every comment of ours begins with `BugMark ·`; from the first line that begins so the rest of a comment is a quotation.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from app.commands.words import BLANK, fold, lower

OPENING = "BugMark ·"
_HEADING = re.compile(r"#{1,6} ")
_BEGINS = re.compile(rf"(?:{BLANK}|[>|#*_])*BugMark{BLANK}+·", re.IGNORECASE)
"""After blanks, quote marks and what a heading or emphasis looks like in a mail."""

_OURS = re.compile(r"/bugmark ([^`\n<]+)")
_NUMBER = re.compile(r"[0-9][0-9.,:%TZ-]*")
CLOSING = "BugMark trades contracts"
"""How the last line of a comment of ours begins."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A command in a quotation, in lower case; `inside`: our last line comes after it."""

    key: str
    inside: bool


def opened(body: str) -> str:
    """A comment of ours as it is posted: its first line says whose it is."""
    if _BEGINS.match(body):
        return body
    heading = _HEADING.match(body)
    start = heading.end() if heading else 0
    return f"{body[:start]}{OPENING} {body[start:]}"


def beginning(lines: Sequence[str]) -> int:
    """The number of the line from which on a comment is a quotation; as many as there are if it holds none."""
    return next((number for number, line in enumerate(lines) if _BEGINS.match(line)), len(lines))


def last_line(lines: Sequence[str]) -> int:
    """The number of the last line that ends a comment of ours, -1 if none does."""
    return max((number for number, line in enumerate(lines) if CLOSING in line), default=-1)


def written(bodies: Iterable[str]) -> set[str]:
    """The commands that comments of ours show, in lower case."""
    return {lower(fold(match[1]).rstrip(".,!:")) for body in bodies for match in _OURS.finditer(body)}


def foreign(quoted: Iterable[Quoted], ours: Collection[str]) -> list[Quoted]:
    """Those that we had not written there. Prices and dates in our own lines change while a quotation stays."""
    shapes = {_shape(text) for text in ours}
    return [
        one
        for one in quoted
        if not _begins_with(one.key, ours) and not (one.inside and _begins_with(_shape(one.key), shapes))
    ]


def _begins_with(text: str, ours: Collection[str]) -> bool:
    """A sentence of ours may go on behind its command, where a mail client has broken the line before it."""
    return any(text == own or text.startswith((f"{own}.", f"{own},", f"{own};", f"{own}:", f"{own} (")) for own in ours)


def _shape(text: str) -> str:
    return _NUMBER.sub("#", text)
