"""Carrying the outbox to GitHub: reactions, replies, notices, the market comment, checks, labels, tidying up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from app.base.clock import Clock
from app.github.api.clean import clean
from app.github.api.client import GitHub, Written
from app.github.api.errors import GitHubError, Gone
from app.github.api.usage_meter import THE_APP, Reading
from app.github.outbound import minimise
from app.github.outbound.reward_label import Rewards
from app.github.outbound.setbacks import setback
from app.github.rules.checks import Checks
from app.replies.message_body import body_of
from app.replies.reply import marker
from app.services.life import notices
from app.storage.engine.db import Database, DatabaseBusy, Tx
from app.storage.people import places
from app.storage.proof import numbers
from app.storage.queues import announcements, budgets, outbox, stored_replies
from app.storage.queues.budgets import Limits, Use
from app.storage.queues.outbox import Message

log = structlog.get_logger()

SEND_SECONDS = 45
"""Less than the lease: whoever takes a message over finds nobody still sending it."""

CLOCK_SKEW_SECONDS = 300

DOUBT_SECONDS = 31 * 86_400
"""Time after a restore in which a message may be repeated: as long as a contract waits for its verdict."""

MARKET_COMMENT = "<!-- bugmark:board:"
"""Beginning of a market comment's marker, for any issue."""


NOTHING = Written(None, None)


@dataclass(slots=True)
class Sender:
    """`limits` None: GitHub's limits are off, as on many Enterprise Servers."""

    db: Database
    github: GitHub
    clock: Clock
    checks: Checks
    rewards: Rewards
    limits: Limits | None = None
    public_url: str = ""
    _own_id: int = 0

    async def claim(self, lease_seconds: int) -> Message | None:
        """Lease the next message that may leave now. Raises DatabaseBusy."""
        now = self.clock.now()
        async with self._written_down(now) as tx:
            return await outbox.claim(tx, now, lease_seconds, self.limits)

    @asynccontextmanager
    async def _written_down(self, now: int) -> AsyncIterator[Tx]:
        """A transaction in which everything is written down that this process has asked of GitHub."""
        taken = self.github.meter.take()
        try:
            async with self.db.transaction() as tx:
                await outbox.hold_installations(tx, {*taken.counts, *taken.limits})
                await self._write_down(tx, taken, now)
                yield tx
        except BaseException:
            self.github.meter.give_back(taken)
            raise

    async def _write_down(self, tx: Tx, taken: Reading, now: int) -> None:
        if self.limits is not None:
            await _charge(tx, taken, now, self.limits)
        for installation_id, retry_at in taken.limits.items():
            await budgets.limited(tx, installation_id, retry_at, now)
        standing = await budgets.standing(tx, now)
        self.github.meter.hold(standing.held)
        await stored_replies.keep_on_page(tx, standing.saving | self.github.meter.saving(), now)

    async def send(self, message: Message) -> None:
        """Send one message, and note what came of it. Raises only for the database's failures."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                written = await self._send(message)
        except GitHubError as error:
            await self._note_failure(message, error)
            return
        except DatabaseBusy:
            raise
        except Exception as error:
            log.exception("message not sent", key=message.key)
            await self._note_failure(message, error)
            return
        finally:
            use = message.use
            self.github.meter.was_charged(message.installation_id, use.writes, use.creations, use.points)
        await self._note_sent(message, written)

    async def _note_sent(self, message: Message, written: Written) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            if message.kind == "notice":
                made_at = now if written.made_at is None else min(written.made_at, now)
                await notices.note_announced(tx, message.body, made_at)
            await outbox.sent(tx, message, written.id, now, written.node_id)
            if message.kind == "notice" and message.remote_id is None:
                await announcements.sent(tx, message.key, message.issue_id, now)
            await budgets.relieved(tx, message.installation_id)
            if message.kind == "board":
                await self.rewards.want(tx, message, now)
            if message.kind == "reply":
                await minimise.want(tx, message, now)

    async def _send(self, message: Message) -> Written:
        where = message.installation_id, message.repository_id
        if message.kind == "reaction":
            wanted = json.loads(message.body)
            return Written(await self.github.add_reaction(*where, wanted["comment"], wanted["content"]), None)
        if message.kind == "check":
            return Written(await self.checks.report(message), None)
        if message.kind == "label":
            return Written(await self.rewards.bring(message), None)
        if message.kind == "minimise":
            await minimise.minimise(self.github, message)
            return NOTHING
        return await self._write(message)

    async def _write(self, message: Message) -> Written:
        """Post a comment, or edit the one that is there."""
        where = message.installation_id, message.repository_id
        text = await body_of(self.db, message, self.clock.now(), self.public_url)
        body = f"{marker(message.key)}\n{text}"
        remote_id = message.remote_id or await self._posted_before(message)
        if remote_id is None:
            return await self.github.create_comment(*where, message.issue_number, body)
        try:
            return await self.github.edit_comment(*where, remote_id, body)
        except Gone:
            if message.kind not in ("board", "reply"):
                raise
            since_at = None if message.kind == "board" else message.created_at - CLOCK_SKEW_SECONDS
            there = await self._own_comment(message, marker(message.key), since_at)
            if there == remote_id:
                raise  # GitHub's own lag
        if there is not None:  # it was made again before, by an attempt that did not hear so
            return await self.github.edit_comment(*where, there, body)
        return await self.github.create_comment(*where, message.issue_number, body)

    async def _posted_before(self, message: Message) -> int | None:
        """After an attempt whose end is unknown, look before posting: by marker and author.

        A transferred issue brings its market comment along, under another id: that one goes on.
        """
        if await self._brought_along(message):
            return await self._own_comment(message, MARKET_COMMENT, None)
        since_at = await self._unsure_since(message)
        return None if since_at is None else await self._own_comment(message, marker(message.key), since_at)

    async def _unsure_since(self, message: Message) -> int | None:
        """From when on it may have been posted; None: it cannot have been.

        After an older backup was restored it may have been in the time that is lost, whoever wants it now.
        """
        tried = [message.created_at - CLOCK_SKEW_SECONDS] if message.attempts > 1 else []
        async with self.db.reading() as tx:
            lost = await numbers.lost(tx)
        if lost is not None and (message.kind == "board" or message.created_at < lost.until_at + DOUBT_SECONDS):
            tried.append(lost.since_at - CLOCK_SKEW_SECONDS)
        return max(min(tried), 0) if tried else None

    async def _brought_along(self, message: Message) -> bool:
        if message.kind != "board":
            return False
        async with self.db.reading() as tx:
            return await places.came_by_transfer(tx, message.issue_id)

    async def _own_comment(self, message: Message, beginning: str, since_at: int | None) -> int | None:
        own_id = await self._own_id_as(message.installation_id)
        where = message.installation_id, message.repository_id, message.issue_number
        async for comment in self.github.list_comments(*where, since_at):
            user = comment.get("user") or {}
            if user.get("id") == own_id and str(comment.get("body") or "").startswith(beginning):
                return int(comment["id"])
        return None

    async def _own_id_as(self, installation_id: int) -> int:
        """The user who writes for the App: anybody can write its markers, and the App may be given another name."""
        if not self._own_id:
            slug = (await self.github.app())["slug"]
            self._own_id = int((await self.github.get_json(installation_id, f"/users/{slug}%5Bbot%5D"))["id"])
        return self._own_id

    async def _note_failure(self, message: Message, error: Exception) -> None:
        now, why = self.clock.now(), clean(str(error))
        async with self._written_down(now) as tx:
            holds = await budgets.hold_of(tx, message.installation_id), await budgets.hold_of(tx, THE_APP)
            hold = max(holds, key=lambda each: each.until_at)
            found = setback(message, error, hold, now)
            # Said before it is written down: whoever finds it in the database finds it in the log too.
            told = {"key": message.key, "attempts": message.attempts, "given_up": found.end is not None}
            log.warning("message not sent", installation=message.installation_id, why=why, **told)
            if message.kind == "notice" and found.end is not None:
                await notices.note_announced(tx, message.body, now)
            await outbox.postpone(tx, message, found.due_at, why, found.end)
            if found.parks:
                await outbox.park(tx, message.installation_id, found.due_at, why)


async def _charge(tx: Tx, taken: Reading, now: int, limits: Limits) -> None:
    for installation_id, count in sorted(taken.counts.items()):
        use = Use(count.writes, count.creations, count.points)
        await budgets.spend(tx, installation_id, use, now, limits)
