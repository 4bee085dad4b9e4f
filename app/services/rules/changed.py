"""Changes of a market, said once to whoever shows them."""

from __future__ import annotations

from dataclasses import dataclass

from app.storage.engine.db import Tx
from app.storage.people import places
from app.storage.people.places import Place
from app.storage.queues import outbox

BOARD_DELAY_SECONDS = 1
"""The market comment lets the reply to the same command go before it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Contracts that a transaction changed, the threads that show them, and the keys of the journal's entries."""

    contracts: frozenset[int] = frozenset()
    threads: frozenset[int] = frozenset()
    entries: tuple[str, ...] = ()

    @classmethod
    def here(cls, place: Place, *contract_ids: int) -> Changed:
        """Contracts of this thread changed apart from trading, or only what the thread shows beside them."""
        return cls(frozenset(contract_ids), frozenset({place.issue.id}))


async def publish(tx: Tx, changed: Changed, now: int, here: Place | None = None) -> None:
    """Have everything that shows a market follow: the one place where a change is passed on.

    The thread of `here` is brought up to date in any case: what was done there may show without changing a contract.
    """
    known = {} if here is None else {here.issue.id: here}
    for issue_id in sorted(changed.threads | known.keys()):  # in one order for all writers
        place = known.get(issue_id) or await places.place(tx, issue_id)
        if place is not None:
            await _refresh_market_comment(tx, place, now)


async def _refresh_market_comment(tx: Tx, place: Place, now: int) -> None:
    """Have the issue's market comment made or brought up to date."""
    due_at = now + BOARD_DELAY_SECONDS
    await outbox.put(tx, key=f"board:{place.issue.id}", kind="board", place=place, body="", now=due_at)
