"""Everything that must be known before a visit's orders run: the issue's state, the account, the user's standing.

What can be read stands in one transaction; GitHub is asked outside of any.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from cachetools import LRUCache

from app.base.clock import Clock
from app.language.escape import code
from app.market.life.facts import IssueFacts
from app.services.accounts import accounts
from app.services.forecasts import news
from app.services.life import issue_checks
from app.services.orders import standing
from app.services.orders.deadline import Oracle
from app.services.orders.order import Met, NoAnswer, Seen, Visit
from app.services.orders.standing import Actor, Remembered, Standing
from app.services.rules.config import ConfigSource
from app.services.trading import limits
from app.storage.engine.db import Database, Tx
from app.storage.people import places
from app.storage.people.places import Place, Repository
from app.storage.queues.commands import CommandRecord

LATE_SECONDS = 30
"""An order handled later than this after it was given asks GitHub first: no trade on stale news."""

MOST_KEPT = 1024

GIVE_UP_SECONDS = 3600
"""Without an answer for so long orders are refused: silence is no answer."""


MeetRules = Callable[[Repository], Awaitable[None]]
"""Reads a repository's rules before its first order. Without an answer the defaults hold."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Findings of one transaction; `why_not`: why nothing new is traded here."""

    why_not: str | None
    asks_age: bool
    remembered: Remembered


@dataclass(slots=True)
class Heard:
    """GitHub's last answers about issues, with their instants. Doors without news of their own go by them a moment."""

    answers: LRUCache[int, tuple[int, IssueFacts]] = field(default_factory=lambda: LRUCache(MOST_KEPT))

    def keep(self, issue_id: int, at: int, facts: IssueFacts) -> None:
        self.answers[issue_id] = at, facts

    def of(self, issue_id: int) -> tuple[int, IssueFacts] | None:
        return self.answers.get(issue_id)


@dataclass(slots=True)
class Guards:
    """The guards of one visit. `seen` None: GitHub gives no answer about the issue any more; `at`: when it was so.

    `believed`: that is settled. `standing` None: GitHub does not tell what the user may do. `found`: the receipts there
    were before.
    """

    db: Database
    oracle: Oracle
    clock: Clock
    configs: ConfigSource
    heard: Heard
    visit: Visit
    met: Met
    seen: Seen | None
    at: int
    believed: bool = False
    opened: Opened | None = None
    standing: Standing | None = None
    found: dict[str, CommandRecord] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return self.met.place

    @property
    def who(self) -> Actor:
        author = self.visit.seen.author_id if self.visit.seen else self.met.stored.issue.author_id
        return Actor(self.place, self.visit.user_id, self.visit.login, author)

    @property
    def labels(self) -> frozenset[str]:
        if self.visit.seen is not None:
            return self.visit.seen.labels
        return frozenset(json.loads(self.met.stored.issue.labels or "[]"))

    async def learn(self) -> None:
        """Learn how the issue stands, from GitHub; it stops trading on a close. Raises NoAnswer."""
        facts = await self._ask()
        async with self.db.transaction() as tx:
            await self._told(tx, facts)
            await self._open_beside(tx)
        self.believed = True

    async def fresh(self) -> Seen | None:
        """The issue as it is now: GitHub is asked again if earlier questions have made this late. Raises NoAnswer."""
        if self._stale(self.clock.now()):
            await self.learn()
        return self.seen

    async def enter(self, tx: Tx) -> None:
        """Take the door's own news if they can be believed, in the transaction in which the place was met."""
        if self.seen is None:
            self._recall()
        if self.seen is not None and not self._stale(self.clock.now()) and self._as_stored(self.seen.facts):
            await issue_checks.note_news(tx, self.met.stored, self.seen.facts, self.clock.now())
            self.believed = True
            await self._open_beside(tx)

    async def ready(self, meet_rules: MeetRules) -> Opened:
        """Open the account, once it is known how the issue stands and what its repository allows. Raises NoAnswer."""
        if not self.believed:
            await self.learn()
        if self.opened is not None:
            return self.opened
        async with self.db.reading() as tx:
            known = await self.configs.known(tx, self.place.repository)
        if not known:
            await meet_rules(self.place.repository)
        async with self.db.transaction() as tx:
            self.opened = await self._open(tx)
        return self.opened

    async def ask_about_user(self, opened: Opened, needs_rights: bool) -> None:
        """Learn how old the account is, and what its user may do here, where something hangs on it. Raises NoAnswer."""
        if opened.asks_age:
            await self._learn_age()
        self.standing = await standing.standing_of(self.oracle, self.who, needs_rights, opened.remembered)
        if self.standing is None and not self.gives_up():
            raise NoAnswer

    async def note_standing(self, tx: Tx) -> None:
        """Remember what GitHub told of the user, in the transaction of an order."""
        if self.standing is not None:
            await standing.note(tx, self.who, self.standing, self.clock.now())

    def noted(self) -> None:
        """The transaction is committed: nothing is to be remembered any more."""
        if self.standing is not None:
            self.standing = replace(self.standing, asked=False)

    def gives_up(self) -> bool:
        """Tell if it is no longer worth asking again."""
        return self.clock.now() - self.visit.received_at >= GIVE_UP_SECONDS

    def _stale(self, now: int) -> bool:
        issued_at = self.visit.issued_at
        became_late = now - issued_at > LATE_SECONDS >= self.at - issued_at
        return became_late or now - self.at > LATE_SECONDS

    def _as_stored(self, facts: IssueFacts) -> bool:
        return (self.met.stored.issue.state == "closed") == facts.closed

    async def _ask(self) -> IssueFacts | None:
        """Ask about the issue and, for an order that is late, about the thread's forecasts."""
        now, stored = self.clock.now(), self.met.stored
        facts = await self.oracle.issue_facts(stored)
        if now - self.visit.issued_at > LATE_SECONDS:
            again = await news.ask_again(self.db, self.oracle, stored.issue.id, self.clock)
            facts = facts if again else None
        self.at = now
        return facts

    async def _told(self, tx: Tx, facts: IssueFacts | None) -> None:
        """Take GitHub's answer, which must say all that matters. Raises NoAnswer."""
        if self.visit.seen is None:
            await self._find_again(tx)
        self.seen = None if facts is None else self._with(facts)
        if facts is not None:
            self.heard.keep(self.met.stored.issue.id, self.at, facts)
        if self.seen is not None:
            await issue_checks.note_news(tx, self.met.stored, self.seen.facts, self.clock.now())
        elif not self.gives_up():
            raise NoAnswer

    async def _find_again(self, tx: Tx) -> None:
        """Read the issue as GitHub's answer has left it: its labels and its author come from there."""
        found = await places.place(tx, self.met.stored.issue.id)
        if found is not None:
            self.met = Met(found, found)

    def _recall(self) -> None:
        """Use GitHub's last answer: other orders were given here a moment ago."""
        heard = self.heard.of(self.met.stored.issue.id)
        if heard is not None:
            self.at, facts = heard
            self.seen = self._with(facts)

    def _with(self, facts: IssueFacts) -> Seen | None:
        """The issue as the door showed it, with newer facts; labels and author as stored if it showed nothing."""
        if self.visit.seen is not None:
            return replace(self.visit.seen, facts=facts)
        issue = self.met.stored.issue
        if issue.labels is None or issue.author_id is None:
            return None  # who made it and whether it may be traded was never told: then nothing is safe
        return Seen(facts, self.labels, issue.author_id)

    async def _open_beside(self, tx: Tx) -> None:
        """Open the account in the same transaction, where that will do.

        Not after a close, which may have locked people: they are locked once in a transaction. Nor before the
        repository's rules are known: what they say of grants must be asked first.
        """
        closed = self.seen is None or self.seen.facts.closed or self.seen.facts.gone is not None
        if self.opened is None and not closed and await self.configs.known(tx, self.place.repository):
            self.opened = await self._open(tx)

    async def _open(self, tx: Tx) -> Opened:
        now, visit = self.clock.now(), self.visit
        config = await self.configs.config(tx, self.place.repository)
        why_not = config.why_not(self.labels, code)
        granted = config if why_not is None else replace(config, welcome_grant_mills=0)
        await accounts.open_account(tx, visit.opening(self.place), granted, now)
        asks_age = await limits.asks_for_age(tx, config, visit.user_id)
        return Opened(why_not, asks_age, await standing.remembered(tx, self.who, config.insiders, now))

    async def _learn_age(self) -> None:
        """GitHub tells once how old an account is; where it does not, trading is refused. Raises NoAnswer."""
        made_at = await self.oracle.account_made_at(self.place, self.visit.user_id, self.visit.login)
        if made_at is None and not self.gives_up():
            raise NoAnswer
        if made_at not in (None, limits.NOT_TOLD):
            async with self.db.transaction() as tx:
                await limits.note_age(tx, self.visit.user_id, made_at)
