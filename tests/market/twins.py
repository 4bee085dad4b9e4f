"""The core and the naive market with the same users, who get the same commands and must come to the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.market.exchange.offer import NewOffer, Offer
from app.market.exchange.state import ContractState, Market
from app.market.exchange.voiding import HALF_MILLS, LAW_1, VoidPrice, stakes_of, void_payouts
from app.market.ledger.journal import AccountKey, Kind, unit_currency
from app.market.terms.contract import Outcome, Side, Status
from app.market.terms.errors import Refusal
from tests.market.drawing import NOW, terms
from tests.market.invariants import check, check_now, check_void
from tests.market.naive import Contract, Refused, Wanted, Wish
from tests.market.naive import Market as Naive
from tests.market.venue import CURRENCY, Venue

Rows = dict[int, tuple[object, ...]]


class Disagreement(AssertionError):
    """The core and the naive market came to different ends."""


@dataclass
class Twins:
    """`naive` is None where only the invariants are looked at."""

    venue: Venue
    naive: Naive | None
    refusals: int = 0
    invariants: int = 0
    compared: int = 0
    bonds: int = 0

    # Commands. Each says whether it was done.

    def place(self, user: int, new: NewOffer, contract: int) -> bool:
        def model(market: Naive) -> None:
            market.place(contract, user, wanted(new), self.venue.numbers + 1, self.venue.now)

        return self.both(lambda: self.venue.place(user, new, contract), model)

    def place_range(self, user: int, new: NewOffer, contracts: list[int]) -> bool:
        def model(market: Naive) -> None:
            numbers = [self.venue.numbers + 1 + at for at in range(len(contracts))]
            market.place_range(contracts, user, wanted(new), numbers, self.venue.now)

        return self.both(lambda: self.venue.place_range(user, new, contracts), model)

    def cancel(self, user: int, number: int, keep: int = 0) -> bool:
        return self.both(
            lambda: self.venue.cancel(user, number, keep),
            lambda market: market.cancel(user, number, self.venue.now, keep),
        )

    def halt(self, contract: int) -> bool:
        return self.both(lambda: self.venue.halt(contract), lambda market: market.halt(contract, self.venue.now))

    def resume(self, contract: int) -> bool:
        return self.both(lambda: self.venue.resume(contract), lambda market: market.resume(contract, self.venue.now))

    def settle(self, contract: int, outcome: Outcome, minted: int, units: int, price: int | None = None) -> bool:
        """`minted` and `units` (open interest) make the void price of law 1; a resolver may name a `price`."""
        state = self.venue.market.contracts[contract]
        named = (minted, units) if state.terms.law == LAW_1 else (HALF_MILLS, 1)
        named = named if price is None else (price, 1)
        return self.both(
            lambda: self.end(contract, outcome, VoidPrice(minted, units) if state.terms.law == LAW_1 else None, price),
            lambda market: market.settle(contract, outcome.value, self.venue.now, named),
        )

    def end(self, contract: int, outcome: Outcome, void: VoidPrice | None, price: int | None) -> None:
        """What was said before of a VOID now is what it pays."""
        state = self.venue.market.contracts[contract]
        stakes = stakes_of(state)
        told = {}
        if outcome is Outcome.VOID:
            told = void_payouts(state.terms, stakes, void, price)
            told = {user: mills - 1_000 * stakes[user].pairs for user, mills in told.items()}
        _, payouts = self.venue.settle(outcome, void, contract, price)
        if outcome is Outcome.VOID:
            paid = {payout.user: payout.paid_mills for payout in payouts if payout.paid_mills}
            same(paid, {user: mills for user, mills in told.items() if mills}, "what a VOID would pay")
        if outcome is Outcome.VOID and void is None:
            check_void(stakes, payouts, HALF_MILLS if price is None else price)

    def begin(self, contract: int, maturation: int, law: str) -> None:
        terms_of = next(iter(self.venue.market.contracts.values())).terms
        self.venue.market.add(ContractState(contract, replace(terms_of, law=law), maturation))
        if self.naive is not None:
            self.naive.begin_contract(contract, maturation, law)

    def forget(self, contract: int) -> None:
        """A settled contract: no account of its own has anything left."""
        own = (unit_currency(contract, Side.FIXED), unit_currency(contract, Side.UNFIXED))
        escrow = AccountKey(Kind.ESCROW, contract, CURRENCY)
        emptied = [key for key in self.venue.balances if key.currency in own or key == escrow]
        assert not any(self.venue.balances.pop(key) for key in emptied)
        del self.venue.market.contracts[contract]
        self.venue.net_paid = {key: mills for key, mills in self.venue.net_paid.items() if key[0] != contract}
        self.venue.positions = {key: held for key, held in self.venue.positions.items() if key[0] != contract}
        if self.naive is not None:
            del self.naive.contracts[contract]

    def give(self, user: int, other: int, mills: int) -> bool:
        if not 0 < mills <= self.venue.mills(Kind.FREE, user) or user == other:
            return False
        return self.both(
            lambda: self.move("gift", (Kind.FREE, user), (Kind.FREE, other), mills),
            lambda market: market.give(user, other, mills),
        )

    def post_bond(self, user: int, mills: int) -> bool:
        if not 0 < mills <= self.venue.mills(Kind.FREE, user):
            return False
        return self.both(
            lambda: self.move("bond", (Kind.FREE, user), (Kind.BOND, user), mills),
            lambda market: market.post_bond(user, mills),
        )

    def end_bond(self, user: int, upheld: bool) -> bool:
        mills = self.venue.mills(Kind.BOND, user)
        if not mills:
            return False
        target = (Kind.FREE, user) if upheld else (Kind.FEES, 0)
        return self.both(
            lambda: self.move("bond-end", (Kind.BOND, user), target, mills),
            lambda market: market.return_bond(user) if upheld else market.forfeit_bond(user),
        )

    def move(self, key: str, source: tuple[Kind, int], target: tuple[Kind, int], mills: int) -> None:
        self.venue.transfer(key, AccountKey(*source, CURRENCY), AccountKey(*target, CURRENCY), mills)

    def both(self, core: Callable[[], object], model: Callable[[Naive], None]) -> bool:
        """One command on both: done by both or refused by both, and a refusal leaves everything as it was."""
        self.expire()
        if self.naive is None:
            return self.alone(core)
        before = self.venue.picture()
        try:
            model(self.naive)
        except Refused as refused:
            self.refusals += 1
            if self.alone(core):
                raise Disagreement(f"the core did what is to be refused: {refused}") from refused
            same(self.venue.picture(), before, "after a refusal")
            return False
        core()
        self.follow()
        return True

    def alone(self, core: Callable[[], object]) -> bool:
        try:
            core()
        except Refusal:
            self.refusals += 1
            return False
        self.follow()
        return True

    # What follows a command

    def expire(self) -> None:
        self.venue.expire()
        if self.naive is not None:
            self.naive.expire(self.venue.now)
        self.follow()

    def follow(self) -> None:
        """Re-tries in contracts that a pool has changed from another one; then suspended offers that fit come back."""
        while self.retry() or self.resume_one():
            pass

    def retry(self) -> bool:
        if self.naive is not None:
            same(self.venue.to_retry, self.naive.changed, "contracts to re-try")
        if not self.venue.to_retry:
            return False
        contract = min(self.venue.to_retry)
        self.venue.retry(contract)
        if self.naive is not None:
            self.naive.try_all(contract, self.venue.now)
        return True

    def resume_one(self) -> bool:
        """The lowest number that fits."""
        fitting = self.naive.resumable(self.venue.now) if self.naive is not None else None
        for offer in sorted(self.suspended(), key=lambda offer: offer.number):
            rank = self.venue.numbers + 1
            try:
                self.venue.resume_offer(offer.number)
            except Refusal:
                if fitting and offer.number in fitting:
                    raise
                continue
            if fitting is not None and offer.number not in fitting:
                raise Disagreement(f"o{offer.number} came back and does not fit")
            if self.naive is not None:
                self.naive.resume_offer(offer.number, rank, self.venue.now)
            return True
        return False

    def suspended(self) -> list[Offer]:
        return [offer for state in self.venue.market.contracts.values() for offer in state.book.suspended.values()]

    # Comparing

    def check(self) -> None:
        """The invariants, and the same on both."""
        self.invariants += check_now(self.venue)
        if self.naive is not None:
            self.compare(self.naive)

    def check_whole(self) -> None:
        self.invariants += check(self.venue)
        if self.naive is not None:
            rows = {number: row(wish) for number, wish in self.naive.history.wishes.items()}
            same({number: core_row(offer) for number, offer in self.venue.offers.items()}, rows, "offers")

    def compare(self, model: Naive) -> None:
        fills = self.venue.fills[self.compared :]
        told = [(fill.contract, fill.bid, fill.ask, fill.volume, fill.price, fill.kind.value) for fill in fills]
        same(told, model.history.fills[self.compared :], "fills")
        self.compared += len(told)
        same(self.venue.displaced, model.history.displaced, "displaced")
        for contract in model.contracts.values():
            self.compare_contract(self.venue.market.contracts[contract.id], contract)
        self.compare_money(model)

    def compare_contract(self, state: ContractState, contract: Contract) -> None:
        name = f"c{state.id}: "
        numbers = (state.status.value, state.open_interest, state.minted_mills, self.venue.mills(Kind.ESCROW, state.id))
        told = (contract.status, contract.open_interest, contract.minted, contract.escrow)
        same(numbers, told, name + "status, open interest, minted, escrow")
        open_rows = {offer.number: core_row(offer) for offer in state.book.open_offers()}
        same(open_rows, {wish.number: row(wish) for wish in contract.wishes}, name + "open offers")
        for bid in (True, False):
            queue = [offer.number for offer in state.book.half(bid).all()]
            same(queue, [wish.number for wish in contract.queue("FIXED" if bid else "UNFIXED")], name + "queue")
        same({user: state.net_paid.get(user, 0) for user in contract.net_paid}, contract.net_paid, name + "net paid")
        for (user, side), holding in contract.holdings.items():
            held = state.position(user, Side(side))
            core = (held.free, held.reserved, held.cost_mills, held.pool_units)
            same(core, (holding.free, holding.held, holding.cost, holding.pool), f"{name}{side} of {user}")

    def compare_money(self, model: Naive) -> None:
        users = list(model.free)
        pools = self.venue.market.pools
        same({user: self.venue.mills(Kind.FREE, user) for user in users}, model.free, "free money")
        reserve = {user: model.reserve[user] + model.left[user] for user in users}
        same({user: self.venue.mills(Kind.RESERVE, user) for user in users}, reserve, "reserves")
        left = {user: pools[user].left_mills if user in pools else 0 for user in users}
        same(left, model.left, "what is left of pools")
        same({user: self.venue.mills(Kind.BOND, user) for user in users}, model.bonds, "bonds")
        same(self.venue.mills(Kind.FEES), model.fees, "fees")
        same(-self.venue.mills(Kind.ISSUANCE), model.total(), "all money")


def same(core: object, model: object, what: str) -> None:
    if core == model:
        return
    if isinstance(core, dict) and isinstance(model, dict):
        other = {key for key in {**core, **model} if core.get(key) != model.get(key)}
        core, model = ({key: of[key] for key in of if key in other} for of in (core, model))
    raise Disagreement(f"{what}\n core: {core}\nnaive: {model}")


def wanted(new: NewOffer) -> Wanted:
    return Wanted(
        new.action.value,
        new.side.value,
        new.volume,
        new.price,
        new.until_at,
        new.now_or_never,
        new.all_or_none,
        new.post_only,
        new.pool,
        new.cancel_on_halt,
    )


def row(wish: Wish) -> tuple[object, ...]:
    place = (wish.contract, wish.user, wish.price, wish.until, wish.rank, wish.suspended)
    return (*place, wish.volume, wish.filled, wish.sale, wish.bought, wish.cancelled)


def core_row(offer: Offer) -> tuple[object, ...]:
    place = (offer.contract, offer.user, offer.price, offer.until_at, offer.rank, offer.suspended)
    return (*place, offer.volume, offer.filled, offer.units_left, offer.cash_left, offer.cancelled)


def twins(
    money: dict[int, int], maturations: dict[int, int], fee_bps: int = 0, compared: bool = True, law: str = "2"
) -> Twins:
    market = Market()
    for contract, at in maturations.items():
        market.add(ContractState(contract, terms(fee_bps, law), at))
    venue = Venue(market, NOW)
    for user, mills in money.items():
        venue.grant(user, mills)
    return Twins(venue, Naive(money, maturations, fee_bps, law) if compared else None)


def trading(made: Twins) -> list[int]:
    return [state.id for state in made.venue.market.contracts.values() if state.trades(made.venue.now)]


def unsettled(made: Twins) -> list[int]:
    return [state.id for state in made.venue.market.contracts.values() if state.status is not Status.SETTLED]
