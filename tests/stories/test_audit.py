"""`python -m app audit` beside a conversation: it counts what is there, and names what was changed."""

from __future__ import annotations

import asyncio
import os
import re
import sys

import pytest
from sqlalchemy import select, update

from app.storage.engine.tables import entries, postings
from app.storage.proof.seals import unsealed
from tests.stories.conftest import DAY, wait_for
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def audit(story: Story) -> tuple[int, str]:
    """The exit status and the output of the command, run as an operator does while everything goes on."""
    environment = {**os.environ, "BUGMARK_DATABASE_URL": story.stage.settings.database_url}
    command = sys.executable, "-m", "app", "audit"
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def sealed(story: Story) -> None:
    async def look() -> str | None:
        async with story.db.reading() as tx:
            return None if await unsealed(tx) else "sealed"

    await wait_for(look, lambda: "entries stay without a seal")


async def test_a_sound_database_and_one_in_which_a_posting_was_changed(each_story: Story) -> None:
    story = each_story
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await story.say("beth", f"/bugmark offer fixed 60 at 0.20 by {by}")
    await story.say("beth", "/bugmark sell fixed 10 at 0.50")
    await story.close()
    await story.bot("window:")
    story.move(DAY + 1)
    await story.settled()
    await sealed(story)
    status, told = await audit(story)
    assert status == 0, told
    counted = re.search(
        r"audit: (\d+) entries, (\d+) postings, (\d+) seals \(0 entries not sealed yet\), \d+ accounts, "
        r"1 contracts, \d+ positions, 3 offers, \d+ rows told of: every invariant holds\.",
        told,
    )
    assert counted and int(counted[1]) >= 6 and int(counted[2]) > int(counted[1]) >= int(counted[3]) >= 1, told
    async with story.db.transaction() as tx:
        of_fills = select(entries.c.id, entries.c.key).where(entries.c.detail.contains('["fill",'))
        fill = (await tx.execute(of_fills)).one()
        here = (postings.c.entry_id == fill.id) & (postings.c.line == 0)
        await tx.execute(update(postings).where(here).values(amount=postings.c.amount + 1))
    status, told = await audit(story)
    assert status == 1
    assert f"WRONG  entry {fill.id} ({fill.key}) is not what seal" in told
    assert f"WRONG  entry {fill.id} ({fill.key}) is off by 1 in" in told
    async with story.db.transaction() as tx:
        await tx.execute(update(postings).where(here).values(amount=postings.c.amount - 1))
    assert (await audit(story))[0] == 0
