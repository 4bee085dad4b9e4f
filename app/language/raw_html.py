"""Text enclosed by raw HTML: between a pair of tags, or within a comment that Markdown does not see.

Markdown ends a block such as `<details>` or `<div><!--` at a blank line, so that what follows is a paragraph for it; a
browser puts that paragraph between the tags, or into the comment.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

_VOID_NAMES = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track"]
VOID = frozenset([*_VOID_NAMES, "wbr"])
"""Elements without an end tag: they enclose nothing."""

_HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
ENCLOSING = frozenset(
    [*_HEADINGS, "blockquote", "details", "div", "dl", "figure", "ol", "pre", "summary", "table", "ul"]
)
"""Elements that enclose all the rest where their end tag is missing. Others then enclose nothing: `List<String>`."""


class Kind(Enum):
    LINE = auto()
    """A source line starts as plain text of a top-level paragraph."""
    TAG_OPEN = auto()
    TAG_CLOSE = auto()
    RAW_OPEN = auto()
    """A comment or tag starts that is not finished where Markdown ends its block."""
    RAW_CLOSE = auto()
    BOX_OPEN = auto()
    """A quote, list, heading or table starts: tags in it do not reach out of it."""
    BOX_CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Event:
    kind: Kind
    line: int = -1
    name: str = ""


_START = re.compile(r"<!--(?:-?>)?|<[!?]|<(?P<slash>/?)(?P<name>[A-Za-z][^\s/>\x00]*)")
_TAG_REST = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*>""")


class HtmlReader:
    """Reads a document's pieces of raw HTML in order; an unfinished comment lasts until a later piece ends it."""

    def __init__(self) -> None:
        self._in_comment = False
        self._lost = False

    def read(self, html: str) -> Iterator[Event]:
        at = 0
        while not self._lost:
            if self._in_comment:
                at = _after(html, "-->", at)
                if at < 0:
                    return
                self._in_comment = False
                yield Event(Kind.RAW_CLOSE)
            match = _START.search(html, at)
            if match is None:
                return
            at = self._end(html, match)
            if at < 0:
                self._in_comment = match[0] == "<!--"
                self._lost = not self._in_comment
                yield Event(Kind.RAW_OPEN)
                at = len(html)
            elif match["name"]:
                kind = Kind.TAG_CLOSE if match["slash"] else Kind.TAG_OPEN
                yield Event(kind, name=match["name"].lower())

    def _end(self, html: str, match: re.Match[str]) -> int:
        """Find the end of the comment or tag that starts at the match, -1 if it is not in this piece."""
        if match["name"]:
            rest = _TAG_REST.match(html, match.end())
            return rest.end() if rest else _after(html, ">", match.end())
        if match[0].startswith("<!--"):
            return match.end() if match[0].endswith(">") else _after(html, "-->", match.end())
        return _after(html, ">", match.end())


def _after(text: str, mark: str, start: int) -> int:
    found = text.find(mark, start)
    return found + len(mark) if found >= 0 else -1


class _Frame:
    """Tags open in one container, each with the number of its event."""

    def __init__(self) -> None:
        self.open: list[tuple[str, int]] = []
        self._names: Counter[str] = Counter()

    def push(self, name: str, at: int) -> None:
        self.open.append((name, at))
        self._names[name] += 1

    def close(self, name: str) -> int | None:
        """The event that opened the element, closed now with all in it; None if it is not open."""
        while self._names[name]:
            last, at = self.open.pop()
            self._names[last] -= 1
            if last == name:
                return at
        return None


def free_lines(happened: Iterable[Event]) -> list[int]:
    """The lines that no HTML encloses, in order."""
    story = list(happened)
    depth = [0] * (len(story) + 1)
    for start, end in _enclosed(story):
        depth[start] += 1
        depth[end] -= 1
    free = []
    level = 0
    for event, change in zip(story, depth, strict=False):
        level += change
        if event.kind is Kind.LINE and not level:
            free.append(event.line)
    return free


def _enclosed(story: list[Event]) -> Iterator[tuple[int, int]]:
    """Spans of events, from the one that opens something up to the one that closes it."""
    frames = [_Frame()]
    raw: int | None = None
    for at, event in enumerate(story):
        if event.kind is Kind.TAG_OPEN and event.name not in VOID:
            frames[-1].push(event.name, at)
        elif event.kind is Kind.TAG_CLOSE and (opened := frames[-1].close(event.name)) is not None:
            yield opened, at
        elif event.kind is Kind.RAW_OPEN:
            raw = at
        elif event.kind is Kind.RAW_CLOSE and raw is not None:
            yield raw, at
            raw = None
        elif event.kind is Kind.BOX_OPEN:
            frames.append(_Frame())
        elif event.kind is Kind.BOX_CLOSE:
            frames.pop()
    yield from ((at, len(story)) for name, at in frames[0].open if name in ENCLOSING)
    if raw is not None:
        yield raw, len(story)
