"""Changes the contracts in hundreds of small ways, each of which a test must notice.

    python -m scripts.contracts mutate [CONTRACT ...]

Operators, guards, numbers and statements of contracts/src are changed one at a time in a copy of the folder. A mutant
that does not compile says nothing and is not counted. docs/escrow.md tells of every one that lives.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts import forge

LEAST_PERCENT = 90
LISTED = forge.ROOT / "docs" / "escrow.md"
MUTATED = ("Keys", "Law", "Markets", "Outcomes", "Packed", "Vault", "Windows", "BugMarkEscrow")
TRIED: tuple[str, ...] = ("test", "--threads", "1", "--fail-fast", "--no-match-contract", "InvariantsTest|GasTest")
TRIED += ("--no-match-test", "can_be_deployed")
QUICK = {"FOUNDRY_FUZZ_RUNS": "32", "FOUNDRY_OPTIMIZER": "false"}
"""Compiling takes nearly all of the time, and without the optimizer half as long."""

SWAPS = (
    (" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "), (" != ", " == "),
    (" && ", " || "), (" || ", " && "), (" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "),
    (" += ", " -= "), (" -= ", " += "), ("true", "false"), ("false", "true"), ("if (!", "if ("),
)  # fmt: skip
NUMBER = re.compile(r"(?<![\w.])(\d+)(?= days\b|;|\)| \?)")
GUARDS = (
    "nonReentrant",
    "running",
    "only(Key.Operator)",
    "only(Key.Oracle)",
    "only(Key.Arbiter)",
    "only(Key.Guardian)",
)
REVERT = re.compile(r"\bif \(.*\) revert .*;|^\s*_check\w+\(.*\);")
STATEMENT = re.compile(r"^\s+(?!return\b|emit\b|revert\b|\}|using\b|assembly\b)[\w.\[\]]+( [-+]?= .*|\(.*\));$")


@dataclass(frozen=True)
class Mutant:
    """A line of a file as it was and as it is tried."""

    name: str
    number: int
    before: str
    after: str

    def told(self) -> str:
        after = self.after.strip() or "(nothing)"
        return f"{self.name}.sol: `{self.before.strip()}` → `{after}`"


def mutants_of(name: str) -> Iterator[Mutant]:
    """All of one contract, in the order of its lines."""
    for number, line in enumerate((forge.CONTRACTS / "src" / f"{name}.sol").read_text().splitlines()):
        code = line.split("//")[0]
        if not code.strip() or code.strip().startswith(("*", "import", "pragma", "error", "event")):
            continue
        for after in changed(code.rstrip()):
            yield Mutant(name, number, line, after)


def changed(code: str) -> Iterator[str]:
    """Every small change of a line."""
    for before, after in SWAPS:
        for found in re.finditer(re.escape(before), code):
            yield code[: found.start()] + after + code[found.end() :]
    for found in NUMBER.finditer(code):
        yield f"{code[: found.start()]}{int(found[1]) + 1}{code[found.end() :]}"
    for guard in GUARDS:
        if re.search(rf"(?<=\s){re.escape(guard)}(?=\s)", code) and not code.lstrip().startswith("modifier"):
            yield code.replace(guard, "", 1)
    if REVERT.search(code):
        yield REVERT.sub("", code)
    elif STATEMENT.match(code):
        yield ""


def lives(mutant: Mutant, folder: Path) -> bool | None:
    """True if no test notices, None if it does not compile."""
    path = folder / "src" / f"{mutant.name}.sol"
    whole = path.read_text()
    lines = whole.splitlines()
    lines[mutant.number] = mutant.after
    path.write_text("\n".join(lines) + "\n")
    try:
        done = forge.run(TRIED, folder, **QUICK)
    finally:
        path.write_text(whole)
    if "Compiler run failed" in done.stdout:
        return None
    return done.returncode == 0


def copy_of_contracts(number: int) -> Path:
    """A folder of its own for each worker, in which all is compiled."""
    folder = Path(tempfile.mkdtemp(prefix=f"mutants-{number}-")) / "contracts"
    shutil.copytree(forge.CONTRACTS, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(forge.CONTRACTS / "node_modules")
    whole = forge.run(TRIED, folder, **QUICK)
    if whole.returncode:
        raise SystemExit(f"{whole.stdout}\ncontracts: a test fails before anything is changed")
    return folder


def attempt(mutants: Sequence[Mutant], number: int) -> list[tuple[Mutant, bool | None]]:
    folder = copy_of_contracts(number)
    found = []
    try:
        for mutant in mutants:
            found.append((mutant, lives(mutant, folder)))
            if found[-1][1]:
                print(f"lived: {mutant.told()} (line {mutant.number + 1})", flush=True)
    finally:
        shutil.rmtree(folder.parent)
    return found


def main(names: Sequence[str]) -> int:
    """Fails if too few are killed, or if docs/escrow.md leaves out one that lived."""
    mutants = [mutant for name in MUTATED if not names or name in names for mutant in mutants_of(name)]
    workers = max(1, int(os.environ.get("WORKERS", "2")))
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(attempt, (mutants[i::workers] for i in range(workers)), range(workers)))
    tried = [(mutant, lived) for part in parts for mutant, lived in part if lived is not None]
    survivors = [mutant for mutant, lived in tried if lived]
    listed = LISTED.read_text().replace("`", "") if LISTED.exists() else ""
    unlisted = [mutant for mutant in survivors if mutant.told().replace("`", "") not in listed]
    print(*(f"not in docs/escrow.md: {mutant.told()}" for mutant in unlisted), sep="\n", end="\n" if unlisted else "")
    percent = 100 * (len(tried) - len(survivors)) / max(1, len(tried))
    print(
        f"contracts: {len(tried)} mutants, {len(tried) - len(survivors)} killed, {len(survivors)} survived "
        f"({len(unlisted)} of them not in docs/escrow.md), {percent:.1f} %; at least {LEAST_PERCENT} % are asked for"
    )
    return 0 if tried and percent >= LEAST_PERCENT and not unlisted else 1
