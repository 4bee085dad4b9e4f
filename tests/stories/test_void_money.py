"""A VOID gives money back: example H of docs/market.md, and the attack on a price that there was before it (§5, §6)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.storage.engine.tables import balances, users
from tests.stories.conftest import DAY
from tests.stories.market_life import settled_row
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False
GRANT = 1_000_000

A = ("adam: offer unfixed 200 at 0.80 by {by}", "beth: offer fixed 200 at 0.20 by {by}")
B = ("beth: sell fixed 200 at 0.40 by {by}", "charles: offer fixed 200 at 0.40 by {by}")
C = ("adam: sell unfixed 200 at 0.70 by {by}", "bob: offer unfixed 200 at 0.70 by {by}")
WITH_ONESELF = (
    "eve: offer fixed 5 at 0.999 by {by}",
    "eva: offer unfixed 5 at 0.001 by {by}",
    "vic: offer unfixed 975 at 0.80 by {by}",
    "eve: offer fixed 975 at 0.20 by {by}",
)
RESOLD = (
    "vic: offer unfixed 400 at 0.80 by {by}",
    "eve: offer fixed 400 at 0.20 by {by}",
    "eva: offer fixed 400 at 0.999 by {by}",
    "eve: sell fixed 400 at 0.999 by {by}",
)
ODD = (
    "xena: offer unfixed 5 at 0.667 by {by}",
    "u1: offer fixed 2 at 0.333 by {by}",
    "xena: cancel all",
    "xena: offer unfixed 5 at 0.666 by {by}",
    "u1: offer fixed 1 at 0.334 by {by}",
    "xena: cancel all",
    "u2: offer unfixed 5 at 0.600 by {by}",
    "xena: sell unfixed 1 at 0.600 by {by}",
    "u2: cancel all",
    "u2: offer unfixed 5 at 0.601 by {by}",
    "xena: sell unfixed 1 at 0.601 by {by}",
    "u2: cancel all",
    "u3: offer unfixed 5 at 0.801 by {by}",
    "xena: sell unfixed 1 at 0.801 by {by}",
    "u3: cancel all",
    "yves: offer unfixed 5 at 0.500 by {by}",
    "u3: sell unfixed 1 at 0.500 by {by}",
    "yves: cancel all",
    "u3: offer unfixed 5 at 0.999 by {by}",
    "yves: sell unfixed 1 at 0.999 by {by}",
    "u3: cancel all",
)
"""u1 pays 1000 for 3 FIXED; of UNFIXED u2 1201 for 2, and u3 801 - 500 + 999 for one."""

EXAMPLE_H = {
    "1": (A, {"adam": 0, "beth": 0}),
    "2": ((*A, *B), {"adam": -40_000, "beth": 40_000, "charles": 0}),
    "3": ((*A, *C), {"adam": -20_000, "beth": 20_000, "bob": 0}),
    "4": (WITH_ONESELF, {"eve": 0, "eva": 0, "vic": 0}),
    "5": (RESOLD, {"eve": -80_000 + 399_600, "eva": -399_600 + 200_000, "vic": -320_000 + 200_000}),
    "6": (ODD, {"u1": 0, "u2": 1_143 - 1_201, "u3": 857 - 1_300, "xena": 2, "yves": 499}),
}
"""What is said, and what each has gained or lost by the end, in mills."""


async def play(story: Story, lines: tuple[str, ...]) -> None:
    by = story.day(60)
    for line in lines:
        person, command = line.format(by=by).split(": ")
        reply = await story.say(person, f"/bugmark {command}")
        assert "😕" not in reply, (line, reply)


async def gains(story: Story) -> dict[str, int]:
    """By login: free and held money less the welcome grant."""
    mine = balances.c.currency == f"play:{story.repository.owner.id}", balances.c.kind.in_(("free", "reserve"))
    found: dict[str, int] = {}
    statement = select(users.c.login, balances.c.amount).join(users, users.c.id == balances.c.owner).where(*mine)
    async with story.db.reading() as tx:
        for login, amount in await tx.execute(statement):
            found[login] = found.get(login, -GRANT) + amount
    return found


@pytest.mark.parametrize("example", EXAMPLE_H)
async def test_example_h(story: Story, example: str) -> None:
    lines, expected = EXAMPLE_H[example]
    await play(story, lines)
    await story.calm()
    await story.call("DELETE", f"/_sandbox/issues/{story.owner}/{story.name}/{story.number}")
    row = await story.until(lambda row: row.window_ends_at is not None)
    story.move(DAY + 1)
    assert (await settled_row(story, row.id)).outcome == "VOID"
    assert await gains(story) == expected


async def test_an_author_who_trades_with_herself_closes_and_disputes_takes_nothing_from_anybody(story: Story) -> None:
    """Dana opened the issue. Nobody decides for 7 days; under a void price this brought her 783 of the victim's 784."""
    by = story.day(60)
    await play(
        story,
        (
            "dana: offer fixed 5 at 0.999 by {by}",
            "dora: offer unfixed 5 at 0.001 by {by}",
            "victim: fund 800 by {by} at 0.80",
            "dana: offer fixed 980 at 0.20 by {by} now-or-never",
        ),
    )
    standing = await story.say("victim", "/bugmark positions")
    assert f"980 UNFIXED by {by} (cost 784.00, a VOID now would pay 784.00)" in standing
    await story.close(person="dana")
    await story.bot("window:")
    await story.say("dora", "/bugmark dispute it still crashes")
    row = await story.until(lambda row: row.window_ends_at is not None)
    story.move(7 * DAY + 1)
    settled = await story.settled()
    assert "is settled: VOID.**" in settled
    assert "everybody gets their money back as far as it goes." in settled
    assert "| @victim | 784.00 | 784.00 | 0.00 | 0.00 |" in settled
    assert (await settled_row(story, row.id)).outcome == "VOID"
    found = await gains(story)
    assert found["victim"] == 0
    assert found["dana"] + found["dora"] == 0


async def test_a_resolvers_price_moves_what_somebody_took_along(story: Story) -> None:
    """Example H 2 with 0.20 named: Adam claims what his units are worth at that, so all that Beth took is Charles's."""
    await story.call(
        "PUT",
        "/_sandbox/permissions",
        body={"repository": f"{story.owner}/{story.name}", "login": "mary", "role": "triage"},
    )
    await play(story, (*A, *B))
    await story.close()
    await story.bot("window:")
    await story.say("adam", "/bugmark dispute it still crashes")
    assert "resolved as VOID" in await story.say("mary", "/bugmark resolve void at 0.20 little of it is done")
    story.move(3 * DAY)
    settled = await story.settled()
    assert "So **mary** has ruled, counting a unit of FIXED as 0.20: `little of it is done`." in settled
    assert "| @adam | 160.00 | 160.00 | 0.00 | 0.00 |" in settled
    assert "| @charles | 40.00 | 80.00 | −40.00 | 0.00 |" in settled
