"""Trades without a command: offers expire, suspended ones come back, all-or-none ones are tried again.

Each is a calculation of its own, so no command's transaction grows without bound (docs/market.md §2). None of it may
happen on stale news: `fresh` are the contracts about which GitHub was asked. Where something would fill in others each
raises StaleNews.
"""

from __future__ import annotations

from collections.abc import Container
from functools import partial

from app.market.exchange.matching import resume_offer, retry
from app.market.terms.contract import Status
from app.market.terms.errors import Refusal
from app.services.mentions.notices import tell
from app.services.trading.locked_market import lock_market
from app.storage.engine.db import Tx
from app.storage.market import books, contracts


async def expire_due(tx: Tx, contract_id: int, now: int, fresh: Container[int]) -> bool:
    """Let the offers of a contract that are due expire. Returns whether there were any."""
    locked = await lock_market(tx, {contract_id}, cause="expiry", now=now)
    if contract_id not in locked.rows or locked.rows[contract_id].status is Status.SETTLED:
        return False
    found = await locked.expire(fresh, asking=True)
    await locked.publish()
    return found


async def retry_contract(tx: Tx, contract_id: int, now: int, fresh: Container[int]) -> None:
    """Try the all-or-none offers of a contract whose book was changed by what happened in another."""
    locked = await lock_market(tx, {contract_id}, cause=f"retry:{contract_id}", now=now)
    if contract_id not in locked.rows:
        return
    await contracts.schedule(tx, contract_id, retry_due=False)
    await locked.expire(fresh, asking=True)
    key = f"retry:{contract_id}:{locked.state(contract_id).amendment}"
    changes = await locked.run(partial(retry, locked.market, contract_id, now=now), key)
    await tell(tx, locked.rows[contract_id], [], changes.fills, now)
    await locked.publish()


async def resume_suspended(tx: Tx, number: int, contract_id: int, now: int, fresh: Container[int]) -> bool:
    """Bring a suspended offer back if what is left of its pool is enough. Returns whether it was."""
    locked = await lock_market(tx, {contract_id}, cause=f"resumed:{number}", now=now)
    await locked.expire(fresh, asking=True)
    (rank,) = await books.next_offer_numbers(tx, 1)
    try:
        back = partial(resume_offer, locked.market, number, rank=rank, now=now)
        changes = await locked.run(back, f"resumed:{number}:{rank}")
    except Refusal:
        return False
    await tell(tx, locked.rows[contract_id], [], changes.fills, now)
    await locked.publish()
    return True
