"""Signs that something waits, read by one statement for the whole worker: an idle one asks nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, select

from app.market.exchange.offer import OfferState
from app.market.terms.contract import Status
from app.storage.engine.db import Tx
from app.storage.engine.tables import contracts, deliveries, entries, offers, outbox
from app.storage.queues.inbox import WAITING

_LIVE, _SUSPENDED = OfferState.LIVE.value, OfferState.SUSPENDED.value
_OPEN, _SETTLED = Status.OPEN.value, Status.SETTLED.value


@dataclass(frozen=True, slots=True)
class Signs:
    """True where it is worth looking; `newest_entry` is the id of the journal's newest entry, 0 before the first."""

    deliveries: bool
    messages: bool
    due: bool
    newest_entry: int


async def read(tx: Tx, now: int) -> Signs:
    """Read all signs at the instant `now`. Each rests on an index, so that long queues cost no more than empty ones."""
    return Signs(*(await tx.execute(_SIGNS, {"now": now})).one())


def _statement() -> Select[Any]:
    now: ColumnElement[int] = bindparam("now")
    ready = deliveries.c.state == WAITING, deliveries.c.due_at <= now, func.coalesce(deliveries.c.lease_until, 0) <= now
    leaving = outbox.c.state == WAITING, outbox.c.due_at <= now, func.coalesce(outbox.c.lease_until, 0) <= now
    ends = offers.c.state.in_((_LIVE, _SUSPENDED)), offers.c.until_at <= now
    looks = contracts.c.next_look_at <= now, contracts.c.status != _SETTLED
    retries = contracts.c.retry_due, contracts.c.status == _OPEN
    due = (
        exists().where(*ends)
        | exists().where(*looks)
        | exists().where(*retries)
        | exists().where(offers.c.state == _SUSPENDED)
    )
    newest = select(func.coalesce(func.max(entries.c.id), 0)).scalar_subquery()
    return select(exists().where(*ready), exists().where(*leaving), due, newest)


_SIGNS = _statement()
"""Made once: putting it together costs more than running it."""
