"""`backup`, `restore` and `restored`: copies are audited before they count, and no number is handed out twice."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.base.clock import SystemClock
from app.services.audit.audit import Report, audit
from app.services.upkeep import restoring
from app.services.upkeep.pulse import EVERY_SECONDS, STALE_SECONDS
from app.storage.engine import backups
from app.storage.engine.backups import BackupFailed
from app.storage.engine.db import Database, NewerDatabase, migrate
from app.storage.engine.diagnostics import sqlite_file
from app.storage.proof import seals
from app.storage.queues import heartbeats

LISTEN_SECONDS = 2 * EVERY_SECONDS + 1
"""Whoever runs gives a sign within this time."""


class StillRunning(Exception):
    """Web or worker are at work on the database."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that was read back: what the audit said, and its newest seal."""

    report: Report
    seal: str

    def lines(self, what: str) -> list[str]:
        found = self.report
        verdict = f"{found.wrong} wrong." if found.wrong else "every invariant holds."
        counted = f"{found.entries} entries, {found.contracts} contracts, {found.offers} offers"
        return [*(f"WRONG  {problem}" for problem in found.problems), f"{what}: {counted}: {verdict}", self.seal]


async def backup(url: str, file: Path) -> Checked:
    """Copy the database into a new file, and audit the copy. Raises BackupFailed."""
    with backups.new_file(file) as part:
        source = sqlite_file(url)
        if source is not None:
            await asyncio.to_thread(backups.copy_sqlite, source, part)
            checked = await _audited(f"sqlite+aiosqlite:///{part}")
            backups.close_sqlite(part)
        else:
            await asyncio.to_thread(backups.dump_postgres, url, part)
            checked = await check(url, part)
    return checked


async def check(url: str, file: Path) -> Checked:
    """Restore a backup to a place that is thrown away, bring it up to date and audit it. Raises BackupFailed.

    `url` is needed for one from PostgreSQL: it is read back into a database beside that one.
    """
    if backups.copied_from_sqlite(file):
        with tempfile.TemporaryDirectory(prefix="bugmark-check-") as folder:
            copy = Path(folder, "copy.db")
            _copy(file, copy)
            return await _brought_up(f"sqlite+aiosqlite:///{copy}")
    if not url or backups.is_sqlite(url):
        raise BackupFailed(f"{file} is from PostgreSQL: set BUGMARK_DATABASE_URL to a database of that server.")
    async with backups.passing_database(url) as passing:
        await asyncio.to_thread(backups.load_postgres, file, passing)
        return await _brought_up(passing)


async def restore(url: str, file: Path, times: int) -> Checked:
    """Put a backup into a database that is empty, and every number ahead. Raises BackupFailed."""
    target = sqlite_file(url)
    if backups.copied_from_sqlite(file) != (target is not None):
        raise BackupFailed(f"{file} is a backup of the other kind of database than BUGMARK_DATABASE_URL names.")
    if target is None:
        if not await backups.is_empty(url):
            raise BackupFailed("The database is not empty: a backup is restored into an empty one only.")
        await asyncio.to_thread(backups.load_postgres, file, url)
        return _whole(await _brought_up(url, times), "Do not start on this database")
    backups.nothing_left_beside(target)
    with backups.new_file(target) as part:
        _copy(file, part)
        checked = _whole(await _brought_up(f"sqlite+aiosqlite:///{part}", times), "It was not put into its place")
        backups.close_sqlite(part)
    return checked


def _whole(checked: Checked, else_: str) -> Checked:
    if checked.report.wrong:
        raise BackupFailed("\n".join([*checked.lines("restore"), f"{else_}: the backup is not sound."]))
    return checked


async def restored(db: Database, times: int, listen_seconds: float = LISTEN_SECONDS) -> bool:
    """After a backup was restored by other means. False: it was done already. Raises StillRunning."""
    await _nobody_runs(db, listen_seconds)
    return await restoring.restored(db, SystemClock().now(), times)


async def _nobody_runs(db: Database, listen_seconds: float) -> None:
    """A backup may hold signs of life that were fresh when it was taken: only new ones count."""
    since = SystemClock().now() - STALE_SECONDS
    async with db.reading() as tx:
        before = await heartbeats.since(tx, since)
    if not before:
        return
    await asyncio.sleep(listen_seconds)
    async with db.reading() as tx:
        after = await heartbeats.since(tx, since)
    running = sorted(f"{name} {process}" for (name, process), at in after.items() if before.get((name, process)) != at)
    if running:
        raise StillRunning(", ".join(running))


def _copy(file: Path, copy: Path) -> None:
    """Into a file that its owner alone may read, whatever the backup's own mode is."""
    try:
        copy.touch(backups.OWNER_ALONE)
        shutil.copyfile(file, copy)
    except OSError as error:
        raise BackupFailed(f"{file} cannot be copied: {error.strerror or error}.") from None


async def _brought_up(url: str, times: int = 0) -> Checked:
    """Migrate, and audit; then move all numbers ahead so often, and audit again."""
    try:
        await asyncio.to_thread(migrate, url)
    except NewerDatabase:
        raise BackupFailed("The backup was made by a newer version of BugMark: use that one.") from None
    checked = await _audited(url)
    if not times or checked.report.wrong:
        return checked
    db = Database(url)
    try:
        await restoring.restored(db, SystemClock().now(), times)
    finally:
        await db.close()
    return await _audited(url)


async def _audited(url: str) -> Checked:
    db = Database(url)
    try:
        report = await audit(db)
        async with db.reading() as tx:
            newest = await seals.last_seal(tx)
    finally:
        await db.close()
    return Checked(report, f"newest seal: {newest.number} {newest.hash}" if newest else "newest seal: none")
