"""Events of each offer, found by comparing each telling in the journal with the one before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from app.market.exchange.offer import OfferState
from app.storage.engine.db import Tx
from app.storage.proof import history
from app.storage.proof.audit_reader import Found
from app.storage.proof.tellings import Chronicle, Standing, Telling, Told, entries_on_offers


async def read_journal(tx: Tx, chronicle: Chronicle, contracts: Collection[int] | None) -> None:
    """Note the events of the offers in these contracts; None: in all. Raises UnreadableJournal."""
    async for told in entries_on_offers(tx):
        mine = [offer for offer in told.offers if contracts is None or offer.contract in contracts]
        before = {offer.offer: chronicle.last(offer.offer) for offer in mine}
        arrived = [offer for offer in mine if _arrives(offer, before[offer.offer])]
        for offer in mine:
            chronicle.add(told, offer, _event(told, offer, before[offer.offer], arrived))


async def offer_events(tx: Tx, chronicle: Chronicle, repository_id: int) -> AsyncIterator[Found]:
    contracts = await history.contracts_in(tx, repository_id)
    for row in chronicle.events(contracts):
        yield tuple(row)


def _arrives(offer: Telling, before: Standing | None) -> bool:
    return before is None or before.rank != offer.rank


def _event(told: Told, offer: Telling, before: Standing | None, arrived: list[Telling]) -> str:
    """The first name that fits; "" where nothing has changed but in what it is paid."""
    if before is None:
        return "placed" if offer.created_at == told.at else "known"
    if before.rank != offer.rank:
        return "resumed"
    if offer.state == OfferState.SUSPENDED != before.state:
        return "suspended"
    if offer.cancelled != before.cancelled:
        return _ending(told, offer, arrived) if offer.state == OfferState.DONE else "changed"
    return "filled" if offer.filled != before.filled else ""


def _ending(told: Told, offer: Telling, arrived: list[Telling]) -> str:
    if told.expiry and offer.until_at <= told.at:
        return "expired"
    return "displaced" if any(_displaces(other, offer) for other in arrived) else "cancelled"


def _displaces(newcomer: Telling, offer: Telling) -> bool:
    """Tell whether it came to rest in the other's place: of all-or-none offers a half of a book has only so many."""
    alike = newcomer.contract == offer.contract and newcomer.bid == offer.bid
    better = newcomer.fixed_price > offer.fixed_price if offer.bid else newcomer.fixed_price < offer.fixed_price
    return alike and better and newcomer.all_or_none and offer.all_or_none and not newcomer.now_or_never
