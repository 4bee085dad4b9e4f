"""The one gate: whatever anybody wants done goes through it, and it alone makes the context in which it is done.

Comments, pages, API and bots hand in orders and get receipts. Before an order runs the gate knows how the issue stands,
that its news is fresh, that it may be traded, who gives it and what they may do; each key runs once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from app.base.clock import Clock, ClockDoubted
from app.language.escape import code
from app.language.requests import Request
from app.market.terms.errors import Refusal
from app.services.life import issue_checks
from app.services.life.asking import NoNews, with_news
from app.services.orders import refusals
from app.services.orders.context import Context
from app.services.orders.deadline import Oracle, patient
from app.services.orders.guards import Guards, Heard, MeetRules
from app.services.orders.most import MOST_ORDERS
from app.services.orders.order import KeyTaken, NoAnswer, Order, Receipt, Seen
from app.services.orders.standing import Standing
from app.services.rules.config import ConfigSource
from app.services.uses import table
from app.services.uses.use_case import Unread
from app.storage.engine.db import Database, DatabaseBusy, Tx
from app.storage.queues import commands
from app.storage.queues.commands import CommandRecord

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Gate:
    """Carries out orders against one database."""

    db: Database
    oracle: Oracle
    clock: Clock
    configs: ConfigSource
    meet_rules: MeetRules
    heard: Heard = field(default_factory=Heard)

    async def execute(self, order: Order) -> Receipt:
        """Carry out one order. With a key that was used already its receipt comes back, and nothing changes.

        Raises NoAnswer while it is worth asking GitHub again, KeyTaken, and what databases and clocks run into.
        """
        return (await self.execute_all([order]))[0]

    async def execute_all(self, orders: Sequence[Order]) -> list[Receipt]:
        """Carry out the orders of one visit, one after the other, each in a transaction of its own.

        Where trading is off one of them is refused for all that trade. Safe to run again after a crash at any point.
        Raises what `execute` does.
        """
        if len(orders) > MOST_ORDERS:
            raise ValueError(f"a visit has at most {MOST_ORDERS} orders")
        guards = await self._enter(orders)
        if all(order.key.key in guards.found for order in orders):
            return [_receipt(guards.found[order.key.key]) for order in orders]
        opened = await guards.ready(self.meet_rules)
        wanted = orders if opened.why_not is None else _told_once(orders)
        await guards.ask_about_user(opened, any(table.needs_rights(order.request) for order in wanted))
        return [await self._execute(order, guards) for order in wanted]

    async def _enter(self, orders: Sequence[Order]) -> Guards:
        """Meet the place, find the receipts there are and open the account, in one transaction if that will do."""
        visit = orders[0].visit
        async with self.db.transaction() as tx:
            met = await visit.meet(tx)
            parts = self.db, patient(self.oracle), self.clock, self.configs, self.heard
            guards = Guards(*parts, visit, met, visit.seen, visit.issued_at)
            guards.found = await commands.known(tx, orders[0].key.channel, [order.key.key for order in orders])
            _check_keys(orders, guards.found)
            if len(guards.found) < len(orders):
                await guards.enter(tx)
        return guards

    async def _execute(self, order: Order, guards: Guards) -> Receipt:
        known = guards.found.get(order.key.key)
        if known is not None:
            return _receipt(known)
        try:
            if guards.standing is None:
                raise refusals.rights_not_told()
            return await self._try(order, guards, guards.standing)
        except Refusal as refusal:
            return await self._record(order, guards, order.visit.voice.refused(refusal))
        except (DatabaseBusy, NoAnswer, KeyTaken, ClockDoubted):
            raise
        except Exception:
            log.exception("command failed", key=order.key.key)
            return await self._record(order, guards, order.visit.voice.broken())

    async def _try(self, order: Order, guards: Guards, standing: Standing) -> Receipt:
        """Raises a Refusal, or NoAnswer."""
        request = await self._prepared(order, guards)

        async def attempt(asked: frozenset[int]) -> Receipt:
            seen = await guards.fresh()
            if seen is None:
                raise refusals.issue_not_told()
            return await self._do(order, request, guards, (seen, standing), asked)

        try:
            return await with_news(self.db, guards.oracle, self.clock, attempt)
        except NoNews:
            if not guards.gives_up():
                raise NoAnswer from None
            raise refusals.others_not_told() from None

    async def _do(
        self,
        order: Order,
        request: Request | Unread,
        guards: Guards,
        told: tuple[Seen, Standing],
        asked: frozenset[int],
    ) -> Receipt:
        """One order in one transaction. Raises StaleNews where GitHub must be asked about more contracts."""
        seen, standing = told
        async with self.db.transaction() as tx:
            number = await self._begin(tx, order, guards)
            if number is None:
                return await _given(tx, order)
            config = await self.configs.config(tx, guards.place.repository)
            why_not = config.why_not(seen.labels, code)
            if why_not is not None and not table.winds_up(request):
                raise Refusal(why_not)
            context = Context(
                place=guards.place,
                config=config,
                user_id=order.visit.user_id,
                cause=f"command:{number}",
                now=max(self.clock.now(), order.visit.issued_at),
                closed=await issue_checks.closed_to_trade(tx, guards.place, seen.facts),
                may_triage=standing.may_triage,
                insider=standing.insider,
                rejected=await issue_checks.rejected_as(tx, guards.place, seen.facts),
                asked=asked,
            )
            answer = order.visit.voice.done(await table.of(request).handle(tx, context, request))
            await commands.finish(tx, number, done=True, answer=answer)
        guards.noted()
        return Receipt(number, True, answer)

    async def _prepared(self, order: Order, guards: Guards) -> Request | Unread:
        """Ask GitHub all that the request needs, before the transaction. Raises NoAnswer while it is worth waiting."""
        prepare = table.of(order.request).prepare
        if prepare is None:
            return order.request
        found: Request | None = await prepare(guards.oracle, guards.place, order.request)
        if found is None:
            if not guards.gives_up():
                raise NoAnswer
            raise refusals.subject_not_told()
        return found

    async def _record(self, order: Order, guards: Guards, answer: str) -> Receipt:
        async with self.db.transaction() as tx:
            number = await self._begin(tx, order, guards)
            if number is None:
                return await _given(tx, order)
            await commands.finish(tx, number, done=False, answer=answer)
        guards.noted()
        return Receipt(number, False, answer)

    async def _begin(self, tx: Tx, order: Order, guards: Guards) -> int | None:
        """The receipt's number under which an order runs; None if it has run."""
        who, issue = order.visit.user_id, guards.place.issue
        number = await commands.begin(tx, order.key, user_id=who, issue_id=issue.id, at=self.clock.now())
        if number is not None:
            await guards.note_standing(tx)
        return number


def _told_once(orders: Sequence[Order]) -> list[Order]:
    """Give one refusal for a whole visit where trading is off."""
    dropped = {order.key for order in [order for order in orders if not table.winds_up(order.request)][1:]}
    return [order for order in orders if order.key not in dropped]


async def _given(tx: Tx, order: Order) -> Receipt:
    """The receipt that another has stored meanwhile for the same key."""
    found = await commands.known(tx, order.key.channel, [order.key.key])
    _check_keys([order], found)
    return _receipt(found[order.key.key])


def _check_keys(orders: Sequence[Order], found: dict[str, CommandRecord]) -> None:
    """Raises KeyTaken: a receipt is shown to nobody else, and stands for nothing else."""
    for order in orders:
        record = found.get(order.key.key)
        if record is not None and (record.user_id, record.text) != (order.visit.user_id, order.key.text):
            raise KeyTaken(order.key.key)


def _receipt(record: CommandRecord) -> Receipt:
    return Receipt(record.id, record.done, record.answer)
