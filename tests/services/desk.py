"""A trading desk for tests: users in one thread or several give commands, each in a transaction of its own.

After each command the whole database is audited, so that no test has to ask for it; each contract's version has risen
if there is something else to load, and what is remembered is what is stored.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
from sqlalchemy import Table, select, update

from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.ledger.journal import Kind
from app.market.life.facts import IssueFacts
from app.market.life.forecast_memory import Known
from app.market.life.next_step import NO_ANSWER_DAYS
from app.market.terms.contract import Side, Terms
from app.market.terms.errors import Refusal
from app.market.terms.milestone import KnownMilestone
from app.market.terms.pull import PullState
from app.market.terms.statement import AnyForecast
from app.services.accounts import accounts
from app.services.audit.audit import Report, audit
from app.services.life import issue_checks, notices
from app.services.orders.context import Context
from app.services.rules.config import Config, play_currency
from app.services.trading import automatic_trades, offers
from app.services.trading.locked_market import EVERYWHERE
from app.services.trading.offers import Traded
from app.storage.engine import tables
from app.storage.engine.db import Database, Tx
from app.storage.market import books, contracts, journal
from app.storage.market.contracts import ContractRow
from app.storage.people import places
from app.storage.people.places import Installation, Issue, Place, Repository
from app.storage.queues import outbox
from tests.clocks import START_AT, FakeClock
from tests.contexts import context_of
from tests.remembered import Versions

INSTALLATION, OWNER, REPOSITORY = 31, 7, 41
CURRENCY = play_currency(OWNER)
ISSUE = 101
DAY = 86_400
BY = START_AT + 30 * DAY
GRANT_MILLS = Config().welcome_grant_mills
T = TypeVar("T")

MONEY: tuple[Table, ...] = (
    tables.contracts,
    tables.offers,
    tables.fills,
    tables.amendments,
    tables.positions,
    tables.net_paid,
    tables.balances,
    tables.entries,
    tables.postings,
    tables.outbox,
)
"""What a refused command must leave as it was."""

Dump = dict[str, list[tuple[Any, ...]]]
LINE = re.compile(r"(?P<action>buy|sell) (?P<side>fixed|unfixed) (?P<volume>\d+) at (?P<price>\d+)(?P<flags>( \w+)*)")
FLAGS = {
    "now": "now_or_never",
    "whole": "all_or_none",
    "post": "post_only",
    "pool": "pool",
    "leaves": "cancel_on_halt",
}


def new_offer(line: str, until_at: int | None = None) -> NewOffer:
    """`buy fixed 10 at 300`, with its conditions at the end: ` now` for now-or-never and so on (FLAGS)."""
    found = LINE.fullmatch(line)
    assert found, line
    side, action = Side(found["side"].upper()), Action(found["action"].upper())
    flags = {FLAGS[word]: True for word in found["flags"].split()}
    return NewOffer(action, side, int(found["volume"]), int(found["price"]), until_at, **flags)


def place_of(issue: int) -> Place:
    """An issue of the one repository; its number is its id."""
    return Place(
        Issue(issue, REPOSITORY, issue, f"Issue {issue}", "open", None, None),
        Repository(REPOSITORY, INSTALLATION, OWNER, "octo", "cat", False),
    )


class OldLaw(Config):
    """What contracts were made under before law 2: those keep law 1."""

    def terms(self, owner_id: int) -> Terms:
        return replace(super().terms(owner_id), law="1")


@dataclass
class FakeOracle:
    """GitHub's answer about any issue; None: it gives none."""

    facts: IssueFacts | None = None
    asked: int = 0

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        self.asked += 1
        return self.facts

    async def account_made_at(self, place: Place, user_id: int, login: str) -> int | None:
        return None

    async def holder_of(self, place: Place, login: str) -> int | None:
        return None

    async def may_triage(self, place: Place, user_id: int, login: str) -> bool | None:
        return False

    async def milestones(self, repository: Repository) -> list[KnownMilestone] | None:
        return []

    async def pull_request(self, repository: Repository, number: int) -> PullState | None:
        return PullState.ABSENT

    async def released(self, repository: Repository, tag: str) -> bool | None:
        return False

    async def forecast_facts(self, place: Place, forecast: AnyForecast, now: int, known: Known) -> IssueFacts | None:
        return await self.issue_facts(place)


@dataclass
class Desk:
    """Where commands are given. `audited`: whether the books are looked at after every one.

    `announces`: whether windows are announced as soon as a look has opened them.
    """

    db: Database
    clock: FakeClock
    config: Config = field(default_factory=Config)
    oracle: FakeOracle = field(default_factory=FakeOracle)
    audited: bool = True
    announces: bool = True
    commands: int = 0

    def __post_init__(self) -> None:
        self.versions = Versions(self.db)

    async def furnish(self, issues: tuple[int, ...] = (ISSUE,), users: int = 4) -> None:
        """Make places known and open accounts for users 1, 2, …"""
        async with self.db.transaction() as tx:
            await places.save_installation(tx, Installation(INSTALLATION, OWNER, "octo", "active", self.clock.now()))
            await places.save_repository(tx, place_of(ISSUE).repository)
            for issue in issues:
                await places.save_issue(tx, place_of(issue).issue)
            for user in range(1, users + 1):
                await self._open(tx, user, OWNER)

    async def open_account(self, user: int, owner: int = OWNER) -> None:
        async with self.db.transaction() as tx:
            await self._open(tx, user, owner)

    async def _open(self, tx: Tx, user: int, owner: int) -> None:
        opening = accounts.Opening(user, f"user{user}", owner, f"comment:{user}")
        await accounts.open_account(tx, opening, self.config, self.clock.now())

    def context(self, user: int, issue: int = ISSUE, closed: bool = False, cause: str | None = None) -> Context:
        self.commands += 1
        return context_of(
            place_of(issue), self.config, user, cause or f"command:{self.commands}", self.clock.now(), closed=closed
        )

    async def run(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        async with self.db.transaction() as tx:
            result = await work(tx)
        if self.audited:
            await self.check()
        return result

    async def offer(
        self, user: int, line: str, by_at: int | None = BY, until_at: int | None = None, issue: int = ISSUE
    ) -> Traded:
        context, new = self.context(user, issue), new_offer(line, until_at)
        return await self.run(lambda tx: offers.offer(tx, context, new, by_at))

    async def sell(
        self,
        user: int,
        side: Side,
        volume: int | None = None,
        price: int | None = None,
        by_at: int | None = None,
        issue: int = ISSUE,
    ) -> Traded:
        context = self.context(user, issue)
        return await self.run(lambda tx: offers.sell(tx, context, side, volume, price, by_at=by_at))

    async def take(self, user: int, number: int, volume: int | None = None, issue: int = ISSUE) -> Traded:
        context = self.context(user, issue)
        return await self.run(lambda tx: offers.take(tx, context, number, volume))

    async def cancel(self, user: int, number: int | None = None, issue: int = ISSUE) -> list[Offer]:
        context = self.context(user, issue)
        return (await self.run(lambda tx: offers.cancel_offers(tx, context, number))).offers

    async def sweep(self, contract: int) -> bool:
        return await self.run(lambda tx: automatic_trades.expire_due(tx, contract, self.clock.now(), EVERYWHERE))

    async def note(self, facts: IssueFacts, issue: int = ISSUE) -> None:
        await self.run(lambda tx: issue_checks.note_news(tx, place_of(issue), facts, self.clock.now()))

    async def look(self, contract: int) -> ContractRow:
        await self._look(contract)
        if self.audited:
            await self.check()
        return await self.contract(contract)

    async def _look(self, contract: int) -> None:
        await issue_checks.look_at(self.db, self.oracle, contract, self.clock)
        await self.announce()

    async def announce(self) -> None:
        """GitHub takes every notice at once."""
        told = select(tables.outbox.c.body).where(tables.outbox.c.kind == "notice").order_by(tables.outbox.c.id)
        async with self.db.transaction() as tx:
            for text in (await tx.execute(told)).scalars() if self.announces else ():
                if "cause" in text:
                    await notices.note_announced(tx, text, self.clock.now())
            if self.announces:
                waits = tables.outbox.c.kind == "notice", tables.outbox.c.state == outbox.WAITING
                out = {"state": outbox.SENT, "remote_id": tables.outbox.c.id, "attempts": 1}
                await tx.execute(update(tables.outbox).where(*waits).values(out))

    async def unanswered(self, contract: int, days: int = NO_ANSWER_DAYS - 1) -> None:
        """GitHub is asked once on so many days, and the next has come. The last look shows what all have come to."""
        for _ in range(days - 1):
            self.clock.advance(DAY)
            await self._look(contract)
        self.clock.advance(DAY)
        await self.look(contract)
        self.clock.advance(DAY)

    async def check(self) -> Report:
        await self.versions.check()
        report = await audit(self.db)
        assert report.problems == []
        assert report.wrong == 0
        return report

    async def contract(self, number: int) -> ContractRow:
        async with self.db.reading() as tx:
            row = await contracts.get(tx, number)
        assert row is not None
        return row

    async def free(self, user: int) -> int:
        async with self.db.reading() as tx:
            return await journal.balance(tx, Kind.FREE, user, CURRENCY)

    async def reserve(self, user: int) -> int:
        async with self.db.reading() as tx:
            return await journal.balance(tx, Kind.RESERVE, user, CURRENCY)

    async def position(self, user: int, side: Side, issue: int = ISSUE) -> tuple[int, int, int]:
        """(free, reserved, cost) summed over the issue's contracts."""
        async with self.db.reading() as tx:
            rows = await books.positions_of(tx, user, issue)
        held = [position for _, of_side, position in rows if of_side is side]
        return sum(p.free for p in held), sum(p.reserved for p in held), sum(p.cost_mills for p in held)

    async def dump(self, which: tuple[Table, ...] = MONEY) -> Dump:
        found: Dump = {}
        async with self.db.reading() as tx:
            for table in which:
                rows = await tx.execute(select(table).order_by(*table.primary_key))
                found[table.name] = [tuple(row) for row in rows]
        return found

    async def journal(self) -> list[tuple[Any, ...]]:
        """Every entry without its id and its detail, with its postings, in the order of their keys."""
        found = await self.dump((tables.entries, tables.postings))
        lines: dict[int, list[tuple[Any, ...]]] = {}
        for entry_id, _, *posting in found["postings"]:
            lines.setdefault(entry_id, []).append(tuple(posting))
        return sorted((key, cause, at, sorted(lines.get(number, []))) for number, key, cause, at, _ in found["entries"])

    @asynccontextmanager
    async def refused(self, kind: type[Refusal] = Refusal, match: str | None = None) -> AsyncIterator[None]:
        """What happens inside is refused and leaves nothing behind."""
        before = await self.dump()
        with pytest.raises(kind, match=match) as caught:
            yield
        assert caught.value.sentence
        assert await self.dump() == before
        await self.check()
