"""From a comment to its reply: which commands in it are new goes to the gate, what comes back is answered."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from app.base.clock import Clock
from app.commands.help import help_text
from app.language.extract import CommandText, read_commands, read_comment
from app.language.quotation import Quoted
from app.market.life.facts import IssueFacts
from app.replies import reply
from app.replies.reply import MOST_COMMANDS
from app.replies.results import ThreadVoice
from app.services.accounts import accounts
from app.services.mentions import mutes
from app.services.orders.gate import Gate
from app.services.orders.order import Meet, Met, Order, Seen, Visit
from app.services.rules.config import ConfigSource
from app.services.views import holdings, market_views
from app.storage.engine.db import Database, Tx
from app.storage.people.places import Place
from app.storage.queues import commands, outbox, stored_replies, turns
from app.storage.queues.commands import CommandRecord, in_comment
from app.storage.queues.stored_replies import mentions_somebody
from app.thread.acknowledge import when_slow
from app.thread.asking import asked
from app.thread.quoting import of_others

SLOW_SECONDS = 2
"""An answer that takes longer is announced by a reaction."""

KnowPlace = Callable[[Tx, Place], Awaitable[Place]]
"""Makes an issue and what it is in known; returns it as we know it."""

VOICE = ThreadVoice(help_text)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment event.

    `old_body` is what an edit replaced, None for a new comment; `facts` the issue as the event shows it; `said_at` when
    the comment was made or edited, while dates in it count from `created_at`; `received_at` when we heard of it.
    """

    id: int
    body: str
    old_body: str | None
    author_id: int
    sender_id: int
    sender_login: str
    created_at: int
    said_at: int
    received_at: int
    place: Place
    facts: IssueFacts
    labels: frozenset[str] = frozenset()
    issue_author_id: int | None = None


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs comments against one database. What a comment wants done it hands in at the gate."""

    db: Database
    gate: Gate
    clock: Clock
    configs: ConfigSource

    async def run(self, comment: Comment, know_place: KnowPlace) -> None:
        """Run what the comment says and have the reply sent. Safe to run again after a crash at any point."""
        wanted, quoted = new_commands(comment), new_quotations(comment)
        if not wanted and not quoted:
            return
        meeting = _Meeting(comment, know_place)
        slow = self.clock.now() - comment.said_at > SLOW_SECONDS
        if quoted or slow or comment.sender_id != comment.author_id:
            async with self.db.transaction() as tx:
                await meeting.meet(tx)
        comment = meeting.comment
        if comment.sender_id != comment.author_id:
            if wanted:
                await self._note_foreign_edit(comment)
            return
        if quoted:
            async with self.db.reading() as tx:
                quoted = quoted if await of_others(tx, meeting.issue_id, quoted, self.clock.now()) else []
        if not wanted:
            if quoted:
                await self._note_quotation(comment)
            return
        if slow:
            await self._show_that_it_is_seen(comment)
        async with when_slow(SLOW_SECONDS, lambda: self._show_that_it_is_seen(meeting.comment)):
            await self.gate.execute_all(_orders(comment, wanted[:MOST_COMMANDS], meeting.meet))
            await self._answer(meeting.comment, len(wanted[MOST_COMMANDS:]), bool(quoted))

    async def _show_that_it_is_seen(self, comment: Comment) -> None:
        """Give a sign to whoever waits; it stays beside the answer. A queue that is behind carries answers alone."""
        now = self.clock.now()
        async with self.db.transaction() as tx:
            if await turns.behind(tx, comment.place.repository.installation_id, now):
                return
            if not await outbox.knows(tx, _reaction(comment, "eyes")):
                await _react(tx, comment, "eyes", now)

    async def _answer(self, comment: Comment, left_out: int, quoted: bool) -> None:
        """Have the reaction and the one reply sent, or the reply that is there brought up to date.

        A reply with news for somebody else is sent also to who is muted.
        """
        now = self.clock.now()
        async with self.db.transaction() as tx:
            records = await commands.of_comment(tx, comment.id)
            user = await holdings.user_view(tx, comment.place, comment.sender_id, now)
            books = await market_views.book_views(tx, comment.place.issue.id, now)
            granted = await accounts.granted_by(tx, _opening(comment))
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

    async def _note_foreign_edit(self, comment: Comment) -> None:
        now = self.clock.now()
        body = f"Commands that somebody else writes into a comment do not run. Nothing was changed.\n\n{reply.FOOTER}"
        async with self.db.transaction() as tx:
            if (await self.configs.config(tx, comment.place.repository)).reactions_only:
                return
            await outbox.put(tx, key=f"edit:{comment.id}", kind="reply", place=comment.place, body=body, now=now)

    async def _note_quotation(self, comment: Comment) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            await _react(tx, comment, "confused", now)
            if (await self.configs.config(tx, comment.place.repository)).reactions_only:
                return
            if await mutes.silent(tx, comment.sender_id, comment.place.repository.id):
                return
            body = f"{reply.QUOTED}\n\n{reply.FOOTER}"
            await outbox.put(tx, key=f"quote:{comment.id}", kind="reply", place=comment.place, body=body, now=now)


@dataclass(slots=True)
class _Meeting:
    """Place of a comment: made known once, in whichever transaction comes first."""

    comment: Comment
    know_place: KnowPlace
    met: Met | None = None

    @property
    def issue_id(self) -> int:
        return self.comment.place.issue.id

    async def meet(self, tx: Tx) -> Met:
        if self.met is None:
            known = await self.know_place(tx, self.comment.place)
            self.comment = replace(self.comment, place=_where(self.comment.place, known))
            self.met = Met(known, self.comment.place)
        return self.met


def _orders(comment: Comment, wanted: Sequence[CommandText], meet: Meet) -> list[Order]:
    """A comment as a visit of its user, with an order for each of its commands."""
    visit = Visit(
        user_id=comment.sender_id,
        login=comment.sender_login,
        cause=f"comment:{comment.id}",
        issued_at=comment.said_at,
        received_at=comment.received_at,
        seen=Seen(comment.facts, comment.labels, comment.issue_author_id),
        meet=meet,
        voice=VOICE,
    )
    return [
        Order(visit, asked(item.text, comment.created_at), in_comment(comment.id, item.key, item.occurrence))
        for item in wanted
    ]


def _where(told: Place, known: Place) -> Place:
    """As the event shows the issue, in the repository as we know it; one that was transferred where it is now."""
    return Place(told.issue, known.repository) if known.issue.id == told.issue.id else known


def new_commands(comment: Comment) -> list[CommandText]:
    """The commands of a comment; of an edited one those that the old text did not have."""
    old = set(read_commands(comment.old_body)) if comment.old_body is not None else set()
    return [item for item in read_commands(comment.body) if item not in old]


def new_quotations(comment: Comment) -> list[Quoted]:
    """The commands that a comment quotes of ours, and that its old text did not quote."""
    old = set(read_comment(comment.old_body).quoted) if comment.old_body is not None else set()
    return [item for item in read_comment(comment.body).quoted if item not in old]


def _opening(comment: Comment) -> accounts.Opening:
    owner = comment.place.repository.owner_id
    return accounts.Opening(comment.sender_id, comment.sender_login, owner, f"comment:{comment.id}", comment.said_at)


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
