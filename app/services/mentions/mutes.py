"""Mentions: how often a user is to be told of fills in a repository (docs/commands.md, `mute`)."""

from __future__ import annotations

from collections.abc import Collection

from app.market.terms.mention import Mode
from app.storage.engine.db import Tx
from app.storage.people import mutes, places

DAY_SECONDS = 86_400


async def choose(tx: Tx, user_id: int, repository_id: int, mode: Mode) -> None:
    if mode is Mode.EVERY:
        await mutes.drop(tx, user_id, repository_id)
    else:
        await mutes.save(tx, user_id, repository_id, mode.value)


async def silent(tx: Tx, user_id: int, repository_id: int) -> bool:
    """Tell if the user's comments here are answered with reactions only."""
    mode, _ = (await mutes.of(tx, repository_id, {user_id})).get(user_id, (Mode.EVERY, None))
    return mode == Mode.NEVER


async def named(tx: Tx, repository_id: int, user_ids: set[int], but: Collection[int] = ()) -> dict[int, str]:
    """Names for a notice: a mention, unless the user never wants one here or is among `but`."""
    said = await mutes.of(tx, repository_id, user_ids)
    without = set(but) | {user for user, (mode, _) in said.items() if mode == Mode.NEVER}
    logins = await places.logins(tx, user_ids)
    return {user: f"**{login}**" if user in without else f"@{login}" for user, login in logins.items()}


async def addressed(tx: Tx, repository_id: int, user_ids: set[int], now: int) -> dict[int, str]:
    """Names for a reply about a fill: a mention, or only the name if the user wants none (any more today)."""
    if not user_ids:
        return {}
    without = await spared(tx, repository_id, user_ids, now)
    logins = await places.logins(tx, user_ids)
    return {user: f"**{login}**" if user in without else f"@{login}" for user, login in logins.items()}


async def spared(tx: Tx, repository_id: int, user_ids: set[int], now: int) -> set[int]:
    """Users who want no mention for a fill (any more today); the others count as mentioned now."""
    said = await mutes.of(tx, repository_id, user_ids)
    found = {user for user, (mode, last_at) in said.items() if not _wanted(mode, last_at, now)}
    await mutes.mentioned(tx, repository_id, set(said) - found, now)
    return found


def _wanted(mode: str, last_at: int | None, now: int) -> bool:
    return mode == Mode.DAILY and (last_at is None or last_at // DAY_SECONDS != now // DAY_SECONDS)
