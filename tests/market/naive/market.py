"""The commands of the naive market. Each comes with its instant; a refused one has changed nothing."""

from __future__ import annotations

import copy
from dataclasses import replace

from tests.market.naive.settling import Settling
from tests.market.naive.things import (
    FEWEST_UNITS,
    FIXED,
    MOST_ALL_OR_NONE_OF_USER,
    MOST_CONTRACTS_OF_A_POOL,
    MOST_FILLS,
    MOST_OFFERS,
    MOST_OFFERS_OF_USER,
    Contract,
    Holding,
    Refused,
    Wanted,
    Wish,
)


class Market(Settling):
    # Offers come

    def place(self, contract: int, user: int, wanted: Wanted, number: int, now: int) -> None:
        self.place_range([contract], user, wanted, [number], now)

    def place_range(self, among: list[int], user: int, wanted: Wanted, numbers: list[int], now: int) -> None:
        """`among`: the contracts in the range, in any order; numbers go to them as equal prices do."""
        self.begin(now)
        contracts = sorted((self.contracts[number] for number in among), key=lambda contract: contract.maturation)
        last = contracts[-1]
        if wanted.side == FIXED:
            contracts.reverse()
        if not all(contract.trading(now) for contract in contracts):
            raise Refused("no trading")
        self.check_bounds(wanted, last, now)
        if len(among) > 1 and wanted.action == "SELL":
            raise Refused("a sale names one contract")
        parts = [self.part(contract, user, wanted, number) for contract, number in zip(contracts, numbers, strict=True)]
        self.let_in(parts, last.id)

    def part(self, contract: Contract, user: int, wanted: Wanted, number: int) -> Wish:
        until = contract.maturation if wanted.until is None else min(wanted.until, contract.maturation)
        wish = Wish(number, user, contract.id, wanted, wanted.volume, until, 0, wanted.volume, number)
        self.decide_sale(wish)
        return wish

    def decide_sale(self, wish: Wish) -> None:
        """Free units of the other side are sold, all else is bought; a sale is for free units only."""
        wish.sale, wish.bought = 0, wish.open
        wish.sale = min(wish.bought, self.holding(wish.contract, wish.user, wish.gives).free)
        wish.bought -= wish.sale
        if wish.wanted.action == "SELL" and wish.bought:
            raise Refused("too few free units")

    def check_bounds(self, wanted: Wanted, contract: Contract, now: int) -> None:
        if not 1 <= wanted.volume <= 10**9 or not 1 <= wanted.price <= 999:
            raise Refused("out of bounds")
        if wanted.until is not None and not now < wanted.until <= contract.maturation:
            raise Refused("until must be later than now and not later than maturation")
        if wanted.post_only and (wanted.all_or_none or wanted.instant):
            raise Refused("post-only goes neither with all-or-none nor with now-or-never")
        if wanted.pooled and wanted.action == "SELL":
            raise Refused("only buy offers have a pool")

    def let_in(self, parts: list[Wish], last: int) -> None:
        """Try it on a copy: what it would do decides whether it may."""
        user, wanted = parts[0].user, parts[0].wanted
        self.arriving = parts
        need = self.arriving_need() - (self.left[user] if wanted.pooled else 0)
        self.arriving = []
        if need > self.free[user]:
            raise Refused("the full reserve at the limit must be free on arrival")
        trial, copies = copy.deepcopy((self, parts))
        if home := trial.arrive(copies, last):
            if wanted.volume < FEWEST_UNITS:
                raise Refused("dust")
            if self.no_room(home, self.contracts[home.contract]):
                raise Refused("too many offers")
        trial.retry_all(copies)
        if wanted.post_only and trial.history.fills:
            raise Refused("post-only would fill")
        self.arrive(parts, last)
        self.remember(parts)
        self.retry_all(parts)

    def no_room(self, wish: Wish, contract: Contract) -> bool:
        """Bounds for what comes to rest."""
        live = contract.live()
        mine = [other for other in live if other.user == wish.user]
        pool = {other.contract for other in self.standing(wish.user, pooled=True)} | {contract.id}
        return (
            len(live) >= MOST_OFFERS
            or len(mine) >= MOST_OFFERS_OF_USER
            or (wish.wanted.pooled and len(pool) > MOST_CONTRACTS_OF_A_POOL)
            or (wish.wanted.all_or_none and self.no_place(wish, mine, contract))
        )

    def no_place(self, wish: Wish, mine: list[Wish], contract: Contract) -> bool:
        """All-or-none offers have few places, which go to the better prices."""
        if sum(other.wanted.all_or_none for other in mine) >= MOST_ALL_OR_NONE_OF_USER:
            return True
        return self.full(contract, wish) and self.loser(contract, wish) is None

    def retry_all(self, parts: list[Wish]) -> None:
        for part in parts:
            self.retry(part.contract)

    def remember(self, parts: list[Wish]) -> None:
        self.history.wishes |= {part.number: part for part in parts if part.volume}

    def resume_offer(self, number: int, rank: int, now: int) -> None:
        """A suspended offer arrives anew, if what is left of the pool is enough."""
        self.begin(now)
        if number not in self.resumable(now):
            raise Refused("it is not suspended, or does not fit, or nothing is traded")
        wish = self.find(number)
        wish.rank = rank
        self.come_back(wish)
        self.retry_all([wish])

    def resumable(self, now: int) -> list[int]:
        """The suspended offers that may come back, lowest number first."""
        found = [wish for contract in self.contracts.values() for wish in contract.wishes if wish.suspended]
        return sorted(wish.number for wish in found if self.may_come_back(wish, now))

    def may_come_back(self, wish: Wish, now: int) -> bool:
        """As a new arrival: it must fit what is left, find room where it rests, and be passive if it is post-only."""
        contract = self.contracts[wish.contract]
        if not contract.trading(now):
            return False
        trial = copy.deepcopy(self)
        trial.begin(now)
        again = trial.find(wish.number)
        trial.decide_sale(again)
        if again.need > self.left[wish.user]:
            return False
        if trial.come_back(again) and self.no_room(wish, contract):
            return False
        trial.retry_all([again])
        return not (wish.wanted.post_only and trial.history.fills)

    def come_back(self, wish: Wish) -> Wish | None:
        self.contracts[wish.contract].wishes.remove(wish)
        wish.suspended = False
        self.decide_sale(wish)
        return self.arrive([wish], wish.contract)

    # Offers go

    def cancel(self, user: int, number: int, now: int, keep: int = 0) -> None:
        """Wholly, or but for `keep` units, which keep their place."""
        self.begin(now)
        wish = self.find(number, user)
        if keep >= wish.open:
            raise Refused("no less than before")
        self.cut(wish, wish.open - keep)
        self.retry_all([wish])

    def expire(self, now: int) -> None:
        """In all contracts, in one order of (until, number); after each the all-or-none offers are tried."""
        while due := [wish for of in self.contracts.values() for wish in of.wishes if wish.until <= now]:
            self.begin(now)
            first = min(due, key=lambda wish: (wish.until, wish.number))
            self.cut(first, first.open)
            self.retry_all([first])

    # The life of a contract

    def halt(self, contract: int, now: int) -> None:
        self.begin(now)
        halted = self.contracts[contract]
        if halted.status == "OPEN":
            halted.status = "HALTED"
            for wish in sorted(halted.wishes, key=lambda wish: wish.number):
                if wish.wanted.leaves_at_halt:
                    self.cut(wish, wish.open)
            self.changed.discard(contract)

    def resume(self, contract: int, now: int) -> None:
        """Expiry, then re-tries."""
        self.expire(now)
        self.begin(now)
        self.contracts[contract].status = "OPEN"
        self.retry(contract)

    def try_all(self, contract: int, now: int) -> None:
        """Re-tries in a contract whose book a pool has changed from another one."""
        self.begin(now)
        self.retry(contract)

    def settle(self, contract: int, outcome: str, now: int, void: tuple[int, int] = (500, 1)) -> None:
        """`void`: the pair (minted, open interest) of law 1; of law 2 the price of FIXED over 1, by default 500."""
        self.begin(now)
        ended = self.contracts[contract]
        for wish in sorted(ended.wishes, key=lambda wish: wish.number):
            self.cut(wish, wish.open)
        self.pay_out(ended, outcome, void)
        ended.holdings = {key: Holding() for key in ended.holdings}
        ended.net_paid = dict.fromkeys(ended.net_paid, 0)
        ended.open_interest = ended.minted = 0
        ended.status = "SETTLED"
        self.changed.discard(contract)
        for user in self.free:
            self.let_go(user)

    # Money that changes hands without a trade

    def give(self, user: int, other: int, mills: int) -> None:
        if not 0 < mills <= self.free[user] or user == other:
            raise Refused("too little free money")
        self.free[user] -= mills
        self.free[other] += mills

    def post_bond(self, user: int, mills: int) -> None:
        if not 0 < mills <= self.free[user]:
            raise Refused("too little free money")
        self.free[user] -= mills
        self.bonds[user] += mills

    def return_bond(self, user: int) -> None:
        self.free[user] += self.bonds[user]
        self.bonds[user] = 0

    def forfeit_bond(self, user: int) -> None:
        self.fees += self.bonds[user]
        self.bonds[user] = 0

    # Questions

    def begin(self, now: int) -> None:
        self.now = now
        self.fills_left = MOST_FILLS

    def find(self, number: int, user: int | None = None) -> Wish:
        for contract in self.contracts.values():
            for wish in contract.wishes:
                if wish.number == number and user in (None, wish.user):
                    return wish
        raise Refused("no such offer")

    def counters(self, contract: int, side: str, fixed_price: int) -> list[Wish]:
        """The live offers that a newcomer who gains `side` reaches: best price for it, then oldest."""
        seeker = Wish(0, 0, contract, Wanted("BUY", side, 1, 1), 1, 0, 0, 1, 0)
        own = fixed_price if side == "FIXED" else 1000 - fixed_price
        seeker.wanted = replace(seeker.wanted, price=own)
        return [counter for _, counter in self.meetings([seeker])]
