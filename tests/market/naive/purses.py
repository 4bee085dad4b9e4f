"""Money, units and pools of the naive market: what is held back, what is paid, what comes back."""

from __future__ import annotations

from tests.market.naive.things import FIXED, MOST_FILLS, OTHER, UNFIXED, Contract, History, Holding, Wish


class Purses:
    """Everybody's money and units in contracts of one currency."""

    def __init__(self, money: dict[int, int], maturations: dict[int, int], fee_bps: int = 0, law: str = "2") -> None:
        self.free = dict(money)
        self.reserve = dict.fromkeys(money, 0)
        """Held for offers outside pools."""
        self.left = dict.fromkeys(money, 0)
        """Held for pools: what is left of each budget."""
        self.bonds = dict.fromkeys(money, 0)
        self.fees = 0
        self.fee_bps = fee_bps
        self.contracts: dict[int, Contract] = {}
        for number, at in maturations.items():
            self.begin_contract(number, at, law)
        self.arriving: list[Wish] = []
        """A newcomer, one part for each contract it may go to."""
        self.latest: Wish | None = None
        """The newcomer's part that filled last."""
        self.changed: set[int] = set()
        """Contracts whose book has changed since their all-or-none offers were tried."""
        self.fills_left = MOST_FILLS
        self.now = 0
        self.history = History()

    def begin_contract(self, number: int, maturation: int, law: str = "2") -> None:
        holdings = {(user, side): Holding() for user in self.free for side in OTHER}
        nothing = dict.fromkeys(self.free, 0)
        self.contracts[number] = Contract(number, maturation, holdings, law=law, net_paid=nothing)

    def total(self) -> int:
        """All money there is."""
        purses = (self.free, self.reserve, self.left, self.bonds)
        return sum(sum(purse.values()) for purse in purses) + sum(c.escrow for c in self.contracts.values()) + self.fees

    # What is held back

    def standing(self, user: int, pooled: bool) -> list[Wish]:
        """Live and suspended offers of a user, by number."""
        found = [w for c in self.contracts.values() for w in c.wishes if (w.user, w.wanted.pooled) == (user, pooled)]
        return sorted(found, key=lambda wish: wish.number)

    def arriving_need(self) -> int:
        """In several contracts a newcomer needs what is still wanted at its limit."""
        if len(self.arriving) > 1:
            return min(part.open * part.price for part in self.arriving)
        return sum(part.need for part in self.arriving)

    def hold(self, parts: list[Wish]) -> None:
        """Hold back what a newcomer needs. A pool is filled up to its need."""
        self.arriving = parts
        for part in parts:
            self.hold_units(part, part.sale)
        user, need = parts[0].user, self.arriving_need()
        if parts[0].wanted.pooled:
            more = max(0, need - self.left[user])
            self.free[user] -= more
            self.left[user] += more
        else:
            self.free[user] -= need
            self.reserve[user] += need

    def hold_units(self, wish: Wish, units: int) -> None:
        holding = self.holding(wish.contract, wish.user, wish.gives)
        holding.free -= units
        holding.held += units

    def let_go(self, user: int) -> None:
        """What is held back beyond what the offers need becomes free money."""
        coming = self.arriving if self.arriving and self.arriving[0].user == user else []
        plain = sum(wish.need for wish in self.standing(user, pooled=False))
        pooled = [wish.need for wish in self.standing(user, pooled=True)]
        if coming and coming[0].wanted.pooled:
            pooled.append(self.arriving_need())
        elif coming:
            plain += self.arriving_need()
        above = max(0, self.left[user] - max(pooled, default=0))
        self.free[user] += self.reserve[user] - plain + above
        self.reserve[user] = plain
        self.left[user] -= above

    # What is paid

    def pay(self, wish: Wish, sells: bool, volume: int, fixed_price: int) -> None:
        """The four rows of the table: a sale brings the price of the units sold, a purchase costs theirs."""
        price_of = {FIXED: fixed_price, UNFIXED: 1000 - fixed_price}
        if sells:
            wish.sale -= volume
            of_pool = self.take(wish.contract, wish.user, wish.gives, volume, held=True)
            self.receive(wish.user, volume * price_of[wish.gives], of_pool, volume)
            self.contracts[wish.contract].net_paid[wish.user] -= volume * price_of[wish.gives]
            return
        wish.bought -= volume
        paid = volume * price_of[wish.gains]
        holding = self.holding(wish.contract, wish.user, wish.gains)
        holding.free += volume
        holding.cost += paid
        self.contracts[wish.contract].net_paid[wish.user] += paid
        if wish.wanted.pooled:
            holding.pool += volume
            self.left[wish.user] -= paid
        else:
            self.reserve[wish.user] -= paid

    def receive(self, user: int, mills: int, of_pool: int, units: int) -> None:
        """Money for units, of which some were the pool's: their share goes back to it."""
        back = mills * of_pool // units
        self.left[user] += back
        self.free[user] += mills - back

    def take(self, contract: int, user: int, side: str, volume: int, held: bool) -> int:
        """Take v of n units away, with their share of the cost; returns how many were the pool's."""
        holding = self.holding(contract, user, side)
        of_pool = holding.pool * volume // holding.units
        holding.pool -= of_pool
        holding.cost -= holding.cost * volume // holding.units
        if held:
            holding.held -= volume
        else:
            holding.free -= volume
        return of_pool

    def issue(self, contract: Contract, volume: int, price: int) -> None:
        contract.open_interest += volume
        contract.minted += volume * price
        contract.escrow += 1000 * volume

    def retire(self, contract: Contract, volume: int) -> None:
        contract.minted -= contract.minted * volume // contract.open_interest
        contract.open_interest -= volume
        contract.escrow -= 1000 * volume

    def redeem(self, contract: int, user: int) -> None:
        """Pairs of free units bring 1000 mills, half for each unit."""
        pairs = min(self.holding(contract, user, side).free for side in OTHER)
        if not pairs:
            return
        for side in OTHER:
            of_pool = self.take(contract, user, side, pairs, held=False)
            self.receive(user, 500 * pairs, of_pool, pairs)
            self.contracts[contract].net_paid[user] -= 500 * pairs
        self.retire(self.contracts[contract], pairs)

    # What leaves

    def cut(self, wish: Wish, volume: int) -> None:
        """Cancel some of a live or suspended offer, the bought part first."""
        wish.cancelled += volume
        self.shrink(wish, volume)
        if not wish.suspended:
            self.changed.add(wish.contract)
        if not wish.open:
            self.contracts[wish.contract].wishes.remove(wish)
        self.redeem(wish.contract, wish.user)
        self.let_go(wish.user)
        self.note(wish.contract)

    def shrink(self, wish: Wish, volume: int) -> None:
        """Less of it, the bought part first."""
        bought = min(volume, wish.bought)
        wish.bought -= bought
        wish.sale -= volume - bought
        self.hold_units(wish, bought - volume)

    def suspend(self, user: int) -> None:
        """Every pooled offer that needs more than is left leaves its book, all judged at once, lowest number first."""
        live = [wish for wish in self.standing(user, pooled=True) if not wish.suspended]
        for wish in [wish for wish in live if wish.need > self.left[user]]:
            self.hold_units(wish, -wish.sale)
            wish.sale, wish.bought = 0, wish.open
            wish.suspended = True
            self.changed.add(wish.contract)
            self.redeem(wish.contract, user)
            self.note(wish.contract)

    # Questions

    def holding(self, contract: int, user: int, side: str) -> Holding:
        return self.contracts[contract].holdings[user, side]

    def note(self, contract: int) -> None:
        of = self.contracts[contract]
        self.history.pairs.append((contract, self.now, of.minted, of.open_interest))
