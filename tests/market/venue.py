"""The core as its callers use it: a market, a journal of what each calculation moved, and the rows that it named."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.market.exchange.expiry import due, expire
from app.market.exchange.fill import Amendment, Fill
from app.market.exchange.matching import cancel, place, place_range, resume_offer, retry
from app.market.exchange.offer import FIELDS, NewOffer, Offer
from app.market.exchange.position import Position, Purse
from app.market.exchange.settlement import Payout, halt, resume, settle
from app.market.exchange.state import Changes, ContractState, Market
from app.market.exchange.voiding import VoidPrice
from app.market.ledger.entries import Before, difference, entry_of
from app.market.ledger.journal import AccountKey, Entry, Kind, Posting, unit_currency
from app.market.terms.contract import Outcome, Side

CURRENCY = "play:1"
CONTRACT = 3
"""The contract that is meant where none is named."""


@dataclass
class Venue:
    """A market, what a store that is told its changes holds, and a clock that the test moves."""

    market: Market
    now: int
    numbers: int = 0
    commands: int = 0
    balances: dict[AccountKey, int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    offers: dict[int, Offer] = field(default_factory=dict)
    positions: dict[tuple[int, int, Side], Position] = field(default_factory=dict)
    net_paid: dict[tuple[int, int], int] = field(default_factory=dict)
    purses: dict[int, Purse] = field(default_factory=dict)
    pools: dict[int, int] = field(default_factory=dict)
    displaced: list[int] = field(default_factory=list)
    """The numbers of all-or-none offers whose place a better one took, in order."""
    to_retry: set[int] = field(default_factory=set)
    """Contracts whose book was changed from another one and not yet looked at."""

    def post(self, item: Entry) -> None:
        """An entry that moves nothing is not kept."""
        if not item.postings:
            return
        self.entries.append(item)
        for kind, owner, currency, amount in item.postings:
            key = AccountKey(kind, owner, currency)
            self.balances[key] = self.balances.get(key, 0) + amount

    def transfer(self, key: str, source: AccountKey, target: AccountKey, mills: int) -> None:
        """Money that moves without a trade: a grant, a gift, a bond."""
        self.commands += 1
        key = f"{key}:{self.commands}"
        self.post(Entry(key, key, self.now, (Posting(*source, -mills), Posting(*target, mills))))
        for account, amount in ((source, -mills), (target, mills)):
            if account.kind is Kind.FREE:
                self.market.purses[account.owner].free_mills += amount
                self.purses[account.owner] = copy.copy(self.market.purses[account.owner])

    def grant(self, user: int, mills: int) -> None:
        issuance = AccountKey(Kind.ISSUANCE, 0, CURRENCY)
        self.transfer("grant", issuance, AccountKey(Kind.FREE, user, CURRENCY), mills)

    # Commands

    def place(self, user: int, new: NewOffer, contract: int = CONTRACT) -> Changes:
        """Let an offer arrive; a refused one leaves no number behind."""
        self.expire()
        before = Before(self.market)
        changes = place(self.market, contract, new, number=self.numbers + 1, user=user, now=self.now)
        self.numbers += 1
        return self._done("command", before, changes)

    def place_range(self, user: int, new: NewOffer, contracts: Sequence[int]) -> Changes:
        self.expire()
        before = Before(self.market)
        numbers = [self.numbers + 1 + at for at in range(len(contracts))]
        last = max(contracts, key=lambda contract: self.market.contracts[contract].maturation_at)
        changes = place_range(self.market, contracts, new, numbers=numbers, user=user, now=self.now, last=last)
        self.numbers += len(contracts)
        return self._done("command", before, changes)

    def cancel(self, user: int, number: int, keep: int = 0) -> Changes:
        self.expire()
        before = Before(self.market)
        return self._done("command", before, cancel(self.market, number, user=user, now=self.now, keep=keep))

    def expire(self) -> list[int]:
        """Let everything expire that is due; returns its numbers in order."""
        return [offer.number for offer in due(self.market, self.market.contracts, self.now) if self._expire(offer)]

    def _expire(self, offer: Offer) -> bool:
        """Not what a re-try has filled meanwhile."""
        if not offer.remaining:
            return False
        before = Before(self.market)
        self.to_retry.discard(offer.contract)
        self._done("expiry", before, expire(self.market, offer.number, now=self.now))
        return True

    def halt(self, contract: int = CONTRACT) -> Changes:
        before = Before(self.market)
        return self._done("halt", before, halt(self.market, contract))

    def resume(self, contract: int = CONTRACT) -> Changes:
        self.expire()
        before = Before(self.market)
        return self._done("resume", before, resume(self.market, contract, now=self.now))

    def resume_offer(self, number: int) -> Changes:
        before = Before(self.market)
        changes = resume_offer(self.market, number, rank=self.numbers + 1, now=self.now)
        self.numbers += 1
        return self._done("resumption", before, changes)

    def retry(self, contract: int = CONTRACT) -> Changes:
        before = Before(self.market)
        self.to_retry.discard(contract)
        return self._done("retry", before, retry(self.market, contract, now=self.now))

    def settle(
        self,
        outcome: Outcome,
        void: VoidPrice | None = None,
        contract: int = CONTRACT,
        price: int | None = None,
    ) -> tuple[Changes, list[Payout]]:
        before = Before(self.market)
        changes, payouts = settle(self.market, contract, outcome, void, price)
        self.to_retry.discard(contract)
        return self._done("settlement", before, changes), payouts

    def _done(self, kind: str, before: Before, changes: Changes) -> Changes:
        """Store what the changes name, as it is now, and nothing else."""
        self.commands += 1
        cause = f"{kind}:{self.commands}"
        for contract, user, mills in difference(self.market, before, changes).net_paid:
            self.net_paid[contract, user] = mills
        self.post(entry_of(self.market, before, changes, CURRENCY, key=cause, cause=cause, now=self.now))
        self.fills += changes.fills
        self.amendments += changes.all_amendments
        self.to_retry |= changes.to_retry
        self.displaced += [offer.number for offer, _ in changes.displaced]
        self.offers |= {number: copy.copy(changed) for number, changed in changes.offers.items()}
        for user in changes.touched_users:
            self._store(user)
        return changes

    def _store(self, user: int) -> None:
        self.purses[user] = copy.copy(self.market.purses[user])
        if user in self.market.pools:
            self.pools[user] = self.market.pools[user].left_mills
        for state in self.market.contracts.values():
            for side in Side:
                held = state.holders(side).get(user)
                if held is not None:
                    self.positions[state.id, user, side] = copy.copy(held)

    # Questions

    @property
    def state(self) -> ContractState:
        return self.market.contracts[CONTRACT]

    def picture(self) -> tuple[object, ...]:
        """Everything there is to see of the contracts and the purses, to compare before and after."""
        market = self.market
        return (
            [_picture(state) for state in market.contracts.values()],
            {user: repr(purse) for user, purse in market.purses.items() if purse != Purse()},
            {user: (pool.left_mills, sorted(pool.offers)) for user, pool in market.pools.items() if pool.offers},
            dict(self.balances),
            len(self.entries),
        )

    def mills(self, kind: Kind, owner: int = 0) -> int:
        return self.balances.get(AccountKey(kind, owner, CURRENCY), 0)

    def units_of(self, contract: int, user: int, side: Side) -> tuple[int, int]:
        """Free and reserved units, as the journal has them."""
        currency = unit_currency(contract, side)
        free = self.balances.get(AccountKey(Kind.UNITS_FREE, user, currency), 0)
        return free, self.balances.get(AccountKey(Kind.UNITS_RESERVED, user, currency), 0)


def _picture(state: ContractState) -> tuple[object, ...]:
    halves = (state.book.bids, state.book.asks)
    return (
        (state.status, state.open_interest, state.minted_mills, state.amendment),
        {offer.number: _fields(offer) for offer in state.book.open_offers()},
        [(price, list(half.levels[price])) for half in halves for price in half.prices()],
        {user: mills for user, mills in state.net_paid.items() if mills},
        {(side, user): repr(held) for side in Side for user, held in state.holders(side).items() if held.units},
    )


def _fields(offer: Offer) -> tuple[object, ...]:
    return tuple(getattr(offer, name) for name in FIELDS)
