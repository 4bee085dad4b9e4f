"""What must hold at the end of a day, whatever happened in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.services.audit.audit import audit
from app.storage.engine.db import Database, Tx, migrate
from app.storage.engine.tables import commands, deliveries, issues, outbox
from app.storage.queues.outbox import DEAD, SENT
from app.storage.queues.stored_replies import ON_PAGE
from sandbox.server import LoggedRequest
from tests.chaos.again import Again, instant
from tests.chaos.books import Books, differences
from tests.chaos.outcomes import check_outcomes
from tests.chaos.place import Ground
from tests.chaos.play import Player
from tests.endpoints import unknown
from tests.leaks import bugs, leaks

STEP_SECONDS = 3
"""By so much the clock that both read may be on while a write is under way."""

MOST = {
    "at_once": 1,
    "creations_60s": 80,
    "creations_3600s": 500,
    "points_60s": 900,
    "requests_3600s": 5_000,
    **{f"writes_{seconds}s": 5 + seconds + STEP_SECONDS for seconds in (1, 5, 60)},
}
"""GitHub's limits of an installation. `writes` are ours: five at once, then one a second."""

REACTIONS_ONLY = "replies: reactions"
MUTING = {"mute": True, "mute daily": False, "unmute": False}
PAGE = 100
OUTCOMES = {"+1", "rocket", "confused"}


@dataclass(slots=True)
class Found:
    """What was counted, and what is wrong."""

    wrong: list[str] = field(default_factory=list)
    comments: int = 0
    commands: int = 0
    kills: int = 0
    entries: int = 0
    replies: int = 0
    reactions: int = 0
    refused_again: int = 0
    outcomes: int = 0
    lost: int = 0
    asked_again: int = 0
    peaks: dict[str, int] = field(default_factory=dict)

    def check(self, right: bool, why: str) -> None:
        if not right:
            self.wrong.append(why)


async def check(player: Player) -> Found:
    """The books are right, every command ran once, every comment was answered once, no budget was exceeded."""
    found = Found(comments=len(player.said), kills=player.killed, lost=player.lost, asked_again=player.asked_again)
    report = await audit(player.ground.db, player.ground.clock.now())
    found.entries = report.entries
    found.wrong += [f"audit: {problem}" for problem in report.problems]
    async with player.ground.db.reading() as tx:
        await _check_commands(tx, player, found)
        await _check_left_over(tx, found)
        found.outcomes, wrong = await check_outcomes(tx, player.ground)
        found.wrong += wrong
    await _check_answers(player, found)
    await _check_budgets(player.ground, found)
    for violation in await player.ground.github.control("GET", "/violations"):
        found.check(False, f"not as GitHub describes it: {violation}")
    requests = [LoggedRequest(**one) for one in await player.ground.github.control("GET", "/requests")]
    found.wrong += [f"the fault matrix does not strike {endpoint}" for endpoint in sorted(unknown(requests))]
    return found


def check_log(ground: Ground, found: Found, calm: bool) -> None:
    """No secret in what web and worker wrote, and where nothing disturbed them no error of their own."""
    log = ground.programs.log.read_text(errors="replace")
    secrets = ground.app["webhook_secret"], *ground.app["pem"].splitlines()[1:-1]
    found.wrong += [f"a secret in the log: {line}" for line in leaks(log, secrets)]
    if calm:
        found.wrong += [f"an error in the log: {line}" for line in bugs(log)]


async def _check_commands(tx: Tx, player: Player, found: Found) -> None:
    ran: dict[int, list[str]] = {}
    for row in await tx.execute(select(commands.c.comment_id, commands.c.text).order_by(commands.c.id)):
        ran.setdefault(row.comment_id, []).append(row.text)
        found.commands += 1
    found.check(ran.keys() <= player.said.keys(), f"commands that nobody gave: {ran.keys() - player.said.keys()}")
    for number, said in player.said.items():
        wanted, got = Counter(_folded(text) for text in said.texts), Counter(map(_folded, ran.get(number, [])))
        found.check(wanted == got, f"{said.say.name} said {dict(wanted)}, executed was {dict(got)}")


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


async def _check_left_over(tx: Tx, found: Found) -> None:
    for row in await tx.execute(select(deliveries).where(deliveries.c.state != "done")):
        found.check(False, f"delivery {row.guid} ({row.event}) is {row.state}: {row.error}")
    c = outbox.c
    said = c.kind.in_(("reply", "notice")) & c.state.not_in((SENT, ON_PAGE))
    for row in await tx.execute(select(outbox).where(said | (c.state == DEAD))):
        found.check(False, f"message {row.key} is {row.state}: {row.error}")


async def _check_answers(player: Player, found: Found) -> None:
    """A reply that tells of each comment; or none, for a reason, and a reaction."""
    markers: Counter[str] = Counter()
    bodies = [body for place in player.ground.issues for body in await _bot_comments(player.ground, *place)]
    markers.update(body.splitlines()[0] for body in bodies)
    twice = [marker for marker, times in markers.items() if times > 1]
    found.check(not twice, f"said more than once: {twice[:10]}")
    async with player.ground.db.reading() as tx:
        telling = select(commands.c.comment_id, commands.c.told_in).where(commands.c.told_in.is_not(None))
        told = {row.comment_id for row in await tx.execute(telling) if markers[f"<!-- bugmark:{row.told_in} -->"]}
        silent = [number for number in player.said if number not in told]
        found.replies = len(player.said) - len(silent)
        wanted = await _without_reply(tx, player)
        sent = outbox.c.state == SENT, outbox.c.kind == "reaction"
        reacted = {key.split(":")[1] for key in (await tx.execute(select(outbox.c.key).where(*sent))).scalars()}
    for number in silent:
        answered = number in wanted and str(number) in reacted and await _reacted(player, number)
        found.check(answered, f"{player.said[number].say.name} was not answered")
        found.reactions += answered


async def _without_reply(tx: Tx, player: Player) -> set[int]:
    """Comments that want no reply: by the repository's rules, past the budget, or because the user is mute there."""
    kept = select(outbox.c.key).where(outbox.c.state == ON_PAGE)
    keys = list((await tx.execute(kept)).scalars())
    told = select(commands.c.comment_id).where(commands.c.told_in.in_(keys))
    found = set((await tx.execute(told)).scalars())
    owners = player.day.owners
    found |= {number for number, said in player.said.items() if REACTIONS_ONLY in owners[said.owner].rules}
    return found | await _by_the_mute(tx)


async def _by_the_mute(tx: Tx) -> set[int]:
    """Comments whose author was mute in the repository when their last command had run."""
    found: set[int] = set()
    muted: dict[tuple[int, int], bool] = {}
    c = commands.c
    ran = select(c.comment_id, c.user_id, c.text, c.done, issues.c.repository_id)
    for row in await tx.execute(ran.join(issues, issues.c.id == c.issue_id).order_by(c.id)):
        user = row.user_id, row.repository_id
        if row.done and (chosen := MUTING.get(_folded(row.text))) is not None:
            muted[user] = chosen
        (found.add if muted.get(user) else found.discard)(row.comment_id)
    return found


async def _bot_comments(ground: Ground, owner: int, issue: int) -> list[str]:
    found: list[str] = []
    for page in range(1, 1000):
        path = f"{ground.path(owner, issue)}/comments?per_page={PAGE}&page={page}"
        comments: list[dict[str, Any]] = await ground.github.as_person("reader", "GET", path)
        found += [str(comment["body"]) for comment in comments if comment["user"]["type"] == "Bot"]
        if len(comments) < PAGE:
            break
    return found


async def _reacted(player: Player, number: int) -> bool:
    """A comment that went along with its issue has another id there, without its reactions."""
    said = player.said[number]
    issue = player.ground.issues[said.owner, said.say.issue]
    if "old" in issue:
        return True
    repository = player.ground.full_name(said.owner, issue["repository"])
    path = f"/repos/{repository}/issues/comments/{number}/reactions"
    found = await player.ground.github.as_person("reader", "GET", path)
    return any(reaction["content"] in OUTCOMES for reaction in found)


async def _check_budgets(ground: Ground, found: Found) -> None:
    for budget in await ground.github.control("GET", "/budgets"):
        if not budget["caller"].startswith("installation:"):
            continue
        for name, used in budget["most"].items():
            found.peaks[name] = max(found.peaks.get(name, 0), used)
            found.check(
                used <= MOST.get(name, used), f"{budget['caller']}: {used} {name}, the most is {MOST.get(name)}"
            )
        found.check(not budget["refused"], f"{budget['caller']} was refused {budget['refused']} times")


async def journal(player: Player) -> Books:
    books = Books({number: said.say.name for number, said in player.said.items()})
    await books.read(player.ground.db)
    return books


async def check_alone(player: Player, found: Found, folder: Path) -> None:
    """Whatever differs when one alone does it all again is wrong."""
    url = f"sqlite+aiosqlite:///{folder / 'alone.db'}"
    await asyncio.to_thread(migrate, url)
    alone = Database(url)
    names = {number: said.say.name for number, said in player.said.items()}
    try:
        done = Books(names, exact=True)
        await done.read(player.ground.db)
        written = {number: instant(said.written_at) for number, said in player.said.items()}
        one = Again(player.ground.db, alone, written)
        await one.run()
        again = Books(names, exact=True, commands=done.commands)
        await again.read(alone)
        found.refused_again = one.refused
        found.wrong += [*one.wrong, *differences(done, again)]
    finally:
        await alone.close()
