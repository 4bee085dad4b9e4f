"""A small `make chaos`, so that it cannot rot: kills, order kept; deliveries lost, repeated, late, out of order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chaos.books import Books, Entry, differences
from tests.chaos.days import day_of
from tests.chaos.script import Size, Turn, script
from tests.databases import SqliteDatabases

SMALL = Size(seed=1, commands=40, installations=2, people=12, issues=4, rounds=2)
KILLS = 5


@pytest.fixture
def urls(sqlite_databases: SqliteDatabases, tmp_path: Path) -> list[str]:
    found = []
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        with sqlite_databases.migrated(tmp_path / name) as url:
            found.append(url)
    return found


async def test_a_day_of_kills_and_lost_deliveries_changes_nothing(urls: list[str], tmp_path: Path) -> None:
    """Calls are held to GitHub's description where most kinds are made: doing so in all three doubles the time."""
    day = script(SMALL)
    calm, killed, faulty = await asyncio.gather(
        day_of(day, urls[0], tmp_path / "calm", kills=0),
        day_of(day, urls[1], tmp_path / "killed", kills=KILLS, validate=True),
        day_of(day, urls[2], tmp_path / "faulty", kills=1, faults=True),
    )
    for each in (calm, killed, faulty):
        assert each.found.wrong == [], each.told()
        assert each.found.commands == day.commands
    assert differences(calm.books, killed.books) == []
    assert calm.found.entries > day.commands / 2
    assert killed.found.kills == KILLS
    assert faulty.found.lost > 0
    assert all(each.found.replies > len(day.says) / 2 for each in (calm, killed, faulty))
    assert faulty.found.refused_again > 0


def test_whatever_is_otherwise_in_two_journals_is_told() -> None:
    one, other = Books({}), Books({})
    one.entries = {"grant": Entry("said", "round 0", (("free", 1, "play:1", 5),), ())}
    assert differences(one, other) == ["only in the first: grant " + str(one.entries["grant"])]
    other.entries = {"grant": one.entries["grant"]._replace(postings=(("free", 1, "play:1", 6),))}
    (told,) = differences(one, other)
    assert "5" in told and "6" in told
    other.entries = dict(one.entries)
    assert differences(one, other) == []


def test_a_seed_makes_one_day() -> None:
    assert script(SMALL) == script(SMALL)
    assert script(SMALL) != script(Size(seed=2, commands=40, installations=2, people=12, issues=4, rounds=2))


def test_a_whole_day_has_everything_in_it() -> None:
    day = script(Size())
    texts = [line.text for say in day.says for line in say.lines]
    assert day.commands >= 5_000
    assert len({person for owner in day.owners for person in owner.people}) == 200
    assert sum(owner.issues for owner in day.owners) == 50
    assert {text.split(" ")[0] for text in texts} >= COMMANDS | LOOKS
    assert all(any(condition in text for text in texts) for condition in CONDITIONS)
    turns = {act.how for act in day.acts() if isinstance(act, Turn)}
    assert turns == {"completed", "commit", "not_planned", "duplicate", "reopened"}
    assert {move.what for each in day.rounds for move in each.moves} == {"transfer", "rename", "open"}
    assert any(say.edits for say in day.says)


COMMANDS = {"offer", "sell", "fund", "take", "cancel", "change", "dry-run", "give", "forecast", "dispute", "resolve"}
LOOKS = {"book", "price", "positions", "offers", "balance", "history", "help", "market", "mute", "unmute"}
CONDITIONS = ("until", "all-or-none", "now-or-never", "post-only", "pool", "cancel-on-halt", "..", "on F")
