"""How offers of the naive market meet."""

from __future__ import annotations

import copy

from tests.market.naive.purses import Purses
from tests.market.naive.things import FIXED, MOST_ALL_OR_NONE_A_SIDE, MOST_FILLS, UNFIXED, Contract, Wish

Passed = list[tuple[Wish, int, int]]
"""Own counter-offers that were reached: each with what it would have filled had it been another's, and with what others
had filled of the newcomer until then."""


class Matching(Purses):
    def meetings(self, parts: list[Wish]) -> list[tuple[Wish, Wish]]:
        """Each part of a newcomer with each live counter-offer it reaches: best price, then latest maturation for who
        gains FIXED and earliest for who gains UNFIXED, then oldest."""
        sign = 1 if parts[0].gains == FIXED else -1
        found = [
            (part, counter)
            for part in parts
            for counter in self.contracts[part.contract].live()
            if counter.gains != part.gains and (part.fixed_price - counter.fixed_price) * sign >= 0
        ]
        maturation = {number: contract.maturation for number, contract in self.contracts.items()}
        return sorted(found, key=lambda m: (m[1].fixed_price * sign, -maturation[m[0].contract] * sign, m[1].rank))

    def sweep(self, parts: list[Wish]) -> tuple[Passed, bool]:
        """Fill in one pass; returns also whether the bound on fills stopped it. All parts have the same open volume."""
        passed: Passed = []
        for part, counter in self.meetings(parts):
            if not part.open:
                break
            if counter.suspended:
                continue
            fits = not counter.wanted.all_or_none or counter.open <= part.open
            if counter.user == part.user:
                if fits:
                    passed.append((counter, min(counter.open, part.open), filled(parts)))
            elif fits and not self.meet(part, counter, parts):
                return passed, True
        return passed, False

    def meet(self, part: Wish, counter: Wish, parts: list[Wish]) -> bool:
        """Fill as much as both want; False if there would be too many fills. All-or-none is not begun then."""
        if counter.wanted.all_or_none and fills_of(part, counter) > self.fills_left:
            return False
        while part.open and counter.open:
            if not self.fills_left:
                return False
            volume = self.fill(part, counter)
            for other in parts:
                if other is not part:
                    self.shrink(other, volume)
        return True

    def fill(self, new: Wish, counter: Wish) -> int:
        """The units that go next and are paid for in the same way by both, at the price of the older offer."""
        contract = self.contracts[new.contract]
        volume = min(new.sale or new.bought, counter.sale or counter.bought)
        price = (new if new.rank < counter.rank else counter).fixed_price
        bid, ask = (new, counter) if new.gains == FIXED else (counter, new)
        bid_sells, ask_sells = bid.sale > 0, ask.sale > 0
        kind = ("expand", "transfer", "reduce")[bid_sells + ask_sells]
        if kind == "expand":
            self.issue(contract, volume, price)
        if kind == "reduce":
            self.retire(contract, volume)
        self.pay(bid, bid_sells, volume, price)
        self.pay(ask, ask_sells, volume, price)
        self.fills_left -= 1
        self.latest = new
        self.history.fills.append((contract.id, bid.number, ask.number, volume, price, kind))
        self.after_fill(contract, bid, ask, volume)
        return volume

    def after_fill(self, contract: Contract, bid: Wish, ask: Wish, volume: int) -> None:
        self.changed.add(contract.id)
        for wish in (bid, ask):
            wish.filled += volume
            if not wish.open and wish in contract.wishes:
                contract.wishes.remove(wish)
        for wish in (bid, ask):
            self.redeem(contract.id, wish.user)
        self.note(contract.id)
        for wish in (bid, ask):
            self.suspend(wish.user)
        for wish in (bid, ask):
            self.let_go(wish.user)

    def would_fill(self, parts: list[Wish]) -> bool:
        """Whether one pass fills it wholly: tried on a copy."""
        trial, copies = copy.deepcopy((self, parts))
        trial.sweep(copies)
        return copies[0].open == 0

    def arrive(self, parts: list[Wish], last: int) -> Wish | None:
        """A newcomer comes, fills, rests or is gone; returns the part that rests, if any. A rest that does not is
        cancelled where it filled last, or where it would have filled first."""
        self.hold(parts)
        self.latest = parts[0]
        failed = parts[0].wanted.all_or_none and not self.would_fill(parts)
        passed, stopped = (Passed(), False) if failed else self.sweep(parts)
        rests = parts[0].open > 0 and not parts[0].wanted.instant and not stopped
        home = self.home(parts, last) if rests else self.latest
        self.arriving = []
        if rests:
            self.take_place(home)
        else:
            home.cancelled += home.open
        for part in parts:
            if part is not home or not rests:
                self.shrink(part, part.open)
            part.volume = part.filled + part.open + part.cancelled
            self.redeem(part.contract, part.user)
        self.let_go(home.user)
        self.cut_passed(passed, filled(parts), home.contract if rests else None)
        return home if rests else None

    def take_place(self, wish: Wish) -> None:
        """Into the book; an all-or-none offer into another's place where there is none left."""
        contract = self.contracts[wish.contract]
        loser = self.loser(contract, wish) if wish.wanted.all_or_none else None
        contract.wishes.append(wish)
        self.changed.add(contract.id)
        if loser is not None:
            self.history.displaced.append(loser.number)
            self.cut(loser, loser.open)

    def rivals(self, contract: Contract, wish: Wish) -> list[Wish]:
        """The all-or-none offers at rest on its side, best first."""
        return [other for other in contract.queue(wish.gains) if other.wanted.all_or_none and other is not wish]

    def full(self, contract: Contract, wish: Wish) -> bool:
        return len(self.rivals(contract, wish)) >= MOST_ALL_OR_NONE_A_SIDE

    def loser(self, contract: Contract, wish: Wish) -> Wish | None:
        """The one that loses its place to this: of those at the worst price the youngest, if this is better."""
        if not self.full(contract, wish):
            return None
        last = self.rivals(contract, wish)[-1]
        sign = 1 if wish.gains == FIXED else -1
        return last if (wish.fixed_price - last.fixed_price) * sign > 0 else None

    def home(self, parts: list[Wish], last: int) -> Wish:
        """The rest goes to the contract with most open interest, ties to the latest maturation; else to the last."""
        interest = {part.contract: self.contracts[part.contract].open_interest for part in parts}
        best = max(parts, key=lambda part: (interest[part.contract], self.contracts[part.contract].maturation))
        if not interest[best.contract]:
            best = next(part for part in parts if part.contract == last)
        return best

    def cut_passed(self, passed: Passed, filled_in_all: int, rests_in: int | None) -> None:
        """Own counter-offers go wholly where the newcomer rests, else by what they would have filled, but by no more
        than others filled after them."""
        for own, would, filled_before in passed:
            if own.suspended:
                continue
            volume = min(would, filled_in_all - filled_before)
            if own.contract == rests_in or (volume and (own.wanted.all_or_none or own.wanted.post_only)):
                volume = own.open
            if volume:
                self.cut(own, volume)

    def retry(self, number: int) -> None:
        """Try all-or-none offers: bids (highest, oldest), then asks (lowest, oldest); after a fill from the start."""
        self.changed.discard(number)
        contract = self.contracts[number]
        if contract.trading(self.now):
            while any(self.try_again(wish) for wish in self.all_or_none(contract)):
                pass
        self.changed.discard(number)
        if contract.trading(self.now) and any(self.only_bounded(wish) for wish in self.all_or_none(contract)):
            self.changed.add(number)

    def only_bounded(self, wish: Wish) -> bool:
        """It would fill if the command could make more fills: it is tried again after it."""
        trial = copy.deepcopy(self)
        trial.fills_left = MOST_FILLS
        again = next(other for other in trial.contracts[wish.contract].wishes if other.number == wish.number)
        return self.fills_left < MOST_FILLS and bool(trial.meetings([again])) and trial.would_fill([again])

    def all_or_none(self, contract: Contract) -> list[Wish]:
        return [wish for side in (FIXED, UNFIXED) for wish in contract.queue(side) if wish.wanted.all_or_none]

    def try_again(self, wish: Wish) -> bool:
        """Only if its limit is met."""
        if not self.meetings([wish]) or not self.would_fill([wish]):
            return False
        passed, _ = self.sweep([wish])
        self.cut_passed(passed, filled([wish]), None)
        return True


def filled(parts: list[Wish]) -> int:
    return sum(part.filled for part in parts)


def fills_of(one: Wish, other: Wish) -> int:
    """How many fills a meeting takes: a sale ends, a purchase begins, on either side."""
    wanted, ends = min(one.open, other.open), {one.sale, other.sale}
    return 1 + sum(0 < end < wanted for end in ends)
