"""What a benchmark hands back, and how it is printed and kept."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path("bench/results/latest.json")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `reference` was measured in the same run; `target` says in words what is to be reached."""

    name: str
    value: float
    unit: str
    reference: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def show(row: Row) -> str:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} x {row.reference}"
    verdict = "" if row.met is None else ("met" if row.met else "NOT met")
    return f"{row.name:<44} {row.value:>12,.1f} {row.unit:<10} {ratio:<36} {row.target:<22} {verdict}"


def keep(rows: Sequence[Row]) -> None:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows]}, indent=2) + "\n")
