"""Halts that are no windows: by a maintainer, and while the App is not installed (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Collection

from app.market.exchange.spoken import Blank
from app.market.life.next_step import ASK_WHILE_AWAY_SECONDS
from app.market.terms.contract import Status
from app.market.terms.errors import Refusal
from app.services.accounts.insiders import check_impartial
from app.services.life.transitions import lock_markets, stop
from app.services.rules.context import CommandContext
from app.services.trading.locking import hold_all
from app.storage.engine.db import Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.people import absences


async def halt_market(tx: Tx, context: CommandContext, reason: str) -> list[ContractRow]:
    """A maintainer stops trading in all contracts of the thread; no clock stops with it. Raises a Refusal."""
    rows = await _unsettled(tx, context)
    await check_impartial(tx, context, "halt the market")
    going = [row for row in rows if row.maintainer_halt is None]
    if not going:
        raise Refusal(
            "The market of this thread is halted by a maintainer already.", f"/bugmark market resume {Blank.REASON}"
        )
    for locked in await lock_markets(tx, going, context.cause, context.now):
        for row in going:
            if row.id in locked.rows:
                await stop(locked, row.id, context.now, maintainer_halt=reason)
        await locked.publish(context.place)
    return going


async def resume_market(tx: Tx, context: CommandContext) -> list[ContractRow]:
    """Lift a maintainer's halt, and nothing else: trade resumes once GitHub has been asked. Raises a Refusal."""
    rows = await _unsettled(tx, context)
    await check_impartial(tx, context, "resume the market")
    halted = [row for row in rows if row.maintainer_halt is not None]
    if not halted:
        raise Refusal("No contract of this thread is halted by a maintainer.", "/bugmark book")
    for row in halted:
        await contracts.get(tx, row.id, lock=True)
        await contracts.change(tx, row.id, maintainer_halt=None, next_look_at=context.now)
    return halted


async def _unsettled(tx: Tx, context: CommandContext) -> list[ContractRow]:
    going = await contracts.of_thread(tx, context.place.issue.id, context.now)
    rows = [row for row in going if row.status is not Status.SETTLED]
    if not rows:
        raise Refusal("There is no contract in this thread.", "/bugmark positions")
    return sorted(rows, key=lambda row: row.id)


async def note_away(tx: Tx, repository_ids: set[int], now: int) -> None:
    """The App was uninstalled, suspended or taken out of these repositories: their contracts are halted."""
    here = await absences.known(tx, repository_ids) - await absences.away(tx, repository_ids)
    concerned = {repository_id: await _contracts_in(tx, repository_id, now) for repository_id in sorted(here)}
    await hold_all(tx, [row for rows in concerned.values() for row in rows], now=now)
    for repository_id, rows in concerned.items():
        await absences.begin(tx, repository_id, now)
        for locked in await lock_markets(tx, rows, f"away:{repository_id}:{now}", now):
            for row in rows:
                if row.id in locked.rows:
                    await stop(locked, row.id, now, next_look_at=now + ASK_WHILE_AWAY_SECONDS)


async def note_back(tx: Tx, repository_ids: set[int], now: int, but: Collection[int] = ()) -> None:
    """The App can see these repositories again: GitHub is asked what has become of their issues.

    `but`: contracts that are being looked at anyway.
    """
    here = await absences.away(tx, repository_ids)
    rows = await hold_those_in(tx, here, now)
    for repository_id in sorted(here):
        await absences.end(tx, repository_id, now)
    for row in rows:
        if row.id not in but:
            await contracts.schedule(tx, row.id, next_look_at=now)


async def hold_those_in(tx: Tx, repository_ids: set[int], now: int) -> list[ContractRow]:
    """The contracts of these repositories that are awake and not settled, under lock."""
    found = [await absences.unsettled_contracts(tx, repository_id, now) for repository_id in sorted(repository_ids)]
    return await contracts.hold(tx, [number for each in found for number, _ in each])


async def _contracts_in(tx: Tx, repository_id: int, now: int) -> list[ContractRow]:
    numbers = [number for number, _ in await absences.unsettled_contracts(tx, repository_id, now)]
    rows = [await contracts.get(tx, number) for number in numbers]
    return [row for row in rows if row is not None]
