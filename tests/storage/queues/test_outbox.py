"""The outbox: what is to be sent leaves in order, one at a time for each installation, and once as it is now."""

from __future__ import annotations

import asyncio

from app.storage.engine.db import Database
from app.storage.people.places import Issue, Place, Repository
from app.storage.queues import outbox, turns
from app.storage.queues.outbox import BOARD_GAP_SECONDS, Message

LEASE = 60


def place(installation: int = 31) -> Place:
    repository = Repository(41, installation, 7, "octo", "cat", False)
    return Place(Issue(101, 41, 5, "A bug", "open", None, None), repository)


async def put(
    db: Database, key: str, kind: str = "reply", body: str = "", now: int = 100, inst: int = 31, user: int | None = None
) -> None:
    async with db.transaction() as tx:
        await outbox.put(tx, key=key, kind=kind, place=place(inst), body=body, now=now, user_id=user)


async def claim(db: Database, now: int = 100) -> Message | None:
    async with db.transaction() as tx:
        return await outbox.claim(tx, now, LEASE)


async def must_claim(db: Database, now: int = 100) -> Message:
    message = await claim(db, now)
    assert message is not None
    return message


async def sent(db: Database, message: Message, remote_id: int | None = 900, now: int = 100) -> None:
    async with db.transaction() as tx:
        await outbox.sent(tx, message, remote_id, now)


async def postpone(db: Database, message: Message, due_at: int, dead: bool = False) -> None:
    async with db.transaction() as tx:
        await outbox.postpone(tx, message, due_at, "502", outbox.DEAD if dead else None)


async def waiting(db: Database) -> int:
    async with db.reading() as tx:
        return await outbox.waiting(tx)


async def drain(db: Database, now: int = 100) -> list[str]:
    """What leaves now, one after the other."""
    found = []
    while message := await claim(db, now):
        found.append(message.key)
        await sent(db, message, now=now)
    return found


async def test_a_message_carries_what_its_sender_needs(db: Database) -> None:
    await put(db, "reply:1", body="hello")
    message = await must_claim(db, 130)
    assert message == Message(message.id, "reply:1", "reply", 31, 41, 101, 5, "hello", 1, 1, None, 100)


async def test_announcements_leave_first_and_the_board_after_the_replies(db: Database) -> None:
    for key, kind in (("b", "board"), ("x", "reaction"), ("r1", "reply"), ("n", "notice"), ("r2", "reply")):
        await put(db, key, kind)
    assert await drain(db) == ["n", "x", "r1", "r2", "b"]
    assert await waiting(db) == 0


async def test_one_person_who_comments_much_keeps_nobody_waiting(db: Database) -> None:
    for number in range(40):
        await put(db, f"x{number}", "reaction", user=1)
        await put(db, f"r{number}", "reply", user=1)
    first = await must_claim(db)
    await sent(db, first)
    await put(db, "other", user=2)
    await put(db, "third", user=3)
    await put(db, "other's second", user=2)
    order = [first.key, *await drain(db)]
    assert order[:6] == ["x0", "other", "third", "r0", "other's second", "x1"]
    assert [key for key in order if key[0] in "xr"] == [f"{kind}{number}" for number in range(40) for kind in "xr"]


async def test_of_ten_writes_one_goes_to_the_market_comment_that_waits_longest(db: Database) -> None:
    await put(db, "b", "board")
    for number in range(30):
        await put(db, f"r{number}", user=number)
    assert (await drain(db)).index("b") == 9
    await put(db, "b", "board", now=200)
    for number in range(30, 60):
        await put(db, f"r{number}", user=number, now=200)
    assert (await drain(db, 200)).index("b") == 0  # twenty-one writes went before it


async def test_announcements_take_turns_over_issues(db: Database) -> None:
    async with db.transaction() as tx:
        for number in range(5):
            await outbox.put(tx, key=f"a{number}", kind="notice", place=place(), body="", now=100)
        elsewhere = Place(Issue(102, 41, 6, "Another bug", "open", None, None), place().repository)
        await outbox.put(tx, key="b0", kind="notice", place=elsewhere, body="", now=100)
    assert (await drain(db))[:3] == ["a0", "b0", "a1"]


async def test_a_queue_is_behind_when_more_waits_than_leaves_in_a_while(db: Database) -> None:
    for number in range(turns.BEHIND):
        await put(db, f"r{number}")
    async with db.transaction() as tx:
        assert not await turns.behind(tx, 31, 100)
        await outbox.put(tx, key="more", kind="reply", place=place(), body="", now=100)
        assert await turns.behind(tx, 31, 100)
        assert not await turns.behind(tx, 32, 100)
        assert not await turns.behind(tx, 31, 99)


async def test_one_at_a_time_for_each_installation(db: Database) -> None:
    await put(db, "a1", inst=1)
    await put(db, "a2", inst=1)
    await put(db, "b1", inst=2)
    first, other = await must_claim(db), await must_claim(db)
    assert (first.key, other.key) == ("a1", "b1")
    assert await claim(db) is None
    await sent(db, first)
    assert (await must_claim(db)).key == "a2"


async def test_one_at_a_time_whoever_claims(db: Database) -> None:
    """Eight senders, three installations: never two of one installation under way, nothing sent twice."""
    for number in range(18):
        await put(db, f"m{number}", inst=number % 3)
    under_way: list[int] = []
    keys: list[str] = []

    async def send() -> None:
        while len(keys) < 18:
            message = await claim(db)
            if message is None:
                await asyncio.sleep(0.005)
                continue
            assert message.installation_id not in under_way
            under_way.append(message.installation_id)
            keys.append(message.key)
            await asyncio.sleep(0)
            under_way.remove(message.installation_id)
            await sent(db, message)

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(send())
    assert sorted(keys) == sorted(f"m{number}" for number in range(18))


async def test_a_claim_that_is_not_committed_yet_holds_its_installation(postgres_url: str) -> None:
    db = Database(postgres_url)
    await put(db, "m1")
    await put(db, "m2")
    async with db.transaction() as tx:
        assert await outbox.claim(tx, 100, LEASE) is not None
        second = asyncio.create_task(claim(db))
        await asyncio.sleep(0.1)
    assert await second is None
    await db.close()


async def test_a_lease_that_ended_is_taken_over(db: Database) -> None:
    await put(db, "m1")
    await must_claim(db, 100)
    assert await claim(db, 100 + LEASE - 1) is None
    again = await must_claim(db, 100 + LEASE)
    assert (again.key, again.attempts) == ("m1", 2)


async def test_wanted_again_it_is_edited_in_place(db: Database) -> None:
    await put(db, "reply:1", body="one")
    await sent(db, await must_claim(db), remote_id=900)
    assert await claim(db, 10_000) is None
    await put(db, "reply:1", body="two", now=200)
    message = await must_claim(db, 200)
    assert (message.body, message.version, message.remote_id, message.attempts) == ("two", 2, 900, 1)
    assert await waiting(db) == 1
    await sent(db, message)
    assert await waiting(db) == 0


async def test_wanted_again_while_it_is_being_sent_it_stays_waiting(db: Database) -> None:
    await put(db, "reply:1", body="one")
    first = await must_claim(db)
    await put(db, "reply:1", body="two", now=101)
    assert await claim(db, 101) is None
    await sent(db, first, remote_id=900, now=102)
    second = await must_claim(db, 102)
    assert (second.body, second.version, second.remote_id) == ("two", 2, 900)
    await sent(db, second, now=103)
    assert await waiting(db) == 0


async def test_wanted_often_before_it_leaves_it_leaves_once(db: Database) -> None:
    for body in ("one", "two", "three"):
        await put(db, "board:101", "board", body)
    message = await must_claim(db)
    assert (message.body, message.version) == ("three", 3)
    await sent(db, message)
    assert await claim(db, 10_000) is None


async def test_the_board_leaves_at_most_every_few_seconds(db: Database) -> None:
    await put(db, "board:101", "board")
    assert await drain(db, 100) == ["board:101"]
    await put(db, "board:101", "board", now=101)
    await put(db, "board:101", "board", now=102)
    assert await drain(db, 100 + BOARD_GAP_SECONDS - 1) == []
    assert await drain(db, 100 + BOARD_GAP_SECONDS) == ["board:101"]
    await put(db, "board:101", "board", now=500)
    assert await drain(db, 500) == ["board:101"]


async def test_a_reply_that_grows_does_not_wait(db: Database) -> None:
    await put(db, "reply:1")
    assert await drain(db, 100) == ["reply:1"]
    await put(db, "reply:1", now=100)
    assert await drain(db, 100) == ["reply:1"]


async def test_what_is_postponed_lets_others_by(db: Database) -> None:
    await put(db, "m1")
    await put(db, "m2")
    await postpone(db, await must_claim(db), 150)
    assert await drain(db, 149) == ["m2"]
    again = await must_claim(db, 150)
    assert (again.key, again.attempts) == ("m1", 2)


async def test_what_is_dead_stays_until_it_is_wanted_again(db: Database) -> None:
    await put(db, "m1", body="one")
    await postpone(db, await must_claim(db), 150, dead=True)
    assert await drain(db, 10_000) == []
    assert await waiting(db) == 0
    await put(db, "m1", body="two", now=10_000)
    assert (await must_claim(db, 10_000)).body == "two"


async def test_giving_up_a_version_does_not_give_up_the_next(db: Database) -> None:
    await put(db, "m1", body="one")
    first = await must_claim(db)
    await put(db, "m1", body="two", now=101)
    await postpone(db, first, 150, dead=True)
    assert (await must_claim(db, 150)).body == "two"
