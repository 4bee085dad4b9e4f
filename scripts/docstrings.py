"""Docstring openings: a docstring begins with a verb or a noun, and not with a word that opens a question.

    python -m scripts.docstrings [FOLDER ...]

Fails on those in the app, as `make lint` runs it; of the folders that are given it lists them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT = 0
"""Those that have not been rewritten yet: there may be fewer, never more."""

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


def main(folders: Sequence[str]) -> int:
    """Lists the openings that are wrong; fails if there are more than are left from before."""
    found = [one for folder in folders or ("app",) for one in below(ROOT / folder)]
    wrong = [one for one in found if one.opens_badly]
    if folders or len(wrong) > LEFT:
        print(*(f"{one.path.relative_to(ROOT)}:{one.line}: {one.text.splitlines()[0]}" for one in wrong), sep="\n")
    print(f"docstrings: {len(found)} read, {len(wrong)} open with one of {', '.join(OPENINGS)}")
    return 1 if len(wrong) > (0 if folders else LEFT) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
