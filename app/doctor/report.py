"""The doctor: checks the whole configuration, one line for each check, and says in words what to do.

No check keeps the next from being made, and no line holds a secret.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping

import aiohttp
import click

from app.base.clock import SystemClock
from app.base.logs import Redactor
from app.base.settings import Settings, SettingsError
from app.doctor.finding import Finding, Mark
from app.doctor.github import github
from app.doctor.hooks import door, marketplace
from app.doctor.machine import HTTP, clock_finding, credentials_file, database, key_file, readable_clock
from app.github.api.client import GitHub, open_session


async def doctor(environ: Mapping[str, str]) -> int:
    """Print every finding and their count. The exit status: 1 if anything is wrong, else 0."""
    settings, problems = _settings(environ)
    redactor = Redactor(settings.secrets() if settings else ())
    marks = []
    async for found in examine(environ, settings, problems):
        marks.append(found.mark)
        click.echo(redactor.text(f"{found.mark.value:<7} {found.what}: {found.text}"))
    wrong, warned = marks.count(Mark.WRONG), marks.count(Mark.WARN)
    click.echo(f"doctor: {len(marks)} checks, {wrong} wrong, {warned} to look at.")
    return 1 if wrong else 0


def _settings(environ: Mapping[str, str]) -> tuple[Settings | None, tuple[str, ...]]:
    try:
        return Settings.from_environment(environ), ()
    except SettingsError as error:
        return None, error.problems


async def examine(
    environ: Mapping[str, str], settings: Settings | None, problems: tuple[str, ...]
) -> AsyncIterator[Finding]:
    """Every check in turn. Without settings only what needs none of the others is checked."""
    for problem in problems:
        yield Finding(Mark.WRONG, "environment", problem)
    if settings is not None:
        yield Finding(Mark.OK, "environment", "every variable is there and can be read.")
    yield key_file(environ)
    for found in (*credentials_file(environ), *await database(environ)):
        yield found
    if settings is None:
        yield Finding(Mark.SKIPPED, "GitHub, clock, public url", "not checked until the environment is right.")
        return
    async with open_session() as session:
        yield await clock_finding(settings, session)
        async for found in github(settings, GitHub(settings, readable_clock(settings) or SystemClock(), session)):
            yield found
        yield await public_url(settings, session)
        yield await door(settings, session)
    for found in await marketplace(settings):
        yield found


async def public_url(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    """Check, from this machine, that the web process answers at its public address."""
    url = f"{settings.public_url}/healthz"
    try:
        async with session.get(url, allow_redirects=False, timeout=HTTP) as answer:
            status, body = answer.status, await answer.content.read(1_000)
    except (aiohttp.ClientError, OSError) as error:
        text = f"{url} does not answer ({type(error).__name__}): does `python -m app serve` run, and does it get there?"
        return Finding(Mark.WRONG, "public url", text)
    if status == 503:
        return Finding(Mark.WRONG, "public url", f"{url} says that the web process does not reach its database.")
    if status != 200 or not _says_ok(body):
        text = f"{url} answers {status}, but not as BugMark does: what does the proxy send there?"
        return Finding(Mark.WRONG, "public url", text)
    return Finding(Mark.OK, "public url", f"{url} answers.")


def _says_ok(body: bytes) -> bool:
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("ok") is True
