"""From a comment to its reply: every command in it runs once, in order, each in its own transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from app.base.clock import Clock, ClockDoubted
from app.commands import leaving
from app.commands.command import Command
from app.commands.registry import meant, named, understand
from app.language.escape import code
from app.language.extract import CommandText, read_commands, read_comment
from app.language.grammar import Leaving
from app.language.quotation import Quoted
from app.language.requests import Request
from app.market.life.facts import IssueFacts
from app.market.terms.errors import Refusal
from app.replies.hand_outs import refused
from app.replies.reply import MOST_COMMANDS
from app.services.accounts import accounts
from app.services.forecasts import news
from app.services.life import issue_checks
from app.services.life.asking import NoNews, with_news
from app.services.rules.config import ConfigSource
from app.services.rules.context import CommandContext
from app.services.trading import limits
from app.storage.engine.db import Database, DatabaseBusy, Tx
from app.storage.people.places import Place
from app.storage.queues import commands
from app.storage.queues.commands import CommandKey
from app.thread import answering
from app.thread.acknowledge import when_slow
from app.thread.answering import Answering
from app.thread.comment import Comment, opening
from app.thread.deadline import Oracle, patient
from app.thread.permissions import Actor, Standing, needs_rights, standing_of
from app.thread.quoting import of_others

log = structlog.get_logger()

LATE_SECONDS = 30
"""A command handled later than this after it was made asks GitHub first: no trade on stale news."""

SLOW_SECONDS = 2
"""An answer that takes longer is announced by a reaction."""

GIVE_UP_SECONDS = 3600
"""Without an answer for so long the commands are refused: silence is no answer."""

KnowPlace = Callable[[Tx, Place], Awaitable[Place]]
"""Makes an issue and what it is in known; returns it as we know it."""

OUR_FAULT = "Something broke on our side. Nothing was changed; the operator has been told. Please try again later."


class NoAnswer(Exception):
    """GitHub must be asked before this comment's commands may run, and gives no answer; try again later."""


@dataclass(slots=True)
class _Known:
    """The issue as it is known to a comment's commands, and when it was so; None: GitHub gives no answer any more."""

    place: Place
    facts: IssueFacts | None
    at: int

    def stale(self, comment: Comment, now: int) -> bool:
        """Tell if a command of this comment has come to be late and GitHub was not asked since."""
        return now - comment.said_at > LATE_SECONDS >= self.at - comment.said_at


@dataclass(frozen=True, slots=True)
class _Order:
    """A command that is to run. `prepared`: with what GitHub was asked for it, None where there was nothing to ask."""

    key: CommandKey
    text: str
    prepared: tuple[Command, Request] | None


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs comments against one database."""

    db: Database
    oracle: Oracle
    clock: Clock
    configs: ConfigSource
    public_url: str = ""

    async def run(self, comment: Comment, know_place: KnowPlace) -> None:
        """Run what the comment says and have the reply sent. Safe to run again after a crash at any point."""
        wanted, quoted = new_commands(comment), new_quotations(comment)
        if not wanted and not quoted:
            return
        async with self.db.transaction() as tx:
            known = await know_place(tx, comment.place)
        comment = replace(comment, place=_where(comment.place, known))
        if comment.sender_id != comment.author_id:
            if wanted:
                await self._answers().note_foreign_edit(comment)
            return
        if quoted:
            async with self.db.reading() as tx:
                quoted = quoted if await of_others(tx, known.issue.id, quoted, self.clock.now()) else []
        if not wanted:
            if quoted:
                await self._answers().note_quotation(comment)
            return
        if self.clock.now() - comment.said_at > SLOW_SECONDS:
            await self._show_that_it_is_seen(comment)
        async with when_slow(SLOW_SECONDS, lambda: self._show_that_it_is_seen(comment)):
            await replace(self, oracle=patient(self.oracle))._run(comment, known, wanted, bool(quoted))

    async def _run(self, comment: Comment, known: Place, wanted: list[CommandText], quoted: bool) -> None:
        issue = _Known(known, comment.facts, comment.said_at)
        await self._learn_facts(comment, issue)
        async with self.db.transaction() as tx:
            config = await self.configs.config(tx, comment.place.repository)
            why_not = config.why_not(comment.labels, code)
            granted = config if why_not is None else replace(config, welcome_grant_mills=0)
            await accounts.open_account(tx, opening(comment), granted, self.clock.now())
            unknown_age = await limits.asks_for_age(tx, config, comment.sender_id)
        if unknown_age:
            await self._learn_age(comment)
        wanted = wanted if why_not is None else _told_once(wanted)
        standing = await self._standing(comment, wanted, config.insiders)
        for item in wanted[:MOST_COMMANDS]:
            await self._run_command(comment, item, issue, standing)
        await self._answers().answer(comment, len(wanted[MOST_COMMANDS:]), quoted)

    def _answers(self) -> Answering:
        return Answering(self.db, self.clock, self.configs, self.public_url)

    async def _learn_facts(self, comment: Comment, issue: _Known) -> None:
        """The issue's state as the comment shows it; asked from GitHub if that is old or not what we know.

        Raises NoAnswer while it is worth asking again; there are no facts when it is not any more.
        """
        issue.facts, issue.at = await self._facts(comment, issue.place)
        if issue.facts is not None:
            async with self.db.transaction() as tx:
                await issue_checks.note_news(tx, issue.place, issue.facts, self.clock.now())

    async def _facts(self, comment: Comment, known: Place) -> tuple[IssueFacts | None, int]:
        now = self.clock.now()
        as_known = known.issue.state == "closed"
        if now - comment.said_at <= LATE_SECONDS and as_known == comment.facts.closed:
            return comment.facts, comment.said_at
        facts = await self.oracle.issue_facts(known)
        if now - comment.said_at > LATE_SECONDS:
            again = await news.ask_again(self.db, self.oracle, known.issue.id, self.clock)
            facts = facts if again else None
        if facts is None and now - comment.received_at < GIVE_UP_SECONDS:
            raise NoAnswer
        return facts, now

    async def _learn_age(self, comment: Comment) -> None:
        """GitHub tells once how old an account is; where it does not, the command is refused.

        Raises NoAnswer while it is worth asking again.
        """
        made_at = await self.oracle.account_made_at(comment.place, comment.sender_id, comment.sender_login)
        if made_at is None and self.clock.now() - comment.received_at < GIVE_UP_SECONDS:
            raise NoAnswer
        if made_at not in (None, limits.NOT_TOLD):
            async with self.db.transaction() as tx:
                await limits.note_age(tx, comment.sender_id, made_at)

    async def _show_that_it_is_seen(self, comment: Comment) -> None:
        """Give a sign to whoever waits; it stays beside the answer. A queue that is behind carries answers alone."""
        now = self.clock.now()
        async with self.db.transaction() as tx:
            await answering.show_seen(tx, comment, now)

    async def _standing(self, comment: Comment, wanted: list[CommandText], rule: str) -> Standing | None:
        """Ask for the user's permissions. Raises NoAnswer while asking again may help; None when it may not."""
        who = Actor(comment.place, comment.sender_id, comment.sender_login, comment.issue_author_id)
        needed = any(needs_rights(item.text) for item in wanted)
        standing = await standing_of(self.db, self.oracle, who, needed, rule, self.clock.now())
        if standing is None and self.clock.now() - comment.received_at < GIVE_UP_SECONDS:
            raise NoAnswer
        return standing

    async def _run_command(self, comment: Comment, item: CommandText, issue: _Known, standing: Standing | None) -> None:
        key = CommandKey(comment.id, item.key, item.occurrence)
        try:
            if standing is None:
                raise Refusal("GitHub did not tell what you may do here, so nothing was done; please comment again.")
            await self._try_command(comment, key, item.text, issue, standing)
        except Refusal as refusal:
            await self._record_refusal(comment, key, refused(refusal))
        except (DatabaseBusy, NoAnswer, ClockDoubted):
            raise
        except Exception:
            log.exception("command failed", comment=comment.id)
            await self._record_refusal(comment, key, OUR_FAULT)

    async def _try_command(
        self, comment: Comment, key: CommandKey, text: str, issue: _Known, standing: Standing
    ) -> None:
        order = _Order(key, text, await self._prepared(comment, text))

        async def attempt(asked: frozenset[int]) -> None:
            facts = await self._fresh_facts(comment, issue)
            await self._do(comment, order, facts, standing, asked)

        try:
            await with_news(self.db, self.oracle, self.clock, attempt)
        except NoNews:
            if self.clock.now() - comment.received_at < GIVE_UP_SECONDS:
                raise NoAnswer from None
            raise Refusal(
                "GitHub gave no answer about another issue whose offers share a pool with offers here, so nothing was "
                "done; please comment again."
            ) from None

    async def _do(
        self, comment: Comment, order: _Order, facts: IssueFacts, standing: Standing, asked: frozenset[int]
    ) -> None:
        """One command in one transaction. Raises StaleNews where GitHub must be asked about more contracts."""
        async with self.db.transaction() as tx:
            number = await self._begin(tx, comment, order.key)
            if number is None:
                return
            config = await self.configs.config(tx, comment.place.repository)
            _check_allowed(order.text, config.why_not(comment.labels, code))
            context = CommandContext(
                comment.place,
                config,
                comment.sender_id,
                f"command:{number}",
                max(self.clock.now(), comment.said_at),
                closed=await issue_checks.closed_to_trade(tx, comment.place, facts),
                may_triage=standing.may_triage,
                insider=standing.insider,
                rejected=await issue_checks.rejected_as(tx, comment.place, facts),
                asked=asked,
            )
            try:
                command, request = order.prepared or understand(order.text, comment.created_at)
            except Leaving as refusal:
                raise await leaving.of_what_is_held(tx, context, refusal) from refusal
            answer = await command.handle(tx, context, request)
            await commands.finish(tx, number, done=True, answer=answer)

    async def _fresh_facts(self, comment: Comment, issue: _Known) -> IssueFacts:
        """Ask again about the issue if earlier commands or questions of the comment have made this one late.

        Raises NoAnswer while it is worth asking again, a Refusal when it is not any more.
        """
        if issue.stale(comment, self.clock.now()):
            await self._learn_facts(comment, issue)
        if issue.facts is None:
            raise Refusal("GitHub gave no answer about this issue, so nothing was done; please comment again.")
        return issue.facts

    async def _prepared(self, comment: Comment, text: str) -> tuple[Command, Request] | None:
        """Ask GitHub all that the command needs, before the transaction. Raises NoAnswer while it is worth waiting."""
        command = named(text)
        if command is None or command.prepare is None:
            return None
        command, request = understand(text, comment.created_at)
        found = command.prepare and await command.prepare(self.oracle, comment.place, request)
        if found is None:
            if self.clock.now() - comment.received_at < GIVE_UP_SECONDS:
                raise NoAnswer
            raise Refusal("GitHub gave no answer, so nothing was done; please comment again.")
        return command, found

    async def _record_refusal(self, comment: Comment, key: CommandKey, answer: str) -> None:
        async with self.db.transaction() as tx:
            number = await self._begin(tx, comment, key)
            if number is not None:
                await commands.finish(tx, number, done=False, answer=answer)

    async def _begin(self, tx: Tx, comment: Comment, key: CommandKey) -> int | None:
        """The receipt's number under which a command runs; None if it has run."""
        return await commands.begin(
            tx, key, user_id=comment.sender_id, issue_id=comment.place.issue.id, at=self.clock.now()
        )


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


def _check_allowed(text: str, why_not: str | None) -> None:
    """Refuse new trades where trading is off; closing commands still run, so no money is trapped. Raises Refusal."""
    if why_not is not None and not _winds_up(text):
        raise Refusal(why_not)


def _told_once(wanted: list[CommandText]) -> list[CommandText]:
    """Give one refusal for a whole comment where trading is off."""
    refused = [item for item in wanted if not _winds_up(item.text)]
    return [item for item in wanted if item not in refused[1:]]


def _winds_up(text: str) -> bool:
    command = meant(text)
    return command is not None and command.winds_up
