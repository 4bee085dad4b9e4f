"""YAML read as text with its lines: what a value means is said by its key, from what stands in the file.

YAML itself would make a float of `0.40`, a truth of `no` and a count of seconds of `1:30`. Here every value stays the
text that it was. Anchors, tags and several documents are refused: a settings file needs none, and they cost memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from unicodedata import category

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

MOST_BYTES = 64 * 1024
MOST_DEPTH = 5
MOST_NODES = 2_000
MOST_SAID = 160


class BadYaml(Exception):
    """Text that is no YAML, or YAML that is not read here. Lines count from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


class Scalar(str):
    """A value as it is written. `plain`: without quotes, so that it may be a number or a truth."""

    plain: bool
    line: int

    def __new__(cls, text: str, plain: bool = True, line: int = 1) -> Scalar:
        made = super().__new__(cls, text)
        made.plain, made.line = plain, line
        return made


Tree = Scalar | list["Tree"] | dict[str, "Tree"]


@dataclass(slots=True)
class Document:
    """A file's tree. `lines` has the line of each key and item by its path."""

    tree: Tree
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def line(self, path: Sequence[str | int]) -> int:
        """The line of the innermost thing on this path that is in the file."""
        steps = tuple(path)
        return next((self.lines[steps[:n]] for n in range(len(steps), 0, -1) if steps[:n] in self.lines), 1)


def read_yaml(raw: bytes) -> Document:
    """Raises BadYaml. An empty file is an empty mapping."""
    if len(raw) > MOST_BYTES:
        raise BadYaml(1, f"The file is larger than {MOST_BYTES // 1024} kB.")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadYaml(raw[: error.start].count(b"\n") + 1, "The file is not UTF-8.") from None
    reader = _Reader(text)
    try:
        return reader.document()
    except BadYaml:
        raise
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise BadYaml(line, "The file holds a character that YAML does not allow.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else reader.line
        raise BadYaml(line, f"This is no YAML: {(error.problem or 'it cannot be read')[:MOST_SAID]}.") from None
    except Exception:  # the library raises others too, such as ValueError for `"\UFFFFFFFF"`
        raise BadYaml(reader.line, "This is no YAML: it cannot be read from about here on.") from None


class _Reader:
    """Goes through the events one by one, so that what is too deep or too much is never built."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._nodes = 0
        self.line = 1  # of what was read last
        self._lines: dict[tuple[str | int, ...], int] = {}

    def document(self) -> Document:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), StreamEndEvent):
            return Document({})
        tree = self._node(next(self._events), ())
        next(self._events)  # the document's end
        after = next(self._events)
        if isinstance(after, DocumentStartEvent):
            raise BadYaml(_line(after), "The file holds more than one document.")
        return Document({} if isinstance(tree, Scalar) and tree.plain and not tree else tree, self._lines)

    def _node(self, event: Event, path: tuple[str | int, ...]) -> Tree:
        self._check(event, path)
        match event:
            case ScalarEvent():
                return Scalar(event.value, event.style is None, _line(event))
            case SequenceStartEvent():
                return self._sequence(path)
            case MappingStartEvent():
                return self._mapping(path)
        raise BadYaml(_line(event), "This is no YAML that is read here.")

    def _check(self, event: Event, path: tuple[str | int, ...]) -> None:
        self._nodes += 1
        self.line = _line(event)
        if isinstance(event, ScalarEvent) and not _is_text(event.value):
            raise BadYaml(_line(event), "A value holds a character that cannot stand in a name.")
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            raise BadYaml(
                _line(event), "Anchors (`&`) and aliases (`*`) are not read here; a text may stand in quotes."
            )
        if getattr(event, "tag", None):
            raise BadYaml(_line(event), "Tags (`!`) are not read here; a text may stand in quotes.")
        if len(path) > MOST_DEPTH:
            raise BadYaml(_line(event), "This is nested too deep.")
        if self._nodes > MOST_NODES:
            raise BadYaml(_line(event), f"The file holds more than {MOST_NODES:,} values.")

    def _sequence(self, path: tuple[str | int, ...]) -> list[Tree]:
        items: list[Tree] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            self._lines[(*path, len(items))] = _line(event)
            items.append(self._node(event, (*path, len(items))))
        return items

    def _mapping(self, path: tuple[str | int, ...]) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, (*path, "")) if isinstance(event, ScalarEvent) else None
            if not isinstance(key, Scalar):
                self._check(event, path)
                raise BadYaml(_line(event), "A key is a single word.")
            if str(key) in found:
                raise BadYaml(key.line, f"{shown(key)} stands here twice.")
            self._lines[(*path, str(key))] = key.line
            found[str(key)] = self._node(next(self._events), (*path, str(key)))
        return found


def _is_text(value: str) -> bool:
    """Escapes can write what no name on GitHub holds: halves of a character, NUL and other controls."""
    return all(category(char) not in ("Cc", "Cs") or char in "\n\t" for char in value)


def shown(text: str) -> str:
    """A word of the file inside a sentence; one that is no plain word is not repeated."""
    return (
        f"`{text}`"
        if text.isascii() and text.replace("_", "").replace("-", "").isalnum() and len(text) <= 40
        else "This"
    )


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
