"""Short stories that between them use every endpoint of GitHub's, each told the same way with and without trouble."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from app.market.ledger.journal import unit_currency
from app.market.life.next_step import ASK_AGAIN_SECONDS
from app.market.terms.contract import Side
from app.services.life.issue_checks import LOOK_SECONDS
from app.storage.engine.tables import contracts, deliveries, entries, outbox, postings, users
from app.storage.market.contracts import of_thread
from app.thread.answering import MOST_BELOW
from sandbox import milestones, owning
from sandbox.world import Actor
from tests.conditions import PATIENCE_SECONDS
from tests.stories.market_life import set_rules
from tests.stories.stage import Json, Story

Step = Callable[["Play"], Awaitable[None]]

MOST_SECONDS = 32
"""By which the clock goes on while nothing moves: a limit is over after a minute, commands wait for an hour."""


async def nothing(_: Play) -> None:
    pass


@dataclass
class Play:
    """One performance of a scene, in a story of its own."""

    story: Story
    by: str
    comments: list[int] = field(default_factory=list)

    def comment(self, person: str, text: str) -> None:
        """Past the API, so that what was planned strikes the app alone."""
        world = self.story.stage.sandbox.inside.world
        made = world.write_comment(Actor(world.account(person)), self.story.repository, self.story.issue, text)
        self.comments.append(made.id)


@dataclass(frozen=True)
class Scene:
    """`before` goes undisturbed; then the fault is planned; `later` comes when all is calm and a day has gone by."""

    name: str
    act: Step
    before: Step = nothing
    later: Step = nothing


async def trade(play: Play) -> None:
    play.comment("adam", f"/bugmark offer unfixed 100 at 0.80 by {play.by}")
    play.comment("beth", f"/bugmark offer fixed 60 at 0.20 by {play.by}")


async def trade_again(play: Play) -> None:
    play.comment("carl", f"/bugmark offer fixed 10 at 0.20 by {play.by}")


async def traded(play: Play) -> None:
    await trade(play)
    await calm(play.story)


async def say_more(play: Play) -> None:
    """Carl's second reply makes his first one needless, which is too far up to be edited."""
    for _ in range(2):
        play.comment("carl", f"/bugmark offer fixed 10 at 0.10 by {play.by}")
        await calm(play.story)
        for _ in range(MOST_BELOW + 1):
            play.comment("dave", "I see this too.")


async def lose_the_answer(play: Play) -> None:
    """A reply that was written, as the app cannot know: it must look."""
    path = f"^POST /repos/{play.story.owner}/blocked/issues/1/comments$"
    await play.story.fault(endpoints={"kind": "reset", "match": path, "after": True})
    await trade(play)


async def close_by_pull(play: Play) -> None:
    """Somebody with rights merges what closes it."""
    story = play.story
    role = {"repository": f"{story.owner}/blocked", "login": "mara", "role": "maintain"}
    await story.call("PUT", "/_sandbox/permissions", body=role)
    opened = {"repository": f"{story.owner}/blocked", "title": "Mend it", "body": "closes #1", "as": "mara"}
    pull = await story.call("POST", "/_sandbox/pulls", body={**opened, "files": {"a.py": "pass\n"}})
    await story.call("PUT", f"/_sandbox/pulls/{story.owner}/blocked/{pull['number']}/merge", body={"as": "mara"})


async def close_by_hand(play: Play) -> None:
    """Somebody with rights, which must be asked for."""
    role = {"repository": f"{play.story.owner}/blocked", "login": "mara", "role": "maintain"}
    await play.story.call("PUT", "/_sandbox/permissions", body=role)
    await play.story.close(person="mara")


async def forbid_insiders(play: Play) -> None:
    await set_rules(play.story, "insiders: forbid\n")
    await traded(play)


async def trade_and_rename(play: Play) -> None:
    """Carl has another name before anybody has asked what he may do."""
    world, name = play.story.stage.sandbox.inside.world, f"carl-{play.story.owner}"
    play.comment(name, f"/bugmark offer fixed 10 at 0.20 by {play.by}")
    owning.rename_account(world, world.account(name), f"new-{name}")


async def labelled(play: Play) -> None:
    await set_rules(play.story, "label_rewards: true\n")


async def labelled_twice(play: Play) -> None:
    """Another issue carries the label that is to come."""
    await labelled(play)
    body = {"title": "Another", "labels": ["bugmark: 20"]}
    await play.story.call("POST", f"/repos/{play.story.owner}/blocked/issues", play.story.owner, body)


async def better_reward(play: Play) -> None:
    play.comment("carl", f"/bugmark offer unfixed 150 at 0.90 by {play.by}")


async def bring_rules(play: Play) -> None:
    story = play.story
    body = {"repository": f"{story.owner}/blocked", "title": "Rules", "files": {".github/bugmark.yml": "fee_bps: x\n"}}
    await story.call("POST", "/_sandbox/pulls", body=body)


async def lose_the_check(play: Play) -> None:
    """A check run that was made, as the app cannot know."""
    path = f"^POST /repos/{play.story.owner}/blocked/check-runs$"
    await play.story.fault(endpoints={"kind": "reset", "match": path, "after": True})
    await bring_rules(play)


async def old_accounts(play: Play) -> None:
    play.story.stage.sandbox.inside.world.account(f"new-{play.story.owner}")
    await set_rules(play.story, "limits:\n  account_age_days: 1\n")


async def first_offer(play: Play) -> None:
    play.comment(f"new-{play.story.owner}", f"/bugmark offer fixed 10 by {play.by}")


async def forecast_label(play: Play) -> None:
    play.comment("adam", f"/bugmark forecast issue label late by {play.story.day(6)}")
    await offer_on_it(play)


async def offer_on_it(play: Play) -> None:
    """A forecast nobody trades on is nobody's concern."""
    await calm(play.story)
    async with play.story.db.reading() as tx:
        (row,) = await of_thread(tx, play.story.issue.id)
    play.comment("beth", f"/bugmark offer true 50 at 0.30 on F{row.id}")
    play.comment("adam", f"/bugmark offer false 50 at 0.70 on F{row.id}")
    await calm(play.story)


async def open_late(play: Play) -> None:
    """As its owner opens it: the news says enough for a halt, the API for the verdict."""
    world = play.story.stage.sandbox.inside.world
    actor = Actor(play.story.repository.owner)
    world.open_issue(actor, play.story.repository, "Too late", None, ["late"])


async def plan_milestone(play: Play) -> None:
    path = f"/repos/{play.story.owner}/blocked/milestones"
    await play.story.call("POST", path, play.story.owner, {"title": "1.0"})


async def forecast_milestone(play: Play) -> None:
    play.comment("adam", f"/bugmark forecast milestone 1.0 closed by {play.story.day(5)}")
    await offer_on_it(play)


async def close_milestone(play: Play) -> None:
    world, repository = play.story.stage.sandbox.inside.world, play.story.repository
    milestones.edit(world, Actor(repository.owner), repository, repository.milestones[1], {"state": "closed"})


async def open_pull(play: Play) -> None:
    body = {"repository": f"{play.story.owner}/blocked", "title": "Mend it", "files": {"b.py": "pass\n"}}
    await play.story.call("POST", "/_sandbox/pulls", body=body)


async def forecast_merge(play: Play) -> None:
    """Nothing is made where GitHub says that there is no such pull request."""
    play.comment("adam", f"/bugmark forecast pull 2 merged by {play.story.day(5)}")
    await calm(play.story)
    async with play.story.db.reading() as tx:
        made = await of_thread(tx, play.story.issue.id)
    if made:
        await offer_on_it(play)


async def merge_pull(play: Play) -> None:
    await play.story.call("PUT", f"/_sandbox/pulls/{play.story.owner}/blocked/2/merge", body={})


async def forecast_release(play: Play) -> None:
    play.comment("adam", f"/bugmark forecast release v1.0 published by {play.story.day(5)}")
    await offer_on_it(play)


async def publish_release(play: Play) -> None:
    body = {"repository": f"{play.story.owner}/blocked", "tag": "v1.0"}
    await play.story.call("POST", "/_sandbox/releases", body=body)


async def forecast_advisory(play: Play) -> None:
    play.comment("adam", f"/bugmark forecast advisory pip:pkg-{play.story.owner} by {play.story.day(6)}")
    await offer_on_it(play)


async def suspend(play: Play) -> None:
    await traded(play)
    await play.story.call("PUT", f"/_sandbox/installations/{installation(play.story)}/suspended", body={})
    await calm(play.story)


async def resume(play: Play) -> None:
    """Where GitHub gives no answer at once, trading resumes when it is asked again."""
    await play.story.call("DELETE", f"/_sandbox/installations/{installation(play.story)}/suspended")
    await calm(play.story)
    play.story.move(2 * ASK_AGAIN_SECONDS)
    await calm(play.story)
    await trade_again(play)


def installation(story: Story) -> int:
    found = story.stage.sandbox.state.installation_on(story.repository, story.stage.app["id"])
    assert found
    return found.id


SCENES = {
    scene.name: scene
    for scene in (
        Scene("trade", trade, later=trade_again),
        Scene("board", trade_again, before=traded),
        Scene("look", lose_the_answer),
        Scene("outgrown", say_more),
        Scene("close", close_by_pull, before=traded),
        Scene("rights", close_by_hand, before=traded),
        Scene("renamed", trade_and_rename, before=forbid_insiders),
        Scene("label", trade, before=labelled, later=better_reward),
        Scene("label of others", trade, before=labelled_twice, later=better_reward),
        Scene("check", bring_rules, before=traded),
        Scene("look for the check", lose_the_check),
        Scene("young", first_offer, before=old_accounts),
        Scene("label forecast", open_late, before=forecast_label),
        Scene("milestone", forecast_milestone, before=plan_milestone, later=close_milestone),
        Scene("merge", forecast_merge, before=open_pull, later=merge_pull),
        Scene("release", publish_release, before=forecast_release),
        Scene("advisory", nothing, before=forecast_advisory),
        Scene("presence", resume, before=suspend),
    )
}


async def calm(story: Story) -> None:
    """Until the app has dealt with everything of all stories.

    Time goes by while it asks GitHub nothing: to what is due next, and in growing steps where that does not leave yet.
    """
    seen: list[tuple[int, str, int]] = []
    step = 0

    async def nothing_left() -> bool:
        nonlocal seen, step
        await story.call("GET", f"/_sandbox/idle?timeout={PATIENCE_SECONDS}&quiet=60")
        waiting = await whatever_waits(story)
        step = min(max(1, 2 * step), MOST_SECONDS) if waiting == seen else 0
        seen = waiting
        if waiting:
            story.move(max(min(at for at, *_ in waiting) - story.now(), step))
        return not waiting

    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await nothing_left():
            await asyncio.sleep(0.02)


async def whatever_waits(story: Story) -> list[tuple[int, str, int]]:
    """Messages, deliveries and contracts to be looked at: when it is due, what, and how often it was tried.

    A look that has begun is one, although its next is far: it may ask GitHub nothing, and takes the time at its end.
    """
    found: list[tuple[int, str, int]] = []
    async with story.db.reading() as tx:
        for table, name in ((deliveries, deliveries.c.event), (outbox, outbox.c.key)):
            wanted = select(table.c.due_at, name, table.c.attempts).where(table.c.state == "waiting")
            found += [tuple(row) for row in await tx.execute(wanted.order_by(table.c.id))]
        now, next_look = story.now(), contracts.c.next_look_at
        begun = next_look.between(now + ASK_AGAIN_SECONDS + 1, now + LOOK_SECONDS)
        looks = select(next_look, contracts.c.status, contracts.c.id).where((next_look <= now) | begun)
        found += [(at if at <= now else 0, *what) for at, *what in await tx.execute(looks.order_by(contracts.c.id))]
    return found


# -- what came of it ----------------------------------------------------------------------------------------------


async def journal(story: Story) -> list[tuple[object, ...]]:
    """Every movement of money and units of this story's, in order; contracts and owners by their place in it."""
    async with story.db.reading() as tx:
        rows = await of_thread(tx, story.issue.id)
        names = {unit_currency(row.id, side): f"{side} of {n}" for n, row in enumerate(rows) for side in Side}
        names[f"play:{story.repository.owner.id}"] = "money"
        logins = {row.id: row.login for row in await tx.execute(select(users.c.id, users.c.login))}
        wanted = select(postings).join(entries, entries.c.id == postings.c.entry_id)
        moved = wanted.where(postings.c.currency.in_(names)).order_by(postings.c.entry_id, postings.c.line)
        found = (await tx.execute(moved)).all()
        outcomes = [row.outcome and row.outcome.value for row in rows]
    ends = [("contract", row.status.value, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
    whose = [logins.get(row.owner, "-").removesuffix(story.owner) for row in found]
    moves = ((row.kind, who, names[row.currency], row.amount) for row, who in zip(found, whose, strict=True))
    return [*moves, *ends]


def said(story: Story) -> Counter[str]:
    """The app's comments in the thread, by their markers."""
    return Counter(body.removeprefix("<!-- bugmark:").partition(" ")[0] for body in story.bodies(""))


def kinds(markers: Iterable[str]) -> list[str]:
    return sorted(marker.partition(":")[0] for marker in markers)


def reacted(play: Play) -> list[list[str]]:
    found = [play.story.issue.comments[number].reactions.values() for number in play.comments]
    return [sorted(one.content for one in given if one.content != "eyes") for given in found]


def beside(story: Story) -> Json:
    """What else can be seen on GitHub: labels and verdicts on pull requests."""
    repository = story.repository
    return {
        "labels": [label.name for label in story.issue.labels],
        "all labels": sorted(name for name in repository.labels if name.startswith("bugmark")),
        "checks": [(run.name, run.conclusion) for run in repository.check_runs.values()],
    }


async def unfinished(story: Story) -> list[str]:
    """Deliveries and messages that are not dealt with, or were given up; tidying up is tried but once, and may be."""
    lanes = [f"issue:{story.issue.id}", f"repository:{story.repository.id}", f"installation:{installation(story)}"]
    async with story.db.reading() as tx:
        came = select(deliveries.c.event, deliveries.c.state).where(
            deliveries.c.lane.in_(lanes), deliveries.c.state != "done"
        )
        goes = select(outbox.c.key, outbox.c.state).where(
            outbox.c.repository_id == story.repository.id, outbox.c.state != "sent", outbox.c.kind != "minimise"
        )
        found = [(await tx.execute(statement)).all() for statement in (came, goes)]
    return [f"{name.partition(':')[0]} {state}" for rows in found for name, state in rows]


async def end_of(play: Play) -> Json:
    story = play.story
    return {
        "journal": await journal(story),
        "said": kinds(said(story)),
        "doubled": kinds(marker for marker, times in said(story).items() if times > 1),
        "reacted": reacted(play),
        "beside": beside(story),
        "unfinished": await unfinished(story),
    }
