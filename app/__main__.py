"""The `bugmark` command line: `python -m app COMMAND`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog

from app.base import compiled, logs
from app.base.settings import Settings, SettingsError, SetupSettings, database_url_from

if TYPE_CHECKING:
    from app.run.backups import Checked
    from app.storage.engine.db import Database

log = structlog.get_logger()

NEWER = "The database was made by a newer version of BugMark: run that version, or restore the backup from before it."
AGAIN = "How many million. 2 if this same backup was restored once before, 3 if twice."


@click.group(help="BugMark: a futures market on software issues that lives in the GitHub thread.")
def main() -> None:
    compiled.use(compiled.folder())


@main.command(help="Register the GitHub App by a page of our own, once; stores its credentials.")
@click.option("--print", "printed", is_flag=True, help="Print the credentials for a secret store, instead of a file.")
def setup(printed: bool) -> None:
    sys.exit(asyncio.run(_set_up(printed)))


@main.command(help="Take webhooks in and serve badges.")
def serve() -> None:
    asyncio.run(_serve(_settings()))


@main.command(help="Run commands, answer in threads, settle contracts.")
def worker() -> None:
    asyncio.run(_work(_settings()))


@main.command(help="Bring the database up to date.")
def migrate() -> None:
    from app.storage.engine.db import CannotMigrate, NewerDatabase
    from app.storage.engine.db import migrate as run

    try:
        run(_database_url())
    except NewerDatabase:
        raise click.ClickException(NEWER) from None
    except CannotMigrate as error:
        raise click.ClickException(f"The database cannot be brought up to date: {error}") from None
    except OSError as error:
        raise click.ClickException(f"The database cannot be made: {error.strerror or error}") from None
    click.echo("The database is up to date.")


@main.command(help="Check every invariant of the market on the database; says what is wrong where.")
def audit() -> None:
    sys.exit(asyncio.run(_audit(_database_url())))


@main.command(help="Copy the database into FILE while the app runs, and audit the copy.")
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    from app.run import backups

    sys.exit(_checked("backup", lambda: backups.backup(_database_url(), file)))


@main.command(help="Put a backup into an empty database; --check only reads it back elsewhere and audits it.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing: restore to a place that is thrown away, and audit it.")
@click.option("--times", default=1, show_default=True, type=click.IntRange(1, 100), help=AGAIN)
def restore(file: Path, check: bool, times: int) -> None:
    from app.run import backups

    if check:
        url = _database_url() if os.environ.get("BUGMARK_DATABASE_URL") else ""
        sys.exit(_checked("restore --check", lambda: backups.check(url, file)))
    sys.exit(_checked("restore", lambda: backups.restore(_database_url(), file, times)))


@main.command(help="Once after a backup was restored by other means: every number goes a million ahead.")
@click.option("--times", default=1, show_default=True, type=click.IntRange(1, 100), help=AGAIN)
def restored(times: int) -> None:
    asyncio.run(_restored(_database_url(), times))


@main.command(help="Write the public history of REPOSITORY (OWNER/NAME) as files for research (docs/research.md).")
@click.argument("repository", required=False)
@click.option("--all", "whole", is_flag=True, help="Every public repository instead, each in a folder OWNER__NAME.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder; default ./export-OWNER-NAME, or ./export-all.",
)
@click.option("--private", is_flag=True, help="Also if the repository is private; the files are for you alone.")
def export(repository: str | None, whole: bool, form: str, out: Path | None, private: bool) -> None:
    if whole == (repository is not None):
        raise click.UsageError("Name one repository (OWNER/NAME), or say --all.")
    asyncio.run(_export(_database_url(), repository, form, out, private))


@main.command(help="Read the issues and events of REPOSITORY (OWNER/NAME) from GitHub into a file (docs/liquidity.md).")
@click.argument("repository")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@click.option("--hash-logins", is_flag=True, help="Write no login, but a number that is the same for the same one.")
@click.option("--private", is_flag=True, help="Also if the repository is private; the file is for you alone.")
def history(repository: str, out: Path, hash_logins: bool, private: bool) -> None:
    asyncio.run(_history(_settings(), repository, out, hash_logins, private))


@main.command(help="Score what the market maker would have quoted on FILES that `history` wrote (docs/liquidity.md).")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 730), help="Days to each contract's end.")
@click.option("--b", "depth", default=100, show_default=True, type=click.IntRange(10, 10_000), help="Depth, in units.")
@click.option("--seed", default=1, show_default=True, help="Another one meets other traders.")
def backtest(files: tuple[Path, ...], days: int, depth: int, seed: int) -> None:
    from app.simulate.backtest import backtest as score
    from app.simulate.histories import BadHistory, read_history

    try:
        histories = [read_history(path) for path in files]
    except BadHistory as error:
        raise click.ClickException(str(error)) from None
    report = score(histories, days, depth, seed)
    click.echo("\n".join(report.lines()))
    sys.exit(0 if report.scored else 1)


@main.group(help="What was given up: webhooks not dealt with, messages not sent.", invoke_without_command=True)
@click.pass_context
def letters(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        from app.run import dead_letters as dead

        _with_letters(lambda db: dead.listed(db))


@letters.command(help="All there is about one, with the webhook's or the message's text.")
@click.argument("letter")
def show(letter: str) -> None:
    from app.run import dead_letters as dead

    _with_letters(lambda db: dead.shown(db, letter))


@letters.command(help="Have letters tried again: their names (d12, m7), or all.")
@click.argument("letter", nargs=-1, required=True)
def retry(letter: tuple[str, ...]) -> None:
    from app.base.clock import SystemClock
    from app.run import dead_letters as dead

    async def work(db: Database) -> list[str]:
        return [f"letters: {await dead.retry(db, letter, SystemClock().now())} are tried again."]

    _with_letters(work)


@letters.command(help="Be done with letters for good.")
@click.argument("letter", nargs=-1, required=True)
def drop(letter: tuple[str, ...]) -> None:
    from app.run import dead_letters as dead

    async def work(db: Database) -> list[str]:
        return [f"letters: {await dead.drop(db, letter)} are dropped."]

    _with_letters(work)


@main.command(help="Check the whole configuration; says in words what is wrong and what to do about it.")
def doctor() -> None:
    from app.doctor.report import doctor as check

    sys.exit(asyncio.run(check(os.environ)))


@main.command(help="Play a conversation against a stand-in for GitHub, then stay up to be tried by hand.")
@click.option("--once", is_flag=True, envvar="DEMO_ONCE", help="Play it and stop.")
def demo(once: bool) -> None:
    from app.run.demo import demo as play
    from app.run.demo_programs import DemoFailed, Ended

    try:
        asyncio.run(play(once))
    except DemoFailed as error:
        raise click.ClickException(str(error)) from None
    except Ended as ended:
        click.echo("\nStopped.")
        sys.exit(0 if ended.fine else 128 + ended.number)


def _with_letters(work: Callable[[Database], Awaitable[list[str]]]) -> None:
    """Print the lines that come of it."""
    click.echo("\n".join(asyncio.run(_on_database(work))))


async def _on_database(work: Callable[[Database], Awaitable[list[str]]]) -> list[str]:
    from app.run.dead_letters import NoSuchLetter
    from app.storage.engine.db import Database

    url = _database_url()
    db = Database(url)
    await _migrated(db, url)
    try:
        return await work(db)
    except NoSuchLetter as error:
        raise click.ClickException(str(error)) from None
    finally:
        await db.close()


async def _audit(url: str) -> int:
    from app.base.clock import SystemClock
    from app.services.audit.audit import audit as check
    from app.storage.engine.db import Database

    db = Database(url)
    await _migrated(db, url)
    report = await check(db, SystemClock().now())
    await db.close()
    for problem in report.problems:
        click.echo(f"WRONG  {problem}")
    click.echo(
        f"audit: {report.entries} entries, {report.postings} postings, {report.seals} seals"
        f" ({report.unsealed} entries not sealed yet), {report.accounts} accounts, {report.contracts} contracts,"
        f" {report.positions} positions, {report.offers} offers, {report.told} rows told of: "
        + (f"{report.wrong} wrong." if report.wrong else "every invariant holds.")
    )
    return 1 if report.wrong else 0


def _checked(what: str, work: Callable[[], Coroutine[None, None, Checked]]) -> int:
    """Print what was found. Exit status 1 if anything is wrong."""
    from app.storage.engine.backups import BackupFailed
    from app.storage.engine.db import CannotMigrate, DatabaseBusy

    try:
        found = asyncio.run(work())
    except (BackupFailed, CannotMigrate, DatabaseBusy) as error:
        raise click.ClickException(str(error)) from None
    click.echo("\n".join(found.lines(what)))
    return 1 if found.report.wrong else 0


async def _restored(url: str, times: int) -> None:
    from app.run.backups import StillRunning
    from app.run.backups import restored as move
    from app.storage.engine.db import Database, DatabaseBusy

    db = Database(url)
    await _migrated(db, url)
    try:
        done = await move(db, times)
    except StillRunning as error:
        raise click.ClickException(f"Stop web and worker first: {error} is at work on this database.") from None
    except DatabaseBusy as error:
        raise click.ClickException(f"The database is busy: {error}. Are web and worker stopped?") from None
    finally:
        await db.close()
    click.echo(
        f"restored: every number from here on is {times} million ahead."
        if done
        else "restored: that was done already, and nothing has happened since."
    )


async def _export(url: str, repository: str | None, form: str, out: Path | None, private: bool) -> None:
    """Without a repository, all of them."""
    from app.services.research import export as exporting
    from app.services.research.dictionary import Format
    from app.storage.engine.db import Database

    folder = out or Path("export-" + (repository or "all").replace("/", "-"))
    db = Database(url)
    await _migrated(db, url)
    try:
        if repository is None:
            written = await exporting.export_all(db, Format(form), folder, private)
        else:
            written = {"": await exporting.export(db, repository, Format(form), folder, private)}
    except (exporting.ExportRefused, OSError) as error:
        raise click.ClickException(str(error)) from None
    finally:
        await db.close()
    files = [item for each in written.values() for item in each]
    of = f" of {len(written)} repositories" if repository is None else ""
    click.echo(f"export: {sum(item.rows for item in files)} rows in {len(files)} files{of} in {folder}.")


async def _history(settings: Settings, repository: str, out: Path, hash_logins: bool, private: bool) -> None:
    import secrets

    from app.run import bootstrap
    from app.run.history import HistoryRefused
    from app.storage.engine.db import Database

    db = Database(settings.database_url)
    await _migrated(db, settings.database_url)
    try:
        async with bootstrap.history_reader(settings, db, lambda line: click.echo(line, err=True)) as reader:
            key = secrets.token_hex(32) if hash_logins else None
            written = await reader.write(repository, out, private=private, key=key)
    except HistoryRefused as error:
        raise click.ClickException(str(error)) from None
    finally:
        await db.close()
    click.echo(f"history: {len(written.issues)} issues and {len(written.events)} events of {repository} in {out}.")


async def _set_up(printed: bool) -> int:
    """Everything but the credentials goes to standard error: standard output may lead into a secret store."""
    from app.base.clock import SystemClock
    from app.base.credentials import CannotKeep
    from app.run import setup as setting_up

    logs.configure()
    stopping = asyncio.Event()
    _on_signals(stopping)
    try:
        settings = SetupSettings.from_environment(os.environ)
        where = setting_up.keeper(settings, printed, click.echo)
    except (SettingsError, CannotKeep) as error:
        raise click.ClickException(str(error)) from None
    async with setting_up.set_up(settings, SystemClock(), where) as found:
        click.echo(f"Open {settings.public_url}/setup (port {settings.port} here) and enter this code:", err=True)
        click.echo(f"\n    {found.code}\n\nWhoever has it can make the App theirs. Ctrl-C ends this.", err=True)
        try:
            done = await setting_up.serve(found, settings.port, stopping)
        except OSError as error:
            raise click.ClickException(f"Port {settings.port} cannot be used: {error.strerror}") from None
    click.echo("setup: the credentials are stored." if done else "setup: ended, nothing was stored.", err=True)
    return 0 if done else 1


def _settings() -> Settings:
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        raise click.ClickException("\n".join([*error.problems, *_hints(error)])) from None
    logs.configure(settings.secrets())
    return settings


def _hints(error: SettingsError) -> list[str]:
    no_app = any(problem.startswith("BUGMARK_APP_ID is not set") for problem in error.problems)
    return ["No GitHub App yet? `python -m app setup` registers one (docs/operators.md)."] if no_app else []


def _database_url() -> str:
    try:
        return database_url_from(os.environ)
    except SettingsError as error:
        raise click.ClickException("\n".join(error.problems)) from None


async def _migrated(db: Database, url: str) -> None:
    """Refuses to work with a database that is not there or not of this version."""
    from app.storage.engine.db import DatabaseBusy
    from app.storage.engine.diagnostics import look, sqlite_file

    advice = "run `python -m app migrate`"
    path = sqlite_file(url)
    if path is not None and not path.exists():
        raise click.ClickException(f"There is no database {path}: {advice}.")
    try:
        facts = await look(db)
    except DatabaseBusy as error:
        raise click.ClickException(f"The database cannot be reached: {error}") from None
    if facts.unknown:
        raise click.ClickException(NEWER)
    if facts.missing:
        raise click.ClickException(f"The database is not of this version ({facts.revision}): {advice}.")


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


async def _serve(settings: Settings) -> None:
    from app.run.bootstrap import web_app
    from app.storage.engine.db import STATEMENT_SECONDS, Database
    from app.web.listening import listening

    stop = asyncio.Event()
    _on_signals(stop)
    db = Database(settings.database_url, statement_seconds=STATEMENT_SECONDS)
    await _migrated(db, settings.database_url)
    try:
        async with listening(web_app(settings, db), settings.port):
            log.info("serving", port=settings.port)
            await stop.wait()
    except OSError as error:
        raise click.ClickException(f"Port {settings.port} cannot be used: {error.strerror}") from None
    await db.close()


async def _work(settings: Settings) -> None:
    from app.run import bootstrap
    from app.storage.engine.db import STATEMENT_SECONDS, Database

    db = Database(settings.database_url, statement_seconds=STATEMENT_SECONDS)
    await _migrated(db, settings.database_url)
    async with bootstrap.worker(settings, db) as found:
        _on_signals(found.stopping)
        log.info("working", core=compiled.core())
        await found.run()
    await db.close()


if __name__ == "__main__":
    main()
