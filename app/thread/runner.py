"""From a comment to its reply: which commands in it are new goes to the gate, what comes back is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from app.base.clock import Clock
from app.commands.help import help_text
from app.language.extract import CommandText, read_commands, read_comment
from app.language.quotation import Quoted
from app.replies.reply import MOST_COMMANDS
from app.replies.results import ThreadVoice
from app.services.orders.gate import Gate
from app.services.orders.order import Meet, Met, Order, Seen, Visit
from app.services.rules.config import ConfigSource
from app.storage.engine.db import Database, Tx
from app.storage.people.places import Place
from app.storage.queues.commands import in_comment
from app.thread import answering
from app.thread.acknowledge import when_slow
from app.thread.answering import Answering
from app.thread.asking import asked
from app.thread.comment import Comment
from app.thread.quoting import of_others

SLOW_SECONDS = 2
"""An answer that takes longer is announced by a reaction."""

KnowPlace = Callable[[Tx, Place], Awaitable[Place]]
"""Makes an issue and what it is in known; returns it as we know it."""

VOICE = ThreadVoice(help_text)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs comments against one database. What a comment wants done it hands in at the gate."""

    db: Database
    gate: Gate
    clock: Clock
    configs: ConfigSource
    public_url: str = ""

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
                await self._answers().note_foreign_edit(comment)
            return
        if quoted:
            async with self.db.reading() as tx:
                quoted = quoted if await of_others(tx, meeting.issue_id, quoted, self.clock.now()) else []
        if not wanted:
            if quoted:
                await self._answers().note_quotation(comment)
            return
        if slow:
            await self._show_that_it_is_seen(comment)
        async with when_slow(SLOW_SECONDS, lambda: self._show_that_it_is_seen(meeting.comment)):
            await self.gate.execute_all(_orders(comment, wanted[:MOST_COMMANDS], meeting.meet))
            await self._answers().answer(meeting.comment, len(wanted[MOST_COMMANDS:]), bool(quoted))

    async def _show_that_it_is_seen(self, comment: Comment) -> None:
        """Give a sign to whoever waits; it stays beside the answer."""
        async with self.db.transaction() as tx:
            await answering.show_seen(tx, comment, self.clock.now())

    def _answers(self) -> Answering:
        return Answering(self.db, self.clock, self.configs, self.public_url)


@dataclass(slots=True)
class _Meeting:
    """The place of a comment: made known once, in whichever transaction comes first."""

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
