"""Each repository's `.github/bugmark.yml` as last read, and its last valid version."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import select, update

from app.storage.engine.db import Tx
from app.storage.engine.sql import insert, upsert
from app.storage.engine.tables import configs, installations, repositories
from app.storage.people.places import Repository


@dataclass(frozen=True, slots=True)
class StoredConfig:
    """`source`: whose file it is, "repository", "owner" (the fallback) or "none"; `sha` is Git's of the file.

    `text` is what was read last, `good_text` what is in force, `problems_text` what is wrong with `text`: a JSON list
    of [line, sentence]. `fetched_at` 0: it could not be read yet.
    """

    repository_id: int
    owner_id: int
    source: str
    sha: str | None
    text: str
    good_text: str
    problems_text: str
    fetched_at: int
    next_fetch_at: int


async def get(tx: Tx, repository_id: int) -> StoredConfig | None:
    row = (await tx.execute(select(configs).where(configs.c.repository_id == repository_id))).first()
    return StoredConfig(**row._mapping) if row else None


async def good_text(tx: Tx, repository_id: int) -> str | None:
    """The file in force, empty where there is none; None where nobody has looked yet."""
    return (await tx.execute(select(configs.c.good_text).where(configs.c.repository_id == repository_id))).scalar()


async def save(tx: Tx, config: StoredConfig) -> None:
    await upsert(tx, configs, asdict(config))


async def begin(tx: Tx, config: StoredConfig) -> None:
    """Store this of a repository of which nothing is known; what is known stays."""
    await tx.execute(insert(tx, configs).values(**asdict(config)).on_conflict_do_nothing())


async def wake(tx: Tx, repository_id: int, now: int) -> None:
    """Have this repository's file read again, if it ever was."""
    await tx.execute(update(configs).where(configs.c.repository_id == repository_id).values(next_fetch_at=now))


async def wake_owner(tx: Tx, owner_id: int, now: int) -> None:
    """Have the files of all of an owner's repositories read again: the one they fall back to has changed."""
    await tx.execute(update(configs).where(configs.c.owner_id == owner_id).values(next_fetch_at=now))


async def due(tx: Tx, now: int, most: int) -> list[Repository]:
    """Repositories whose file is to be read again, longest waiting first; those that GitHub would not tell of wait."""
    statement = (
        select(repositories)
        .join(configs, configs.c.repository_id == repositories.c.id)
        .join(installations, installations.c.id == repositories.c.installation_id)
        .where(configs.c.next_fetch_at <= now, installations.c.state == "active")
        .order_by(configs.c.next_fetch_at)
        .limit(most)
    )
    return [Repository(**row._mapping) for row in await tx.execute(statement)]
