"""The names in a forecast: packages with their ecosystem, severities, labels, titles, milestones."""

from __future__ import annotations

import re

from app.commands.words import lower
from app.market.money import Unreadable
from app.market.statement import ECOSYSTEMS, SEVERITIES

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
"""What people call ecosystems for which GitHub has a name of its own."""

MAX_NAME = 100
_PACKAGE = re.compile(r"[A-Za-z0-9@_][A-Za-z0-9@._/:+~-]{0,213}", re.ASCII)
_QUOTED = re.compile(r"[\"“]([^\"“”]+)[\"”]")


class BadPackage(Unreadable):
    kind = "package"
    why = f"a package is named with its ecosystem, as `npm:left-pad`; ecosystems are {', '.join(ECOSYSTEMS)}"


class BadSeverity(Unreadable):
    kind = "severity"
    why = f"a severity is {', '.join(SEVERITIES[1:-1])} or {SEVERITIES[-1]}"


class BadName(Unreadable):
    kind = "name"
    why = f'a name has at most {MAX_NAME} characters, and quotes only around the whole of it: `"help wanted"`'


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
    quoted = _QUOTED.fullmatch(text)
    name = (quoted[1] if quoted else text).strip()
    if not name or len(name) > MAX_NAME or any(mark in name for mark in '"“”'):
        raise BadName(text)
    return name
