"""The names in a forecast: packages with their ecosystem, severities, labels, titles, milestones, pulls, tags."""

from __future__ import annotations

import re

from app.language.text import lower
from app.market.terms.money import Unreadable
from app.market.terms.statement import ECOSYSTEMS, SEVERITIES

OTHER_NAMES = {
    "pypi": "pip",
    "python": "pip",
    "crates": "rust",
    "cargo": "rust",
    "gem": "rubygems",
    "gems": "rubygems",
    "packagist": "composer",
    "hex": "erlang",
    "node": "npm",
    "golang": "go",
}
"""Everyday names of ecosystems that GitHub names otherwise."""

MAX_NAME = 100
_PACKAGE = re.compile(r"[A-Za-z0-9@_][A-Za-z0-9@._/:+~-]{0,213}", re.ASCII)
_MARKS = "\"\" '' `` “” ”” „“ „” ‟” «» »« ‘’ ’’ ‚‘ ‚’ ‹› ›‹ 「」 『』 《》 〈〉 〝〞 〝〟 ＂＂ ＇＇ ´´ `´"
PAIRS = (*((marks[0], marks[1]) for marks in _MARKS.split(" ")), ("``", "``"), ("``", "''"))
"""Quotation marks of the world, as they open and close."""

OPENING = "".join(dict.fromkeys(opening for opening, _ in PAIRS if len(opening) == 1))
QUOTES = "".join(dict.fromkeys("".join(f"{opening}{closing}" for opening, closing in PAIRS)))
_INSIDE = frozenset(QUOTES) - frozenset("'’‘´＇")
"""Marks that stand in no name; an apostrophe may."""


class BadPackage(Unreadable):
    kind = "package"
    why = f"a package is named with its ecosystem, as `npm:left-pad`; ecosystems are {', '.join(ECOSYSTEMS)}"


class BadSeverity(Unreadable):
    kind = "severity"
    why = f"a severity is {', '.join(SEVERITIES[1:-1])} or {SEVERITIES[-1]}"


class BadName(Unreadable):
    kind = "name"
    why = f'a name has at most {MAX_NAME} characters, and quotes only around the whole of it: `"help wanted"`'


class BadPull(Unreadable):
    kind = "pull request"
    why = "a pull request has a number such as `7`"


class BadTag(Unreadable):
    kind = "tag"
    why = "a tag is one word as Git takes it, such as `v2.0`"


_PULL = re.compile(r"#?(?!0)([0-9]{1,9})", re.ASCII)
_TAG = re.compile(r"(?![-/]|.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))(?!\.)[^\s~^:?*\[\\]+(?<![/.])")


def parse_pull(text: str) -> int:
    """`7` or `#7`. Raises BadPull."""
    match = _PULL.fullmatch(text)
    if match is None:
        raise BadPull(text)
    return int(match[1])


def parse_tag(text: str) -> str:
    """As Git takes a tag's name, in quotes or not. Raises BadTag."""
    tag = unquoted(text)
    hidden = not tag.isprintable() or any(mark in _INSIDE for mark in tag)
    if hidden or tag == "@" or len(tag) > MAX_NAME or not _TAG.fullmatch(tag):
        raise BadTag(text)
    return tag


def parse_package(text: str) -> tuple[str, str]:
    """Ecosystem and name of `npm:left-pad`. Raises BadPackage."""
    before, colon, name = text.partition(":")
    ecosystem = OTHER_NAMES.get(lower(before), lower(before))
    if not colon or ecosystem not in ECOSYSTEMS or not _PACKAGE.fullmatch(name):
        raise BadPackage(text)
    return ecosystem, name


def parse_severity(text: str) -> str:
    """`moderate` is what GitHub calls medium elsewhere. Raises BadSeverity."""
    word = {"moderate": "medium"}.get(lower(text), lower(text))
    if word not in SEVERITIES[1:]:
        raise BadSeverity(text)
    return word


def parse_name(text: str) -> str:
    """`bug`, or `"help wanted"` without its quotes. Raises BadName."""
    name = unquoted(text)
    if not name or len(name) > MAX_NAME or any(mark in _INSIDE for mark in name):
        raise BadName(text)
    return name


def unquoted(text: str) -> str:
    """Without the one pair of quotation marks around the whole of it."""
    bare = text.strip()
    for opening, closing in sorted(PAIRS, key=lambda pair: -len(pair[0])):
        if len(bare) >= len(opening + closing) and bare.startswith(opening) and bare.endswith(closing):
            return bare[len(opening) : len(bare) - len(closing)].strip()
    return bare
