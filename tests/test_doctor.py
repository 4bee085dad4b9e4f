"""`python -m app doctor`: everything is checked, what is wrong is named, and nothing secret is said."""

from __future__ import annotations

import hmac
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import make_url, text

from app.base.credentials import Credentials, FileKeeper
from app.base.settings import Settings
from app.doctor.machine import database
from app.doctor.report import doctor
from app.storage.engine.db import Database
from app.storage.engine.diagnostics import sqlite_file
from app.storage.people import marketplace
from app.storage.people.marketplace import Account
from tests import engines
from tests.databases import PostgresDatabases, SqliteDatabases
from tests.github.play import Play, reply, settings

MANIFEST = yaml.safe_load((Path(__file__).parent.parent / "app.yml").read_text())
PERMISSIONS, EVENTS = MANIFEST["default_permissions"], MANIFEST["default_events"]
SECRET = "a-secret-nobody-may-see"


def app(**changes: object) -> web.Response:
    return reply({"id": 4711, "slug": "bugmark", "permissions": PERMISSIONS, "events": EVENTS, **changes})


def installation(login: str, **changes: object) -> dict[str, object]:
    return {"account": {"login": login}, "permissions": PERMISSIONS, "suspended_at": None, **changes}


def delivery(status: int = 202) -> dict[str, object]:
    return {"id": 1, "event": "ping", "status_code": status, "delivered_at": "2026-01-01T00:00:00Z"}


async def refuse_what_is_not_signed(request: web.Request) -> web.Response:
    """As the web process does: a good signature brings it to the body, which is none."""
    good = hmac.digest(SECRET.encode(), await request.read(), "sha256").hex()
    return reply({}, 400 if request.headers["X-Hub-Signature-256"] == f"sha256={good}" else 401)


@pytest.fixture(autouse=True)
def durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor looks whether SQLite waits for the disk, as it does but in tests."""
    monkeypatch.setattr(engines, "waiting_for_the_disk", True)


@dataclass
class World:
    """A sound installation: a played GitHub that answers for the app's own address too."""

    play: Play
    environ: dict[str, str]
    capsys: pytest.CaptureFixture[str]

    def hook(self, **changes: object) -> web.Response:
        wanted = {"url": f"{self.play.url}/webhook", "content_type": "json", "insecure_ssl": "0", "secret": "********"}
        return reply({**wanted, **changes})

    def key(self) -> str:
        return Path(self.environ["BUGMARK_PRIVATE_KEY_FILE"]).read_text()

    def write_database(self, text: str) -> None:
        Path(make_url(self.environ["BUGMARK_DATABASE_URL"]).database or "").write_text(text)

    async def examine(self) -> tuple[int, list[str]]:
        """The exit status and the printed lines."""
        status = await doctor(self.environ)
        return status, self.capsys.readouterr().out.splitlines()

    async def faults(self) -> tuple[int, list[str]]:
        """The exit status and the lines that find fault; the last line, which counts, left out."""
        status, lines = await self.examine()
        return status, [line for line in lines[:-1] if not line.startswith("ok")]


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[World]:
    play = Play()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", play.handle)
    async with TestServer(application) as server:
        play.url = str(server.make_url("/")).rstrip("/")
        world = World(play, environment(play.url, sqlite_url, tmp_path), capsys)
        play.on("GET /app", app())
        play.on("GET /app/hook/config", world.hook())
        play.on("GET /app/installations?per_page=100", reply([installation("mozilla"), installation("ann")]))
        play.on("GET /app/hook/deliveries?per_page=100", reply([delivery()]))
        play.on("GET /healthz", reply({"ok": True}))
        play.on("POST /webhook", refuse_what_is_not_signed)
        yield world


def environment(url: str, database_url: str, folder: Path) -> dict[str, str]:
    key = folder / "key.pem"
    key.touch(mode=0o600)
    key.write_text(settings(url).private_key)
    Path(make_url(database_url).database or "").chmod(0o600)
    return {
        "BUGMARK_DATABASE_URL": database_url,
        "BUGMARK_GITHUB_API_URL": url,
        "BUGMARK_APP_ID": "4711",
        "BUGMARK_PRIVATE_KEY_FILE": str(key),
        "BUGMARK_WEBHOOK_SECRET": SECRET,
        "BUGMARK_PUBLIC_URL": url,
    }


async def test_a_sound_installation_passes_every_check(world: World) -> None:
    status, lines = await world.examine()
    assert status == 0
    assert [line.split(":")[0] for line in lines] == [
        "ok      environment",
        "ok      key file",
        "ok      database",
        "ok      migrations",
        "ok      durability",
        "ok      database file",
        "ok      clock",
        "ok      GitHub",
        "ok      permissions",
        "ok      events",
        "ok      webhook",
        "ok      webhook secret",
        "ok      installations",
        "ok      public url",
        "ok      webhook door",
        "doctor",
    ]
    assert lines[-1] == "doctor: 15 checks, 0 wrong, 0 to look at."


@pytest.mark.parametrize(
    ("line", "answer", "status", "words"),
    [
        ("GET /app", app(id=4712), 1, "WRONG   GitHub: the key belongs to the App bugmark (4712), but"),
        ("GET /app", reply({"message": "Bad credentials"}, 401), 1, "WRONG   GitHub: refuses our signature"),
        ("GET /app", reply({"message": "Oops"}, 502), 1, "WRONG   GitHub: no answer from"),
        ("GET /app", reply({"message": "Not Found"}, 404), 1, "is BUGMARK_GITHUB_API_URL GitHub's API?"),
        (
            "GET /app",
            app(permissions={**PERMISSIONS, "issues": "read"}),
            1,
            "WRONG   permissions: missing: issues: write.",
        ),
        ("GET /app", app(permissions={**PERMISSIONS, "secrets": "read"}), 0, "needs: secrets: read."),
        ("GET /app", app(permissions={**PERMISSIONS, "contents": "write"}), 0, "needs: contents: write."),
        ("GET /app", app(events=EVENTS[1:]), 1, "WRONG   events: not subscribed to: issues."),
        ("GET /app", app(events=[*EVENTS, "star"]), 0, "warn    events: more than BugMark needs: star."),
        ("GET /app/hook/config", reply({"message": "Not Found"}, 404), 0, "warn    webhook: its configuration cannot"),
        ("GET /app/installations?per_page=100", reply([]), 0, "warn    installations: none yet"),
        ("GET /app/installations?per_page=100", reply({}), 1, "WRONG   installations: no answer"),
        (
            "GET /app/installations?per_page=100",
            reply([installation("ann", suspended_at="2026-01-01T00:00:00Z")]),
            0,
            "warn    installation: ann has suspended it.",
        ),
        (
            "GET /app/installations?per_page=100",
            reply([installation("ann", permissions={**PERMISSIONS, "checks": "read"})]),
            0,
            "warn    installation: ann has not granted checks: write",
        ),
        ("GET /app/hook/deliveries?per_page=100", reply([]), 0, "skipped webhook secret: GitHub has sent nothing"),
        ("GET /app/hook/deliveries?per_page=100", reply([delivery(401)]), 1, "is not the secret on the App's settings"),
        ("GET /app/hook/deliveries?per_page=100", reply([delivery(503)]), 0, "was answered 503; the worker asks"),
        ("GET /app/hook/deliveries?per_page=100", reply([delivery(0)]), 0, "got no answer; the worker asks"),
        ("GET /app/hook/deliveries?per_page=100", reply({}, 403), 0, "warn    webhook secret: GitHub's list of"),
        ("POST /webhook", reply({}, 401), 1, "another BUGMARK_WEBHOOK_SECRET than this environment: restart it"),
        ("POST /webhook", reply({}, 202), 1, "/webhook answers 202: what does the proxy send there?"),
        ("GET /healthz", reply({"ok": False}, 503), 1, "does not reach its database"),
        ("GET /healthz", web.Response(text="Welcome to nginx!"), 1, "answers 200, but not as BugMark does"),
        ("GET /healthz", reply({}, 302, location="https://elsewhere.example/"), 1, "answers 302"),
    ],
)
async def test_what_is_wrong_at_github_or_outside_is_named_and_nothing_else(
    world: World, line: str, answer: web.Response, status: int, words: str
) -> None:
    world.play.on(line, answer)
    found, faults = await world.faults()
    assert found == status
    assert len(faults) == 1
    assert words in faults[0]


@pytest.mark.parametrize(
    ("name", "value"), [("url", "https://old.example/webhook"), ("content_type", "form"), ("insecure_ssl", "1")]
)
async def test_a_webhook_that_goes_astray_is_named(world: World, name: str, value: str) -> None:
    world.play.on("GET /app/hook/config", world.hook(**{name: value}))
    status, faults = await world.faults()
    assert status == 1
    assert [f"{name} is {value} and should be" in fault for fault in faults] == [True]


async def test_installations_are_counted_over_all_pages(world: World) -> None:
    following = f'<{world.play.url}/app/installations?per_page=100&page=2>; rel="next"'
    world.play.on("GET /app/installations?per_page=100", reply([installation("ann")] * 100, link=following))
    world.play.on("GET /app/installations?per_page=100&page=2", reply([installation("bob")] * 3))
    _, lines = await world.examine()
    assert "ok      installations: 103." in lines


@pytest.mark.parametrize(("seconds", "words"), [(90, "s behind GitHub's"), (-90, "s ahead of GitHub's")])
async def test_a_clock_that_runs_apart_is_named(world: World, seconds: int, words: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    world.play.on("GET /", reply({}, date=date))
    status, faults = await world.faults()
    assert status == 1
    assert [words in fault for fault in faults] == [True]


async def test_a_clock_that_is_moved_on_purpose_is_told(world: World, tmp_path: Path) -> None:
    world.environ["BUGMARK_CLOCK"] = f"file:{tmp_path / 'clock'}"
    status, faults = await world.faults()
    assert (status, faults) == (0, [f"warn    clock: moved by file:{tmp_path / 'clock'}: for trying things out only."])
    (tmp_path / "clock").write_text("soon")
    status, lines = await world.examine()
    assert status == 1
    assert any(line.startswith("WRONG   clock: ") for line in lines)


async def test_a_key_that_others_may_read_is_a_warning(world: World) -> None:
    key = world.environ["BUGMARK_PRIVATE_KEY_FILE"]
    os.chmod(key, 0o644)
    text_ = f"warn    key file: {key} is open to others than its owner (mode 644): `chmod 600 {key}`."
    assert await world.faults() == (0, [text_])


async def test_a_file_of_credentials_stands_for_three_variables(world: World, tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    FileKeeper(path).keep(Credentials(4711, "BugMark", "", "id", "client-secret", world.key(), SECRET))
    for name in ("BUGMARK_APP_ID", "BUGMARK_PRIVATE_KEY_FILE", "BUGMARK_WEBHOOK_SECRET"):
        del world.environ[name]
    world.environ["BUGMARK_CREDENTIALS_FILE"] = str(path)
    status, lines = await world.examine()
    assert status == 0
    assert f"ok      credentials file: {path} is its owner's alone." in lines
    path.chmod(0o640)
    _, faults = await world.faults()
    assert [fault.startswith("warn    credentials file:") for fault in faults] == [True]


async def test_purchases_are_counted_where_there_is_a_listing(world: World) -> None:
    world.environ["BUGMARK_MARKETPLACE_SECRET"] = "another"
    assert "ok      marketplace: accounts by plan: none yet." in (await world.examine())[1]
    first = Account(7, "User", "ann", "active", 1, "Free", 1, "monthly", False, None, None, 1)
    db = Database(str(Settings.from_environment(world.environ).database_url))
    async with db.transaction() as tx:
        await marketplace.save(tx, first)
        await marketplace.save(tx, replace(first, account_id=8, pending_at=9))
    await db.close()
    told = "ok      marketplace: accounts by plan: Free active 2 (1 with a change to come)."
    assert told in (await world.examine())[1]


async def test_a_key_in_the_environment_needs_no_file(world: World) -> None:
    world.environ["BUGMARK_PRIVATE_KEY"] = world.key()
    del world.environ["BUGMARK_PRIVATE_KEY_FILE"]
    status, lines = await world.examine()
    assert status == 0
    assert "ok      key file: none is used." in lines


async def test_a_database_that_is_not_there_is_not_made(world: World, tmp_path: Path) -> None:
    world.environ["BUGMARK_DATABASE_URL"] = f"sqlite:///{tmp_path / 'none.db'}"
    status, faults = await world.faults()
    expected = f"WRONG   database: {tmp_path / 'none.db'} is not there: run `python -m app migrate`."
    assert (status, faults) == (1, [expected])
    assert not (tmp_path / "none.db").exists()


async def test_a_file_that_is_no_database_is_named(world: World) -> None:
    world.write_database("no database " * 100)
    status, faults = await world.faults()
    assert status == 1
    assert [fault.startswith("WRONG   database: cannot be used: ") for fault in faults] == [True]


async def test_a_database_is_told_with_its_migrations(database_url: str) -> None:
    lines = await told_of(database_url)
    assert lines[1].startswith("ok migrations: all applied, up to 0")
    assert lines[0].startswith(("ok database: SQLite 3.", "ok database: PostgreSQL 1"))


async def test_missing_migrations_are_named(empty_database_url: str) -> None:
    path = sqlite_file(empty_database_url)
    if path is not None:
        path.touch()
    lines = await told_of(empty_database_url)
    assert lines[1].startswith("WRONG migrations: missing: 0001 (the first tables)")
    assert lines[1].endswith("Run `python -m app migrate`.")


async def test_a_database_of_a_newer_version_is_not_called_sound(
    databases: SqliteDatabases | PostgresDatabases, tmp_path: Path
) -> None:
    with databases.migrated(tmp_path) as url:  # one of its own: emptying brings rows back to none, not the version
        db = Database(url)
        async with db.transaction() as tx:
            await tx.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
        await db.close()
        lines = await told_of(url)
    assert lines[1].startswith("WRONG migrations: it stands at ffff, which this version of the app does not know")


async def told_of(url: str) -> list[str]:
    return [f"{found.mark.value} {found.what}: {found.text}" for found in await database({"BUGMARK_DATABASE_URL": url})]


async def test_without_github_the_rest_is_still_checked(world: World, unused_tcp_port: int) -> None:
    world.environ["BUGMARK_GITHUB_API_URL"] = f"http://127.0.0.1:{unused_tcp_port}"
    status, faults = await world.faults()
    assert status == 1
    assert [fault.split(":")[0] for fault in faults] == [
        "warn    clock",
        "WRONG   GitHub",
        "warn    webhook",
        "warn    webhook secret",
        "WRONG   installations",
    ]
    assert [asked.line for asked in world.play.asked] == ["GET /healthz", "POST /webhook"]


async def test_without_an_environment_each_variable_is_named_and_the_database_still_checked(world: World) -> None:
    for name in ("BUGMARK_APP_ID", "BUGMARK_WEBHOOK_SECRET"):
        del world.environ[name]
    status, lines = await world.examine()
    assert status == 1
    assert lines[:2] == [
        "WRONG   environment: BUGMARK_APP_ID is not set.",
        "WRONG   environment: BUGMARK_WEBHOOK_SECRET is not set.",
    ]
    assert any(line.startswith("ok      migrations: all applied") for line in lines)
    assert "skipped GitHub, clock, public url: not checked until the environment is right." in lines


async def test_no_secret_is_said_even_if_github_says_it(world: World) -> None:
    key = world.key()
    world.play.on("GET /app", reply({"message": f"{SECRET} {key}"}, 401))
    world.play.on("GET /app/hook/config", world.hook(url=f"https://x.example/{SECRET}"))
    world.play.on("GET /app/installations?per_page=100", reply({"message": key.splitlines()[1]}, 403))
    status, lines = await world.examine()
    assert status == 1
    said = "\n".join(lines)
    assert SECRET not in said
    assert not [line for line in key.splitlines()[1:-1] if line in said]


def test_the_command_line_gives_the_status() -> None:
    rest = {name: text for name, text in os.environ.items() if not name.startswith("BUGMARK_") and name != "PORT"}
    command = [sys.executable, "-m", "app", "doctor"]
    done = subprocess.run(command, env=rest, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "WRONG   environment: BUGMARK_DATABASE_URL is not set." in done.stdout
    assert done.stdout.splitlines()[-1].startswith("doctor: ")
