"""The gate: each key runs once, no news is old, nothing is assumed of who gives an order or of where."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass, replace
from typing import Any, get_args

import pytest

from app.language.requests import BalanceRequest, CancelRequest, OfferRequest, Request
from app.market.exchange.offer import Action
from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.services.accounts.accounts import balance
from app.services.orders.context import Context
from app.services.orders.gate import Gate
from app.services.orders.guards import GIVE_UP_SECONDS, LATE_SECONDS
from app.services.orders.most import MOST_ORDERS
from app.services.orders.order import KeyTaken, NoAnswer, Order, Receipt, Seen, Visit, at_known
from app.services.rules.config import Config, SameEverywhere
from app.services.rules.context import CommandContext
from app.services.rules.in_force import Found, StoredConfigs, remember
from app.services.uses.results import Result, TakenBack, Trade
from app.services.uses.table import USE_CASES
from app.services.uses.use_case import Unread
from app.storage.people import places
from app.storage.people.places import Repository
from app.storage.queues.commands import ReceiptKey
from tests.runners import no_rules
from tests.services.desk import BY, ISSUE, OWNER, Desk
from tests.services.lives import IS_OPEN, closed

USER, AUTHOR, OTHER = 1, 9, 2


class Plain:
    """A door that names what came of an order."""

    def done(self, result: Result) -> str:
        return type(result).__name__

    def refused(self, refusal: Refusal) -> str:
        return f"refused: {refusal.sentence}"

    def broken(self) -> str:
        return "broken"


def offer(price: int = 300, volume: int = 10) -> OfferRequest:
    return OfferRequest(Action.BUY, Side.FIXED, volume, None, price, None, None, BY, None, False)


@dataclass
class Counter:
    """Somebody's visits at the gate; `seen` None: the door has no news of its own."""

    desk: Desk
    gate: Gate
    seen: Seen | None = None
    user: int = USER
    age_seconds: int = 0
    heard_seconds_ago: int = 0

    def order(self, request: Request | Unread, key: str = "1", text: str = "") -> Order:
        now = self.desk.clock.now()
        visit = Visit(
            user_id=self.user,
            login=f"user{self.user}",
            cause=f"api:{self.user}",
            issued_at=now - self.age_seconds,
            received_at=now - self.heard_seconds_ago,
            seen=self.seen,
            meet=at_known(ISSUE),
            voice=Plain(),
        )
        return Order(visit, request, ReceiptKey("api", key, text or str(request)))

    async def give(self, request: Request | Unread, key: str = "1", text: str = "") -> Receipt:
        return await self.gate.execute(self.order(request, key, text))


async def told(desk: Desk, **issue: Any) -> None:
    """GitHub's answer about the issue, as it is stored."""
    async with desk.db.transaction() as tx:
        known = await places.place(tx, ISSUE)
        assert known
        await places.save_issue(tx, replace(known.issue, **issue))


def gate_of(desk: Desk, **config: Any) -> Gate:
    return Gate(desk.db, desk.oracle, desk.clock, SameEverywhere(Config(**config)), no_rules)


@pytest.fixture
async def counter(desk: Desk) -> Counter:
    await told(desk, labels='["bug"]', author_id=AUTHOR)
    desk.oracle.facts = IS_OPEN
    desk.audited = False
    return Counter(desk, gate_of(desk))


async def test_an_order_gets_a_receipt(counter: Counter) -> None:
    receipt = await counter.give(offer())
    assert (receipt.done, receipt.answer) == (True, Trade.__name__)
    assert len((await counter.desk.dump())["offers"]) == 1


async def test_a_key_runs_once_and_brings_its_receipt_again(counter: Counter) -> None:
    first = await counter.give(offer())
    before, asked = await counter.desk.dump(), counter.desk.oracle.asked
    counter.desk.clock.advance(LATE_SECONDS + 1)
    counter.desk.oracle.facts = None
    assert await counter.give(offer()) == first
    assert (await counter.desk.dump(), counter.desk.oracle.asked) == (before, asked)


async def test_of_two_at_once_with_one_key_one_runs(counter: Counter) -> None:
    receipts = await asyncio.gather(*(counter.give(offer()) for _ in range(4)))
    assert len(set(receipts)) == 1
    assert len((await counter.desk.dump())["offers"]) == 1


@pytest.mark.parametrize("request_", [CancelRequest(77), Unread(Refusal("Nobody knows that word."), False)])
async def test_a_refusal_has_a_receipt_too(counter: Counter, request_: Request | Unread) -> None:
    first = await counter.give(request_)
    assert not first.done and first.answer.startswith("refused: ")
    await counter.give(offer(), key="2")
    assert await counter.give(request_) == first


async def test_a_key_is_nobody_elses_and_stands_for_nothing_else(counter: Counter) -> None:
    await counter.give(offer(), text="offer fixed 10 at 0.30")
    before = await counter.desk.dump()
    with pytest.raises(KeyTaken):
        await replace(counter, user=OTHER).give(offer(), text="offer fixed 10 at 0.30")
    with pytest.raises(KeyTaken):
        await counter.give(offer(400), text="offer fixed 10 at 0.40")
    assert await counter.desk.dump() == before


async def test_channels_have_keys_of_their_own(counter: Counter) -> None:
    first = await counter.give(offer())
    order = counter.order(offer())
    other = await counter.gate.execute(replace(order, key=replace(order.key, channel="page")))
    assert other.number != first.number
    assert len((await counter.desk.dump())["offers"]) == 2


@pytest.mark.parametrize("age_seconds", [LATE_SECONDS, LATE_SECONDS + 1])
async def test_an_order_on_stale_news_asks_github_first(counter: Counter, age_seconds: int) -> None:
    counter.seen, counter.age_seconds = Seen(IS_OPEN, frozenset(), AUTHOR), age_seconds
    counter.desk.oracle.facts = closed(counter.desk.clock.now())
    receipt = await counter.give(offer())
    late = age_seconds > LATE_SECONDS
    assert (receipt.done, counter.desk.oracle.asked) == (not late, int(late))
    assert ("closed as completed" in receipt.answer) is late


async def test_a_door_without_news_has_github_asked_now_and_then(counter: Counter) -> None:
    for key, seconds, asked in (("1", 0, 1), ("2", LATE_SECONDS, 1), ("3", 1, 2)):
        counter.desk.clock.advance(seconds)
        await counter.give(offer(), key)
        assert counter.desk.oracle.asked == asked


async def test_what_github_said_a_moment_ago_counts_no_more_once_the_issue_is_known_to_be_closed(
    counter: Counter,
) -> None:
    await counter.give(offer())
    await told(counter.desk, state="closed", state_reason="completed", closed_at=counter.desk.clock.now())
    counter.desk.oracle.facts = closed(counter.desk.clock.now())
    receipt = await counter.give(offer(), "2")
    assert not receipt.done and "closed as completed" in receipt.answer


async def test_without_an_answer_an_order_waits_and_is_refused_after_an_hour(counter: Counter) -> None:
    counter.desk.oracle.facts = None
    before = await counter.desk.dump()
    with pytest.raises(NoAnswer):
        await counter.give(offer())
    assert await counter.desk.dump() == before
    counter.heard_seconds_ago = GIVE_UP_SECONDS
    receipt = await counter.give(offer())
    assert not receipt.done and "no answer about this issue" in receipt.answer


@pytest.mark.parametrize("missing", [{"labels": None}, {"author_id": None}])
async def test_an_issue_whose_labels_or_author_nobody_told_is_not_traded(desk: Desk, missing: dict[str, None]) -> None:
    await told(desk, **{"labels": "[]", "author_id": AUTHOR} | missing)
    desk.oracle.facts = IS_OPEN
    with pytest.raises(NoAnswer):
        await Counter(desk, gate_of(desk)).give(offer())


async def test_labels_that_keep_an_issue_out_refuse_an_order_but_no_cancellation(counter: Counter) -> None:
    await counter.give(offer())
    (number, *_), *_ = (await counter.desk.dump())["offers"]
    counter.gate = gate_of(counter.desk, deny_labels=frozenset({"bug"}))
    refused = await counter.give(offer(), "2")
    assert not refused.done and "labelled" in refused.answer
    assert (await counter.give(CancelRequest(number), "3")).answer == TakenBack.__name__


async def test_where_trading_is_off_a_visit_gets_one_refusal(counter: Counter) -> None:
    counter.gate = gate_of(counter.desk, enabled=False)
    first = counter.order(offer())
    others = [replace(first, key=replace(first.key, key=str(key))) for key in (2, 3)]
    given = await counter.gate.execute_all([first, *others])
    assert [receipt.done for receipt in given] == [False]


@pytest.mark.parametrize("user", [AUTHOR, USER])
async def test_the_stored_author_is_an_insider(counter: Counter, user: int) -> None:
    counter.gate, counter.user = gate_of(counter.desk, insiders="forbid"), user
    receipt = await counter.give(offer())
    assert receipt.done is (user != AUTHOR)
    assert ("terms forbid it" in receipt.answer) is (user == AUTHOR)


async def test_rules_are_read_before_a_repository_s_first_order(counter: Counter) -> None:
    """Nobody has commented there yet: what its file says holds all the same."""

    async def meet(repository: Repository) -> None:
        now = counter.desk.clock.now()
        async with counter.desk.db.transaction() as tx:
            await remember(tx, repository, Found("repository", "1", b"enabled: false"), now, now)

    desk = counter.desk
    counter.gate, counter.user = Gate(desk.db, desk.oracle, desk.clock, StoredConfigs(), meet), 6
    receipt = await counter.give(offer())
    assert not receipt.done and "switched off" in receipt.answer
    async with desk.db.reading() as tx:
        assert (await balance(tx, 6, OWNER)).free_mills == 0, "nor is anything granted there"


async def test_an_account_is_as_old_as_github_says(counter: Counter) -> None:
    counter.gate = gate_of(counter.desk, limits=replace(Config().limits, account_age_days=30))
    with pytest.raises(NoAnswer):
        await counter.give(offer())


async def test_a_first_order_opens_the_account(counter: Counter) -> None:
    counter.user = 5
    assert (await counter.give(offer())).done
    async with counter.desk.db.reading() as tx:
        assert await places.logins(tx, {5}) == {5: "user5"}


async def test_a_bug_is_answered_and_changes_nothing(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> Result:
        raise ZeroDivisionError

    await counter.give(BalanceRequest(), "0")
    before = await counter.desk.dump()
    monkeypatch.setitem(USE_CASES, OfferRequest, replace(USE_CASES[OfferRequest], handle=fails))
    receipt = await counter.give(offer())
    assert receipt == replace(receipt, done=False, answer="broken")
    assert await counter.desk.dump() == before


async def test_a_visit_has_a_most_of_orders(counter: Counter) -> None:
    first = counter.order(offer())
    with pytest.raises(ValueError, match="at most"):
        await counter.gate.execute_all([first] * (MOST_ORDERS + 1))


# -- nothing is assumed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Context, Visit, Seen], ids=lambda kind: kind.__name__)
def test_no_fact_has_a_default(kind: type[Any]) -> None:
    """A door that forgets one does not run."""
    for one in dataclasses.fields(kind):
        given = {other.name: None for other in dataclasses.fields(kind) if other is not one}
        with pytest.raises(TypeError, match=one.name):
            kind(**given)


def test_a_context_is_made_of_nothing_else() -> None:
    with pytest.raises(TypeError):
        CommandContext()  # type: ignore[misc]  # what mypy refuses must fail when it runs, too


def test_every_request_has_its_use_case() -> None:
    assert set(USE_CASES) == {*get_args(Request), Unread}


async def test_nobody_meets_at_an_issue_that_is_not_known(counter: Counter) -> None:
    order = counter.order(offer())
    nowhere = replace(order, visit=replace(order.visit, meet=at_known(ISSUE + 1)))
    with pytest.raises(LookupError):
        await counter.gate.execute(nowhere)
