"""Notices of events that no reply covers: offers that expired or lost their place, fills that came by themselves.

Offers that end with their contract's maturation are not told one by one: the contract's own notice tells it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from app.market.exchange.fill import Fill
from app.market.exchange.offer import Offer
from app.services.mentions import mutes
from app.storage.engine.db import Tx
from app.storage.market.contracts import ContractRow
from app.storage.people import places
from app.storage.people.places import Place
from app.storage.queues import outbox


async def tell(tx: Tx, row: ContractRow, expired: Sequence[Offer], fills: Sequence[Fill], now: int) -> None:
    """Have one comment made in the contract's thread, if there is anything to tell."""
    ended = [offer for offer in expired if offer.until_at < row.maturation_at]
    place = await places.place(tx, row.issue_id) if ended or fills else None
    if place is None:
        return
    users = {offer.user for offer in ended} | _parties(fills)
    body = {
        "notice": "news",
        "contract": row.id,
        "expired": [_offer(offer) for offer in ended],
        "fills": [_fill(fill) for fill in fills],
        "users": sorted(users),
        "spared": sorted(await mutes.spared(tx, place.repository.id, users, now)),
    }
    key = f"expired:{ended[0].number}" if ended else f"fills:{row.id}:{fills[0].amendment}"
    await outbox.put(tx, key=key, kind="notice", place=place, body=json.dumps(body), now=now)


async def tell_made_room(tx: Tx, row: ContractRow, gone: Sequence[Offer], units: Sequence[int], now: int) -> None:
    """A contract that nobody held made room for another: the owners of its offers are told, each of how many `units`.

    One that sleeps again had offers in between, so the newest of these tells which time it is.
    """
    place = await places.place(tx, row.issue_id)
    if place is None or not gone:
        return
    users = {offer.user for offer in gone}
    body = {
        "notice": "room",
        "contract": row.id,
        "cancelled": [[*_offer(offer)[:4], left, offer.price] for offer, left in zip(gone, units, strict=True)],
        "users": sorted(users),
        "spared": sorted(await mutes.spared(tx, place.repository.id, users, now)),
    }
    key = f"room:{row.id}:{max(offer.number for offer in gone)}"
    await outbox.put(tx, key=key, kind="notice", place=place, body=json.dumps(body), now=now)


async def tell_displaced(tx: Tx, row: ContractRow, offer: Offer, volume: int, now: int) -> None:
    """An all-or-none offer lost its place to a better one: its owner is told in the contract's thread."""
    place = await places.place(tx, row.issue_id)
    if place is None:
        return
    body = {
        "notice": "news",
        "contract": row.id,
        "displaced": [[*_offer(offer)[:4], volume, offer.price]],
        "expired": [],
        "fills": [],
        "users": [offer.user],
        "spared": sorted(await mutes.spared(tx, place.repository.id, {offer.user}, now)),
    }
    await outbox.put(tx, key=f"displaced:{offer.number}", kind="notice", place=place, body=json.dumps(body), now=now)


async def tell_others(tx: Tx, place: Place, fills: Sequence[Fill], user: int, now: int) -> None:
    """The fills of a command that is answered by no reply: its other parties are told in a comment a contract."""
    for number in sorted({fill.contract for fill in fills}):
        there = [fill for fill in fills if fill.contract == number]
        spared = await mutes.spared(tx, place.repository.id, _parties(there) - {user}, now) | {user}
        if _parties(there) <= spared:
            continue
        body = {
            "notice": "news",
            "contract": number,
            "expired": [],
            "fills": [_fill(fill) for fill in there],
            "users": sorted(_parties(there)),
            "spared": sorted(spared),
            "commanded": True,
        }
        key = f"fills:{number}:{there[0].amendment}"
        await outbox.put(tx, key=key, kind="notice", place=place, body=json.dumps(body), now=now)


def _parties(fills: Sequence[Fill]) -> set[int]:
    return {user for fill in fills for user in (fill.buyer, fill.seller)}


def _fill(fill: Fill) -> list[int]:
    return [fill.buyer, fill.seller, fill.volume, fill.price, fill.amendment]


def _offer(offer: Offer) -> list[int | str]:
    return [offer.number, offer.user, offer.action.value, offer.side.value, offer.cancelled, offer.price]
