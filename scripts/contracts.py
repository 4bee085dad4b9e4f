"""Compiles the contracts, compares what is committed, and tries them: examples, fuzz, invariants, gas, size, coverage.

    python -m scripts.contracts [write] [runs=N]
    python -m scripts.contracts mutate [CONTRACT ...]

`write` takes what was compiled and measured as what is committed. `runs`: random stories of the invariants; sixteen
times as many inputs of each fuzzed test. What has to hold is said by the tests under contracts/test.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import contracts_mutation, forge

ARTIFACTS = forge.CONTRACTS / "artifacts"
DEPLOYED = ("BugMarkEscrow", "PlayToken")
LARGEST_BYTES = 24_576
LEAST_LINES_PERCENT = 95
LEAST_BRANCHES_PERCENT = 90
WHOLE_RUNS = 128
ALL_VECTORS_RUNS = 64
FUZZ_PER_RUN = 16
SPARED = ("--no-match-contract", "GasTest|InvariantsTest", "--no-match-test", "can_be_deployed")
COVERAGE = ("coverage", *SPARED, "--no-match-coverage", "(test|node_modules)")


class Failed(Exception):
    """What is told at the end."""


def build() -> None:
    done = forge.run(["build"])
    if done.returncode:
        raise Failed(f"{done.stdout}\nthe contracts do not compile")


def artifact(name: str) -> dict[str, Any]:
    """What the app needs of a contract: its doors, what is deployed, and where the code holds what deployment fixed."""
    found = json.loads((forge.BUILT / "out" / f"{name}.sol" / f"{name}.json").read_text())
    deployed = found["deployedBytecode"]
    return {
        "contract": name,
        "compiler": found["metadata"]["compiler"]["version"],
        "optimizerRuns": found["metadata"]["settings"]["optimizer"]["runs"],
        "evmVersion": found["metadata"]["settings"]["evmVersion"],
        "abi": found["abi"],
        "bytecode": found["bytecode"]["object"],
        "deployedBytecode": deployed["object"],
        "immutableReferences": sorted(deployed.get("immutableReferences", {}).values(), key=str),
    }


def text_of(found: dict[str, Any]) -> str:
    """One line for each part, and for each door."""
    doors = ",\n".join(f"    {json.dumps(door)}" for door in found["abi"])
    parts = [f'  "{key}": {json.dumps(value)}' for key, value in found.items() if key != "abi"]
    parts.insert(4, f'  "abi": [\n{doors}\n  ]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def compare_artifacts(write: bool) -> int:
    """Bytes of the largest contract. Raises Failed if it is too large, or is another than the one that is committed."""
    sizes = []
    for name in DEPLOYED:
        found = artifact(name)
        sizes.append(len(found["deployedBytecode"]) // 2 - 1)
        path = ARTIFACTS / f"{name}.json"
        if write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text_of(found))
        if not path.exists() or path.read_text() != text_of(found):
            raise Failed(f"{path.relative_to(forge.ROOT)} is not what compiles; `make contracts WRITE=1` takes it")
    if max(sizes) > LARGEST_BYTES:
        raise Failed(f"a contract has {max(sizes):,} bytes; {LARGEST_BYTES:,} can be deployed")
    return max(sizes)


def tests(runs: int, write: bool) -> int:
    """Number of those that passed. Raises Failed if one did not."""
    done = forge.run(
        ["test", "--threads", os.environ.get("WORKERS", "2")],
        {
            "FOUNDRY_FUZZ_RUNS": str(FUZZ_PER_RUN * runs),
            "FOUNDRY_INVARIANT_RUNS": str(runs),
            "WHOLE": str(runs >= ALL_VECTORS_RUNS).lower(),
            "WRITE_GAS": str(write).lower(),
        },
    )
    summary = re.search(r"(\d+) tests passed, (\d+) failed, (\d+) skipped", done.stdout)
    if done.returncode or summary is None or summary[2] != "0" or summary[3] != "0":
        raise Failed(f"{done.stdout}\na test of the contracts failed")
    return int(summary[1])


@dataclass
class Covered:
    """Lines and branches of one file: how many there are, how many were run, and those that were not."""

    lines: int = 0
    lines_hit: int = 0
    branches: int = 0
    branches_hit: int = 0

    def add(self, other: Covered) -> None:
        self.lines += other.lines
        self.lines_hit += other.lines_hit
        self.branches += other.branches
        self.branches_hit += other.branches_hit


def coverage() -> str:
    """A sentence about it. Raises Failed if too little was run, or if forge measured nothing."""
    report = forge.BUILT / "lcov.info"
    report.unlink(missing_ok=True)
    done = forge.run(
        [*COVERAGE, "--threads", os.environ.get("WORKERS", "2"), "--report", "lcov", "--report-file", str(report)],
        {"FOUNDRY_FUZZ_RUNS": "8"},
    )
    if done.returncode or not report.exists():
        raise Failed(f"{done.stdout}\nthe coverage could not be measured")
    found, missed = read_lcov(report)
    print(*(f"not run: {line}" for line in missed), sep="\n", end="\n" if missed else "")
    lines = 100 * found.lines_hit / max(1, found.lines)
    branches = 100 * found.branches_hit / max(1, found.branches)
    if lines < LEAST_LINES_PERCENT or branches < LEAST_BRANCHES_PERCENT:
        raise Failed(f"tests run {lines:.1f} % of the lines and {branches:.1f} % of the branches")
    return f"{lines:.1f} % of {found.lines} lines and {branches:.1f} % of {found.branches} branches"


def read_lcov(report: Path) -> tuple[Covered, list[str]]:
    """All files together, and what was not run, as places."""
    found, missed, name = Covered(), [], ""
    for line in report.read_text().splitlines():
        kind, _, rest = line.partition(":")
        numbers = rest.split(",")
        if kind == "SF":
            name = rest
        elif kind == "DA":
            found.add(Covered(lines=1, lines_hit=int(numbers[1] != "0")))
        elif kind == "BRDA":
            found.add(Covered(branches=1, branches_hit=int(numbers[3] not in ("0", "-"))))
        if (kind == "DA" and numbers[1] == "0") or (kind == "BRDA" and numbers[3] in ("0", "-")):
            missed.append(f"{name}:{numbers[0]}")
    return found, missed


def main(words: Sequence[str]) -> int:
    if "mutate" in words:
        return contracts_mutation.main([word for word in words if word != "mutate"])
    runs = next((int(word.removeprefix("runs=")) for word in words if word.startswith("runs=")), WHOLE_RUNS)
    started = time.monotonic()
    try:
        build()
        size = compare_artifacts("write" in words)
        passed = tests(runs, "write" in words)
        covered = coverage()
    except Failed as failed:
        print(f"contracts: {failed}")
        return 1
    gas = json.loads((forge.CONTRACTS / "gas.json").read_text())
    new, existing = (gas[kind]["50"] / gas["alone"] for kind in ("new", "existing"))
    print(
        f"contracts: {passed} tests passed, {runs} stories; {covered}; {size:,} of {LARGEST_BYTES:,} bytes; in batches "
        f"of 50 a fill costs {new:.2f} (new) and {existing:.2f} (existing) of one alone; "
        f"{time.monotonic() - started:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
