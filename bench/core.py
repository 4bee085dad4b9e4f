"""The matching core, from its sources and compiled, beside two matching engines of PyPI (bench/engines.py)."""

from __future__ import annotations

import subprocess
import sys

from app.base import compiled
from bench.rows import Row


def run() -> list[Row]:
    """Both cores, each in a process of its own and beside the others; the compiled one as `make compile` leaves it."""
    command = [sys.executable, "-m", "scripts.compile_core"]
    made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print((made.stdout.splitlines() or ["compile: failed"])[-1], flush=True)
    cores = ["pure Python"] if made.returncode else ["pure Python", "compiled"]
    return [row for core in cores for row in _rows(core, _measured(core))]


def _measured(core: str) -> list[float]:
    done = subprocess.run([sys.executable, "-m", "bench.core", core], stdout=subprocess.PIPE, check=True)
    return [float(rate) for rate in done.stdout.split()]


def _rows(core: str, rates: list[float]) -> list[Row]:
    mine, pyclob, lightmatching = rates
    return [
        Row(f"core, {core}: offers, all ledger effects", mine, "offers/s", target=">= 300,000/s", met=mine >= 300_000),
        _beside(f"core, {core}: beside pyclob", mine, pyclob, 5),
        _beside(f"core, {core}: beside lightmatchingengine", mine, lightmatching, 2),
    ]


def _beside(name: str, mine: float, rate: float, times: int) -> Row:
    return Row(name, mine, "offers/s", f"its {rate:,.0f}/s", mine / rate, f">= {times} x", mine >= times * rate)


def main(core: str) -> int:
    """Print the three rates of one core, which this process must be running."""
    if core == "compiled":
        compiled.use(compiled.folder())
    from bench.engines import rates

    if compiled.core() != core:
        sys.exit(f"bench: this is the {compiled.core()} core")
    print(*rates())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
