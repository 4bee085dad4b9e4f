"""Contracts locked and loaded for calculations, each of which is stored with its journal entry.

A command locks all it may change before it decides: contracts in id order, then users in id order. A pool ties
contracts together, so those in which a concerned user's pool has offers are locked too; and what is due in these
expires as well, as if the clock loop had come by.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import partial

from app.market.exchange.expiry import due, expire, filling
from app.market.exchange.fill import Fill, FillKind
from app.market.exchange.offer import NewOffer, Offer, book_price, is_bid
from app.market.exchange.pool import Pool
from app.market.exchange.state import MAX_FILLS, Changes, ContractState, Market
from app.market.ledger import entry_detail
from app.market.ledger.entries import Before, Difference, difference, entry_of
from app.market.ledger.journal import Kind
from app.market.terms.contract import UNIT_MILLS
from app.services.mentions.notices import tell, tell_displaced
from app.services.rules.changed import Changed, publish
from app.services.trading.contract_entries import made_of
from app.services.trading.locking import tied_to
from app.storage.engine.db import DatabaseBusy, Mark, Tx
from app.storage.market import books, contracts, grants, journal, pools, remembered
from app.storage.market.contracts import ContractRow
from app.storage.people import places
from app.storage.people.places import Place


@dataclass(slots=True)
class LockedMarket:
    """Contracts of one currency under lock. `cause` names what happens in the journal; `rows` as they were found.

    `acting`: those that may change at will, others only as pools make them. `made`, `filled`: entries and fills that
    the cause has made so far. `parties`: those whose accounts it may change. `changed`, `entries`: contracts changed
    and keys of the entries made that were not published yet; `versions`, `idle_at`: what stands in the contracts' rows.
    """

    tx: Tx
    currency: str
    market: Market
    rows: dict[int, ContractRow]
    cause: str
    now: int
    user: int | None = None
    acting: set[int] = field(default_factory=set)
    made: int = 0
    filled: int = 0
    parties: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    entries: list[str] = field(default_factory=list)
    versions: dict[int, int] = field(default_factory=dict)
    idle_at: dict[int, int | None] = field(default_factory=dict)

    def state(self, contract_id: int) -> ContractState:
        return self.market.contracts[contract_id]

    @property
    def room(self) -> int:
        """Number of fills that the cause may still make."""
        return max(0, MAX_FILLS - self.filled)

    async def run(self, calculation: Callable[[], Changes], key: str | None = None, cause: str = "") -> Changes:
        """Do a calculation and store what it changed, with its entry. Without a key the entry is the cause's next."""
        try:
            return await self._run(calculation, key, cause)
        except BaseException:
            remembered.drop(self.tx, self.rows)  # the transaction may go on after a refusal
            raise

    async def _run(self, calculation: Callable[[], Changes], key: str | None, cause: str) -> Changes:
        before = Before(self.market, self.parties)
        changes = calculation()
        if key is None:
            self.made += 1
            self.filled += len(changes.raw_fills)
            key = self.cause if self.made == 1 else f"{self.cause}:{self.made}"
        differ = difference(self.market, before, changes)
        granted = await grants.traded(self.tx, self.currency, paid(changes)) if changes.raw_fills else []
        detail = entry_detail.detail_text(self._rows_told(changes, differ, granted))
        made = entry_of(
            self.market, before, changes, self.currency, key=key, cause=cause or self.cause, now=self.now, detail=detail
        )
        if not detail and not made.postings:
            return changes
        await self._save(changes, differ)
        await pools.save(self.tx, self.currency, differ.pools)
        await journal.append(self.tx, [made])
        self.entries.append(made.key)
        await self._tell_displaced(changes)
        return changes

    async def _save(self, changes: Changes, differ: Difference) -> None:
        """Store what differs, and remember it under the version that the contracts have then."""
        self.changed |= differ.changed
        saved = [(self.state(number), self._idle_at(number)) for number in sorted(differ.changed)]
        await books.save(self.tx, saved, changes, differ, self.now)
        for state, idle_at in saved:
            row = self.rows[state.id]
            version = self.versions[state.id] = self.versions.get(state.id, row.version) + 1
            self.idle_at[state.id] = idle_at
            remembered.note(self.tx, state, version, changes.touched, changes.touched_users)

    def _idle_at(self, number: int) -> int | None:
        """Contracts in which nobody holds or offers anything any more are idle from now on, others are not."""
        state = self.state(number)
        if state.open_interest or not state.book.empty:
            return None
        was = self.idle_at.get(number, self.rows[number].idle_at)
        return self.now if was is None else was

    async def publish(self, here: Place | None = None) -> Changed:
        """Say once what changed since the lock, or since it was said last; `here`: where the cause comes from."""
        threads = frozenset(self.rows[number].issue_id for number in self.changed)
        changed = Changed(frozenset(self.changed), threads, tuple(self.entries))
        self.changed.clear()
        self.entries.clear()
        await publish(self.tx, changed, self.now, here)
        return changed

    async def expire(self, fresh: Container[int], *, asking: bool = False) -> bool:
        """Let what is due in these contracts go, in one order of (until, number), and tell it.

        Nothing fills but in the `fresh` ones, about which we have fresh news: elsewhere all-or-none offers are tried
        later. With `asking` GitHub is to be asked first instead: raises StaleNews and changes nothing. Returns whether
        anything was due.
        """
        if asking:
            self._check_news(fresh)
        expired: dict[int, list[Offer]] = {}
        fills: list[Fill] = []
        for offer in due(self.market, self.acting, self.now):
            if offer.remaining:  # a re-try may have filled it meanwhile
                gone = partial(expire, self.market, offer.number, now=self.now, later=offer.contract not in fresh)
                fills += (await self.run(gone, f"expiry:{offer.number}", "expiry")).fills
                expired.setdefault(offer.contract, []).append(offer)
        for number in sorted(expired):
            there = [fill for fill in fills if fill.contract == number]
            await tell(self.tx, self.rows[number], expired[number], there, self.now)
        return bool(expired)

    def _check_news(self, fresh: Container[int]) -> None:
        stale = frozenset(found for found in filling(self.market, self.acting, self.now) if found not in fresh)
        if stale:
            raise StaleNews(stale)

    async def _tell_displaced(self, changes: Changes) -> None:
        """A reply tells it to whoever commands."""
        for offer, volume in changes.displaced:
            if offer.user != self.user:
                await tell_displaced(self.tx, self.rows[offer.contract], offer, volume, self.now)

    def _rows_told(
        self, changes: Changes, differ: Difference, granted: list[tuple[int, int]]
    ) -> list[entry_detail.Row]:
        young = self._young(changes)
        return [
            *(entry_detail.offer_row(offer, offer.created_at) for _, offer in sorted(changes.offers.items())),
            *(entry_detail.position_row(*item) for item in differ.positions),
            *(entry_detail.net_paid_row(*item) for item in differ.net_paid),
            *(entry_detail.fill_row(item, self.now) for item in changes.fills),
            *(entry_detail.amendment_row(item, self.now) for item in changes.all_amendments),
            *(self._contract_row(number) for number in sorted(young | {state.id for state in differ.contracts})),
            *(entry_detail.pool_row(pool.user, self.currency, pool.left_mills) for pool in differ.pools),
            *(made_of(self.rows[number]) for number in sorted(young)),
            *(entry_detail.grant_row(user, self.currency, mills) for user, mills in granted),
        ]

    def _young(self, changes: Changes) -> set[int]:
        """Those that are as they were made: there may be no entry that tells of them yet."""
        return {offer.contract for offer in changes.offers.values() if not self.state(offer.contract).amendment}

    def _contract_row(self, number: int) -> entry_detail.Row:
        state, row = self.state(number), self.rows[number]
        return entry_detail.contract_row(
            state.id,
            state.status,
            row.outcome,
            open_interest=state.open_interest,
            minted_mills=state.minted_mills,
            amendment=state.amendment,
            maturation_at=row.maturation_at,
            round_number=row.round,
            terms_hash=row.terms_hash,
            statement_hash=row.statement_hash,
        )


class StaleNews(Exception):
    """Something would fill in contracts about which we have no fresh news: GitHub is to be asked about them first."""

    def __init__(self, contracts: frozenset[int]) -> None:
        super().__init__(f"stale news about {sorted(contracts)}")
        self.contracts = contracts


class _Everywhere:
    def __contains__(self, number: object) -> bool:
        return True


EVERYWHERE: Container[int] = _Everywhere()
"""For whoever has fresh news about every contract there is, or calculates anew what happened on it."""

MOST_ATTEMPTS = 8
"""Pools tie contracts together, and may come to others while those are being locked."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A wish to lock contracts."""

    contract_ids: set[int]
    user: int | None
    reaching: NewOffer | None
    everyone: bool


async def lock_market(
    tx: Tx,
    contract_ids: set[int],
    *,
    cause: str,
    now: int,
    user: int | None = None,
    reaching: NewOffer | None = None,
    everyone: bool = False,
) -> LockedMarket:
    """Lock and load. `user` is whose free money counts, `reaching` the offer about to arrive.

    `everyone`: all with a position or an offer may be paid. Raises ValueError for contracts of several currencies.
    """
    wish = _Wish(contract_ids, user, reaching, everyone)
    currency, pooled = await _currency(tx, contract_ids)
    locked = LockedMarket(tx, currency, Market(), {}, cause, now, user)
    if tx.dialect.name == "sqlite" and not pooled:  # nobody else writes, so that none can come
        await _load(locked, set(contract_ids), wish)
        await _lock_parties(locked, wish)
        return locked
    wanted, several = await _tied(locked, wish) if pooled else (set(contract_ids), False)
    mark = Mark(tx) if several and tx.dialect.name != "sqlite" else None
    if mark is not None:
        await mark.set()
    for _ in range(MOST_ATTEMPTS if mark else 1):
        if await _locked(locked, wanted, wish):
            if mark is not None:
                await mark.forget()
            return locked
        if mark is not None:
            await mark.go_back()  # what is missing may come first in order
            wanted, _ = await _tied(locked, wish)
    raise DatabaseBusy("pools came to other contracts while these were being locked")


async def _tied(locked: LockedMarket, wish: _Wish) -> tuple[set[int], bool]:
    """The contracts to lock, as things stand; and whether anybody's pool may tie others to them."""
    _, wanted, tied = await tied_to(locked.tx, locked.currency, wish.contract_ids, wish.user, locked.now)
    return wanted, tied


async def _currency(tx: Tx, contract_ids: set[int]) -> tuple[str, bool]:
    """In what they trade, and whether anybody has a pool of it as things stand."""
    found = await pools.currencies(tx, contract_ids)
    if len(found) > 1:
        raise ValueError(f"contracts of several currencies in one locked market: {sorted(found)}")
    return next(iter(found.items()), ("", False))


async def _locked(locked: LockedMarket, wanted: set[int], wish: _Wish) -> bool:
    """Lock and load these contracts and the users concerned. False: others would have to be locked as well."""
    tx, user = locked.tx, wish.user
    await _load(locked, wanted, wish)
    market = locked.market
    tied = await pools.concerned(tx, locked.currency, locked.acting, user)  # it stays so from here on
    market.pools = {each: Pool(each) for each in sorted(tied)}
    for state in market.contracts.values():
        _tie(market, state)
    await _lock_parties(locked, wish)
    first_pool = user is not None and user not in tied and bool(await pools.load(tx, locked.currency, {user}))
    if first_pool or (tied and not await pools.contracts_of(tx, locked.currency, tied) <= wanted):
        return False
    for pool in (await pools.load(tx, locked.currency, tied)).values():
        market.pools[pool.user].left_mills = pool.left_mills
    return True


async def _load(locked: LockedMarket, wanted: set[int], wish: _Wish) -> None:
    """Lock these contracts, and load their books and positions."""
    rows = await contracts.hold(locked.tx, wanted)
    locked.rows = {row.id: row for row in rows}
    locked.market = market = Market()
    for row in rows:
        market.add(await remembered.load(locked.tx, row))
    ending = {offer.contract for offer in due(market, market.contracts, locked.now)}
    locked.acting = ending | (wish.contract_ids & locked.rows.keys())


async def _lock_parties(locked: LockedMarket, wish: _Wish) -> None:
    """Lock those whose accounts may change, and read what the commanding user has free."""
    locked.parties = _parties(locked, wish)
    await places.lock_users(locked.tx, locked.parties)
    if wish.user is not None:
        purse = locked.market.purses[wish.user]
        purse.free_mills = await journal.balance(locked.tx, Kind.FREE, wish.user, locked.currency)


def _tie(market: Market, state: ContractState) -> None:
    """Pools know their offers."""
    if not market.pools:
        return
    for offer in state.book.open_offers():
        if offer.pooled and offer.user in market.pools:
            market.pools[offer.user].offers[offer.number] = offer
    for pool in market.pools.values():
        pool.offers = dict(sorted(pool.offers.items()))


def _parties(locked: LockedMarket, wish: _Wish) -> set[int]:
    """Users whose accounts the calculations may change."""
    parties = {wish.user} if wish.user is not None else set()
    for number in locked.acting:
        state, named = locked.state(number), number in wish.contract_ids
        if named and wish.everyone:
            parties |= state.fixed.keys() | state.unfixed.keys()
        if (named and wish.everyone) or state.book.whole or locked.market.pools:
            parties |= {offer.user for offer in state.book.open_offers()}
        else:
            parties |= {offer.user for offer in state.book.ended(locked.now)}
            parties |= _reached(state, wish.reaching) if named and wish.reaching else set()
    return parties | locked.market.pools.keys()


def _reached(state: ContractState, new: NewOffer) -> set[int]:
    limit = book_price(new.side, new.price)
    return {found.user for found in state.book.half(not is_bid(new.action, new.side)).reached(limit)}


def paid(changes: Changes) -> dict[int, int]:
    """Payments of each user for units in fills, in mills."""
    found: dict[int, int] = {}
    for _, _, bid, ask, newcomer, volume, price, kind, sold, *_ in changes.raw_fills:
        bid_buys = kind is FillKind.EXPAND or (kind is FillKind.TRANSFER and sold != (newcomer is bid))
        ask_buys = kind is FillKind.EXPAND or (kind is FillKind.TRANSFER and not bid_buys)
        for buys, user, each in ((bid_buys, bid.user, price), (ask_buys, ask.user, UNIT_MILLS - price)):
            if buys:
                found[user] = found.get(user, 0) + volume * each
    return found
