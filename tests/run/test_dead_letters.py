"""Dead letters as an operator meets them: listed, shown, tried again, dropped."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app.run.dead_letters import NoSuchLetter, drop, listed, retry, shown
from app.storage.engine.db import Database
from app.storage.people.places import Issue, Place, Repository
from app.storage.queues import inbox, outbox
from app.storage.queues.inbox import Arrival
from tests.clocks import START_AT

PLACE = Place(Issue(101, 7, 5, "A bug", "open", None, None), Repository(7, 31, 3, "ann", "tool", False))


async def give_up(db: Database) -> tuple[str, str]:
    """A delivery and a message; their names."""
    async with db.transaction() as tx:
        await inbox.put(tx, [Arrival("guid-1", "issues", "issue:101", b'{"x": "\\u001b[2J\xc3\xa9"}', START_AT)])
        delivery = await inbox.claim(tx, START_AT, 60)
        assert delivery is not None
        await inbox.postpone(tx, delivery, START_AT, "KeyError('x')\x1b[2J", dead=True)
        await outbox.put(tx, key="reply:9", kind="reply", place=PLACE, body="Hello\n\x1b]0;x", now=START_AT)
        message = await outbox.claim(tx, START_AT, 60)
        assert message is not None
        await outbox.postpone(tx, message, START_AT, "Invalid: too long", outbox.DEAD)
    return f"d{delivery.id}", f"m{message.id}"


async def test_what_was_given_up_is_listed_with_its_reason(db: Database) -> None:
    assert await listed(db) == ["letters: 0 deliveries and 0 messages were given up."]
    delivery, message = await give_up(db)
    lines = await listed(db)
    assert lines == [
        f"{delivery}  issues  issue:101  came 1 Jan 2026 00:00:00 UTC  GUID guid-1  1 attempts",
        "    KeyError('x')\ufffd[2J",
        f"{message}  reply  reply:9  installation 31  1 attempts",
        "    Invalid: too long",
        "letters: 1 deliveries and 1 messages were given up.",
    ]


async def test_a_letter_is_shown_whole_and_no_terminal_obeys_it(db: Database) -> None:
    delivery, message = await give_up(db)
    assert (await shown(db, delivery))[2] == '{\n  "x": "\\u001b[2J\\u00e9"\n}'
    assert (await shown(db, message))[2] == "Hello\n\ufffd]0;x"
    with pytest.raises(NoSuchLetter):
        await shown(db, "d999")


async def test_letters_are_tried_again(db: Database) -> None:
    delivery, message = await give_up(db)
    assert await retry(db, [delivery], START_AT + 10) == 1
    assert [line for line in await listed(db) if line.startswith("d")] == []
    assert await retry(db, ["all"], START_AT + 10) == 1
    async with db.transaction() as tx:
        again = await inbox.claim(tx, START_AT + 10, 60)
        to_send = await outbox.claim(tx, START_AT + 10, 60)
    assert again is not None
    assert to_send is not None
    assert (f"d{again.id}", f"m{to_send.id}") == (delivery, message)
    assert await retry(db, ["all"], START_AT + 10) == 0


async def test_letters_are_dropped_for_good(db: Database) -> None:
    delivery, message = await give_up(db)
    assert await drop(db, [message, delivery]) == 2
    assert len(await listed(db)) == 1
    async with db.transaction() as tx:
        assert await inbox.claim(tx, START_AT + 10**6, 60) is None
        assert await outbox.claim(tx, START_AT + 10**6, 60) is None


@pytest.mark.parametrize("names", [["x1"], ["d"], ["all", "d1"], ["d١"], ["d999"]])
async def test_a_name_that_is_none_changes_nothing(db: Database, names: list[str]) -> None:
    delivery, _ = await give_up(db)
    for work in (retry(db, [delivery, *names], START_AT), drop(db, [delivery, *names])):
        with pytest.raises(NoSuchLetter):
            await work
    assert len(await listed(db)) == 5


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("letters", 0, "letters: 0 deliveries and 0 messages were given up.\n"),
        ("letters retry all", 0, "letters: 0 are tried again.\n"),
        ("letters show d1", 1, "Error: d1 was not given up, or is not there.\n"),
    ],
)
def test_the_command(sqlite_url: str, words: str, status: int, said: str) -> None:
    command = [sys.executable, "-m", "app", *words.split()]
    environ = os.environ | {"BUGMARK_DATABASE_URL": sqlite_url}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (status, said)
