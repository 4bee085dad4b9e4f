"""`python -m tests.chaos`: a scripted day, three times beside each other. The last line says what was counted.

Once undisturbed; once while web and worker are killed, order kept: the journal must be the same; and once with
deliveries lost, repeated, late and out of order beside a quarter of the kills: the journal must be that of one alone.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.books import differences
from tests.chaos.days import Kind, databases, day_of
from tests.chaos.script import Size, script


async def run(size: Size, kills: int, kind: Kind, folder: Path) -> int:
    started, day = time.monotonic(), script(size)
    with databases(kind, folder) as urls:
        calm, killed, faulty = await asyncio.gather(
            day_of(day, next(urls), folder / "calm", kills=0),
            day_of(day, next(urls), folder / "killed", kills=kills),
            day_of(day, next(urls), folder / "faulty", kills=kills // 4, faults=True),
        )
    killed.found.wrong += differences(calm.books, killed.books)
    runs = (calm, killed, faulty)
    for each in runs:
        print(each.told(), flush=True)
    for problem in (problem for each in runs for problem in each.found.wrong):
        print(f"WRONG  {problem}")
    wrong = sum(len(each.found.wrong) for each in runs)
    print(
        f"chaos: seed {size.seed}, {day.commands:,} commands of {size.people} people in {size.installations}"
        f" installations on {kind}, three times; {killed.found.kills + faulty.found.kills} kills,"
        f" {sum(each.found.comments for each in runs):,} comments answered once, {calm.found.entries:,} entries the"
        f" same, {(time.monotonic() - started) / 60:.1f} minutes: " + (f"{wrong} wrong." if wrong else "nothing wrong.")
    )
    return 1 if wrong else 0


def number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


def main() -> int:
    size = Size(number("SEED", 1), number("COMMANDS", 5_000))
    kind = Kind(os.environ.get("DATABASE") or "sqlite")
    with tempfile.TemporaryDirectory(prefix="bugmark-chaos-") as folder:
        return asyncio.run(run(size, number("KILLS", 200), kind, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
