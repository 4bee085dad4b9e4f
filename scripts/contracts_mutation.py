"""Changes the contracts in hundreds of small ways, each of which a test must notice.

    python -m scripts.contracts mutate [CONTRACT ...]

Operators, guards, numbers and statements of contracts/src are changed one at a time. A mutant that does not compile
says nothing and is not counted. docs/escrow.md tells of every one that lives. EVERY=10 tries one in
ten, FROM=5 others.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts import forge

LEAST_PERCENT = 90
LISTED = forge.ROOT / "docs" / "escrow.md"
MUTATED = ("Keys", "Law", "Markets", "Outcomes", "Packed", "Vault", "Windows", "BugMarkEscrow")
ARTIFACTS = forge.BUILT / "mutants"
ALONE = ("Law", "Packed")
SPARED = ("--no-match-test", "can_be_deployed", "--no-match-contract", "InvariantsTest|GasTest|LawTest|PackedTest")
EXAMPLES = ("test", "--threads", "1", "--fail-fast", *SPARED)
STORIES = ("test", "--threads", "1", "--match-contract", "InvariantsTest")

SWAPS = (
    (" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "), (" != ", " == "),
    (" && ", " || "), (" || ", " && "), (" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "),
    (" += ", " -= "), (" -= ", " += "), ("true", "false"), ("false", "true"), ("if (!", "if ("),
)  # fmt: skip
KEYS = ("Operator", "Oracle", "Arbiter", "Guardian", "Owner")
NUMBER = re.compile(r"(?<![\w.])(\d+)(?= days\b|;|\)| \?)")
GUARDS = ("nonReentrant", "running", *(f"only(Key.{key})" for key in KEYS))
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


def compiled(mutants: Sequence[Mutant]) -> None:
    """One artifact for each mutant that compiles, by its place in the list: all by one process."""
    shutil.rmtree(ARTIFACTS, ignore_errors=True)
    changes = [{"file": f"src/{m.name}.sol", "line": m.number, "after": m.after} for m in mutants]
    command = ["node", str(forge.CONTRACTS / "mutants.js"), str(ARTIFACTS)]
    subprocess.run(command, input=json.dumps(changes), text=True, check=True, env=forge.environment({}))


def lives(mutant: Mutant, number: int) -> bool | None:
    """True if no test notices, None if it does not compile."""
    artifact = ARTIFACTS / f"{number}.json"
    if not artifact.exists():
        return None
    more = {"ESCROW": os.path.relpath(artifact, forge.CONTRACTS), "FOUNDRY_FUZZ_RUNS": "32"}
    if forge.run(EXAMPLES, more).returncode or forge.run(STORIES, more | {"FOUNDRY_INVARIANT_RUNS": "6"}).returncode:
        return False
    if mutant.name in ALONE and fails_alone(mutant):
        return False
    print(f"lived: {mutant.told()} (line {mutant.number + 1})", flush=True)
    return True


def fails_alone(mutant: Mutant) -> bool:
    """True if a test of the library alone notices; these tests hold it in themselves and are compiled with it."""
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there) / "contracts"
        shutil.copytree(forge.CONTRACTS, folder, ignore=shutil.ignore_patterns("node_modules"))
        (folder / "node_modules").symlink_to(forge.CONTRACTS / "node_modules")
        path = folder / "src" / f"{mutant.name}.sol"
        lines = path.read_text().splitlines()
        lines[mutant.number] = mutant.after
        path.write_text("\n".join(lines) + "\n")
        return forge.run(["test", f"test/{mutant.name}.t.sol", "--threads", "1"], folder=folder).returncode != 0


def main(names: Sequence[str]) -> int:
    """Fails if too few are killed, or if docs/escrow.md leaves out one that lived."""
    everyone = [mutant for name in MUTATED if not names or name in names for mutant in mutants_of(name)]
    mutants = everyone[int(os.environ.get("FROM", "0")) :: int(os.environ.get("EVERY", "1"))]
    if forge.run(["build"]).returncode:
        raise SystemExit("contracts: they do not compile before anything is changed")
    compiled(mutants)
    with ThreadPoolExecutor(max(1, int(os.environ.get("WORKERS", "2")))) as pool:
        found = list(pool.map(lives, mutants, range(len(mutants))))
    tried = [(mutant, lived) for mutant, lived in zip(mutants, found, strict=True) if lived is not None]
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
