"""What follows from commands by itself: offers expire, suspended ones come back, all-or-none ones are tried again.

Each is a calculation of its own, so no command's transaction grows without bound (docs/market.md §2). None of it may
happen on stale news: `fresh` are the contracts about which GitHub was asked. Where something would fill in others each
raises StaleNews.
"""

from __future__ import annotations

from collections.abc import Container
from functools import partial

from app.market.contract import Status
from app.market.errors import Refusal
from app.market.matching import resume_offer, retry
from app.services.floor import Floor, open_floor
from app.services.scene import refresh_board
from app.services.telling import tell
from app.storage import books, contracts, places
from app.storage.db import Tx


async def expire_due(tx: Tx, contract_id: int, now: int, fresh: Container[int]) -> bool:
    """Let the offers of a contract that are due expire. Returns whether there were any."""
    floor = await open_floor(tx, {contract_id}, cause="expiry", now=now)
    if contract_id not in floor.rows or floor.rows[contract_id].status is Status.SETTLED:
        return False
    found = await floor.expire(fresh, asking=True)
    await _show(floor)
    return found


async def retry_contract(tx: Tx, contract_id: int, now: int, fresh: Container[int]) -> None:
    """Try the all-or-none offers of a contract whose book was changed by what happened in another."""
    floor = await open_floor(tx, {contract_id}, cause=f"retry:{contract_id}", now=now)
    if contract_id not in floor.rows:
        return
    await contracts.change(tx, contract_id, retry_due=False)
    await floor.expire(fresh, asking=True)
    key = f"retry:{contract_id}:{floor.state(contract_id).amendment}"
    changes = await floor.run(partial(retry, floor.market, contract_id, now=now), key)
    await tell(tx, floor.rows[contract_id], [], changes.fills, now)
    await _show(floor)


async def resume_suspended(tx: Tx, number: int, contract_id: int, now: int, fresh: Container[int]) -> bool:
    """Bring a suspended offer back if what is left of its pool is enough. Returns whether it was."""
    floor = await open_floor(tx, {contract_id}, cause=f"resumed:{number}", now=now)
    await floor.expire(fresh, asking=True)
    (rank,) = await books.next_offer_numbers(tx, 1)
    try:
        back = partial(resume_offer, floor.market, number, rank=rank, now=now)
        changes = await floor.run(back, f"resumed:{number}:{rank}")
    except Refusal:
        return False
    await tell(tx, floor.rows[contract_id], [], changes.fills, now)
    await _show(floor)
    return True


async def _show(floor: Floor) -> None:
    """Have the market comments of the threads concerned brought up to date."""
    for issue_id in sorted({floor.rows[number].issue_id for number in floor.changed}):
        place = await places.place(floor.tx, issue_id)
        if place is not None:
            await refresh_board(floor.tx, place, floor.now)
