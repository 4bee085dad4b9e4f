"""Who may do what: each cell is tried through the thread and at the gate; the table of docs/maintainers.md is this one.

A refused cell changes nothing that is money or units; an allowed one is done.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import update

from app.run import bootstrap
from app.storage.engine.tables import commands
from app.storage.queues.told import PAGE
from sandbox.world import Actor
from tests.stories.bare import bare_door
from tests.stories.market_life import closed_window, contract, give_right, matched
from tests.stories.stage import METRICS_TOKEN, OPERATOR, Stage, Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False

STRANGER, ADAM, BETH, TINA, MARA = "stranger", "trader", "other trader", "triager", "maintainer"
HOLDER, RUNNER, BOT = "maintainer with a position", "operator", "bot"
WHO = (STRANGER, ADAM, BETH, TINA, MARA, HOLDER, RUNNER, BOT)
LOGINS = {
    STRANGER: "sam",
    ADAM: "adam",
    BETH: "beth",
    TINA: "tina",
    MARA: "mara",
    HOLDER: "hugo",
    RUNNER: OPERATOR,
    BOT: "stale[bot]",
}
MARKET = ("contracts", "offers", "fills", "positions")
Prepare = Callable[[Story], Awaitable[None]]

NOT_YOURS = "You have no open offer"
RIGHTS = "Only somebody with triage rights or better may"
PARTIAL = "only a maintainer without a position may"
NO_STAKE = "You hold no units that would lose"


async def open_market(_: Story) -> None:
    """Adam has sold FIXED to Beth and has an offer left; that is before every row."""


async def halted(story: Story) -> None:
    await story.say("mara", "/bugmark market halt it looks odd")


async def announced(story: Story) -> None:
    """Closed as completed: by the verdict Adam loses, Beth and Hugo win."""
    await closed_window(story)


async def disputed(story: Story) -> None:
    await announced(story)
    await story.say("adam", "/bugmark dispute it still crashes")


async def disputed_by_another(story: Story) -> None:
    """Otto loses by it, too, and was first."""
    await story.say("otto", "/bugmark offer unfixed 10 at 0.85")
    await story.say("beth", "/bugmark offer fixed 10 at 0.15")
    await announced(story)
    await story.say("otto", "/bugmark dispute it still crashes")


@dataclass(frozen=True)
class Row:
    """`command` may name {day}, {offer} (Adam's) and {contract}; who is in neither map may do it."""

    action: str
    command: str
    refused: dict[str, str]
    before: Prepare = open_market
    once: bool = False

    @property
    def allowed(self) -> list[str]:
        """A bot never is."""
        return [who for who in WHO if who not in self.refused and who != BOT]


def only(*allowed: str, why: str) -> dict[str, str]:
    """Everybody else is refused with these words; a bot is never heard at all."""
    return {who: why for who in WHO if who not in (*allowed, BOT)}


ROWS = (
    Row("make an offer", "/bugmark offer fixed 5 at 0.10 by {day}", {}),
    Row("fund a fix", "/bugmark fund 9 by {day}", {}),
    Row("ask for a forecast", "/bugmark forecast issue label bug by {day}", {}),
    Row("see the book", "/bugmark book", {}),
    Row("see the price", "/bugmark price", {}),
    Row("see somebody's position", "/bugmark positions @adam", {}),
    Row("see the history", "/bugmark history", {}),
    Row("see one's own money", "/bugmark balance", {}),
    Row("take the trader's offer", "/bugmark take {offer} 1", {ADAM: "is your own"}),
    Row("sell the trader's units", "/bugmark sell unfixed 5 at 0.99", only(ADAM, why="UNFIXED")),
    Row("change the trader's offer", "/bugmark change {offer} 40 at 0.70", only(ADAM, why=NOT_YOURS)),
    Row("cancel the trader's offer", "/bugmark cancel {offer}", only(ADAM, why=NOT_YOURS)),
    Row(
        "halt a market",
        "/bugmark market halt it looks odd",
        only(TINA, MARA, why=RIGHTS) | {HOLDER: PARTIAL},
        once=True,
    ),
    Row(
        "resume a market",
        "/bugmark market resume it is clear now",
        only(TINA, MARA, why=RIGHTS) | {HOLDER: PARTIAL},
        halted,
        once=True,
    ),
    Row(
        "dispute a verdict by which the trader loses",
        "/bugmark dispute it still crashes",
        only(ADAM, why=NO_STAKE),
        announced,
    ),
    Row(
        "join a dispute of a verdict by which the trader loses",
        "/bugmark dispute it still crashes",
        only(ADAM, why=NO_STAKE),
        disputed_by_another,
    ),
    Row(
        "resolve a dispute",
        "/bugmark resolve fixed it does not crash",
        only(TINA, MARA, why=RIGHTS) | {HOLDER: PARTIAL},
        disputed,
        once=True,
    ),
)


async def prepared(stage: Stage, row: Row) -> tuple[Story, str]:
    """A story in which the row can be tried, and the command for it."""
    story = await stage.story()
    for login, role in (("tina", "triage"), ("mara", "maintain"), ("hugo", "admin")):
        await give_right(story, login, role)
    day = await matched(story)
    await story.say("hugo", "/bugmark offer fixed 10 at 0.20")
    resting = re.search(r"\*\*(o\d+)\*\* waits", " ".join(story.bodies("reply:")))
    offer = resting[1] if resting else re.findall(r"\bo\d+\b", story.bodies("reply:")[0])[0]
    await row.before(story)
    return story, row.command.format(day=day, offer=offer, contract=(await contract(story)).id)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.action)
async def test_in_the_thread(stage: Stage, row: Row) -> None:
    """What can be done but once is done in a story of its own for each who may."""
    story, command = await prepared(stage, row)
    for who, why in row.refused.items():
        await story.refused(LOGINS[who], command, why)
    await ignored(story, command)
    for number, who in enumerate(row.allowed):
        if number and row.once:
            story, command = await prepared(stage, row)
        reply = await story.say(LOGINS[who], command)
        assert "🚀" in reply and "😕" not in reply, (who, reply)
    await story.check()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.action)
async def test_at_the_gate_itself(stage: Stage, row: Row) -> None:
    """The same cells without a comment. A bot signs in nowhere, so its cell is the thread's alone."""
    async with bare_door(stage) as door:
        story, command = await prepared(stage, row)
        for who, why in row.refused.items():
            await door.refused(story, LOGINS[who], command, why)
        for number, who in enumerate(row.allowed):
            if number and row.once:
                story, command = await prepared(stage, row)
            receipt = await door.order(story, LOGINS[who], command)
            assert receipt.done, (who, receipt)
        await story.calm()
        await story.check()


async def ignored(story: Story, command: str) -> None:
    """A bot writes it: no reply, no reaction, nothing changes."""
    await story.calm()
    before, said = await story.ledger(), story.bodies("reply:")
    world = story.stage.sandbox.inside.world
    comment = world.write_comment(Actor(world.account(LOGINS[BOT])), story.repository, story.issue, command)
    await story.calm()
    assert (await story.ledger(), story.bodies("reply:"), comment.reactions) == (before, said, {})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.action)
async def test_written_into_somebody_elses_comment_it_does_not_run(story: Story, row: Row) -> None:
    """GitHub lets only those with write access edit what others wrote; the rest it refuses itself."""
    day = await matched(story)
    await give_right(story, "mara", "maintain")
    comment = await story.comment("adam", "Hm.")
    await story.calm()
    before = await story.ledger()
    path = f"/repos/{story.owner}/{story.name}/issues/comments/{comment}"
    assert (await story.stage.sandbox.call("PATCH", path, {"body": "x"}, "sandbox-beth"))[0] == 403
    await story.edit("mara", comment, row.command.format(day=day, offer="o1"))
    assert "Commands that somebody else writes into a comment do not run." in await story.bot(f"edit:{comment}")
    await story.calm()
    assert await story.ledger() == before
    assert await story.verdict(comment) == []


async def test_another_owners_market_is_out_of_reach(stage: Stage) -> None:
    """Offers, contracts, tokens and rights of one owner are nothing in the threads of another."""
    ours, theirs = await stage.story(), await stage.story()
    day = await matched(ours)
    await give_right(theirs, "mara", "maintain")
    number = (await contract(ours)).id
    (offer,) = set(re.findall(r"cancel (o\d+)", " ".join(ours.bodies("reply:"))))
    before = await ours.ledger()
    await matched(theirs)
    for person, command in (
        ("adam", f"/bugmark cancel {offer}"),
        ("carl", f"/bugmark take {offer}"),
        ("carl", f"/bugmark book F{number}"),
        ("adam", f"/bugmark dispute on c{number} it is not fixed"),
        ("mara", f"/bugmark resolve void on c{number} it is odd"),
        ("adam", f"/bugmark offer true 5 at 0.50 on F{number}"),
    ):
        assert "🚀" not in await theirs.refused(person, command, ""), command
    assert await theirs.money("adam") == ("880.00", "40.00")
    assert "halted" in await theirs.say("mara", "/bugmark market halt it looks odd")
    await theirs.say("carl", "/bugmark balance")
    await ours.refused("mara", "/bugmark market halt it looks odd", RIGHTS)
    after = await ours.ledger()
    assert [after[part] for part in MARKET] == [before[part] for part in MARKET]
    assert "waits in the book" in await ours.say("carl", f"/bugmark offer fixed 5 at 0.10 by {day}")


# -- beside the thread --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """`path` may name {owner} and {comment}, which was answered; `route` is the one of the web process."""

    action: str
    path: str
    route: str
    visitor: bool
    operator: bool
    method: str = "GET"


PICTURE = "/docs/replies/first-offer.png"
SCHEMA = "/docs/bugmark.schema.json"

PAGES = (
    Page("see the page about BugMark", "/", "/", True, True),
    Page("read its documents (`/docs/…`)", "/docs/traders", "/docs/{name}", True, True),
    Page("see the list of them", "/docs", "/docs", True, True),
    Page("read the schema of the settings file", SCHEMA, SCHEMA, True, True),
    Page("see the pictures in them", PICTURE, "/docs/replies/{picture}.png", True, True),
    Page("see what installing it means", "/installed", "/installed", True, True),
    Page(
        "be led to a new settings file on GitHub",
        "/installed/settings?repository=ann/pump&branch=main",
        "/installed/settings",
        True,
        True,
    ),
    Page("see the badge of a public repository", "/badge/{owner}/blocked/1.svg", "/badge{path}", True, True),
    Page("read the replies in it (`/replies/…`)", "/replies/{comment}", "/replies/{comment}", True, True),
    Page(
        "read the answers in it where replies are reactions",
        "/replies/issue/{unposted}",
        "/replies/issue/{issue}",
        True,
        True,
    ),
    Page("ask whether it is up", "/healthz", "/healthz", True, True),
    Page("see how much waits (`/metrics`, with the operator's token)", "/metrics", "/metrics", False, True),
    Page("hand in a webhook that GitHub did not sign", "/webhook", "/webhook", False, False, "POST"),
    Page(
        "hand in a purchase that GitHub did not sign",
        "/webhook/marketplace",
        "/webhook/marketplace",
        False,
        False,
        "POST",
    ),
)
LINES = {
    "register the App (`python -m app setup`, once; until then at `/setup`)": "/setup",
    "check the books (`python -m app audit`)": "/audit",
    "decide on what was given up (`python -m app letters`)": "/letters",
}
"""What the operator does on the machine, and where a visitor might look for it. The set-up has its own stories."""


async def answered(story: Story, page: Page, **headers: str) -> int:
    comment, _ = await story.said("adam", f"/bugmark offer fixed 10 at 0.70 by {story.day(60)}")
    if "{unposted}" in page.path:
        async with story.db.transaction() as tx:
            await tx.execute(update(commands).where(commands.c.comment_id == comment).values(told_in=PAGE))
    url = story.app_url + page.path.format(owner=story.owner, comment=comment, unposted=story.issue.id)
    async with story.session.request(page.method, url, headers=headers, allow_redirects=False) as answer:
        return answer.status


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.action)
async def test_a_visitor_without_a_name(story: Story, page: Page) -> None:
    assert await answered(story, page) in ((200, 303) if page.visitor else (401,))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.action)
async def test_the_operator_with_the_token_for_metrics(story: Story, page: Page) -> None:
    """It opens `/metrics` and nothing else."""
    status = await answered(story, page, Authorization=f"Bearer {METRICS_TOKEN}")
    assert status in ((200, 303) if page.operator else (401,))


@pytest.mark.parametrize("path", LINES.values())
async def test_what_is_done_on_the_machine_has_no_page(story: Story, path: str) -> None:
    for method in ("GET", "POST"):
        async with story.session.request(method, story.app_url + path) as answer:
            assert answer.status == 404


@pytest.mark.parametrize("command", ["audit", "letters"])
async def test_the_operator_on_the_machine(story: Story, command: str) -> None:
    """With the address of the database alone: no secret of the App is needed."""
    await matched(story)
    environment = {"PATH": os.defpath, "BUGMARK_DATABASE_URL": story.stage.settings.database_url}
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", command, env=environment, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await done.communicate()
    assert (done.returncode, told.splitlines()[-1].split(b":")[0]) == (0, command.encode())


async def test_every_page_is_in_the_table(stage: Stage) -> None:
    routes = bootstrap.web_app(stage.settings, stage.db).router.routes()
    served = {(route.method, route.resource.canonical) for route in routes if route.resource and route.method != "HEAD"}
    assert served == {(page.method, page.route) for page in PAGES}


async def test_nobody_sees_a_private_repository_from_outside(story: Story) -> None:
    await story.say("adam", f"/bugmark offer fixed 10 at 0.70 by {story.day(60)}")
    about = f"/_sandbox/repositories/{story.owner}/{story.name}"
    await story.call("PATCH", about, body={"private": True})
    await story.calm()
    comment = next(iter(story.issue.comments))
    replies = f"/replies/{comment}", f"/replies/{comment + 1}", f"/replies/issue/{story.issue.id}"
    for path in (f"/badge/{story.owner}/blocked/1.svg", *replies):
        async with story.session.get(story.app_url + path) as answer:
            text = await answer.text()
        assert "0.70" not in text and "It crashes" not in text and "adam" not in text, path


# -- in words -----------------------------------------------------------------------------------------------------


def tables() -> list[str]:
    yes, no = "yes", "–"
    thread = [["", *WHO], ["--", *[":-:" for _ in WHO]]]
    thread += [[row.action, *[yes if who in row.allowed else no for who in WHO]] for row in ROWS]
    thread.append(["have a command run that was written into somebody else's comment", *[no for _ in WHO]])
    beside = [["", "visitor without a name", "operator"], ["--", ":-:", ":-:"]]
    beside += [[page.action, *[yes if may else no for may in (page.visitor, page.operator)]] for page in PAGES]
    beside += [[action, no, yes] for action in LINES]
    return ["\n".join(f"| {' | '.join(line)} |" for line in part) for part in (thread, beside)]


@pytest.mark.parametrize("table", tables(), ids=["thread", "beside it"])
async def test_the_table_in_the_docs_is_this_one(table: str) -> None:
    assert table in Path("docs/maintainers.md").read_text(encoding="utf-8"), table
