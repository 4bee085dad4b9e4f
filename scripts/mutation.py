"""Mutates app/market with mutmut, in a copy of the tree, and holds the tests to noticing it.

    python scripts/mutation.py [MODULE ...]

A mutant counts as killed if a test fails or does not come to an end. docs/mutation.md tells of every one that lives.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "mutation"
TREES = ("app", "tests/market", "tests/language")
FILES = ("pyproject.toml", "tests/conftest.py", "tests/clocks.py", "tests/databases.py", "tests/recycling.py")
LISTED = ROOT / "docs" / "mutation.md"
LEAST_PERCENT = 95

SURVIVED = (0, 5, 33, None)
"""How mutmut notes that no test failed, that none was there, or that it did not come to try."""

TIMED_OUT = (24, -24, 36, 152, 255, -9)


@dataclass(frozen=True)
class Mutant:
    """`key` is its name in mutmut, `code` how the tests ended."""

    key: str
    code: int | None

    @property
    def module(self) -> str:
        return self.key.split(".")[-2]

    def told(self) -> str:
        """Where it is and what it changed, as docs/mutation.md tells it."""
        function, of_class = orig_function_and_class_names_from_key(self.key)
        lines = get_diff_for_mutant(self.key, path=Path(*self.key.split(".")[:-1]).with_suffix(".py")).splitlines()[2:]
        before, after = (_joined(lines, sign) for sign in "-+")
        return f"{'.'.join(filter(None, (self.module, of_class, function)))}: `{before}` → `{after}`"


def _joined(lines: Iterable[str], sign: str) -> str:
    return " ".join(line[1:].strip() for line in lines if line.startswith(sign))


def make_copy() -> None:
    """Of what the tests of the market need, without what an earlier run left."""
    shutil.rmtree(COPY, ignore_errors=True)
    for tree in TREES:
        shutil.copytree(ROOT / tree, COPY / tree, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy2(ROOT / name, COPY / name)


def mutate(modules: Sequence[str]) -> None:
    command = [str(Path(sys.prefix, "bin", "mutmut")), "run", "--max-children", os.environ.get("WORKERS", "2")]
    subprocess.run([*command, *(f"app.market.*{module}.*" for module in modules)], cwd=COPY, check=True)


def mutants(modules: Sequence[str]) -> list[Mutant]:
    found = [
        Mutant(key, code)
        for path in sorted(COPY.glob("mutants/app/market/**/*.py.meta"))
        for key, code in json.loads(path.read_text())["exit_code_by_key"].items()
    ]
    return [mutant for mutant in found if not modules or mutant.module in modules]


def table(tried: Sequence[Mutant]) -> None:
    for module in sorted({mutant.module for mutant in tried}):
        codes = [mutant.code for mutant in tried if mutant.module == module]
        lived = sum(code in SURVIVED for code in codes)
        print(f"{module:<14}{len(codes):>6} mutants {len(codes) - lived:>6} killed {lived:>4} survived")


def main(modules: Sequence[str]) -> int:
    """Fails if too few are killed, or if docs/mutation.md leaves out one that lived."""
    make_copy()
    mutate(modules)
    os.chdir(COPY)
    tried = mutants(modules)
    told = {mutant.told(): mutant for mutant in tried if mutant.code in SURVIVED}
    listed = LISTED.read_text().replace("`", "")
    unlisted = [line for line in told if line.replace("`", "") not in listed]
    table(tried)
    print(*(f"not in docs/mutation.md: {line}" for line in unlisted), sep="\n", end="\n" if unlisted else "")
    lived = sum(mutant.code in SURVIVED for mutant in tried)
    late = sum(mutant.code in TIMED_OUT for mutant in tried)
    killed = len(tried) - lived
    percent = 100 * killed / max(1, len(tried))
    print(
        f"mutation: {len(tried):,} mutants, {killed:,} killed ({late} by the time limit), {lived} survived "
        f"({len(unlisted)} of them not in docs/mutation.md), {percent:.1f} %; at least {LEAST_PERCENT} % are asked for"
    )
    return 0 if tried and percent >= LEAST_PERCENT and not unlisted else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
