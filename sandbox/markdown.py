"""Comments as GitHub shows them, near enough: CommonMark with tables and strikethrough, and a few harmless tags.

HTML is parsed, not passed on: comments vanish, the tags of `TAGS` come out without attributes, all else is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

TAGS = "details|summary|sub|sup|kbd|b|i|strong|em|del|ins|code|br"
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
TAG = re.compile(rf"<(/?)({TAGS})((?:\s+open)?)\s*/?>", re.IGNORECASE)


def harmless(source: str) -> str:
    """HTML of a stranger as HTML that can do nothing but fold and emphasise."""
    text = COMMENT.sub("", source)
    parts, end = [], 0
    for match in TAG.finditer(text):
        parts += [html.escape(text[end : match.start()]), f"<{match[1]}{match[2].lower()}{match[3].lower()}>"]
        end = match.end()
    return "".join([*parts, html.escape(text[end:])])


class Renderer(RendererHTML):
    def html_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return harmless(tokens[idx].content)

    def html_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return harmless(tokens[idx].content)


PARSER = MarkdownIt("commonmark", {"html": True, "breaks": True}, renderer_cls=Renderer).enable(
    ["table", "strikethrough"]
)


def rendered(text: str) -> str:
    """Safe HTML of a comment's Markdown."""
    result: str = PARSER.render(text)
    return result
