"""A story told to the naive market and the core at once, in the lines of `drawing`, with its numbers to look at."""

from __future__ import annotations

from app.market.ledger.journal import Kind
from tests.market.drawing import IDS, MATURATION_AT, NAME_OF, PURSE_MILLS, offer
from tests.market.naive import Market as Naive
from tests.market.twins import Twins, twins

EARLY, LATE = 3, 5
"""Contracts of one statement."""

Filled = tuple[int, int, int, int, str]
"""(bid's number, ask's number, volume, FIXED price, kind)"""


class Tale:
    """After each line core and naive market are compared and the invariants checked."""

    def __init__(self, fee_bps: int = 0, purse_mills: int = PURSE_MILLS, law: str = "2") -> None:
        money = dict.fromkeys(NAME_OF, purse_mills)
        self.purse_mills = purse_mills
        self.twins: Twins = twins(money, {EARLY: MATURATION_AT, LATE: MATURATION_AT + 1_000}, fee_bps, law=law)
        self.told = 0

    @property
    def naive(self) -> Naive:
        assert self.twins.naive is not None
        return self.twins.naive

    # Telling

    def add(self, line: str, contract: int = EARLY) -> int:
        """An offer that is let in; returns its number."""
        user, new = offer(line)
        assert self.twins.place(user, new, contract), line
        self.twins.check()
        return self.twins.venue.numbers

    def refuse(self, line: str, contract: int = EARLY) -> None:
        user, new = offer(line)
        assert not self.twins.place(user, new, contract), line

    def spread(self, line: str) -> list[int]:
        """An offer in the range of both contracts; returns the numbers it may have, as equal prices are taken."""
        user, new = offer(line)
        assert self.twins.place_range(user, new, [EARLY, LATE]), line
        self.twins.check()
        return [self.twins.venue.numbers - 1, self.twins.venue.numbers]

    def refuse_spread(self, line: str) -> None:
        user, new = offer(line)
        assert not self.twins.place_range(user, new, [EARLY, LATE]), line

    def cancel(self, name: str, number: int, keep: int = 0) -> None:
        assert self.twins.cancel(IDS[name], number, keep)
        self.twins.check()

    def wait(self, until: int) -> None:
        """Time goes on and a sweep runs."""
        self.twins.venue.now = until
        self.twins.expire()
        self.twins.check()

    def hold(self, line: str, contract: int = EARLY) -> None:
        """`ann 5 fixed @ 300`, or `… pool`: bought of the crowd."""
        name, volume, side, _, price, *pool = line.split()
        other = {"fixed": "unfixed", "unfixed": "fixed"}[side]
        number = self.add(f"crowd buy {other} {max(int(volume), 5)} @ {1000 - int(price)}", contract)
        self.add(f"{name} buy {side} {volume} @ {price} {' '.join(pool)}".strip(), contract)
        if int(volume) < 5:
            self.cancel("crowd", number)
        self.fills()

    # Looking

    def fills(self) -> list[Filled]:
        """Those since the last look."""
        self.twins.check()
        new = self.naive.history.fills[self.told :]
        self.told += len(new)
        return [fill[1:] for fill in new]

    def book(self, contract: int = EARLY) -> list[str]:
        """Asks from the cheapest, then bids from the highest."""
        self.twins.check()
        of = self.naive.contracts[contract]
        queues = (("ask", of.queue("UNFIXED")), ("bid", of.queue("FIXED")))
        return [f"{NAME_OF[w.user]} {stance} {w.open} @ {w.fixed_price}" for stance, queue in queues for w in queue]

    def suspended(self) -> list[int]:
        return sorted(w.number for of in self.naive.contracts.values() for w in of.wishes if w.suspended)

    def earned(self, name: str) -> int:
        """Free money gained since the beginning."""
        return self.naive.free[IDS[name]] - self.purse_mills

    def held(self, name: str) -> int:
        """Money held for offers outside the pool."""
        return self.naive.reserve[IDS[name]]

    def left(self, name: str) -> int:
        """What is left of the pool."""
        return self.naive.left[IDS[name]]

    def units(self, name: str, side: str, contract: int = EARLY) -> tuple[int, int]:
        """Free and reserved."""
        holding = self.naive.holding(contract, IDS[name], side.upper())
        return holding.free, holding.held

    def interest(self, contract: int = EARLY) -> int:
        return self.naive.contracts[contract].open_interest

    def minted(self, contract: int = EARLY) -> int:
        return self.naive.contracts[contract].minted

    def fees(self) -> int:
        return self.twins.venue.mills(Kind.FEES)
