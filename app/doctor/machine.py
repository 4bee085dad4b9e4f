"""Checks of this machine: the key's file, the database, the clock."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

from app.base.clock import Clock, clock_from
from app.base.settings import Settings, SettingsError, database_url_from
from app.doctor.finding import Finding, Mark
from app.storage.engine import diagnostics
from app.storage.engine.db import Database
from app.storage.engine.diagnostics import DatabaseFacts

DATABASE_SECONDS = 20
HTTP = aiohttp.ClientTimeout(total=20)
MOST_SKEW_SECONDS = 30
"""GitHub refuses a key's signature from a clock a minute ahead, and comments look late to one half a minute ahead."""


def key_file(environ: Mapping[str, str]) -> Finding:
    """Check that only its owner can open the file with the App's key."""
    name = environ.get("BUGMARK_PRIVATE_KEY_FILE", "").strip()
    if not name:
        return Finding(Mark.OK, "key file", "none is used.")
    return _private("key file", Path(name))


def credentials_file(environ: Mapping[str, str]) -> list[Finding]:
    """The same of the file that the set-up has written, if there is one."""
    name = environ.get("BUGMARK_CREDENTIALS_FILE", "").strip()
    return [_private("credentials file", Path(name))] if name else []


def _private(what: str, path: Path) -> Finding:
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError as error:
        return Finding(Mark.WRONG, what, f"{path}: {error.strerror}.")
    if mode & 0o077:
        return Finding(Mark.WARN, what, f"{path} is open to others than its owner (mode {mode:o}): `chmod 600 {path}`.")
    return Finding(Mark.OK, what, f"{path} is its owner's alone.")


async def database(environ: Mapping[str, str]) -> list[Finding]:
    try:
        url = database_url_from(environ)
    except SettingsError:
        return [Finding(Mark.SKIPPED, "database", "not checked until BUGMARK_DATABASE_URL is right.")]
    file = diagnostics.sqlite_file(url)
    if file is not None and not file.exists():
        return [Finding(Mark.WRONG, "database", f"{file} is not there: run `python -m app migrate`.")]
    db = Database(url, pool_size=1)
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            facts = await diagnostics.look(db)
    except Exception as error:  # whatever a driver raises, the other checks go on
        why = (str(error) or type(error).__name__).splitlines()[0]
        text = f"cannot be used: {why}. Is it running, and is BUGMARK_DATABASE_URL right?"
        return [Finding(Mark.WRONG, "database", text)]
    finally:
        await db.close()
    return [*_database_findings(facts), *([_private("database file", file)] if file else [])]


def _database_findings(facts: DatabaseFacts) -> list[Finding]:
    old = Finding(Mark.WARN, "database", f"{facts.server} is older than what BugMark is tested on.")
    findings = [old if facts.too_old else Finding(Mark.OK, "database", f"{facts.server} answers.")]
    if facts.unknown:
        text = f"it stands at {facts.revision}, which this version of the app does not know: run the newer version."
        findings.append(Finding(Mark.WRONG, "migrations", text))
    elif facts.missing:
        text = f"missing: {', '.join(facts.missing)}. Run `python -m app migrate`."
        findings.append(Finding(Mark.WRONG, "migrations", text))
    else:
        findings.append(Finding(Mark.OK, "migrations", f"all applied, up to {facts.revision}."))
    if facts.unsafe:
        text = f"{'; '.join(facts.unsafe)}: a crash could lose what was committed."
        findings.append(Finding(Mark.WARN, "durability", text))
    else:
        findings.append(Finding(Mark.OK, "durability", "what is committed survives a crash."))
    return findings


def readable_clock(settings: Settings) -> Clock | None:
    """The app's clock; None if the file that moves it holds no number."""
    clock = clock_from(settings.clock)
    try:
        clock.now()
    except (OSError, ValueError):
        return None
    return clock


async def clock_finding(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    """The clock beside GitHub's, which stands in the Date of any of its answers."""
    clock = readable_clock(settings)
    if clock is None:
        return Finding(Mark.WRONG, "clock", f"{settings.clock} cannot be read as a whole number of seconds.")
    if settings.clock != "system":
        return Finding(Mark.WARN, "clock", f"moved by {settings.clock}: for trying things out only.")
    try:
        async with session.get(settings.github_api_url, allow_redirects=False, timeout=HTTP) as answer:
            github_now = int(parsedate_to_datetime(answer.headers["Date"]).timestamp())
    except (aiohttp.ClientError, OSError, LookupError, ValueError) as error:
        return Finding(Mark.WARN, "clock", f"not compared with GitHub's ({type(error).__name__}).")
    ahead = clock.now() - github_now
    if abs(ahead) > MOST_SKEW_SECONDS:
        way = "ahead of" if ahead > 0 else "behind"
        return Finding(Mark.WRONG, "clock", f"{abs(ahead)} s {way} GitHub's: have it set by NTP.")
    return Finding(Mark.OK, "clock", "agrees with GitHub's.")
