"""Plays a script against the running app, in order or as it comes, while programs are killed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.services.rules.config import play_currency
from tests.chaos import choosing
from tests.chaos.lines import DAY, LABEL, ROUND_SECONDS, START_AT
from tests.chaos.place import Ground, Stuck
from tests.chaos.script import Act, Day, Move, Say, Turn
from tests.chaos.watch import Watch

HOUR = 3600
LONGEST_MORNING_SECONDS = 5 * HOUR
OVER_SECONDS = (17 * HOUR, 20 * HOUR, DAY + 8 * HOUR, DAY + 20 * HOUR, 2 * DAY + 8 * HOUR, 2 * DAY + 20 * HOUR)
"""When the time between rounds stands still, from a round's beginning.

By turns windows and disputes that began in the morning have ended, and what ends with a day: no two things happen to a
contract at once, of which either could come first.
"""

TAKEN_OVER_SECONDS = 130
"""After a kill: leases have ended, and the sweep has come round."""

REST_SECONDS, QUIET_MS = 60, 1_500
LATEST_KILL_SECONDS = 0.6
LONGEST_PAUSE_SECONDS = 0.4
"""Between two comments at one owner's where no order is kept; at the first's there is none, and budgets are met."""


@dataclass(slots=True)
class Said:
    """A comment as it was posted. `written_at` is when GitHub says that it was made."""

    say: Say
    person: str
    owner: int
    path: str
    texts: list[str]
    written_at: str


@dataclass(slots=True)
class Player:
    ground: Ground
    day: Day
    watch: Watch
    in_order: bool
    kills: int
    chance: random.Random
    tell: Callable[[str], None]
    said: dict[int, Said] = field(default_factory=dict)  # by comment id
    by_name: dict[str, int] = field(default_factory=dict)
    unheard: set[int] = field(default_factory=set)  # comments of this round
    killed: int = 0
    steps: int = 0
    all_alive: asyncio.Lock = field(default_factory=asyncio.Lock)
    lost: int = 0
    asked_again: int = 0

    async def play(self) -> None:
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(each) for each in (self.watch.run(), self.ground.programs.watch())]
            clock = group.create_task(self.ground.clock.run())
            killer = group.create_task(self._kill())
            for number in range(len(self.day.rounds)):
                await self._round(number)
                done = f"round {number + 1} of {len(self.day.rounds)}, {len(self.said):,} comments, {self.killed} kills"
                self.tell(done)
            await killer
            await self._calm("the end")
            clock.cancel()  # the next sweep is minutes away
            await self.ground.github.control("GET", f"/idle?timeout={REST_SECONDS}&quiet={QUIET_MS}")
            await self._calm("the end, with what came again and late")
            for helper in helpers:
                helper.cancel()

    async def _round(self, number: int) -> None:
        begun_at = START_AT + number * ROUND_SECONDS
        async with self.all_alive:
            self.ground.clock.jump_to(begun_at)
        for move in self.day.rounds[number].moves:
            await self._move(move)
        if number:
            await self._heard()
        async with asyncio.TaskGroup() as group:
            for owner, acts in enumerate(self.day.rounds[number].acts):
                group.create_task(self._acts(owner, acts))
        await self._heard()
        await self._calm(f"round {number}")
        lost, again = await self.ground.deliveries()
        self.lost, self.asked_again = self.lost + lost, self.asked_again + again
        if self.ground.clock.now() > begun_at + LONGEST_MORNING_SECONDS:
            raise Stuck("the round took longer than its morning: it needs a slower clock")
        for seconds in OVER_SECONDS:
            async with self.all_alive:
                self.ground.clock.jump_to(begun_at + seconds)
            self.steps += 1
            await self._calm(f"round {number} after {seconds} s")

    async def _acts(self, owner: int, acts: list[Act]) -> None:
        for act in acts:
            if isinstance(act, Say):
                await self._say(owner, act)
            else:
                await self._turn(owner, act)
            self.steps += 1

    # -- what is done --------------------------------------------------------------------------------------------

    async def _say(self, owner: int, say: Say) -> None:
        issue = self.ground.issues[owner, say.issue]
        async with self.ground.db.reading() as tx:
            person = say.person or await choosing.loser(tx, issue["id"]) or self.day.owners[owner].people[0]
            texts = [await choosing.text_of(tx, line, person, issue["id"]) for line in say.lines]
        body = "\n".join(f"/bugmark {text}" for text in texts)
        if say.edits:
            comment = await self._edit(say, body)
            self.said[comment].texts += texts
        else:
            path = self.ground.path(owner, say.issue)
            made = await self.ground.github.as_person(person, "POST", f"{path}/comments", {"body": body})
            comment = made["id"]
            self.said[comment] = Said(say, person, owner, path, texts, made["created_at"])
            self.by_name[say.name] = comment
            self.unheard.add(comment)
        if self.in_order:
            await self._executed(owner, comment, issue["id"])
        elif owner:
            await asyncio.sleep(self.chance.random() * LONGEST_PAUSE_SECONDS)

    async def _edit(self, say: Say, body: str) -> int:
        """The commands are added to what the comment said before."""
        comment = self.by_name[say.edits]
        before = self.said[comment]
        whole = "\n".join([*(f"/bugmark {text}" for text in before.texts), body])
        repository = before.path.rsplit("/", 2)[0]
        await self.ground.github.as_person(
            before.person, "PATCH", f"{repository}/issues/comments/{comment}", {"body": whole}
        )
        return comment

    async def _turn(self, owner: int, turn: Turn) -> None:
        issue, path = self.ground.issues[owner, turn.issue], self.ground.path(owner, turn.issue)
        where = path.removeprefix("/repos")
        others = [other for other in range(self.day.owners[owner].issues) if other != turn.issue]
        near = [self.ground.issues[owner, other] for other in others]
        near = [other for other in near if other["repository"] == issue["repository"]]
        match turn.how:
            case "reopened":
                await self.ground.github.as_person(turn.by, "PATCH", path, {"state": "open"})
            case "commit":
                sha = f"{self.steps:040x}"
                await self.ground.github.control(
                    "POST", f"/issues{where.replace('/issues', '')}/close", {"commit": sha}
                )
            case "duplicate" if near:
                wanted = {"duplicate_of": near[0]["number"]}
                await self.ground.github.control("POST", f"/issues{where.replace('/issues', '')}/close", wanted)
            case how:
                reason = how if how == "completed" else "not_planned"
                await self.ground.github.as_person(turn.by, "PATCH", path, {"state": "closed", "state_reason": reason})
        issue["state"] = "open" if turn.how == "reopened" else "closed"
        if self.in_order:
            await self._turned(owner, issue)

    async def _move(self, move: Move) -> None:
        login = self.day.owners[move.owner].login
        if move.what == "rename":
            old = self.ground.full_name(move.owner, move.issue)
            await self.ground.github.control("PATCH", f"/repositories/{old}", {"name": move.name})
            self.ground.names[move.owner, move.issue] = move.name
        elif move.what == "open":
            path = f"/repos/{self.ground.full_name(move.owner, move.issue)}/issues"
            await self.ground.github.as_person(login, "POST", path, {"title": "Another crash", "labels": [LABEL]})
        else:
            await self._transfer(move)

    async def _transfer(self, move: Move) -> None:
        issue = self.ground.issues[move.owner, move.issue]
        where = self.ground.path(move.owner, move.issue).removeprefix("/repos").replace("/issues", "")
        target = 1 - issue["repository"]
        wanted = {"to": self.ground.full_name(move.owner, target)}
        made = await self.ground.github.control("POST", f"/issues{where}/transfer", wanted)
        issue.update(repository=target, number=made["number"], id=made["id"], old=issue["id"])

    # -- waiting ---------------------------------------------------------------------------------------------------

    async def _executed(self, owner: int, comment: int, issue_id: int) -> None:
        """The comment's commands have run, and all that follows from them by itself."""
        self.watch.wanted.add(comment)
        wanted, lane, currency = self._commands_of(comment), f"issue:{issue_id}", self._currency(owner)
        await self.watch.until(
            lambda: self._ran(comment, wanted) and lane not in self.watch.lanes and currency not in self.watch.due,
            f"{self.said[comment].say.name} {self.said[comment].texts}",
        )
        self.watch.wanted.discard(comment)
        if currency in self.watch.fitting:
            await self.watch.until_fits_are_tried({currency})

    async def _turned(self, owner: int, issue: dict[str, Any]) -> None:
        lane, currency = f"issue:{issue['id']}", self._currency(owner)
        await self.watch.until(
            lambda: self._as_it_is(issue) and lane not in self.watch.lanes and currency not in self.watch.due,
            f"{issue['state']} of {lane}",
        )

    def _ran(self, comment: int, wanted: int) -> bool:
        return self.watch.done.get(comment, 0) >= wanted

    def _commands_of(self, comment: int) -> int:
        return len(self.said[comment].texts)

    def _currency(self, owner: int) -> str:
        return play_currency(self.ground.owner_ids[owner])

    def _as_it_is(self, issue: dict[str, Any]) -> bool:
        """The app knows of the issue what GitHub knows, if it has ever heard of it."""
        known = self.watch.known.get(issue["id"])
        moved = "old" not in issue or issue["old"] not in self.watch.known
        moved = moved or self.watch.known[issue["old"]].moved_to == issue["id"]
        return moved and (known is None or known.state == issue.get("state", "open"))

    async def _heard(self) -> None:
        """Everything that was done has come to the app, and it has run every command."""
        self.watch.wanted |= self.unheard
        await self.watch.until(
            lambda: (
                all(self._ran(comment, self._commands_of(comment)) for comment in self.unheard)
                and all(self._as_it_is(issue) for issue in self.ground.issues.values())
                and not self.watch.lanes
                and not self.watch.due
            ),
            "what was done came to the app",
        )
        self.watch.wanted.clear()
        self.unheard.clear()

    async def _calm(self, when: str) -> None:
        await self.watch.until(lambda: not self.watch.lanes and not self.watch.due, f"calm at {when}")
        await self.watch.until_fits_are_tried(set(self.watch.fitting))
        await self.watch.until(self._all_done, f"all was said at {when}")

    def _all_done(self) -> bool:
        return not self.watch.lanes and not self.watch.due and not self.watch.unsent

    # -- killing ---------------------------------------------------------------------------------------------------

    async def _kill(self) -> None:
        """Spread over the day, by how far it has come, each a random while after something was done."""
        whole = sum(1 for _ in self.day.acts()) + len(OVER_SECONDS) * len(self.day.rounds)
        while self.killed < self.kills:
            if self.steps * self.kills >= (self.killed + 1) * whole:
                await self._strike()
            await asyncio.sleep(0.05)

    async def _strike(self) -> None:
        victim = self.chance.choice(("serve", "worker"))
        await asyncio.sleep(self.chance.random() * LATEST_KILL_SECONDS)
        async with self.all_alive:  # a leap of the clock meanwhile would be hours in which nobody ran
            await self.ground.programs.kill(victim)
            self.killed += 1
            since_at = self.ground.clock.now()
            await self.ground.start(victim)
            if victim == "worker":
                await self.watch.until(lambda: self.watch.beaten_at >= since_at, "the worker runs again")
        self.ground.clock.move(TAKEN_OVER_SECONDS)
