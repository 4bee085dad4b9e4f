"""The matching core with all its ledger effects and two matching engines of PyPI, driven by the same commands.

What is counted, and what the others leave out, is told in docs/performance.md.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from typing import NamedTuple

from lightmatchingengine.lightmatchingengine import LightMatchingEngine
from pyclob import Account, Order, OrderBook
from pyclob import Side as ClobSide

from app.market.exchange.matching import cancel, place
from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.position import Purse
from app.market.exchange.state import ContractState, Market
from app.market.terms.contract import Side, Terms

OFFERS = 100_000
CONTRACTS = 4
USERS = 200
"""So few that the books fill up, so many that nobody meets the core's bounds: no command is refused."""

MONEY = 10**9
MATURATION_AT = 2 * 10**9
ROUNDS = 5

BUY, FIXED, UNFIXED = Action.BUY, Side.FIXED, Side.UNFIXED
CLOB_BUY, CLOB_SELL = ClobSide.BUY, ClobSide.SELL


class Command(NamedTuple):
    """An offer, and the earlier one that is then cancelled: its number and its user, (0, 0) for none.

    `price` is of FIXED in hundredths; a bid gains FIXED exposure, an ask gives it up.
    """

    contract: int
    bid: bool
    volume: int
    price: int
    user: int
    cancelled: int
    canceller: int


def rates() -> list[float]:
    """Offers a second of ours, pyclob and lightmatchingengine: of several rounds in turn the best of each."""
    script = rehearse()
    rounds = [[OFFERS / _seconds(engine, script) for engine in (ours, clob, light)] for _ in range(ROUNDS)]
    return [max(found) for found in zip(*rounds, strict=True)]


def _seconds(engine: Callable[[list[Command]], float], script: list[Command]) -> float:
    """Seconds of processor time, for the machine is shared; what others left behind is not collected meanwhile."""
    gc.collect()
    gc.freeze()
    seconds = engine(script)
    gc.unfreeze()
    return seconds


def _drawn() -> list[Command]:
    """100,000 offers over 99 prices, both sides at random."""
    chance = random.Random(1)
    return [
        Command(
            chance.randint(1, CONTRACTS),
            chance.random() < 0.5,
            chance.randint(5, 100),
            chance.randint(1, 99),
            chance.randint(1, USERS),
            0,
            0,
        )
        for _ in range(OFFERS)
    ]


def rehearse() -> list[Command]:
    """One offer in ten is followed by the cancelling of a random one that is then live in the core."""
    chance = random.Random(2)
    script, market = _drawn(), _market()
    for number, command in enumerate(script, 1):
        place(market, command.contract, _new(command), number=number, user=command.user, now=1)
        if chance.random() < 0.1:
            live = [offer for state in market.contracts.values() for offer in state.book.offers.values()]
            victim = chance.choice(live)
            cancel(market, victim.number, user=victim.user, now=1)
            script[number - 1] = command._replace(cancelled=victim.number, canceller=victim.user)
    return script


def _market() -> Market:
    market = Market()
    for number in range(1, CONTRACTS + 1):
        market.add(ContractState(number, Terms("play:1", 0, 0, "UNFIXED", "UNFIXED", "allow", "1"), MATURATION_AT))
    for user in range(1, USERS + 1):
        market.purses[user] = Purse(MONEY)
    return market


def _new(command: Command) -> NewOffer:
    return NewOffer(
        BUY,
        FIXED if command.bid else UNFIXED,
        command.volume,
        10 * (command.price if command.bid else 100 - command.price),
    )


def ours(script: list[Command]) -> float:
    """As a user of the core would: the wish is made inside the timing, its price turned round for an ask."""
    market = _market()
    started = time.process_time()
    for number, (contract, bid, volume, price, user, cancelled, canceller) in enumerate(script, 1):
        new = NewOffer(BUY, FIXED, volume, 10 * price) if bid else NewOffer(BUY, UNFIXED, volume, 1000 - 10 * price)
        place(market, contract, new, number=number, user=user, now=1)
        if cancelled:
            cancel(market, cancelled, user=canceller, now=1)
    seconds = time.process_time() - started
    money = sum(purse.free_mills + purse.reserve_mills for purse in market.purses.values())
    assert money + sum(state.escrow_mills for state in market.contracts.values()) == USERS * MONEY
    return seconds


def clob(script: list[Command]) -> float:
    """pyclob keeps reserves and positions; orders are made inside the timing, as its users must."""
    accounts = {str(user): Account(str(user), MONEY) for user in range(1, USERS + 1)}
    books = [OrderBook(str(contract)) for contract in range(CONTRACTS + 1)]
    named = [(command, str(command.user)) for command in script]
    orders: list[Order] = []
    started = time.process_time()
    for (contract, bid, volume, price, _, cancelled, _), account in named:
        order = Order(account_id=account, side=CLOB_BUY if bid else CLOB_SELL, price=price, qty=volume)
        orders.append(order)
        books[contract].place_order(order, accounts)
        if cancelled and (old := orders[cancelled - 1]).remaining_qty:
            books[script[cancelled - 1].contract].cancel_order(old.id, accounts)
    return time.process_time() - started


def light(script: list[Command]) -> float:
    """lightmatchingengine knows no users and no money: it only matches."""
    engine = LightMatchingEngine()
    orders = []
    started = time.process_time()
    for contract, bid, volume, price, _, cancelled, _ in script:
        order, _trades = engine.add_order(contract, price, volume, 1 if bid else 2)
        orders.append(order)
        if cancelled and (old := orders[cancelled - 1]).leaves_qty:
            engine.cancel_order(cancelled, old.instmt)
    return time.process_time() - started
