"""Docstring openings: a docstring begins with a verb or a noun, and not with a word that opens a question."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OPENINGS = ("What", "Whether", "Who", "Whom", "Whose", "Where", "Of", "Which", "How", "When", "If")


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring, or a text that stands below a value as one."""

    path: Path
    line: int
    text: str

    @property
    def opens_badly(self) -> bool:
        return self.text.split(maxsplit=1)[0].rstrip(",.:;") in OPENINGS if self.text.strip() else False


def docstrings(path: Path) -> Iterator[Docstring]:
    """Every docstring of a file, those of values included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                value = statement.value.value
                if isinstance(value, str):
                    yield Docstring(path, statement.lineno, value)


def below(folder: Path) -> list[Docstring]:
    """Every docstring of a folder's Python files."""
    return [one for path in sorted(folder.rglob("*.py")) for one in docstrings(path)]
