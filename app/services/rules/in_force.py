"""The configs in force. A file that was read is in force if it is right; if it is not, nothing changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import structlog

from app.services.rules.config import Config
from app.services.rules.schema import Problem, read_rules
from app.services.rules.yaml_source import MOST_BYTES
from app.storage.engine.db import Tx
from app.storage.people import configs, places
from app.storage.people.configs import StoredConfig
from app.storage.people.places import Repository

log = structlog.get_logger()

REFRESH_SECONDS = 3600
"""No event tells of a change in a repository without the App, where the file of a whole owner may be."""

RETRY_SECONDS = 300
MOST_KEPT = 256


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was read; `source` as in StoredConfig, "none" with an empty text where there is none."""

    source: str
    sha: str | None
    raw: bytes


NOTHING = Found("none", None, b"")


class StoredConfigs:
    """Implements ConfigSource: the last file that was right, the defaults where there was none."""

    async def config(self, tx: Tx, repository: Repository) -> Config:
        return in_force(await configs.good_text(tx, repository.id) or "")

    async def known(self, tx: Tx, repository: Repository) -> bool:
        return await configs.good_text(tx, repository.id) is not None


@lru_cache(MOST_KEPT)
def in_force(text: str) -> Config:
    """A file that was right under an older schema and is not any more counts as none."""
    config, problems = read_rules(text.encode())
    if config is None:
        log.error("a config in force cannot be read any more", problems=_told(problems))
    return config or Config()


async def remember(tx: Tx, repository: Repository, found: Found, now: int, next_at: int) -> None:
    """Store a file that was read; if there is anything wrong with it, the last one that was right stays in force.

    It is read again at `next_at`.
    """
    before = await configs.get(tx, repository.id)
    config, problems = read_rules(found.raw)
    text = _storable(found.raw)
    good = text if config is not None else before.good_text if before else ""
    told = _told(problems)
    if problems and (before is None or (before.sha, before.problems_text) != (found.sha, told)):
        log.warning("bad config", repository=repository.id, source=found.source, problems=told)
    await configs.save(
        tx,
        StoredConfig(
            repository_id=repository.id,
            owner_id=repository.owner_id,
            source=found.source,
            sha=found.sha,
            text=text,
            good_text=good,
            problems_text=told,
            fetched_at=now,
            next_fetch_at=next_at,
        ),
    )


async def try_later(tx: Tx, repository: Repository, retry_at: int) -> None:
    """GitHub gave no answer: what is in force stays, and is asked for again."""
    nothing = StoredConfig(repository.id, repository.owner_id, "none", None, "", "", "[]", 0, retry_at)
    await configs.begin(tx, nothing)
    await configs.wake(tx, repository.id, retry_at)


def _storable(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd") if len(raw) <= MOST_BYTES else ""


def _told(problems: list[Problem]) -> str:
    return json.dumps([[problem.line, problem.sentence] for problem in problems])


async def wants_reactions(tx: Tx, issue_id: int) -> bool:
    """Tell if answers to an issue's comments are on the app's page alone; a private repository has no pages."""
    place = await places.place(tx, issue_id)
    if place is None or place.repository.private:
        return False
    return (await StoredConfigs().config(tx, place.repository)).reactions_only
