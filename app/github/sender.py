"""Carrying the outbox to GitHub: reactions, replies, notices, the market comment, checks and labels."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import structlog

from app.clock import Clock
from app.commands.outgoing import body_of
from app.commands.replies import marker
from app.github.checks import Checks
from app.github.client import GitHub
from app.github.errors import GitHubError, Gone, RateLimited
from app.github.payloads import clean
from app.github.rewards import Rewards
from app.storage import outbox, places
from app.storage.db import Database, DatabaseBusy
from app.storage.outbox import Message

log = structlog.get_logger()

MOST_ATTEMPTS = 180
"""With an hour between the later ones a week: an outage of GitHub or of ours costs no message."""

MOST_ATTEMPTS_GONE = 12
"""What is not there may be GitHub's own lag; after two hours it is not."""

LONGEST_WAIT_SECONDS = 3600
SEND_SECONDS = 45
"""Less than the lease: whoever takes a message over finds nobody still sending it."""

CLOCK_SKEW_SECONDS = 300

MARKET_COMMENT = "<!-- bugmark:board:"
"""How the marker of a market comment begins, of whichever issue."""


@dataclass(slots=True)
class Sender:
    db: Database
    github: GitHub
    clock: Clock
    checks: Checks
    rewards: Rewards
    _login: str = ""

    async def send(self, message: Message) -> None:
        """Send one message, and note what came of it. Raises only for the database's failures."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                remote_id = await self._send(message)
        except GitHubError as error:
            await self._note_failure(message, error, error.permanent, error.retry_at)
            return
        except DatabaseBusy:
            raise
        except Exception as error:
            log.exception("message not sent", key=message.key)
            await self._note_failure(message, error)
            return
        async with self.db.transaction() as tx:
            await outbox.sent(tx, message, remote_id, self.clock.now())
            if message.kind == "board":
                await self.rewards.want(tx, message, self.clock.now())

    async def _send(self, message: Message) -> int | None:
        where = message.installation_id, message.repository_id
        if message.kind == "reaction":
            wanted = json.loads(message.body)
            return await self.github.add_reaction(*where, wanted["comment"], wanted["content"])
        if message.kind == "check":
            return await self.checks.report(message)
        if message.kind == "label":
            return await self.rewards.bring(message)
        return await self._write(message)

    async def _write(self, message: Message) -> int | None:
        """Post a comment, or edit the one that is there."""
        where = message.installation_id, message.repository_id
        body = f"{marker(message.key)}\n{await body_of(self.db, message, self.clock.now())}"
        remote_id = message.remote_id or await self._posted_before(message)
        if remote_id is None:
            return await self.github.create_comment(*where, message.issue_number, body)
        try:
            await self.github.edit_comment(*where, remote_id, body)
        except Gone:
            if message.kind != "board":
                raise
            return await self.github.create_comment(*where, message.issue_number, body)
        return remote_id

    async def _posted_before(self, message: Message) -> int | None:
        """After an attempt whose end is unknown, look before posting: by marker and author.

        A transferred issue brings its market comment along, under another id: that one goes on.
        """
        if await self._brought_along(message):
            return await self._own_comment(message, MARKET_COMMENT, None)
        if message.attempts == 1:
            return None
        return await self._own_comment(message, marker(message.key), message.created_at - CLOCK_SKEW_SECONDS)

    async def _brought_along(self, message: Message) -> bool:
        if message.kind != "board":
            return False
        async with self.db.reading() as tx:
            return await places.came_by_transfer(tx, message.issue_id)

    async def _own_comment(self, message: Message, beginning: str, since_at: int | None) -> int | None:
        login = await self._own_login()
        where = message.installation_id, message.repository_id, message.issue_number
        async for comment in self.github.list_comments(*where, since_at):
            user = comment.get("user") or {}
            if user.get("login") == login and str(comment.get("body") or "").startswith(beginning):
                return int(comment["id"])
        return None

    async def _own_login(self) -> str:
        if not self._login:
            self._login = f"{(await self.github.app())['slug']}[bot]"
        return self._login

    async def _note_failure(
        self, message: Message, error: Exception, permanent: bool = False, retry_at: int | None = None
    ) -> None:
        now = self.clock.now()
        wait = min(2**message.attempts, LONGEST_WAIT_SECONDS)
        most = MOST_ATTEMPTS_GONE if isinstance(error, Gone) else MOST_ATTEMPTS
        dead = permanent or message.attempts >= most
        log.warning("message not sent", key=message.key, attempts=message.attempts, given_up=dead, why=str(error))
        async with self.db.transaction() as tx:
            await outbox.postpone(tx, message, retry_at or now + wait, clean(str(error)), dead)
            if isinstance(error, RateLimited):
                await outbox.hold(tx, message.installation_id, retry_at or now + wait)
