"""The thread: what people type and what they see, through the public door."""

from __future__ import annotations

import json
import re

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from sqlalchemy import func, select

from app.storage.engine.tables import commands, fills, offers, users
from tests.stories.conftest import DAY
from tests.stories.stage import APP_LOGIN, Stage, Story

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def market(story: Story) -> str:
    """Adam offers UNFIXED 100 at 0.80 for some day; returns the day."""
    by = story.day(60)
    assert "You put up 80.00." in await story.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    return by


# -- an offer -----------------------------------------------------------------------------------------------------


async def test_the_shortest_offer_is_answered_in_plain_words(each_story: Story) -> None:
    story = each_story
    by = story.day(30)
    comment, reply = await story.said("adam", f"/bugmark offer fixed 50 by {by}")
    assert await story.verdict(comment) == ["rocket"]
    day = re.escape(reply.partition("completed by ")[2].partition(" 23:59:59 UTC")[0])
    assert re.search(
        r"🚀 \*\*o\d+\*\* waits in the book: buy 50 FIXED at 0\.50\. You put up 25\.00\. If somebody takes the other "
        rf"side and this issue is closed as completed by {day} 23:59:59 UTC, you get 50\.00; if it is not, nothing\. "
        r"Until somebody does, you can cancel: `/bugmark cancel o\d+`\.",
        reply,
    ), reply
    assert "Your account was opened with 1,000.00 play tokens." in reply
    number = reply.rpartition("[r")[2].partition("]")[0]
    assert reply.splitlines()[1:][-1] == (
        f"**adam** · 1 open offer · 975.00 free · [r{number}]({story.app_url}/replies/{comment})"
    )
    assert len(reply.splitlines()) == 4, "a marker, and two lines with a blank one between"
    board = await story.board()
    assert "**at\xa0least\xa00.50**" in board
    assert "/bugmark fund 50" in board


async def test_positions_are_not_told_twice(story: Story) -> None:
    await market(story)
    assert (await story.say("adam", "/bugmark positions")).count("**adam** here") == 1
    assert (await story.say("beth", "/bugmark positions @adam")).count(" here · positions") == 1


async def test_help_makes_no_market_comment(story: Story) -> None:
    assert "`offer`" in await story.say("adam", "/bugmark help")
    await story.say("adam", "/bugmark balance")
    await story.calm()
    assert story.bodies("board:") == []


async def test_the_market_comment_is_one_and_edited_in_place(story: Story) -> None:
    by = await market(story)
    await story.board("| 0 |")
    first = [comment.id for comment in story.written("board:")]
    await story.say("beth", f"/bugmark offer fixed 40 at 0.20 by {by}")
    await story.calm()
    board = await story.board("Largest positions")
    assert "| 40 | 40 |" in board
    assert "**adam** 40 UNFIXED" in board
    assert "@" not in board
    assert [comment.id for comment in story.written("board:")] == first


async def test_a_deleted_market_comment_is_made_again(story: Story) -> None:
    by = await market(story)
    await story.calm()
    (old,) = story.written("board:")
    await story.delete(story.owner, old.id)
    await story.say("beth", f"/bugmark offer fixed 40 at 0.20 by {by}")
    await story.calm()
    assert len(story.bodies("board:")) == 1
    await story.say("beth", f"/bugmark offer fixed 10 at 0.20 by {by}")
    await story.calm()
    assert len(story.bodies("board:")) == 1
    await story.board("| 50 | 50 |")


async def test_the_commands_on_the_market_comment_work(story: Story) -> None:
    by = await market(story)
    board = await story.board()
    fixed, unfixed = re.findall(r"^/bugmark .*$", board, re.MULTILINE)
    assert re.fullmatch(r"/bugmark take o\d+", fixed)
    assert unfixed == "/bugmark fund 50"
    assert "**Bought 100 FIXED** for 20.00" in await story.say("beth", fixed)
    assert f"UNFIXED at 0.90 by {by}" in await story.say("carl", f"{unfixed}\n/bugmark positions")


# -- several commands, edits, deletion ----------------------------------------------------------------------------


async def test_several_commands_run_in_order_each_on_its_own(story: Story) -> None:
    by = story.day(30)
    lines = [
        f"/bugmark offer fixed 50 by {by}",
        "/bugmark take o999999",
        f"/bugmark offer unfixed 10 at 0.30 by {by}",
        "/bugmark balance",
    ]
    comment, reply = await story.said("adam", "I believe in this.\n\n" + "\n".join(lines) + "\n\nBye!")
    found = re.findall(r"^(?:BugMark · )?[🚀😕] (.{12})", reply, re.MULTILINE)
    assert [text[:8] for text in found] == [found[0][:8], "There is", found[2][:8], "You have"], reply
    assert found[0].startswith("**o") and found[2].startswith("**o")
    assert await story.verdict(comment) == ["confused", "rocket"]
    assert len(story.bodies(f"reply:{comment}")) == 1
    assert await story.count(offers) == 2


async def test_an_edit_runs_only_what_it_adds_and_the_reply_grows(each_story: Story) -> None:
    story = each_story
    by = story.day(30)
    first = f"/bugmark offer fixed 50 by {by}"
    comment, _ = await story.said("adam", first)
    await story.edit("adam", comment, f"/bugmark balance\n{first}")
    await story.reply_to(comment, "You have 1,000.00")
    assert (await story.bot(f"reply:{comment}")).count("🚀") == 2
    assert await story.count(offers) == 1
    await story.edit("adam", comment, f"{first}\nand a word\n\n/bugmark balance")
    await story.calm()
    assert await story.count(offers) == 1
    assert len(story.bodies(f"reply:{comment}")) == 1
    assert story.bodies(f"reply:{comment}")[0].count("🚀") == 2
    await story.edit("adam", comment, f"{first}\n{first}")
    await story.reply_to(comment, "· 2 open offers ·")
    assert await story.count(offers) == 2


async def test_an_edit_of_blanks_and_case_runs_nothing(story: Story) -> None:
    by = story.day(30)
    comment, before = await story.said("adam", f"/bugmark offer fixed 50 by {by}")
    ledger = await story.ledger()
    await story.edit("adam", comment, f"  /BugMark   OFFER\u00a0Fixed 50  by {by} .")
    await story.edit("adam", comment, "nothing any more")
    await story.edit("adam", comment, f"/bugmark Offer Fixed 50 BY {by}!")
    await story.calm()
    assert await story.ledger() == ledger
    assert story.bodies("reply:") == [before]


async def test_an_edit_by_somebody_else_runs_nothing_and_gets_a_note(story: Story) -> None:
    by = story.day(30)
    comment, before = await story.said("adam", f"/bugmark offer fixed 50 by {by}")
    ledger = await story.ledger()
    await story.edit(story.owner, comment, f"/bugmark offer fixed 50 by {by}\n/bugmark offer fixed 900 by {by}")
    note = await story.bot(f"edit:{comment}")
    assert "Commands that somebody else writes into a comment do not run." in note
    await story.edit("adam", comment, f"/bugmark offer fixed 50 by {by}\n/bugmark offer fixed 900 by {by}\nHm.")
    await story.calm()
    assert await story.ledger() == ledger
    assert story.bodies("reply:") == [before]
    async with story.db.reading() as tx:
        owner = story.repository.owner.id
        assert (await tx.execute(select(func.count()).where(users.c.id == owner))).scalar_one() == 0


async def test_deleting_a_comment_undoes_nothing(story: Story) -> None:
    by = story.day(30)
    comment, _ = await story.said("adam", f"/bugmark offer fixed 50 by {by}")
    ledger = await story.ledger()
    await story.delete("adam", comment)
    await story.calm()
    assert await story.ledger() == ledger
    assert len(story.bodies(f"reply:{comment}")) == 1
    async with story.db.reading() as tx:
        text = (await tx.execute(select(commands.c.text).where(commands.c.comment_id == comment))).scalar_one()
    assert text == f"offer fixed 50 by {by}"


# -- what is no command, and who is nobody ------------------------------------------------------------------------

NO_COMMANDS = [
    "```\n/bugmark balance\n```",
    "> /bugmark balance",
    "- /bugmark balance",
    "    /bugmark balance",
    "<details>\n\n/bugmark balance\n\n</details>",
    "say `x\n/bugmark balance` to see",
    r"\/bugmark balance",
    "Type /bugmark balance to see.",
    "/bugmarks balance",
    "<!--\n/bugmark balance\n-->",
]


async def test_quotes_and_code_are_no_commands(story: Story) -> None:
    for text in NO_COMMANDS:
        await story.comment("adam", text)
    await story.calm()
    assert story.bodies("") == []
    async with story.db.reading() as tx:
        mine = select(func.count()).where(commands.c.issue_id == story.issue.id)
        assert (await tx.execute(mine)).scalar_one() == 0


async def test_bots_are_ignored_the_app_itself_above_all(story: Story) -> None:
    comment = await story.comment("adam", "hello")
    await story.calm()
    payload = story.last_payload("issue_comment", "created")
    assert payload["comment"]["id"] == comment
    for login in (APP_LOGIN, "dependabot[bot]"):
        bot = {**payload["sender"], "id": 900_000_000 + len(login), "login": login, "type": "Bot"}
        payload["sender"] = payload["comment"]["user"] = bot
        payload["comment"] = {**payload["comment"], "id": comment + 1_000_000, "body": "/bugmark balance"}
        await story.stage.deliver("issue_comment", payload)
    await story.calm()
    assert story.bodies("") == []


async def test_the_bots_own_replies_run_nothing(story: Story) -> None:
    """Its replies come back as comment events, corrected commands and all."""
    await story.say("adam", "/bugmark offer fixed 5 0.40")
    await story.say("beth", "/bugmark help offer")
    await story.calm()
    assert len(story.bodies("reply:")) == 2
    own = story.last_payload("issue_comment", "created")
    assert own["sender"]["login"] == APP_LOGIN


async def test_comments_on_pull_requests_are_ignored(story: Story) -> None:
    await story.comment("adam", "hello")
    await story.calm()
    payload = story.last_payload("issue_comment", "created")
    payload["issue"]["pull_request"] = {"url": f"{story.url}{story.path}".replace("/issues/", "/pulls/")}
    payload["comment"]["body"] = "/bugmark balance"
    await story.stage.deliver("issue_comment", payload)
    await story.calm()
    assert story.bodies("") == []


# -- names, injection, mentions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["a", "all", "007", "fixed", "x-y-z", "a" * 39])
async def test_odd_logins(story: Story, login: str) -> None:
    by = await market(story)
    reply = await story.say(login, f"/bugmark offer fixed 10 at 0.20 by {by}")
    assert f"**{login}** · 10 FIXED" in reply
    shown = await story.say("adam", f"/bugmark positions @{login.upper()}")
    assert f"🚀 **{login}** here · positions: 10 FIXED" in shown
    assert mentions(shown) == set()


HOSTILE = "<img src=x onerror=alert(1)> [x](http://evil.example) @team #7 **b** `tick` </details> | a | <!-- bugmark:"


async def test_hostile_text_does_not_come_back_alive(story: Story) -> None:
    await story.call(
        "POST",
        f"/repos/{story.owner}/{story.name}/issues",
        "mallory",
        {"title": HOSTILE, "body": f"{HOSTILE}\n/bugmark offer fixed 50"},
    )
    story.number = max(story.repository.issues)
    story.path = f"/repos/{story.owner}/{story.name}/issues/{story.number}"
    by = story.day(30)
    await story.say("mallory", "/bugmark balance")
    for text in (
        f"/bugmark {HOSTILE}",
        f"/bugmark offer {HOSTILE}",
        f"/bugmark offer fixed 50 by {HOSTILE}",
        f"/bugmark offer fixed {HOSTILE}",
        f"/bugmark positions {HOSTILE}",
        "/bugmark positions @team",
        "/bugmark positions @team/all",
        "/bugmark help @team",
        "/bugmark take @team",
        "/bugmark \u202eevil\u202c `` ` @team",
    ):
        reply = await story.refused("mallory", text, "")
        check_harmless(reply)
    check_harmless(await story.say("mallory", f"/bugmark offer fixed 50 by {by}"))
    await story.calm()
    check_harmless(await story.board())


async def test_only_counterparties_and_holders_are_mentioned(story: Story) -> None:
    by = await market(story)
    resting = await story.say("carl", f"/bugmark offer unfixed 100 at 0.75 by {by}")
    assert mentions(resting) == set()
    taken = await story.say("beth", f"/bugmark offer fixed 120 at 0.25 by {by}")
    assert mentions(taken) == {"adam", "carl"}
    for text in ("/bugmark positions @adam", "/bugmark book", "/bugmark balance", "/bugmark cancel all"):
        assert mentions(await story.say("beth", text)) == set(), text
    assert mentions(await story.say("carl", "/bugmark cancel all")) == set()
    await story.close()
    assert mentions(await story.bot("window:")) == set()
    story.move(DAY + 1)
    settled = await story.settled()
    assert mentions(settled) == {"adam", "beth", "carl"}
    await story.calm()
    assert mentions(await story.board("settled FIXED")) == set()
    assert len(re.findall("@adam", settled)) == 1
    for body in story.bodies(""):
        check_harmless(body)
    assert await story.count(fills) == 2


def check_harmless(body: str) -> None:
    """As GitHub would show it: no link but to a receipt, no image or HTML but ours, no issue's number, no mention."""
    tokens = list(flat(MarkdownIt("commonmark").enable("table").parse(body)))
    links = [str(token.attrGet("href")) for token in tokens if token.type == "link_open"]
    assert all(re.fullmatch(r"http://127\.0\.0\.1:\d+/replies/\d+", link) for link in links), body
    assert not any(token.type == "image" for token in tokens), body
    html = " ".join(token.content for token in tokens if token.type in ("html_block", "html_inline"))
    left = re.sub(r"<!-- bugmark:[a-z]+:[0-9a-z:-]+ -->|</?(sub|details|summary)>", "", html)
    assert "<" not in left and "javascript" not in left, left
    assert not re.search(r"(^|\s)#\d", shown_text(body)), body
    assert "team" not in mentions(body)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", body)
    assert len(body) < 65_536


def mentions(body: str) -> set[str]:
    """Whom GitHub would notify: names after an @ outside code."""
    return set(re.findall(r"(?<![\w`])@([A-Za-z0-9][A-Za-z0-9-]*)", shown_text(body)))


def shown_text(body: str) -> str:
    tokens = flat(MarkdownIt("commonmark").enable("table").parse(body))
    return "\n".join(token.content for token in tokens if token.type == "text")


def flat(tokens: list[Token]) -> list[Token]:
    return [found for token in tokens for found in (token, *flat(token.children or []))]


# -- the record ---------------------------------------------------------------------------------------------------


async def test_a_comment_under_two_guids_runs_once(story: Story, stage: Stage) -> None:
    by = story.day(30)
    comment, _ = await story.said("adam", f"/bugmark offer fixed 50 by {by}")
    await story.calm()
    payload = json.loads(json.dumps(next(sent for sent in comment_payloads(stage) if sent["comment"]["id"] == comment)))
    ledger = await story.ledger()
    await stage.deliver("issue_comment", payload)
    await stage.deliver("issue_comment", payload, guid="5a1e")
    await stage.deliver("issue_comment", payload, guid="5a1e")
    await story.calm()
    assert await story.ledger() == ledger
    assert len(story.bodies("reply:")) == 1


def comment_payloads(stage: Stage) -> list[dict[str, dict[str, object]]]:
    sent = stage.sandbox.state.deliveries.values()
    return [delivery.payload for delivery in sent if delivery.event == "issue_comment"]
