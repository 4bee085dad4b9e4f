"""A naive market: the definition of right.

Written from docs/market.md alone, slow and without a clever thought: offers are one list that is searched from the
front, units of a fill are counted one by one, nothing is kept that can be counted again. It shares no code with the
core. Sides and kinds are plain words, prices of offers are of the side named, prices of fills are of FIXED, money
is in mills.
"""

from __future__ import annotations

from dataclasses import dataclass

FIXED, UNFIXED = "FIXED", "UNFIXED"
OTHER = {FIXED: UNFIXED, UNFIXED: FIXED}
MOST_FILLS, MOST_OFFERS_OF_USER, MOST_OFFERS, FEWEST_UNITS = 1_000, 50, 5_000, 5


class Refused(Exception):
    """The command is refused; nothing has happened."""


@dataclass
class Wish:
    """An offer. What is open of it is `sale` (paid with units) and `bought` (paid with money)."""

    number: int
    user: int
    action: str
    side: str
    price: int
    volume: int
    until: int
    sale: int
    bought: int
    filled: int = 0
    cancelled: int = 0

    @property
    def gains(self) -> str:
        """The side whose exposure it gains: what it buys, or the other of what it sells."""
        return self.side if self.action == "BUY" else OTHER[self.side]

    @property
    def fixed_price(self) -> int:
        return self.price if self.side == FIXED else 1000 - self.price

    @property
    def open(self) -> int:
        return self.sale + self.bought


@dataclass
class Holding:
    free: int = 0
    held: int = 0
    cost: int = 0


class Market:
    """One contract and the money of everybody."""

    def __init__(self, money: dict[int, int], maturation: int, fee_bps: int = 0) -> None:
        self.free = dict(money)
        self.reserve = dict.fromkeys(money, 0)
        self.escrow = 0
        self.fees = 0
        self.maturation = maturation
        self.fee_bps = fee_bps
        self.status = "OPEN"
        self.minted = 0
        self.open_interest = 0
        self.wishes: list[Wish] = []
        self.holdings = {(user, side): Holding() for user in money for side in OTHER}
        self.fills: list[tuple[int, int, int, int, str]] = []
        """(bid's number, ask's number, volume, FIXED price, kind), in order."""
        self.pairs: list[tuple[int, int, int]] = []
        """(instant, minted, open interest) after each change."""

    # Commands

    def place(
        self, user: int, action: str, side: str, volume: int, price: int, until: int | None, instant: bool,
        number: int, now: int,
    ) -> None:  # fmt: skip
        """`instant` is now-or-never."""
        until = self.maturation if until is None else until
        self._check(user, action, side, volume, price, until, instant, now)
        new = Wish(number, user, action, side, price, volume, until, volume, 0)
        if action == "BUY":
            new.sale = min(volume, self.holdings[user, OTHER[side]].free)
            new.bought = volume - new.sale
        if action == "BUY" and new.bought * price > self.free[user]:
            raise Refused("the full reserve at the limit must be free on arrival")
        self._hold(new)
        passed, stopped = self._sweep(new, now)
        rests = new.open > 0 and not instant and not stopped
        self.wishes.append(new)
        if not rests:
            self._cut(new, new.open, now)
        for own, wanted in passed:
            self._cut(own, own.open if rests else wanted, now)

    def cancel(self, user: int, number: int, now: int) -> None:
        for wish in self.live():
            if (wish.user, wish.number) == (user, number):
                self._cut(wish, wish.open, now)
                return
        raise Refused("no such offer")

    def expire(self, now: int) -> None:
        for wish in sorted(self.live(), key=lambda wish: (wish.until, wish.number)):
            if wish.until <= now:
                self._cut(wish, wish.open, now)

    def halt(self) -> None:
        self.status = "HALTED"

    def resume(self, now: int) -> None:
        self.status = "OPEN"
        self.expire(now)

    def settle(self, outcome: str, now: int, void: tuple[int, int] = (0, 1)) -> None:
        """`void` is the pair (minted, open interest) of the void price."""
        for wish in self.live():
            self._cut(wish, wish.open, now)
        gross = dict.fromkeys(self.free, 0)
        if outcome == "VOID":
            of_fixed = self.open_interest * void[0] // void[1]
            self._share(FIXED, of_fixed, gross)
            self._share(UNFIXED, self.escrow - of_fixed, gross)
        else:
            self._share(outcome, self.escrow, gross)
        for user in gross:
            cost = self.holdings[user, FIXED].cost + self.holdings[user, UNFIXED].cost
            gain = max(0, gross[user] - cost)
            fee = 0 if outcome == "VOID" else gain * self.fee_bps // 10_000
            self.escrow -= gross[user]
            self.free[user] += gross[user] - fee
            self.fees += fee
        self.holdings = {holder: Holding() for holder in self.holdings}
        self.open_interest = self.minted = 0
        self.status = "SETTLED"

    # Questions

    def live(self) -> list[Wish]:
        return [wish for wish in self.wishes if wish.open > 0]

    def counters(self, side: str, fixed_price: int) -> list[Wish]:
        """The live offers that a newcomer who gains `side` reaches: best price for it, then oldest."""
        sign = 1 if side == FIXED else -1
        found = [w for w in self.live() if w.gains != side and (fixed_price - w.fixed_price) * sign >= 0]
        return sorted(found, key=lambda wish: (wish.fixed_price * sign, wish.number))

    def void_pair(self, instant: int) -> tuple[int, int]:
        """(minted, open interest) at `instant`, else the last before with open interest, else the first."""
        past = [(minted, count) for at, minted, count in self.pairs if at <= instant and count]
        return past[-1] if past else next(((m, count) for _, m, count in self.pairs if count), (0, 1))

    # The law

    def _check(
        self, user: int, action: str, side: str, volume: int, price: int, until: int, instant: bool, now: int
    ) -> None:
        if self.status != "OPEN" or now >= self.maturation:
            raise Refused("no trading")
        if not 1 <= volume <= 10**9 or not 1 <= price <= 999:
            raise Refused("out of bounds")
        if not now < until <= self.maturation:
            raise Refused("until must be later than now and not later than maturation")
        if action == "SELL" and volume > self.holdings[user, side].free:
            raise Refused("too few free units")
        gains = side if action == "BUY" else OTHER[side]
        fixed_price = price if side == FIXED else 1000 - price
        others = sum(wish.open for wish in self.counters(gains, fixed_price) if wish.user != user)
        if instant or others >= volume:
            return
        if volume < FEWEST_UNITS:
            raise Refused("dust")
        own = [wish for wish in self.live() if wish.user == user]
        if len(own) >= MOST_OFFERS_OF_USER or len(self.live()) >= MOST_OFFERS:
            raise Refused("too many offers")

    def _sweep(self, new: Wish, now: int) -> tuple[list[tuple[Wish, int]], bool]:
        """Fill. Returns own counter-offers passed, with what each would have filled; and whether it was stopped."""
        passed = []
        count = 0
        for older in self.counters(new.gains, new.fixed_price):
            if not new.open:
                break
            if older.user == new.user:
                passed.append((older, min(older.open, new.open)))
                continue
            while new.open and older.open:
                if count == MOST_FILLS:
                    return passed, True
                count += 1
                self._fill(new, older, now)
        return passed, False

    def _fill(self, new: Wish, older: Wish, now: int) -> None:
        """The units that go next and are paid for in the same way by both, counted one by one."""
        volume = 0
        new_sells, older_sells = new.sale > 0, older.sale > 0
        while new.open and older.open and (new.sale > 0, older.sale > 0) == (new_sells, older_sells):
            for wish, sells in ((new, new_sells), (older, older_sells)):
                wish.sale -= sells
                wish.bought -= not sells
                wish.filled += 1
            volume += 1
        price = older.fixed_price
        self._pay(new, new_sells, volume, price)
        self._pay(older, older_sells, volume, price)
        if new_sells and older_sells:
            kind = "reduce"
            self._retire(volume)
        elif new_sells or older_sells:
            kind = "transfer"
        else:
            kind = "expand"
            self.open_interest += volume
            self.minted += volume * price
            self.escrow += 1000 * volume
        bid, ask = (new, older) if new.gains == FIXED else (older, new)
        self.fills.append((bid.number, ask.number, volume, price, kind))
        self._redeem(new.user)
        self._redeem(older.user)
        self.pairs.append((now, self.minted, self.open_interest))

    def _pay(self, wish: Wish, sells: bool, volume: int, fixed_price: int) -> None:
        """The four rows of the table: a sale brings the price of the units sold, a purchase costs theirs."""
        price_of = {FIXED: fixed_price, UNFIXED: 1000 - fixed_price}
        if sells:
            self._take_away(wish.user, OTHER[wish.gains], volume)
            self.holdings[wish.user, OTHER[wish.gains]].held -= volume
            self.free[wish.user] += volume * price_of[OTHER[wish.gains]]
        else:
            paid = volume * price_of[wish.gains]
            self.reserve[wish.user] -= volume * wish.price
            self.free[wish.user] += volume * wish.price - paid
            self.holdings[wish.user, wish.gains].free += volume
            self.holdings[wish.user, wish.gains].cost += paid

    def _take_away(self, user: int, side: str, volume: int) -> None:
        holding = self.holdings[user, side]
        holding.cost -= holding.cost * volume // (holding.free + holding.held)

    def _retire(self, volume: int) -> None:
        self.minted -= self.minted * volume // self.open_interest
        self.open_interest -= volume
        self.escrow -= 1000 * volume

    def _redeem(self, user: int) -> None:
        pairs = min(self.holdings[user, FIXED].free, self.holdings[user, UNFIXED].free)
        if pairs:
            for side in OTHER:
                self._take_away(user, side, pairs)
                self.holdings[user, side].free -= pairs
            self._retire(pairs)
            self.free[user] += 1000 * pairs

    def _hold(self, wish: Wish) -> None:
        sold = self.holdings[wish.user, OTHER[wish.gains]]
        sold.free -= wish.sale
        sold.held += wish.sale
        self.free[wish.user] -= wish.bought * wish.price
        self.reserve[wish.user] += wish.bought * wish.price

    def _cut(self, wish: Wish, volume: int, now: int) -> None:
        """Cancel, the bought part first."""
        bought = min(volume, wish.bought)
        sale = volume - bought
        wish.bought -= bought
        wish.sale -= sale
        wish.cancelled += volume
        self.reserve[wish.user] -= bought * wish.price
        self.free[wish.user] += bought * wish.price
        sold = self.holdings[wish.user, OTHER[wish.gains]]
        sold.held -= sale
        sold.free += sale
        self._redeem(wish.user)
        self.pairs.append((now, self.minted, self.open_interest))

    def _share(self, side: str, mills: int, gross: dict[int, int]) -> None:
        """By units; odd mills go by largest remainder, then lowest user id."""
        units = {user: held.free + held.held for (user, of), held in self.holdings.items() if of == side}
        total = sum(units.values())
        if not total:
            return
        for user, count in units.items():
            gross[user] += mills * count // total
        odd = mills - sum(mills * count // total for count in units.values())
        by_remainder = sorted(units, key=lambda user: (-(mills * units[user] % total), user))
        for user in by_remainder[:odd]:
            gross[user] += 1
