"""The worker: deals with deliveries, sends what waits, looks at contracts when their time comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from app.base.clock import Clock, ClockDoubted
from app.github.api.clean import clean
from app.github.api.errors import GitHubError
from app.github.inbound.events import Events
from app.github.outbound.sender import Sender
from app.run.watch import Watch
from app.services.audit.sealing import Sealing
from app.services.life import issue_checks
from app.services.life.asking import NoNews, with_news
from app.services.life.backoff import Pauses
from app.services.life.issue_checks import Oracle
from app.services.orders.order import NoAnswer
from app.services.trading import automatic_trades
from app.services.upkeep.heart import Heart
from app.storage.engine.db import Database, DatabaseBusy, Tx
from app.storage.market import books, contracts, pools
from app.storage.queues import inbox
from app.storage.queues.inbox import Delivery
from app.storage.queues.outbox import Message

log = structlog.get_logger()

TIMER_SECONDS = 0.5
METER_SECONDS = 5
"""Interval of writing down what was asked of GitHub, while nothing is sent."""

PARALLEL = 4
FollowUp = Callable[[Tx, frozenset[int]], Awaitable[bool]]
"""An automatic trade, given the contracts about which GitHub was asked. Returns True if it happened."""

T = TypeVar("T")

LEASE_SECONDS = 60
"""Longer than any one delivery or message takes; what a dead worker held is taken over after it."""

DEALING_SECONDS = 45
"""Less than the lease: whoever takes a delivery over finds nobody still dealing with it. What is done stays done."""

MOST_ATTEMPTS = 20
"""Attempts when GitHub or the database may come back: some nine hours."""

BUG_ATTEMPTS = 9
"""Attempts for a bug of ours: some eight minutes, with the rest of the lane waiting behind."""

PASSING = GitHubError, DatabaseBusy, TimeoutError
BATCH = 50


async def _guarded(work: Awaitable[T]) -> T | None:
    """A failure is logged and never ends a loop; what failed is claimed again when its lease is over."""
    try:
        return await work
    except (DatabaseBusy, TimeoutError) as error:  # a heartbeat gives up sooner than the database does
        log.warning("database busy", why=str(error) or "no answer in time")
    except Exception:
        log.exception("worker failed")
    return None


async def _waited(event: asyncio.Event, seconds: float | None) -> None:
    """Until it is set, or for so long; None: for as long as it takes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _always() -> bool:
    return True


def _alone() -> bool:
    return True


@dataclass(slots=True)
class Worker:
    """`clock_holds`: whether our clock can be believed; while it cannot nothing goes on. `heart` tells that we run.

    `chores` are each worker's own; `shared` ones are done by the one that `leads`. `bells` ring when another process
    has brought something. `timer_seconds`: real ones between two rounds of a chore.
    """

    db: Database
    clock: Clock
    events: Events
    sender: Sender
    oracle: Oracle
    chores: Sequence[Callable[[], Awaitable[bool]]] = ()
    clock_holds: Callable[[], Awaitable[bool]] = _always
    heart: Heart | None = None
    timer_seconds: float = TIMER_SECONDS
    shared: Sequence[Callable[[], Awaitable[bool]]] = ()
    leads: Callable[[], bool] = _alone
    bells: Sequence[Callable[[asyncio.Event], Coroutine[None, None, None]]] = ()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _may_deal: asyncio.Event = field(default_factory=asyncio.Event)
    _may_send: asyncio.Event = field(default_factory=asyncio.Event)
    _is_due: asyncio.Event = field(default_factory=asyncio.Event)
    _dealing: set[int] = field(default_factory=set)
    _sending: set[int] = field(default_factory=set)
    _unanswered: Pauses = field(default_factory=Pauses)  # contracts
    _unfit: Pauses = field(default_factory=Pauses)  # suspended offers
    _doubted: bool = False
    _steps: int = 0
    sealing: Sealing = field(init=False)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.sealing, self.watch = Sealing(self.db, self.clock), Watch(self.db, self.clock)

    @property
    def busy(self) -> bool:
        """Tell if something is claimed, dealt with, sent or begun by the clock, or about to be."""
        woken = self._may_deal.is_set() or self._may_send.is_set() or self._is_due.is_set()
        return bool(self._dealing or self._sending or self._steps or woken or self.watch.clock_moved())

    async def run(self) -> None:
        """Until `stopping` is set; what is under way is finished."""
        async with asyncio.TaskGroup() as group:
            ringing = [group.create_task(bell(self.watch.rung)) for bell in self.bells]
            group.create_task(self._pump(self._claim_delivery, self._deal_with, self._may_deal))
            group.create_task(self._pump(self._claim_message, self._send, self._may_send, METER_SECONDS))
            group.create_task(self._keep_time_when_due())
            for chore in self.chores:
                group.create_task(self._repeat(chore))
            for chore in (self.seal, *self.shared):
                group.create_task(self._repeat(chore, self.leads))
            await self._look_out()
            for task in ringing:
                task.cancel()

    async def _look_out(self) -> None:
        """Wake the parts for which something waits."""
        while not self.stopping.is_set():
            found = await _guarded(self.watch.signs())
            if found is None:
                continue
            for event, sign in (
                (self._may_deal, found.deliveries),
                (self._may_send, found.messages),
                (self._is_due, found.due),
            ):
                if sign:
                    event.set()
            self.sealing.note(found.newest_entry)
        for event in (self._may_deal, self._may_send, self._is_due):
            event.set()

    async def _keep_time_when_due(self) -> None:
        while not self.stopping.is_set():
            with self._step():
                self._is_due.clear()
                more = await _guarded(self._ready()) and await _guarded(self.keep_time())
            if more:
                self._may_send.set()
            else:
                await _waited(self._is_due, None)

    async def _pump(
        self,
        claim: Callable[[], Awaitable[T | None]],
        work: Callable[[T], Awaitable[None]],
        more: asyncio.Event,
        at_least_seconds: float | None = None,
    ) -> None:
        """Claim items one by one and work on several at once; the end of one may let the next of its lane go.

        `more` is set where there may be something to claim; it is tried `at_least_seconds` later without that.
        """
        slots = asyncio.Semaphore(PARALLEL)

        async def work_and_free(item: T) -> None:
            try:
                await _guarded(work(item))
            finally:
                slots.release()
                more.set()

        async with asyncio.TaskGroup() as group:
            while not self.stopping.is_set():
                await slots.acquire()
                more.clear()
                with self._step():
                    item = await _guarded(claim())
                if item is None:
                    slots.release()
                    await _waited(more, at_least_seconds)
                else:
                    group.create_task(work_and_free(item))

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        self._steps += 1
        try:
            yield
        finally:
            self._steps -= 1

    async def _repeat(self, work: Callable[[], Awaitable[bool]], mine: Callable[[], bool] = _alone) -> None:
        """Work as long as there is some and it is ours to do, else wait a little."""
        while not self.stopping.is_set():
            if mine() and await _guarded(self._ready()) and await _guarded(work()):
                self._may_send.set()
            else:
                await _waited(self.stopping, self.timer_seconds)

    async def _ready(self) -> bool:
        """Tell if work may go on: our clock can be believed, and our running is recorded."""
        if not await self.clock_holds():
            self._doubted = True
            return False
        if self._doubted:
            async with self.db.transaction() as tx:
                await inbox.set_right(tx, self.clock.now())
            self._doubted = False
        if self.heart is not None:
            await self.heart.beat()
        return True

    async def _claim_delivery(self) -> Delivery | None:
        """None too for a delivery that is under way here: a clock that jumps ends leases early."""
        if not await self._ready():
            return None
        async with self.db.transaction() as tx:
            delivery = await inbox.claim(tx, self.clock.now(), LEASE_SECONDS)
        if delivery is None or delivery.id in self._dealing:
            return None
        self._dealing.add(delivery.id)
        return delivery

    async def _deal_with(self, delivery: Delivery) -> None:
        try:
            with structlog.contextvars.bound_contextvars(delivery=delivery.guid):
                await self._deal(delivery)
        finally:
            self._dealing.discard(delivery.id)
            self._may_send.set()

    async def _deal(self, delivery: Delivery) -> None:
        if delivery.attempts > MOST_ATTEMPTS:
            await self._postpone(delivery, "whoever dealt with it never came back")
            return
        try:
            async with asyncio.timeout(DEALING_SECONDS):
                await self.events.deal_with(delivery)
        except ClockDoubted:
            await self._postpone(delivery, "our clock disagrees with GitHub's", now=delivery.received_at)
        except NoAnswer:
            await self._postpone(delivery, "GitHub gave no answer about the issue")
        except Exception as error:
            log.exception("delivery failed", attempts=delivery.attempts)
            await self._postpone(delivery, repr(error), MOST_ATTEMPTS if isinstance(error, PASSING) else BUG_ATTEMPTS)
        else:
            async with self.db.transaction() as tx:
                await inbox.finish(tx, delivery)

    async def _postpone(
        self, delivery: Delivery, why: str, most_attempts: int = MOST_ATTEMPTS, now: int | None = None
    ) -> None:
        wait = min(2**delivery.attempts, inbox.LONGEST_WAIT_SECONDS)
        dead = delivery.attempts >= most_attempts
        if dead:
            log.error("delivery given up", attempts=delivery.attempts, why=why)
        async with self.db.transaction() as tx:
            due_at = (self.clock.now() if now is None else now) + wait
            await inbox.postpone(tx, delivery, due_at, clean(why), dead)

    async def _claim_message(self) -> Message | None:
        """None too for a message that is under way here: a clock that jumps ends leases early."""
        if not await self._ready():
            return None
        message = await self.sender.claim(LEASE_SECONDS)
        if message is None or message.id in self._sending:
            return None
        self._sending.add(message.id)
        return message

    async def _send(self, message: Message) -> None:
        try:
            await self.sender.send(message)
        finally:
            self._sending.discard(message.id)

    async def keep_time(self) -> bool:
        """Let offers expire and look at contracts whose time has come; one that fails stops no other.

        Returns whether there was something, and all of it went well: then there may be more at once.
        """
        with self._step():
            return await self._keep_time()

    async def _keep_time(self) -> bool:
        now = self.clock.now()
        quiet = self._unanswered.going(now)
        async with self.db.reading() as tx:
            due = await contracts.due(tx, now, BATCH)
            ending = await books.with_due_offers(tx, now, BATCH, but=quiet)
            to_retry = await contracts.with_retry_due(tx, BATCH, but=quiet)
            suspended = await pools.with_suspended(tx, BATCH, but=self._unfit.going(now))
        done = [await _guarded(self._expire(contract_id)) for contract_id in ending]
        done += [await _guarded(self._look(row.id)) for row in due]
        done += [await _guarded(self._retry(contract_id)) for contract_id in to_retry]
        done += [await _guarded(self._resume(number, contract_id)) for number, contract_id in suspended]
        return bool(done) and all(done)

    # What follows may come late in a long round, and GitHub takes its time: each reads the clock again after it has
    # asked, so that nothing fills after maturation and what ended meanwhile expires first.

    async def _look(self, contract_id: int) -> bool:
        await issue_checks.look_at(self.db, self.oracle, contract_id, self.clock)
        return True

    async def _expire(self, contract_id: int) -> bool:
        """Expire due offers; ask GitHub first if that brings a fill, because an all-or-none offer waits for it."""

        async def work(tx: Tx, asked: frozenset[int]) -> bool:
            await automatic_trades.expire_due(tx, contract_id, self.clock.now(), asked)
            return True

        return await self._with_news(contract_id, work)

    async def _retry(self, contract_id: int) -> bool:
        async def work(tx: Tx, asked: frozenset[int]) -> bool:
            await automatic_trades.retry_contract(tx, contract_id, self.clock.now(), asked)
            return True

        if not await issue_checks.ask(self.db, self.oracle, contract_id, self.clock):
            self._unanswered.begin(contract_id, self.clock.now())
            return False
        return await self._with_news(contract_id, work, frozenset({contract_id}))

    async def _resume(self, number: int, contract_id: int) -> bool:
        """An offer that does not come back now is left alone for a while."""

        async def work(tx: Tx, asked: frozenset[int]) -> bool:
            return await automatic_trades.resume_suspended(tx, number, contract_id, self.clock.now(), asked)

        back = await issue_checks.ask(self.db, self.oracle, contract_id, self.clock)
        back = back and await self._with_news(contract_id, work, frozenset({contract_id}))
        if not back:
            self._unfit.begin(number, self.clock.now())
        return back

    async def _with_news(self, contract_id: int, work: FollowUp, asked: frozenset[int] = frozenset()) -> bool:
        """In one transaction, before which GitHub is asked about more contracts if need be. Unanswered it waits."""

        async def attempt(known: frozenset[int]) -> bool:
            async with self.db.transaction() as tx:
                return await work(tx, known)

        try:
            return await with_news(self.db, self.oracle, self.clock, attempt, asked)
        except NoNews:
            self._unanswered.begin(contract_id, self.clock.now())
            return False

    async def seal(self) -> bool:
        """Close the entries that came since with a seal."""
        return await self.sealing.run()
