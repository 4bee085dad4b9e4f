"""Measures the tree's shape and prints a table: what is measured, its value, the goal, and if it is met.

    python -m scripts.shape

Imports are read from the sources; the way of a comment is measured on the running code (scripts/crossing.py, which
prints its statements).
"""

from __future__ import annotations

import ast
import asyncio
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.language import extract, parser
from scripts.crossing import Transaction, cross
from scripts.docstrings import below
from scripts.imports import Package, knots, longest_chain

ROOT = Path(__file__).resolve().parent.parent
PARSER = extract.__name__, parser.__name__
"""The modules that make requests of a comment's text: they load nothing but what is needed for it."""

RULES_FILE = ("schema", "yamltree", "yaml_source", "filekinds", "config_values")
"""Modules whose texts are the page about `.github/bugmark.yml`, and the report of what is wrong in it."""

LONGEST_MODULE = 400
SHORT_WORDS = 4


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    value: str
    goal: str
    met: bool


def at_most(what: str, value: int, most: int, unit: str = "") -> Row:
    return Row(what, f"{value:,}{unit}", f"≤ {most:,}{unit}", value <= most)


# --- imports ---


def import_rows(package: Package) -> list[Row]:
    chain = longest_chain(package.imports)
    loaded = [name for name in _loaded() if name in package.modules]
    lines = sum(len(package.modules[name].read_text().splitlines()) for name in loaded)
    largest = sorted(((_counted(package, folder), folder) for folder in package.folders), reverse=True)
    groups = knots(package.between_folders())
    long = sorted(((len(path.read_text().splitlines()), name) for name, path in package.modules.items()), reverse=True)
    return [
        at_most(f"longest import chain ({_short(chain[0])} → {_short(chain[-1])})", len(chain) - 1, 14, " imports"),
        at_most(f"modules that the comment parser loads ({lines:,} lines)", len(loaded), 16),
        at_most(f"largest folder ({_largest(largest)}), commands aside", largest[0][0], 15, " modules"),
        at_most("groups of folders that import each other", len(groups), 0),
        at_most(f"longest module ({long[0][1]})", long[0][0], LONGEST_MODULE, " lines"),
    ]


def _short(module: str) -> str:
    return module.rpartition(".")[2]


def _largest(folders: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"{folder} {count}" for count, folder in list(folders)[:3])


def _counted(package: Package, folder: str) -> int:
    """Modules of a folder; one file a command is meant to be."""
    return sum("\nCOMMAND = " not in package.modules[name].read_text() for name in package.folders[folder])


def _loaded() -> list[str]:
    """The modules of the app that a fresh Python has loaded when it can parse."""
    program = f"import sys, {', '.join(PARSER)}; print(*sorted(n for n in sys.modules if n.startswith('app.')))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


# --- texts ---


def text_rows(package: Package) -> list[Row]:
    sentences = [
        text
        for name, path in package.modules.items()
        if name.startswith(("app.market.", "app.services.")) and _short(name) not in RULES_FILE
        for text in _texts(path)
        if _is_sentence(text)
    ]
    commands = [text for text in sentences if "/bugmark " in text]
    said = below(ROOT / "app")
    bad = sum(one.opens_badly for one in said)
    share = 100 * bad / len(said)
    return [
        at_most(f"sentences in market and services (/bugmark: {len(commands)})", len(sentences), 0),
        Row(
            f"docstrings that open with a question's word ({bad} of {len(said):,})",
            f"{share:.1f} %",
            "≤ 3 %",
            share <= 3,
        ),
    ]


def _texts(path: Path) -> Iterator[str]:
    """The texts in a file's code, docstrings aside; of what is filled in a brace stays."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
        if isinstance(node, ast.JoinedStr):
            skipped |= set(node.values)
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield "".join(str(part) for part in parts)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.value


def _is_sentence(text: str) -> bool:
    """A text for people: a command of ours, or some words that end as a sentence does."""
    words = re.findall(r"[A-Za-z]+", text)
    ends = text[:1].isupper() and text.rstrip().endswith((".", "?", "!"))
    return text.startswith("/bugmark ") or (ends and len(words) >= SHORT_WORDS)


# --- bodies ---


def body_row(package: Package) -> Row:
    """Calls from one folder into another whose callee takes a dict of anything."""
    open_to: dict[str, set[str]] = {name: set(_untyped(path)) for name, path in package.modules.items()}
    calls = [
        (name, target)
        for name, path in package.modules.items()
        for target, function in _calls(path, package)
        if function in open_to[target] and name.rpartition(".")[0] != target.rpartition(".")[0]
    ]
    return at_most("calls between folders that hand over an untyped body", len(calls), 0)


def _untyped(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        said = [ast.unparse(one.annotation) for one in arguments if one.annotation]
        rest = node.args.kwarg and node.args.kwarg.annotation
        if (rest and ast.unparse(rest) in ("Any", "object")) or any("dict[str, object]" in one for one in said):
            yield node.name


def _calls(path: Path, package: Package) -> Iterator[tuple[str, str]]:
    """Every call of a function of another module of ours: the module and the function's name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules, functions = {}, {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole, bound = f"{node.module}.{alias.name}", alias.asname or alias.name
                if whole in package.modules:
                    modules[bound] = whole
                elif node.module in package.modules:
                    functions[bound] = node.module, alias.name
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id=bound), attr=name) if bound in modules:
                yield modules[bound], name
            case ast.Name(id=bound) if bound in functions:
                yield functions[bound]


# --- the way of a comment ---


def crossing_rows(transactions: list[Transaction]) -> list[Row]:
    offering = next(one for one in transactions if one.stores_offer)
    statements = sum(len(one.statements) for one in transactions)
    return [
        at_most("transaction of one resting offer: modules entered", len(offering.modules), 25),
        at_most("transaction of one resting offer: calls into another module", offering.changes, 80),
        at_most("one comment with one offer: transactions", len(transactions), 3),
        at_most("one comment with one offer: SQL statements", statements, 25),
    ]


def table(rows: Iterable[Row]) -> str:
    width = max(len(row.what) for row in rows)
    lines = [f"{row.what:<{width}}  {row.value:>12}  {row.goal:<13}  {'met' if row.met else 'not met'}" for row in rows]
    return "\n".join(lines)


def main() -> None:
    package = Package.read(ROOT, "app")
    transactions = asyncio.run(cross())
    rows = [*import_rows(package), *crossing_rows(transactions), *text_rows(package), body_row(package)]
    print(table(rows))
    statements, met = sum(len(one.statements) for one in transactions), sum(row.met for row in rows)
    print(
        f"shape: {len(package.modules)} modules in {len(package.folders)} folders and {statements} statements of a "
        f"comment were counted; {met} of {len(rows)} goals met"
    )


if __name__ == "__main__":
    main()
