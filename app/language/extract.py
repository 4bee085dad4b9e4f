"""The commands in a comment: source lines that begin with `/bugmark`, in a top-level paragraph as GitHub parses it.

Never in code, quotes, lists, tables, headings, footnotes, links or HTML (docs/commands.md says it for people).
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from app.language.markdown import events
from app.language.quotation import Quoted, beginning, last_line, within
from app.language.raw_html import free_lines
from app.language.text import BLANK, fold, lower

MAX_LENGTH = 65_536
"""GitHub takes no longer comment; what is beyond is not read."""

_LINE_END = re.compile("\r\n|\r|\n")
_COMMAND = re.compile(rf"{BLANK}*/bugmark(?=[ \t]|\Z)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CommandText:
    """One command. `text` is what follows `/bugmark`, blanks folded, one trailing mark dropped; empty if none does.

    `key` is the text in ASCII lower case and `occurrence` counts, from 0, the commands of the comment with the same
    key. Both together are its identity: an edit that changes only case or blanks makes no new command.
    """

    text: str = field(compare=False)
    occurrence: int
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", lower(self.text))


@dataclass(frozen=True, slots=True)
class Reading:
    """The commands of a comment in their order, and those that it quotes of a comment of ours: they do not run."""

    commands: list[CommandText]
    quoted: list[Quoted]


def read_commands(markdown: str) -> list[CommandText]:
    """The commands of a comment in their order. Takes any text; never raises."""
    return read_comment(markdown).commands


def read_comment(markdown: str) -> Reading:
    """The commands of a comment, its own and those that it quotes. Takes any text; never raises."""
    lines = _LINE_END.split(markdown[:MAX_LENGTH])
    wanted = {number for number, line in enumerate(lines) if _COMMAND.match(line)}
    if not wanted:
        return Reading([], [])
    source = "\n".join(lines).replace("\0", "\ufffd")
    seen: Counter[str] = Counter()
    start = beginning(lines)
    last = last_line(lines, start)
    found, quoted = [], []
    for number in free_lines(events(source, wanted)):
        text = normalised(lines[number])
        if number >= start:
            quoted.append(Quoted(lower(text), within(lines, last, number)))
            continue
        found.append(CommandText(text, seen[lower(text)]))
        seen[lower(text)] += 1
    return Reading(found, quoted)


def normalised(line: str) -> str:
    """Cut a command line down to the text after `/bugmark`."""
    text = fold(_COMMAND.sub("", line, count=1))
    return text[:-1].rstrip(" ") if text.endswith((".", ",", "!")) else text
