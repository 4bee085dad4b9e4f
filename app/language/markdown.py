"""Markdown as GitHub parses it, as far as it decides which source lines are plain text of a top-level paragraph.

CommonMark and tables come from markdown-it-py; footnotes, and tables of one column without a pipe, are rules here.
Emphasis and entities are left out: they only dress text. Bounds keep hostile comments cheap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference, table
from markdown_it.rules_inline import StateInline, escape, newline
from markdown_it.token import Token

from app.language.raw_html import Event, HtmlReader, Kind

MAX_NESTING = 100
MAX_BRACKETS = 100
MAX_BRACKET_WORK = 1_000_000
"""Brackets times length of a paragraph whose links are still looked for; else only its first line counts."""


def events(source: str, wanted: set[int]) -> Iterator[Event]:
    """The wanted lines that are plain text of a top-level paragraph, with the HTML and containers between them.

    `source` has line feeds only; lines are counted from 0.
    """
    html = HtmlReader()
    env: dict[str, Any] = {}
    paragraph = False
    for token in _blocks().parse(source, env):
        if token.type == "html_block":
            yield from html.read(token.content)
        elif token.type in ("paragraph_open", "paragraph_close") and token.level == 0:
            paragraph = token.nesting > 0
        elif token.type == "inline" and paragraph:
            yield from _Paragraph(token, wanted, env).events(html)
        elif token.nesting and token.level == 0:
            yield Event(Kind.BOX_OPEN if token.nesting > 0 else Kind.BOX_CLOSE)


class _Paragraph:
    """A top-level paragraph: `content` is its source, `first` the number of its first line.

    `env` holds the definitions of links that the document's blocks gave.
    """

    def __init__(self, token: Token, wanted: set[int], env: dict[str, Any]) -> None:
        self.content = token.content
        self.env = env
        self.first, last = token.map or [0, 0]
        self.wanted = wanted.intersection(range(self.first, last))

    def events(self, html: HtmlReader) -> Iterator[Event]:
        if self.first in self.wanted:
            yield Event(Kind.LINE, line=self.first)
        if self._too_much():
            yield from html.read(self.content)
        elif self.wanted - {self.first} or "<" in self.content:
            yield from self._inline_events(html)

    def _too_much(self) -> bool:
        brackets = self.content.count("[")
        return brackets > MAX_BRACKETS or brackets * len(self.content) > MAX_BRACKET_WORK

    def _inline_events(self, html: HtmlReader) -> Iterator[Event]:
        """A line starts as plain text where the parser meets a line break outside code, links and HTML."""
        breaks = {match.start(): self.first + i for i, match in enumerate(re.finditer("\n", self.content), 1)}
        links = 0
        for token in _inline().parseInline(self.content, self.env)[0].children or []:
            if token.type == "html_inline":
                yield from html.read(token.content)
            elif token.type in ("link_open", "link_close"):
                links += token.nesting
            elif "at" in token.meta and not links and breaks[token.meta["at"]] in self.wanted:
                yield Event(Kind.LINE, line=breaks[token.meta["at"]])


@cache
def _blocks() -> MarkdownIt:
    """Blocks only: what stands within a paragraph is read where it matters."""
    parser = _parser().enable("table").disable("inline")
    rules = parser.block.ruler
    rules.at("table", _table, {"alt": ["paragraph", "reference"]})
    rules.at("reference", _reference)
    rules.before("reference", "footnote", _footnote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    rules.before("lheading", "column", _column, {"alt": ["paragraph", "reference"]})
    return parser


@cache
def _inline() -> MarkdownIt:
    parser = _parser().disable(["emphasis", "entity", "balance_pairs"])
    parser.inline.ruler.at("newline", _marked_newline)
    parser.inline.ruler.at("escape", _escape)
    return parser


def _parser() -> MarkdownIt:
    """As GitHub does, links are taken whatever their address: that is judged later."""
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING + 20})
    parser.disable("text_join")
    parser.validateLink = _any_link  # type: ignore[method-assign]  # the documented way to replace it
    parser.normalizeLink = _same_link  # type: ignore[method-assign]  # the same
    return parser


def _any_link(url: str) -> bool:
    return True


def _same_link(url: str) -> str:
    return url


def _marked_newline(state: StateInline, silent: bool) -> bool:
    """The parser's own rule, but the token remembers where in the source it stands."""
    at = state.pos
    found = newline(state, silent)
    if found and not silent:
        state.tokens[-1].meta["at"] = at
    return found


def _escape(state: StateInline, silent: bool) -> bool:
    """A backslash at the end of a line is left to stand as text, so that its line break is one like all others."""
    if not state.src.startswith("\\\n", state.pos):
        return escape(state, silent)
    if not silent:
        state.append_pending("\\")
    state.pos += 1
    return True


_FOOTNOTE = re.compile(r"\[\^[^\] \t\r\n\0]+\]:[ \t]*")


@dataclass(frozen=True, slots=True)
class _Margin:
    """Start of a line's text, as the block parser keeps it: offset, blanks and columns before the text."""

    begin: int
    blanks: int
    columns: int

    @classmethod
    def of(cls, state: StateBlock, line: int) -> _Margin:
        return cls(state.bMarks[line], state.tShift[line], state.sCount[line])

    def put(self, state: StateBlock, line: int) -> None:
        state.bMarks[line], state.tShift[line], state.sCount[line] = self.begin, self.blanks, self.columns


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`[^label]:` starts a container indented by four columns, also in the middle of a paragraph."""
    match = _FOOTNOTE.match(state.src, state.bMarks[start] + state.tShift[start], state.eMarks[start])
    if match is None or state.is_code_block(start):
        return False
    if silent:
        return True
    margin = _Margin.of(state, start)
    parent = state.parentType
    state.push("footnote_open", "section", 1)
    state.blkIndent += 4
    state.parentType = "footnote"
    _Margin(match.end(), 0, state.blkIndent).put(state, start)
    state.md.block.tokenize(state, start, end)
    margin.put(state, start)
    state.parentType = parent
    state.blkIndent -= 4
    state.push("footnote_close", "section", -1)
    return True


def _reference(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A link's definition. Within a container it also is a paragraph, which the next line may continue lazily."""
    found = reference(state, start, end, silent)
    if found and state.level:
        state.line = start
    return found and not state.level


_COLUMN_RULE = re.compile(
    r"\|[ \t]*:?-+:?[ \t]*\|?[ \t]*|:-+:?[ \t]*\|?[ \t]*|-+:[ \t]*\|?[ \t]*|(?:-|--+[ \t]*)\|[ \t]*"
)


def _column(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table of one column whose head has no pipe, which GitHub knows and markdown-it does not."""
    if start + 2 > end:
        return False
    rule = state.bMarks[start + 1] + state.tShift[start + 1]
    if not _COLUMN_RULE.fullmatch(state.src, rule, state.eMarks[start + 1]) or "|" in _line(state, start):
        return False
    if any(state.is_code_block(line) or state.sCount[line] < state.blkIndent for line in (start, start + 1)):
        return False
    return silent or _take_table(state, start, end)


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The parser's own rule for what is a table, without its many tokens for cells."""
    return table(state, start, end, True) and (silent or _take_table(state, start, end))


def _take_table(state: StateBlock, start: int, end: int) -> bool:
    parent, state.parentType = state.parentType, "table"
    state.push("table_open", "table", 1)
    state.line = _table_end(state, start + 2, end)
    state.parentType = parent
    state.push("table_close", "table", -1)
    return True


def _table_end(state: StateBlock, line: int, end: int) -> int:
    """A table goes on until a blank line or the start of another block."""
    starters = state.md.block.ruler.getRules("blockquote")
    while line < end and not state.isEmpty(line) and not state.is_code_block(line):
        if state.sCount[line] < state.blkIndent or any(rule(state, line, end, True) for rule in starters):
            break
        line += 1
    return line


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
