"""Reading `.github/bugmark.yml` from GitHub: a repository's own, else that of its owner's `.github` repository."""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import dataclass

import structlog

from app.base.clock import Clock
from app.github.api.client import GitHub, JsonObject
from app.github.api.errors import Forbidden, GitHubError, Gone, Unavailable
from app.services.rules import in_force as services
from app.services.rules.in_force import NOTHING, REFRESH_SECONDS, RETRY_SECONDS, Found
from app.services.rules.yaml_source import MOST_BYTES
from app.storage.engine.db import Database
from app.storage.people import configs
from app.storage.people.places import Repository

log = structlog.get_logger()

PATH = ".github/bugmark.yml"
FALLBACK = ".github"
"""The name of an owner's repository whose file counts where a repository has none."""

READ_SECONDS = 10
"""No command waits longer for a file."""

LAG_SECONDS = 60
"""The API may show the file as it was before a push: so much later it is read once more."""

BATCH = 20
TOO_LARGE = bytes(MOST_BYTES + 1)
"""Stands for a file that is not read."""

_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Configs:
    """Keeps what is stored of the files up to date. Nothing here fails because GitHub does."""

    db: Database
    github: GitHub
    clock: Clock

    async def meet(self, repository: Repository) -> None:
        """Before a repository's first command: read its file if nobody has. Without an answer the defaults hold."""
        async with self.db.reading() as tx:
            known = await configs.good_text(tx, repository.id)
        if known is None:
            await self._read(repository, REFRESH_SECONDS)

    async def changed(self, repository: Repository) -> None:
        """A push has touched the file."""
        async with self.db.transaction() as tx:
            known = await configs.good_text(tx, repository.id)
            if repository.name.lower() == FALLBACK:
                await configs.wake_owner(tx, repository.owner_id, self.clock.now())
        if known is not None:
            await self._read(repository, LAG_SECONDS)

    async def refresh(self) -> bool:
        """Read again what is due. Returns whether there was any."""
        async with self.db.reading() as tx:
            due = await configs.due(tx, self.clock.now(), BATCH)
        for repository in due:
            await self._refresh(repository)
        return bool(due)

    async def _refresh(self, repository: Repository) -> None:
        """Read one file again; whatever is wrong with it, or with us, touches no other repository."""
        try:
            await self._read(repository, REFRESH_SECONDS)
        except Exception:
            log.exception("config not read", repository=repository.id)
            await self._try_later(repository, self.clock.now() + RETRY_SECONDS)

    async def file(
        self, installation_id: int, repository_id: int, ref: str | None = None, source: str = "repository"
    ) -> Found | None:
        """A repository's own file at a ref; None if there is none or it may not be read. Raises GitHubError."""
        params = {"ref": ref} if ref else None
        try:
            found = await self.github.repository_json(installation_id, repository_id, f"/contents/{PATH}", params)
        except (Gone, Forbidden) as error:
            if error.about != "resource":
                raise
            return None
        is_file = isinstance(found, dict) and found.get("type") == "file"
        return Found(source, str(found.get("sha"))[:64], _content(found)) if is_file else None

    async def _read(self, repository: Repository, again_seconds: int) -> None:
        now = self.clock.now()
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await self._find(repository)
        except (GitHubError, TimeoutError) as error:
            log.warning("config not read", repository=repository.id, why=str(error) or type(error).__name__)
            await self._try_later(repository, getattr(error, "retry_at", None) or now + RETRY_SECONDS)
            return
        async with self.db.transaction() as tx:
            await services.remember(tx, repository, found, now, now + again_seconds)

    async def _try_later(self, repository: Repository, retry_at: int) -> None:
        async with self.db.transaction() as tx:
            await services.try_later(tx, repository, retry_at)

    async def _find(self, repository: Repository) -> Found:
        own = await self.file(repository.installation_id, repository.id)
        return own or await self._of_owner(repository) or NOTHING

    async def _of_owner(self, repository: Repository) -> Found | None:
        """Names pass to others: the owner's is asked for, and what is found under it must be the owner's, by id."""
        if repository.name.lower() == FALLBACK:
            return None
        installation = repository.installation_id
        here = await self.github.repository_json(installation, repository.id, "")
        login = str(_owner(here).get("login"))
        if not _LOGIN.fullmatch(login):
            return None
        try:
            there = await self.github.get_json(installation, f"/repos/{login}/{FALLBACK}")
        except (Gone, Forbidden) as error:
            if error.about != "resource":
                raise
            return None
        if _owner(there).get("id") != repository.owner_id or not isinstance(there.get("id"), int):
            return None
        return await self.file(installation, there["id"], source="owner")


def _owner(repository: object) -> JsonObject:
    owner = repository.get("owner") if isinstance(repository, dict) else None
    return owner if isinstance(owner, dict) else {}


def _content(file: JsonObject) -> bytes:
    """The bytes of a file in an answer; above 1 MB GitHub leaves them out."""
    size = file.get("size")
    if isinstance(size, int) and size > MOST_BYTES:
        return TOO_LARGE
    try:
        return base64.b64decode(str(file["content"]))
    except (KeyError, ValueError) as error:
        raise Unavailable(200, "the answer holds no file") from error
