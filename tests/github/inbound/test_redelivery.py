"""Deliveries that failed are found and asked for again: all kinds of failure, the oldest first, never too many."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.github.api.client import GitHub
from app.github.inbound import redelivery as sweeping
from app.github.inbound.redelivery import EVERY_SECONDS, LOOK_BACK_SECONDS, MOST_ASKED, WHOLE_SECONDS, Sweep
from app.storage.engine.db import Database
from app.storage.queues import inbox, outages
from app.storage.queues.inbox import Arrival
from tests.clocks import START_AT, FakeClock
from tests.github.play import Play, reply

LIST = "GET /app/hook/deliveries?per_page=100"
SECOND = "/app/hook/deliveries?per_page=100&cursor=v1_5"


@pytest.fixture
def sweep(db: Database, github: GitHub, clock: FakeClock) -> Sweep:
    return Sweep(db, github, clock, most_waiting=1_000)


def attempt(number: int, guid: str, code: int | None = 502, ago: int = 60) -> dict[str, Any]:
    at = datetime.fromtimestamp(START_AT - ago, UTC).isoformat().replace("+00:00", "Z")
    return {"id": number, "guid": guid, "status_code": code, "delivered_at": at}


def listed(play: Play, *attempts: dict[str, Any]) -> None:
    """Newest first, as GitHub lists them; every redelivery is granted."""
    play.on(LIST, reply(list(attempts)))
    for one in attempts:
        play.on(f"POST /app/hook/deliveries/{one['id']}/attempts", reply({}, 202))


def asked(play: Play) -> list[int]:
    """The attempts that were asked to be repeated, in order; forgotten after that."""
    lines = [one.line for one in play.asked if one.line.endswith("/attempts")]
    play.asked.clear()
    return [int(line.split("/")[4]) for line in lines]


async def put(db: Database, *guids: str) -> None:
    async with db.transaction() as tx:
        await inbox.put(tx, [Arrival(guid, "issues", guid, b"{}", START_AT) for guid in guids])


async def test_what_failed_or_was_never_answered_is_asked_for_oldest_first(
    sweep: Sweep, play: Play, db: Database
) -> None:
    await put(db, "stored")
    listed(
        play,
        attempt(9, "in flight", None, ago=5),
        attempt(8, "no code", None),
        attempt(7, "zero", 0, ago=70),
        attempt(6, "good", 202, ago=80),
        attempt(5, "stored", 0, ago=90),
        attempt(4, "mended", 202, ago=100),
        attempt(3, "failed", 503, ago=110),
        attempt(2, "mended", 503, ago=120),
        attempt(1, "too old", 503, ago=3 * 86_400 + 1),
    )
    await sweep.run()
    assert asked(play) == [3, 7, 8]


async def test_it_is_asked_for_by_its_newest_attempt(sweep: Sweep, play: Play) -> None:
    listed(play, attempt(2, "a", ago=10), attempt(1, "a", ago=500))
    await sweep.run()
    assert asked(play) == [2]


async def test_the_list_is_read_every_two_minutes(sweep: Sweep, play: Play, clock: FakeClock) -> None:
    listed(play)
    for _ in range(3):
        await sweep.run()
    assert play.lines() == [LIST]
    clock.advance(EVERY_SECONDS)
    await sweep.run()
    assert play.lines() == [LIST, LIST]


async def test_never_too_many_at_once(
    sweep: Sweep, play: Play, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MOST_REDELIVERIES", 2)
    listed(play, *(attempt(number, f"g{number}", ago=100 - number) for number in (5, 4, 3, 2, 1)))
    await sweep.run()
    assert asked(play) == [1, 2]
    clock.advance(EVERY_SECONDS - 1)
    await sweep.run()
    assert asked(play) == []
    clock.advance(1)
    await sweep.run()
    assert asked(play) == [1, 2]  # they have failed again, and are older
    clock.advance(EVERY_SECONDS)
    await sweep.run()
    assert asked(play) == [3, 4]


async def test_what_fails_again_and_again_is_asked_for_less_and_less_often(
    sweep: Sweep, play: Play, clock: FakeClock
) -> None:
    listed(play, attempt(1, "a"))
    times = []
    for minute in range(0, 62, 2):
        await sweep.run()
        times += [minute] * len(asked(play))
        clock.advance(EVERY_SECONDS)
    assert times == [0, 2, 6, 14, 30]


async def test_what_arrives_is_not_missing_any_more(sweep: Sweep, play: Play, clock: FakeClock, db: Database) -> None:
    listed(play, attempt(1, "a"))
    await sweep.run()
    assert asked(play) == [1]
    await put(db, "a")
    clock.advance(EVERY_SECONDS)
    await sweep.run()
    assert asked(play) == []


def two_pages(play: Play) -> None:
    play.on(LIST, reply([attempt(9, "new", 202, ago=0)], link=f'<{play.url}{SECOND}>; rel="next"'))
    play.on(f"GET {SECOND}", reply([attempt(5, "old", 502, ago=7_200)]))
    play.on("POST /app/hook/deliveries/5/attempts", reply({}, 202))


async def test_a_long_list_is_read_whole_at_start_and_every_six_hours_else_only_what_is_new(
    sweep: Sweep, play: Play, clock: FakeClock
) -> None:
    two_pages(play)
    await sweep.run()
    assert play.lines() == [LIST, f"GET {SECOND}", "POST /app/hook/deliveries/5/attempts"]
    play.asked.clear()
    play.on(LIST, reply([attempt(9, "new", 202, ago=3_600)], link=f'<{play.url}{SECOND}>; rel="next"'))
    clock.advance(EVERY_SECONDS)
    await sweep.run()
    assert play.lines() == [LIST, "POST /app/hook/deliveries/5/attempts"]
    clock.advance(WHOLE_SECONDS)
    play.asked.clear()
    await sweep.run()
    assert play.lines()[:2] == [LIST, f"GET {SECOND}"]


async def test_trouble_in_the_middle_of_the_list_does_not_lose_what_was_read(
    sweep: Sweep, play: Play, clock: FakeClock
) -> None:
    play.on(LIST, reply([attempt(9, "new")], link=f'<{play.url}{SECOND}>; rel="next"'))
    play.on(f"GET {SECOND}", reply({"message": "down"}, 502), reply([attempt(5, "old", 502, ago=7_200)]))
    for number in (5, 9):
        play.on(f"POST /app/hook/deliveries/{number}/attempts", reply({}, 202))
    await sweep.run()
    assert asked(play) == [9]
    clock.advance(EVERY_SECONDS)
    await sweep.run()
    assert asked(play) == [5, 9]


@pytest.mark.parametrize(("status", "seconds"), [(429, 600), (503, 600), (429, EVERY_SECONDS)])
async def test_while_reading_a_limit_is_waited_out_before_anything_else_is_asked(
    sweep: Sweep, play: Play, clock: FakeClock, status: int, seconds: int
) -> None:
    play.on(LIST, reply([attempt(9, "new")], link=f'<{play.url}{SECOND}>; rel="next"'))
    play.on(f"GET {SECOND}", reply({"message": "slow"}, status, retry_after=str(seconds)), reply([]))
    play.on("POST /app/hook/deliveries/9/attempts", reply({}, 202))
    await sweep.run()
    assert play.lines() == [LIST, f"GET {SECOND}"]
    clock.advance(seconds - 1)
    await sweep.run()
    assert play.lines() == [LIST, f"GET {SECOND}"]
    clock.advance(1)
    await sweep.run()
    assert asked(play) == [9]


async def test_a_list_too_long_to_be_read_whole_counts_as_read(
    sweep: Sweep, play: Play, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading all of it again every two minutes would use up the App's calls, and never come to its end."""
    monkeypatch.setattr("app.github.api.client.MOST_PAGES", 2)
    new = reply([attempt(9, "new", ago=3_600)], link=f'<{play.url}{SECOND}>; rel="next"')
    play.on(LIST, new)
    play.on(f"GET {SECOND}", reply([attempt(5, "old", ago=7_200)], link=f'<{play.url}{SECOND}>; rel="next"'))
    for number in (5, 9):
        play.on(f"POST /app/hook/deliveries/{number}/attempts", reply({}, 202))
    await sweep.run()
    assert asked(play) == [5, 9]
    clock.advance(EVERY_SECONDS)
    await sweep.run()
    assert f"GET {SECOND}" not in play.lines()
    assert asked(play) == [5, 9], "what was noted is still asked for"
    clock.advance(WHOLE_SECONDS)
    await sweep.run()
    assert f"GET {SECOND}" in play.lines()


@pytest.mark.parametrize("status", [404, 422])
async def test_one_that_github_will_not_send_hinders_no_other(sweep: Sweep, play: Play, status: int) -> None:
    listed(play, attempt(2, "b", ago=10), attempt(1, "a", ago=20))
    play.on("POST /app/hook/deliveries/1/attempts", reply({"message": "no"}, status))
    await sweep.run()
    assert asked(play) == [1, 2]


async def test_a_limit_is_waited_out(sweep: Sweep, play: Play, clock: FakeClock) -> None:
    listed(play, attempt(2, "b", ago=10), attempt(1, "a", ago=20))
    play.on("POST /app/hook/deliveries/1/attempts", reply({"message": "slow"}, 429, retry_after="600"), reply({}, 202))
    await sweep.run()
    assert asked(play) == [1]
    clock.advance(599)
    await sweep.run()
    assert play.asked == []
    clock.advance(1)
    await sweep.run()
    assert asked(play) == [1, 2]


async def test_while_too_many_wait_nothing_is_asked_for_and_later_what_there_is_room_for(
    db: Database, github: GitHub, clock: FakeClock, play: Play
) -> None:
    """What was shed for want of room would be shed again."""
    sweep = Sweep(db, github, clock, most_waiting=4)
    await put(db, "x", "y")
    listed(play, attempt(2, "b", ago=10), attempt(1, "a", ago=20))
    await sweep.run()
    assert asked(play) == []
    async with db.transaction() as tx:
        delivery = await inbox.claim(tx, START_AT, 60)
        assert delivery is not None
        await inbox.finish(tx, delivery)
    clock.advance(EVERY_SECONDS)
    await sweep.run()
    assert asked(play) == [1]


# -- what came while we did not run --------------------------------------------------------------------------------


async def down(db: Database, ago: int = 7_200) -> None:
    async with db.transaction() as tx:
        await outages.note(tx, START_AT - ago - 7_200, START_AT - ago)


async def fetched(db: Database) -> bool:
    async with db.reading() as tx:
        return await outages.to_fetch(tx) == []


async def test_after_an_outage_everything_is_here_once_nothing_of_that_time_is_missing(
    sweep: Sweep, play: Play, clock: FakeClock, db: Database
) -> None:
    await down(db)
    listed(play, attempt(1, "a", ago=9_000), attempt(2, "good", 202, ago=9_000))
    await sweep.run()
    assert asked(play) == [1] and not await fetched(db)
    await put(db, "a")
    clock.advance(EVERY_SECONDS)
    await sweep.run()
    assert await fetched(db)


async def test_what_fails_again_and_again_does_not_hold_up_everybody(
    sweep: Sweep, play: Play, clock: FakeClock, db: Database
) -> None:
    await down(db)
    listed(play, attempt(1, "a", ago=9_000))
    for _ in range(MOST_ASKED - 1):
        await sweep.run()
        assert not await fetched(db)
        clock.advance(EVERY_SECONDS * 2**MOST_ASKED)
    await sweep.run()
    assert await fetched(db)


async def test_a_list_that_was_not_read_to_its_end_says_nothing(sweep: Sweep, play: Play, db: Database) -> None:
    await down(db)
    play.on(LIST, reply({"message": "down"}, 502))
    await sweep.run()
    assert not await fetched(db)


async def test_what_github_remembers_no_more_is_waited_for_no_more(sweep: Sweep, play: Play, db: Database) -> None:
    await down(db, ago=LOOK_BACK_SECONDS + 1)
    play.on(LIST, reply({"message": "down"}, 502))
    await sweep.run()
    assert await fetched(db)
