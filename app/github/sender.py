"""Carrying the outbox to GitHub: reactions, replies, notices and the market comment."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

import structlog

from app.clock import Clock
from app.commands.outgoing import body_of
from app.commands.replies import marker
from app.github.client import GitHub
from app.github.errors import GitHubError, Gone, RateLimited
from app.github.payloads import clean
from app.storage import outbox
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


@dataclass(slots=True)
class Sender:
    db: Database
    github: GitHub
    clock: Clock
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

    async def _send(self, message: Message) -> int | None:
        where = message.installation_id, message.repository_id
        if message.kind == "reaction":
            wanted = json.loads(message.body)
            return await self.github.add_reaction(*where, wanted["comment"], wanted["content"])
        body = f"{marker(message.key)}\n{await body_of(self.db, message)}"
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
        """After an attempt whose end is unknown, look before posting: by marker and author."""
        if message.attempts == 1:
            return None
        login = await self._own_login()
        comments = self.github.list_comments(
            message.installation_id,
            message.repository_id,
            message.issue_number,
            message.created_at - CLOCK_SKEW_SECONDS,
        )
        async for comment in comments:
            user = comment.get("user") or {}
            text = str(comment.get("body") or "")
            if user.get("login") == login and text.startswith(marker(message.key)):
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
