"""Markdown as GitHub parses it, as far as it decides which source lines are plain text of a top-level paragraph.

CommonMark comes from markdown-it-py; GitHub's tables with a single column and no pipe, and its footnotes, are rules
here. What only dresses text (emphasis, entities) is left out. The bounds keep hostile comments cheap: a paragraph with
more brackets than can be paired in time counts only by its first line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline, newline
from markdown_it.token import Token

MAX_NESTING = 60
MAX_BRACKET_WORK = 2_000_000
"""Brackets times length of a paragraph that are still paired."""


class Kind(Enum):
    LINE = "a source line starts, as plain text of a top-level paragraph"
    TAG_OPEN = "an HTML tag opens"
    TAG_CLOSE = "an HTML tag closes"
    RAW_OPEN = "HTML starts that swallows text until it ends: an unfinished comment or tag"
    RAW_CLOSE = "a comment ends"
    BOX_OPEN = "a quote, list or another container starts"
    BOX_CLOSE = "the container ends"


@dataclass(frozen=True, slots=True)
class Event:
    """Something on the way through a document; `line` for a LINE (from 0), `name` for a tag (lower case)."""

    kind: Kind
    line: int = -1
    name: str = ""


def events(source: str, lines: list[str]) -> Iterator[Event]:
    """The document's lines of plain text, HTML tags and containers, in their order. `lines` are the source's."""
    in_comment = False
    for token in _blocks().parse(source):
        if token.type == "html_block":
            found, in_comment = _html_events(token.content, in_comment)
            yield from found
        elif token.type == "inline" and token.map:
            plain = token.level == 1 and token.meta.get("paragraph", False)
            yield from _paragraph_events(token, plain)
        elif token.nesting and token.level == 0 and token.type not in _LEAVES:
            yield Event(Kind.BOX_OPEN if token.nesting > 0 else Kind.BOX_CLOSE)
