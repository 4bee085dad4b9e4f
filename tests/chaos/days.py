"""One day from its beginning to its last check."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.storage.engine.db import migrate
from tests.chaos.books import Books
from tests.chaos.checks import Found, check, check_alone, check_log, journal
from tests.chaos.place import ground
from tests.chaos.play import Player
from tests.chaos.script import Day
from tests.chaos.watch import Watch
from tests.databases import PostgresDatabases, apart, postgres_cluster_url

RATE = 20
FAULTS = (
    {"kind": "lose", "probability": 0.1},
    {"kind": "repeat", "probability": 0.1},
    {"kind": "delay", "probability": 0.03, "seconds": 2},
    {"kind": "reorder", "probability": 0.1},
)


class Kind(StrEnum):
    SQLITE = "sqlite"
    POSTGRES = "postgres"


@dataclass(slots=True)
class Played:
    name: str
    seconds: float
    found: Found
    books: Books

    def told(self) -> str:
        found = self.found
        peaks = ", ".join(f"{name} {most}" for name, most in sorted(found.peaks.items()))
        return (
            f"{self.name}: {self.seconds:.0f} s, {found.comments:,} comments, {found.commands:,} commands executed,"
            f" {found.entries:,} entries, {found.outcomes} outcomes beside GitHub's timeline,"
            f" {found.refused_again:,} refusals again, {found.kills} kills, {found.replies:,} replies and"
            f" {found.reactions:,} reactions alone, {found.lost:,} deliveries failed, {found.asked_again:,} asked for"
            f" again; most of an installation: {peaks}; {len(found.wrong)} wrong"
        )


async def day_of(
    day: Day,
    url: str,
    folder: Path,
    *,
    kills: int,
    faults: bool = False,
    rate: int = RATE,
    validate: bool = False,
) -> Played:
    """Play it and look at what came of it."""
    folder.mkdir()
    chance = random.Random(day.size.seed + kills)
    async with ground(day, url, folder, rate, validate) as found:
        await found.github.control("PUT", "/limits", {"enforced": True})
        for fault in FAULTS if faults else ():
            await found.github.control("POST", "/faults", {"seed": day.size.seed, "deliveries": fault})
        started = time.monotonic()

        def tell(done: str) -> None:
            print(f"{folder.name}: {done}, {time.monotonic() - started:.0f} s", flush=True)

        watch = Watch(found.db, found.clock)
        player = Player(found, day, watch, in_order=not faults, kills=kills, chance=chance, tell=tell)
        await player.play()
        seconds = time.monotonic() - started
        checked, books = await check(player), await journal(player)
        check_log(found, checked, calm=not kills and not faults)
        if faults:
            await check_alone(player, checked, folder)
        return Played(folder.name, seconds, checked, books)


@contextmanager
def databases(kind: Kind, folder: Path) -> Iterator[Iterator[str]]:
    """As many migrated databases as are asked for."""
    if kind is Kind.SQLITE:
        yield map(_sqlite, (folder / f"bugmark-{number}.db" for number in itertools.count()))
        return
    made = PostgresDatabases(postgres_cluster_url(), migrate)
    with made.migrated(folder) as one, made.migrated(folder) as two, made.migrated(folder) as three:
        yield iter((one, two, three))
    made.drop_template()


def _sqlite(path: Path) -> str:
    url = f"sqlite+aiosqlite:///{path}"
    apart(lambda: migrate(url))
    return url
