"""Answers to a comment: reactions, the reply, and notes about what did not run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.base.clock import Clock
from app.commands.registry import named
from app.replies import reply, standing_line
from app.services.accounts import accounts
from app.services.mentions import mutes
from app.services.rules.config import ConfigSource
from app.services.views import holdings
from app.storage.engine.db import Database, Tx
from app.storage.queues import outbox, stored_replies, told, turns
from app.storage.queues.commands import CommandRecord
from app.storage.queues.stored_replies import mentions_somebody
from app.storage.queues.told import Batch
from app.thread.comment import Comment, opening
from app.thread.lasting import concerns_others

SHARED_SECONDS = 3600
"""So long later commands of the same person are answered in the reply that is there."""

MOST_BELOW = 10
"""With more comments below it a reply is out of sight, and the next answer gets a new one."""

FOREIGN_EDIT = "Commands that somebody else writes into a comment do not run. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Answering:
    """Puts answers into the outbox. `public_url`: the address of the app's pages."""

    db: Database
    clock: Clock
    configs: ConfigSource
    public_url: str = ""

    async def answer(self, comment: Comment, left_out: int, quoted: bool) -> None:
        """Have the reaction and the reply sent to what was not answered yet. Once, however often the event comes.

        An answer with news for somebody else is sent also to who is muted.
        """
        now = self.clock.now()
        async with self.db.transaction() as tx:
            await outbox.withdraw(tx, _reaction(comment, "eyes"))
            new = await told.untold(tx, comment.id)
            if not new:
                return
            await _show_outcome(tx, comment, new, now)
            if (await self.configs.config(tx, comment.place.repository)).reactions_only:
                await told.mark(tx, new, told.PAGE)
                return
            mentions = any(mentions_somebody(record.answer) for record in new)
            if not mentions and await mutes.silent(tx, comment.sender_id, comment.place.repository.id):
                await told.mark(tx, new, told.UNSAID)
                return
            await self._reply(tx, comment, new, (left_out, quoted), mentions or await concerns_others(tx, new))

    async def _reply(
        self, tx: Tx, comment: Comment, new: list[CommandRecord], beside: tuple[int, bool], alone: bool
    ) -> None:
        """In the reply that its user's commands share; what concerns others gets one of its own."""
        now, batch = self.clock.now(), Batch(comment.id, new)
        below = await self._below(tx, comment, new)
        key = None if alone else await _shared(tx, comment, now)
        earlier = await told.batches(tx, key) if key else []
        body = reply.reply([batch, *earlier], below, *beside)
        if key is None or len(body) > reply.MAX_BODY - reply.SPARE:
            key = await _new_key(tx, comment, new)
            earlier, body = [], reply.reply([batch], below, *beside)
        who = comment.sender_id
        await outbox.put(tx, key=key, kind="reply", place=comment.place, body=body, now=now, user_id=who)
        await told.mark(tx, new, key)
        if not alone and not earlier:
            await told.share(tx, key, comment.in_thread)

    async def _below(self, tx: Tx, comment: Comment, new: Sequence[CommandRecord]) -> reply.Below:
        """The user's standing, after a command that may have changed it."""
        acted = [record for record in new if record.done and _stands(record.text)]
        if not acted:
            return reply.Below()
        user = await holdings.user_view(tx, comment.place, comment.sender_id, self.clock.now())
        page = "" if comment.place.repository.private else self.public_url
        standing = standing_line.stands(user, [record.id for record in acted], comment.id, page)
        return reply.Below(standing, await accounts.granted_by(tx, opening(comment)))

    async def note_foreign_edit(self, comment: Comment) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            if (await self.configs.config(tx, comment.place.repository)).reactions_only:
                return
            key = f"edit:{comment.id}"
            await outbox.put(tx, key=key, kind="reply", place=comment.place, body=FOREIGN_EDIT, now=now)

    async def note_quotation(self, comment: Comment) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            await _react(tx, comment, "confused", now)
            if (await self.configs.config(tx, comment.place.repository)).reactions_only:
                return
            if await mutes.silent(tx, comment.sender_id, comment.place.repository.id):
                return
            key = f"quote:{comment.id}"
            await outbox.put(tx, key=key, kind="reply", place=comment.place, body=reply.QUOTED, now=now)


async def show_seen(tx: Tx, comment: Comment, now: int) -> None:
    """Give a sign to whoever waits, once. A queue that is behind carries answers alone."""
    if await turns.behind(tx, comment.place.repository.installation_id, now):
        return
    if not await outbox.knows(tx, _reaction(comment, "eyes")):
        await _react(tx, comment, "eyes", now)


def _stands(text: str) -> bool:
    command = named(text)
    return command is not None and command.stands


async def _shared(tx: Tx, comment: Comment, now: int) -> str | None:
    since = now - SHARED_SECONDS
    return await told.shared(tx, comment.place.issue.id, comment.sender_id, since, comment.in_thread, MOST_BELOW)


async def _new_key(tx: Tx, comment: Comment, new: Sequence[CommandRecord]) -> str:
    """A comment that was edited may have a reply already, from before."""
    key = f"{stored_replies.PREFIX}{comment.id}"
    return f"{key}:{new[0].id}" if await outbox.knows(tx, key) else key


async def _show_outcome(tx: Tx, comment: Comment, new: Sequence[CommandRecord], now: int) -> None:
    reactions = _reactions(new)
    if len(reactions) > 1 and await turns.behind(tx, comment.place.repository.installation_id, now):
        reactions = reactions[-1:]  # what was refused is what somebody must look at
    for content in reactions:
        await _react(tx, comment, content, now)


def _reactions(records: Sequence[CommandRecord]) -> list[str]:
    """🚀 where something was done, 😕 where something was refused."""
    done = {record.done for record in records}
    return [content for content, outcome in (("rocket", True), ("confused", False)) if outcome in done]


def _reaction(comment: Comment, content: str) -> str:
    return f"reaction:{comment.id}:{content}"


async def _react(tx: Tx, comment: Comment, content: str, now: int) -> None:
    await outbox.put(
        tx,
        key=_reaction(comment, content),
        kind="reaction",
        place=comment.place,
        body=json.dumps({"comment": comment.id, "content": content}),
        now=now,
        user_id=comment.sender_id,
    )
