"""Disputes and rulings told to everybody whom they concern, each in a comment of its own (docs/market.md §5)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from app.market.terms.contract import Outcome
from app.services.life.bonds import silence_voids
from app.services.rules.context import CommandContext
from app.storage.engine.db import Tx
from app.storage.market import disputes
from app.storage.market.contracts import ContractRow
from app.storage.market.disputes import Dispute
from app.storage.people import places
from app.storage.people.places import Place
from app.storage.queues import outbox


async def announce(tx: Tx, place: Place, row: ContractRow, found: Dispute, answer_by_at: int, now: int) -> None:
    """Have the thread told of a dispute; who joins it is added to the same comment."""
    joined = await disputes.joined(tx, found.id)
    said = [(found.user_id, found.reason), *((one.user_id, one.reason) for one in joined)]
    body = {
        "notice": "dispute",
        "contract": row.id,
        "verdict": found.verdict.value,
        "said": said,
        "answer_by_at": answer_by_at,
        "ends_at": row.window_ends_at,
        "unanswered": unanswered(row, found.verdict),
        "spared": sorted({user for user, _ in said}),
        **await _concerned(tx, row, {user for user, _ in said}),
    }
    await _tell(tx, place, f"dispute:{found.id}", body, now)


def unanswered(row: ContractRow, verdict: Outcome) -> str:
    """End of a dispute that nobody decides: "state", or "void" with the fate of the bonds."""
    if row.halt_reason != "closed" or row.backed:
        return "state"
    return "void, forfeited" if silence_voids(row) and verdict.winner is not None else "void"


async def tell_ruling(
    tx: Tx,
    context: CommandContext,
    row: ContractRow,
    number: int,
    ruling: Mapping[str, object],
    bonds: Mapping[int, int],
) -> None:
    """Have the thread told what the user of this scene made of a dispute. `ruling` is drawn as it is."""
    body = {
        "notice": "ruling",
        "contract": row.id,
        "by": context.user_id,
        "bonds": list(bonds.items()),
        "spared": [context.user_id],
        **ruling,
        **await _concerned(tx, row, {context.user_id, *bonds}),
    }
    await _tell(tx, context.place, f"ruling:{number}", body, context.now)


async def _tell(tx: Tx, place: Place, key: str, body: Mapping[str, object], now: int) -> None:
    """Have it posted in a comment of its own, or that comment brought up to date."""
    await outbox.put(tx, key=key, kind="notice", place=place, body=json.dumps(body), now=now)


async def _concerned(tx: Tx, row: ContractRow, named: set[int]) -> dict[str, object]:
    """Everybody in the contract hears of it: whoever is not named in the text anyway is mentioned beside it."""
    others = [user for user in await disputes.concerned(tx, row.id) if user not in named]
    return {"users": sorted(named | set(others)), "heard": others}


async def ruling_told(tx: Tx, row: ContractRow) -> dict[str, object] | None:
    """The ruling on the dispute of a contract's window, with its author and reason; None if there is none."""
    found = await disputes.of_window(tx, row.id, row.halt_reason or "", row.window_opened_at or 0)
    if found is None or found.ruled_by is None:
        return None
    login = (await places.logins(tx, {found.ruled_by})).get(found.ruled_by, "")
    return {"by": login, "reason": found.ruling_reason, "price": row.ruling_price}
