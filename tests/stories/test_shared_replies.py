"""One reply a person and hour: it is edited, the newest answer on top, as long as it stands in sight."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.storage.engine.tables import outbox
from app.thread.answering import MOST_BELOW, SHARED_SECONDS
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


def shown(body: str) -> str:
    """What is seen before anything is unfolded."""
    return re.sub("<details>.*</details>", "", body, flags=re.DOTALL)


async def test_commands_of_an_hour_share_one_reply_with_the_newest_on_top(each_story: Story) -> None:
    story = each_story
    by = story.day(60)
    first, _ = await story.said("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await story.say("adam", "/bugmark disptue oops")
    await story.say("beth", "/bugmark price")
    await story.say("adam", f"/bugmark offer unfixed 10 at 0.70 by {by}")
    await story.calm()
    bodies = story.bodies("reply:")
    assert len(bodies) == 2, "one of adam's and one of beth's"
    assert "10 UNFIXED at 0.70" in shown(bodies[0]) and "100 UNFIXED" not in shown(bodies[0])
    assert "<summary>2 earlier answers</summary>" in bodies[0]
    older = bodies[0].partition("<summary>")[2]
    assert older.index("There is no command `disptue`") < older.index("buy 100 UNFIXED at 0.80")
    assert bodies[0].count("**adam** ·") == 1, "where adam stands is told as it is now"
    async with story.session.get(f"{story.app_url}/replies/{first}") as answer:
        page = await answer.text()
    assert "buy 100 UNFIXED at 0.80" in page and "buy 10 UNFIXED at 0.70" in page


async def test_a_typo_gets_the_refusal_alone(story: Story) -> None:
    reply = await story.say("adam", "/bugmark balnce")
    body = reply.partition("-->\n")[2]
    assert body == "BugMark · 😕 There is no command `balnce`; did you mean `balance`? Try `/bugmark balance`."


async def test_after_an_hour_a_new_reply_begins_and_the_old_one_is_minimised(story: Story) -> None:
    first, _ = await story.said("adam", "/bugmark balance")
    story.move(SHARED_SECONDS)
    second, _ = await story.said("adam", "/bugmark balance")
    await story.calm()
    found = {comment.body.splitlines()[0]: comment.minimized for comment in story.written("reply:")}
    assert found == {f"<!-- bugmark:reply:{first} -->": "outdated", f"<!-- bugmark:reply:{second} -->": None}


async def test_a_reply_out_of_sight_gets_no_more_answers(story: Story) -> None:
    await story.say("adam", "/bugmark balance")
    for number in range(MOST_BELOW - 1):
        await story.comment("carl", f"a word {number}")
    await story.say("adam", "/bugmark help")
    await story.calm()
    assert len(story.bodies("reply:")) == 1, "ten comments stand below it"
    await story.say("adam", "/bugmark balance")
    await story.calm()
    first, second = story.written("reply:")
    assert (first.minimized, second.minimized) == ("outdated", None)


async def test_what_concerns_others_is_answered_alone_and_never_minimised(story: Story) -> None:
    by = story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await story.say("beth", "/bugmark balance")
    filled, reply = await story.said("beth", f"/bugmark offer fixed 40 at 0.20 by {by}")
    assert "with @adam" in reply
    await story.say("beth", "/bugmark help offer")
    story.move(SHARED_SECONDS)
    await story.say("beth", "/bugmark balance")
    await story.calm()
    mine = [comment for comment in story.written("reply:") if "You have" in comment.body or "@adam" in comment.body]
    assert [comment.minimized for comment in mine] == ["outdated", None, None]
    assert mine[1].body.startswith(f"<!-- bugmark:reply:{filled} -->") and "<details>" not in mine[1].body


async def test_a_fill_that_an_edit_adds_is_told_in_a_new_comment(story: Story) -> None:
    """Nobody is told of an edit."""
    by = story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    comment, _ = await story.said("beth", "/bugmark balance")
    await story.edit("beth", comment, f"/bugmark balance\n/bugmark offer fixed 40 at 0.20 by {by}")
    await story.calm()
    told = await story.reply_to(comment, "@adam")
    assert "You have" not in told
    await story.calm()
    assert [body.count("@adam") for body in story.bodies(f"reply:{comment}")] == [0, 1]


async def test_a_deleted_reply_is_made_again_with_the_next_answer(story: Story) -> None:
    await story.say("adam", "/bugmark balance")
    (old,) = story.written("reply:")
    await story.delete(story.owner, old.id)
    reply = await story.say("adam", "/bugmark help offer")
    assert "help" not in reply.splitlines()[0] and "offer" in reply
    await story.calm()
    assert len(story.bodies("reply:")) == 1


async def test_an_event_that_comes_again_edits_nothing(story: Story) -> None:
    await story.say("adam", "/bugmark balance")
    await story.say("adam", "/bugmark offers")
    await story.calm()
    payload = story.last_payload("issue_comment", "created")

    async def version() -> int:
        async with story.db.reading() as tx:
            wanted = select(outbox.c.version).where(outbox.c.issue_id == story.issue.id, outbox.c.kind == "reply")
            found: int = (await tx.execute(wanted)).scalar_one()
            return found

    before = await version()
    await story.stage.deliver("issue_comment", payload)
    await story.calm()
    assert (await version(), len(story.bodies("reply:"))) == (before, 1)
