"""Sealing: entries are closed into a chain of hashes within seconds, in the order they were committed."""

from __future__ import annotations

from app.storage.engine.db import Tx
from app.storage.proof import seals


async def seal(tx: Tx, now: int) -> bool:
    """Close what is not sealed yet with one seal. Returns whether there may be more."""
    await seals.only_sealer(tx)
    run = await seals.unsealed(tx)
    if run:
        await seals.add_seal(tx, run, now)
    return len(run) == seals.RUN
