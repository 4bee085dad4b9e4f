"""What a comment is answered with: reactions, the reply, and notes about what did not run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.base.clock import Clock
from app.replies import reply
from app.services.accounts import accounts
from app.services.mentions import mutes
from app.services.rules.config import ConfigSource
from app.services.views import holdings, market_views
from app.storage.engine.db import Database, Tx
from app.storage.queues import commands, outbox, stored_replies, turns
from app.storage.queues.commands import CommandRecord
from app.storage.queues.stored_replies import mentions_somebody
from app.thread.comment import Comment, opening


@dataclass(frozen=True, slots=True)
class Answering:
    """Puts answers into the outbox."""

    db: Database
    clock: Clock
    configs: ConfigSource

    async def answer(self, comment: Comment, left_out: int, quoted: bool) -> None:
        """Have the reaction and the one reply sent, or the reply that is there brought up to date.

        A reply with news for somebody else is sent also to who is muted.
        """
        now = self.clock.now()
        async with self.db.transaction() as tx:
            records = await commands.of_comment(tx, comment.id)
            user = await holdings.user_view(tx, comment.place, comment.sender_id, now)
            books = await market_views.book_views(tx, comment.place.issue.id, now)
            granted = await accounts.granted_by(tx, opening(comment))
            await outbox.withdraw(tx, _reaction(comment, "eyes"))
            reactions = _reactions(records)
            if len(reactions) > 1 and await turns.behind(tx, comment.place.repository.installation_id, now):
                reactions = reactions[-1:]  # what was refused is what somebody must look at
            for content in reactions:
                await _react(tx, comment, content, now)
            if (await self.configs.config(tx, comment.place.repository)).reactions_only:
                return
            key, who = f"{stored_replies.PREFIX}{comment.id}", comment.sender_id
            told = await outbox.knows(tx, key) or not any(mentions_somebody(record.answer) for record in records)
            if told and await mutes.silent(tx, comment.sender_id, comment.place.repository.id):
                return
            body = reply.reply(records, user, books, granted, left_out, quoted)
            await outbox.put(tx, key=key, kind="reply", place=comment.place, body=body, now=now, user_id=who)

    async def note_foreign_edit(self, comment: Comment) -> None:
        now = self.clock.now()
        body = f"Commands that somebody else writes into a comment do not run. Nothing was changed.\n\n{reply.FOOTER}"
        async with self.db.transaction() as tx:
            if (await self.configs.config(tx, comment.place.repository)).reactions_only:
                return
            await outbox.put(tx, key=f"edit:{comment.id}", kind="reply", place=comment.place, body=body, now=now)

    async def note_quotation(self, comment: Comment) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            await _react(tx, comment, "confused", now)
            if (await self.configs.config(tx, comment.place.repository)).reactions_only:
                return
            if await mutes.silent(tx, comment.sender_id, comment.place.repository.id):
                return
            body = f"{reply.QUOTED}\n\n{reply.FOOTER}"
            await outbox.put(tx, key=f"quote:{comment.id}", kind="reply", place=comment.place, body=body, now=now)


async def show_seen(tx: Tx, comment: Comment, now: int) -> None:
    """Give a sign to whoever waits, once. A queue that is behind carries answers alone."""
    if await turns.behind(tx, comment.place.repository.installation_id, now):
        return
    if not await outbox.knows(tx, _reaction(comment, "eyes")):
        await _react(tx, comment, "eyes", now)


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
