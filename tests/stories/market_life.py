"""What the stories of a contract's life share."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from app.market.terms.contract import Status
from app.storage.market.contracts import ContractRow, of_thread
from tests.stories.conftest import wait_for
from tests.stories.stage import Story


async def matched(story: Story, days: int = 60) -> str:
    """Adam has 100 UNFIXED at 0.80 and Beth 100 FIXED at 0.20; Adam waits for 50 more. Returns the day."""
    by = story.day(days)
    await story.say("adam", f"/bugmark offer unfixed 150 at 0.80 by {by}")
    assert "**Bought 100 FIXED**" in await story.say("beth", f"/bugmark offer fixed 100 at 0.20 by {by}")
    return by


async def contract(story: Story) -> ContractRow:
    """The thread's only contract."""
    async with story.db.reading() as tx:
        (row,) = await of_thread(tx, story.issue.id)
    return row


async def give_right(story: Story, login: str, role: str = "triage") -> None:
    body = {"repository": f"{story.owner}/{story.name}", "login": login, "role": role}
    await story.call("PUT", "/_sandbox/permissions", body=body)


async def set_rules(story: Story, text: str) -> None:
    """Put `.github/bugmark.yml` on the default branch."""
    body = {"repository": f"{story.owner}/{story.name}", "path": ".github/bugmark.yml", "content": text}
    await story.call("PUT", "/_sandbox/files", body=body)
    await story.quiet()
    await story.calm()


async def settled_row(story: Story, number: int) -> ContractRow:
    """Until the contract is settled."""
    rows: list[ContractRow] = []

    async def look() -> str | None:
        nonlocal rows
        async with story.db.reading() as tx:
            rows = [row for row in await of_thread(tx, story.issue.id) if row.id == number]
        return "so it is" if rows and rows[0].status is Status.SETTLED else None

    await wait_for(look, lambda: f"not settled: {rows}")
    return rows[0]


def window_end(notice: str) -> int:
    """The instant after which the notice says it settles."""
    (told,) = re.findall(r"after (\d+ \w+ \d+ [\d:]+) UTC", notice)
    return int(datetime.strptime(told, "%d %b %Y %H:%M:%S").replace(tzinfo=UTC).timestamp())


async def closed_window(story: Story) -> str:
    """Close the issue as its owner; the notice of the window."""
    await story.close()
    return await story.bot("window:")
