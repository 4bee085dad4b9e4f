"""Stories of attackers: any trades among any accounts, then a VOID. `python -m tests.market.attackers [STORIES [SEED]]`

Honest people only buy and hold. The others have several accounts each and do what they like: trades with themselves at
any price, pools, ranges, partial exits, offers that cut and cross. Whatever they do, an honest holder gets no less than
was paid in or half a token a unit, whichever is less, and all payouts are the escrow (docs/market.md §5).
`python -m tests.market.attackers again SEED` tells one story again.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.exchange.state import ContractState
from app.market.exchange.voiding import Stake, stakes_of
from app.market.terms.contract import Outcome, Side
from tests.market.drawing import NOW
from tests.market.invariants import check_void
from tests.market.twins import Twins, trading, twins

STORIES = 100_000
FIRST_SEED = 1
HONEST = (1, 2, 3)
ATTACKERS = (11, 12, 13, 14)
MATURATIONS = {3: NOW + 10_000, 5: NOW + 20_000}
EXTREMES = (1, 5, 200, 500, 800, 995, 999)


@dataclass
class Told:
    """What came of one story. `worst_bps`: the largest part of what was paid in that an honest holder lost."""

    seed: int
    trades: int = 0
    holders: int = 0
    short: int = 0
    worst_bps: int = 0
    failure: str = ""


@dataclass
class Story:
    chance: random.Random
    twins: Twins = field(init=False)
    sides: dict[int, Side] = field(init=False)

    def __post_init__(self) -> None:
        money = dict.fromkeys(HONEST, 2_000_000) | dict.fromkeys(ATTACKERS, 50_000_000)
        self.twins = twins(money, MATURATIONS, compared=False)
        self.sides = {user: self.chance.choice(list(Side)) for user in HONEST}

    def play(self) -> None:
        for _ in range(self.chance.randint(6, 28)):
            self.chance.choice(MOVES)(self)

    # Honest people

    def buys(self) -> None:
        """One side only, at a limit of one's own; what does not fill waits."""
        user = self.chance.choice(HONEST)
        price = self.chance.choice((200, 450, 600, 800, 900, self.chance.randint(1, 999)))
        new = NewOffer(Action.BUY, self.sides[user], self.volume, price, pool=self.chance.random() < 0.2)
        if self.chance.random() < 0.2:
            self.twins.place_range(user, new, list(MATURATIONS))
        else:
            self.twins.place(user, new, self.contract)

    # Attackers

    def takes(self) -> None:
        """What an honest offer gives."""
        contract = self.contract
        offers = [one for one in self.book(contract) if one.user in HONEST]
        if offers:
            offer = self.chance.choice(offers)
            volume = self.chance.choice((offer.remaining, max(1, offer.remaining // 2)))
            new = NewOffer(Action.BUY, offer.side.other, volume, 1000 - offer.price, now_or_never=True)
            self.twins.place(self.attacker, new, contract)

    def trades_with_oneself(self) -> None:
        contract, volume, price = self.contract, self.volume, self.price
        one, other = self.chance.sample(ATTACKERS, 2)
        self.twins.place(one, NewOffer(Action.BUY, Side.FIXED, volume, price), contract)
        self.twins.place(other, NewOffer(Action.BUY, Side.UNFIXED, volume, 1000 - price), contract)

    def sells_to_oneself(self) -> None:
        """All or a part of what an account holds goes to another, at any price."""
        contract = self.contract
        held = self.held(contract)
        if not held:
            return
        user, side, free = self.chance.choice(held)
        volume, price = self.chance.choice((free, free, self.chance.randint(1, free))), self.price
        buyer = self.chance.choice([one for one in ATTACKERS if one != user])
        self.twins.place(user, NewOffer(Action.SELL, side, volume, price), contract)
        self.twins.place(buyer, NewOffer(Action.BUY, side, volume, price), contract)

    def leaves(self) -> None:
        """Sells to whoever there is."""
        contract = self.contract
        held = self.held(contract)
        if held:
            user, side, free = self.chance.choice(held)
            volume = self.chance.randint(1, free)
            self.twins.place(user, NewOffer(Action.SELL, side, volume, self.price, now_or_never=True), contract)

    def offers(self) -> None:
        flags = self.chance.choice(({}, {}, {}, {"all_or_none": True}, {"post_only": True}, {"now_or_never": True}))
        side, pool = self.chance.choice(list(Side)), self.chance.random() < 0.25
        new = NewOffer(Action.BUY, side, self.volume, self.price, pool=pool, **flags)
        if self.chance.random() < 0.3:
            self.twins.place_range(self.attacker, new, list(MATURATIONS))
        else:
            self.twins.place(self.attacker, new, self.contract)

    def cancels(self) -> None:
        offers = [one for one in self.book(self.contract) if one.user in ATTACKERS]
        if offers:
            offer = self.chance.choice(offers)
            self.twins.cancel(offer.user, offer.number, self.chance.choice((0, offer.remaining // 2)))

    # Choices

    @property
    def contract(self) -> int:
        return self.chance.choice(trading(self.twins))

    @property
    def attacker(self) -> int:
        return self.chance.choice(ATTACKERS)

    @property
    def volume(self) -> int:
        return self.chance.choice((5, 5, 7, 20, 100, 400, self.chance.randint(5, 1_000)))

    @property
    def price(self) -> int:
        return self.chance.choice((*EXTREMES, self.chance.randint(1, 999)))

    def state(self, contract: int) -> ContractState:
        return self.twins.venue.market.contracts[contract]

    def book(self, contract: int) -> list[Offer]:
        return list(self.state(contract).book.offers.values())

    def held(self, contract: int) -> list[tuple[int, Side, int]]:
        """(attacker, side, free units)"""
        state = self.state(contract)
        every = [(user, side, state.free_units(user, side)) for user in ATTACKERS for side in Side]
        return [found for found in every if found[2]]


MOVES: tuple[Callable[[Story], None], ...] = (
    *[Story.buys] * 4,
    *[Story.takes] * 4,
    *[Story.trades_with_oneself] * 2,
    *[Story.sells_to_oneself] * 4,
    *[Story.leaves] * 2,
    *[Story.offers] * 2,
    Story.cancels,
)


def tell(seed: int) -> Told:
    """One story to its end. A failure is told, not raised: it has to leave the process."""
    told = Told(seed)
    story = Story(random.Random(seed))
    try:
        story.play()
        for contract in MATURATIONS:
            _void(story, contract, told)
    except Exception as wrong:
        told.failure = f"seed {seed}: {type(wrong).__name__}: {wrong}"
    told.trades = len(story.twins.venue.fills)
    return told


def _void(story: Story, contract: int, told: Told) -> None:
    state = story.state(contract)
    stakes = stakes_of(state)
    assert sum(state.net_paid.values()) == state.escrow_mills
    cost = {user: state.position(user, story.sides[user]).cost_mills for user in HONEST}
    _, payouts = story.twins.venue.settle(Outcome.VOID, None, contract)
    check_void(stakes, payouts)
    paid = {payout.user: payout.paid_mills for payout in payouts}
    for user in HONEST:
        _judge(stakes.get(user, Stake()), cost[user], paid.get(user, 0), told)


def _judge(stake: Stake, cost_mills: int, paid_mills: int, told: Told) -> None:
    """Whoever only bought has paid in what the units cost."""
    assert stake.net_paid_mills == cost_mills, (stake, cost_mills)
    units = stake.fixed + stake.unfixed
    least = min(cost_mills, 500 * units)
    assert paid_mills >= least, f"{units} units for {cost_mills} got {paid_mills}"
    told.holders += bool(units)
    told.short += paid_mills < cost_mills
    if paid_mills < cost_mills:
        told.worst_bps = max(told.worst_bps, 10_000 * (cost_mills - paid_mills) // cost_mills)


def play(stories: int, first_seed: int) -> Iterable[Told]:
    with ProcessPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool:
        yield from pool.map(tell, range(first_seed, first_seed + stories), chunksize=100)


def run(stories: int, first_seed: int) -> int:
    started, total, failures = time.monotonic(), Told(0), 0
    for told in play(stories, first_seed):
        for name in ("trades", "holders", "short"):
            setattr(total, name, getattr(total, name) + getattr(told, name))
        total.worst_bps = max(total.worst_bps, told.worst_bps)
        if told.failure:
            failures += 1
            print(told.failure, file=sys.stderr)
    worst = f"{total.worst_bps // 100}.{total.worst_bps % 100:02} %"
    print(
        f"attackers: {stories:,} stories, {total.trades:,} fills, {total.holders:,} honest holders when it was void, "
        f"{total.short:,} of them got less than they had paid, the worst by {worst}; "
        f"{failures} got less than half a token a unit as well; {time.monotonic() - started:.0f} s"
    )
    return 1 if failures else 0


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["again"]:
        told = tell(int(arguments[1]))
        print(told.failure or told)
        return 1 if told.failure else 0
    numbers = [int(argument) for argument in arguments]
    return run(*(numbers + [STORIES, FIRST_SEED][len(numbers) :]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
