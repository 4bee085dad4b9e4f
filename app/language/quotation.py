"""Quotations of our own comments: mail clients paste them without a mark, and nothing in them may run.

Every comment of ours begins with `BugMark ·`; from the first line that begins so the rest of a comment is a quotation.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from app.language.text import BLANK, fold, lower

OPENING = "BugMark ·"
_HEADING = re.compile(r"#{1,6} ")
_BEGINS = re.compile(rf"(?:{BLANK}|[>|#*_])*BugMark{BLANK}+·", re.IGNORECASE)
"""After blanks, quote marks and what a heading or emphasis looks like in a mail."""

_OURS = re.compile(r"/bugmark ([^`\n<]+)")
_REST = re.compile(r"(?=/bugmark ([^\n]+))")
_MARKS = re.compile(r"[`*]|</?sub>")
_NUMBER = re.compile(r"[0-9][0-9.,:%TZ-]*")
_HELP = re.compile(r"\s*/bugmark help\s*(?:</sub>)?\s*\Z")
CLOSING = "BugMark trades contracts"
"""Beginning of the last line of a comment of ours, if it is no reply."""

_RECEIPT = re.compile(r" free · \[?r[0-9]+( to r[0-9]+)?\b")
"""End of the line of a reply that says where its user stands."""

_EARLIER = re.compile(r"[0-9] earlier answers?\b")


@dataclass(frozen=True, slots=True)
class Quoted:
    """A command in a quotation, in lower case; `inside`: our last line comes after it, None if that is not quoted."""

    key: str
    inside: bool | None


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


def last_line(lines: Sequence[str], start: int) -> int | None:
    """The number of the line that ends the last comment of ours from `start` on; None if none is quoted to its end.

    Below the receipt of a reply older answers may stand: where they end cannot be told.
    """
    ends = [number for number in range(start, len(lines)) if CLOSING in lines[number] or _RECEIPT.search(lines[number])]
    if not ends or any(_EARLIER.search(line) for line in lines[ends[-1] + 1 :]):
        return None
    return ends[-1]


def within(lines: Sequence[str], last: int | None, number: int) -> bool | None:
    """Tell if a line stands before the last one of ours; None if that is not quoted.

    The last line ends with `/bugmark help`, which a mail client may put into a line of its own.
    """
    if last is None:
        return None
    return number <= last or (number == last + 1 and _HELP.match(lines[number]) is not None)


def written(bodies: Iterable[str]) -> set[str]:
    """The commands that comments of ours show, in lower case: alone, and with what stands behind them in the line."""
    shown = [body for body in bodies if "/bugmark " in body]
    alone = {lower(fold(match[1]).rstrip(".,!:")) for body in shown for match in _OURS.finditer(body)}
    return alone | {lower(fold(_MARKS.sub("", match[1]))) for body in shown for match in _REST.finditer(body)}


def foreign(quoted: Iterable[Quoted], ours: Collection[str], help_shows: Collection[str] = ()) -> list[Quoted]:
    """Those that we had not written there: `ours` in this thread, `help_shows` wherever somebody asks for help.

    Before our last line prices and dates may differ, since they change while a quotation stays, and a sentence may go
    on behind a command, where a mail client has broken the line before it.
    """
    shapes = {_shape(text) for text in (*ours, *help_shows)}
    return [one for one in quoted if not _is_ours(one, ours, shapes)]


def _is_ours(one: Quoted, ours: Collection[str], shapes: Collection[str]) -> bool:
    """Take everything below our last line as somebody else's, whatever it says.

    Without a last line it is ours only as we wrote it, maybe with the words behind it, up to where a line was broken.
    """
    if one.inside is None:
        longer = [text for text in ours if text.startswith(one.key)]
        return any(one.key.startswith(own) and text.startswith(own) for text in longer for own in ours if own)
    return one.inside and _begins_with(_shape(one.key), shapes)


def _begins_with(text: str, ours: Collection[str]) -> bool:
    return any(text.startswith(own) and text[len(own) : len(own) + 1] in ("", *" .,;:") for own in ours)


def _shape(text: str) -> str:
    return _NUMBER.sub("#", text)
