"""`python -m app setup`: the one page that registers the GitHub App, served until its credentials are stored."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from app.base.clock import Clock
from app.base.credentials import Credentials, FileKeeper, Keeper, PrintKeeper
from app.base.settings import SettingsError, SetupSettings, github_web_url
from app.github.api.client import open_session
from app.github.api.manifest_code import convert
from app.github.api.transport import Timeouts, Transport
from app.web.listening import listening
from app.web.setup import STATE_SECONDS, Setup

MANIFEST = Path(__file__).resolve().parents[2] / "app.yml"
OPEN_SECONDS = 2 * STATE_SECONDS
"""A page that could register an App must not stay open for ever."""


def keeper(settings: SetupSettings, printed: bool, say: Callable[[str], object]) -> tuple[Keeper, str]:
    """Destination of the credentials, and the operator's next step. Raises SettingsError, CannotKeep."""
    if printed == bool(settings.credentials_file):
        raise SettingsError(
            ("Say where the credentials go: BUGMARK_CREDENTIALS_FILE names a new file, or --print prints them.",)
        )
    if printed:
        return PrintKeeper(say), "Give each printed line to your secret store, as a variable of the environment."
    found = FileKeeper(Path(settings.credentials_file))
    found.check()
    path = settings.credentials_file
    return (
        found,
        f"Keep BUGMARK_CREDENTIALS_FILE={path} in the environment: web, worker and doctor read it. Back it up.",
    )


@asynccontextmanager
async def set_up(
    settings: SetupSettings, clock: Clock, where: tuple[Keeper, str], timeouts: Timeouts | None = None
) -> AsyncIterator[Setup]:
    """The set-up, able to ask GitHub as long as the context lasts."""
    async with open_session() as session:
        transport = _transport(settings, clock, session, timeouts or Timeouts())

        async def fetch(code: str) -> Credentials:
            return await convert(transport, code)

        found, put = where
        yield Setup(
            manifest=manifest(),
            public_url=settings.public_url,
            github_url=github_web_url(settings.github_api_url),
            convert=fetch,
            keeper=found,
            clock=clock,
            new_secret=lambda: secrets.token_urlsafe(24),
            put=put,
        )


def _transport(settings: SetupSettings, clock: Clock, session: aiohttp.ClientSession, timeouts: Timeouts) -> Transport:
    agent = f"bugmark (+{settings.public_url})"
    return Transport(session, clock, settings.github_api_url, agent, timeouts)


def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return found


async def serve(found: Setup, port: int, stopping: asyncio.Event) -> bool:
    """Serve the page until the credentials are stored (True), the operator stops it or its time is over."""
    async with listening(found.application(), port):
        waiting = [asyncio.create_task(event.wait()) for event in (found.done, stopping)]
        await asyncio.wait(waiting, timeout=OPEN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return found.done.is_set()
