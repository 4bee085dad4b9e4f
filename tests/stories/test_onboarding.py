"""An empty machine: set-up page, GitHub's page, stored credentials, installation, the first answered command.

All in one process, by what a browser would send; nothing secret is seen on the way.
"""

from __future__ import annotations

import asyncio
import html
import re
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import structlog
from aiohttp.test_utils import TestServer

from app.base.clock import SystemClock
from app.base.credentials import CannotKeep
from app.base.settings import Settings, SettingsError, SetupSettings
from app.doctor.report import doctor
from app.github.api.transport import Timeouts
from app.run import bootstrap
from app.run import setup as setting_up
from app.storage.engine.db import Database
from app.web.setup import Setup
from bench.servers import free_port
from sandbox.clock import clock_from
from sandbox.testing import RunningSandbox, running_sandbox
from tests.databases import SqliteDatabases
from tests.faults import FAULTS, TIMEOUTS, possible
from tests.stories.conftest import Thread, running_app


@dataclass
class Browser:
    """Sends the forms of pages and follows redirects; remembers every page it was shown."""

    session: aiohttp.ClientSession
    seen: list[str] = field(default_factory=list)

    async def get(self, url: str, status: int = 200) -> str:
        async with self.session.get(url) as answer:
            return await self._shown(answer, status)

    async def post(self, url: str, fields: dict[str, str], status: int = 200) -> str:
        async with self.session.post(url, data=fields) as answer:
            return await self._shown(answer, status)

    async def look(self, url: str) -> str:
        """Whatever the status."""
        async with self.session.get(url) as answer:
            return await self._shown(answer, answer.status)

    async def _shown(self, answer: aiohttp.ClientResponse, status: int) -> str:
        text = await answer.text()
        assert answer.status == status, text
        self.seen.append(text)
        return text


def form(page: str) -> tuple[str, dict[str, str]]:
    """Where the page's form leads, and what its hidden fields say."""
    action = re.search(r'<form method="post" action="([^"]+)"', page)
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    main = page[action.start() :] if action else ""
    return html.unescape(action[1] if action else ""), {n: html.unescape(v) for n, v in hidden if f'name="{n}"' in main}


@dataclass
class Empty:
    """A machine without an App: a sandbox, a browser, and the settings that the set-up needs."""

    sandbox: RunningSandbox
    browser: Browser
    app_url: str
    file: Path
    environ: dict[str, str]

    @asynccontextmanager
    async def setting_up(
        self, printed: list[str] | None = None, timeouts: Timeouts | None = None
    ) -> AsyncIterator[Setup]:
        environ = {**self.environ, **({} if printed is None else {"BUGMARK_CREDENTIALS_FILE": ""})}
        settings = SetupSettings.from_environment(environ)
        where = setting_up.keeper(settings, printed is not None, print if printed is None else printed.append)
        async with (
            setting_up.set_up(settings, SystemClock(), where, timeouts) as found,
            TestServer(found.application(), port=settings.port),
        ):
            yield found

    async def at_github(self, found: Setup, name: str = "BugMark of Ann") -> tuple[str, dict[str, str]]:
        """From the code in the terminal to GitHub's question; what its button would send."""
        asked = {"code": found.code, "name": name, "organization": "mozilla"}
        page = await self.browser.post(f"{self.app_url}/setup", asked)
        action, hidden = form(page)
        assert action.startswith(f"{self.sandbox.url}/organizations/mozilla/settings/apps/new?state=")
        page = await self.browser.post(action, hidden)
        assert "Create GitHub App for mozilla" in page
        fields = {n: html.unescape(v) for n, v in re.findall(r'name="(manifest|owner|state)" value="([^"]*)"', page)}
        return f"{self.sandbox.url}/_sandbox/page/manifests", {**fields, "name": name}

    async def agree(self, found: Setup, name: str = "BugMark of Ann") -> str:
        """Up to the button on GitHub's page; the address to which that sends the browser back."""
        url, fields = await self.at_github(found, name)
        async with self.browser.session.post(url, data=fields, allow_redirects=False) as answer:
            return answer.headers["Location"]


@pytest.fixture
async def empty(sqlite_databases: SqliteDatabases, tmp_path: Path) -> AsyncIterator[Empty]:
    port = free_port()
    app_url = f"http://127.0.0.1:{port}"
    with sqlite_databases.migrated(tmp_path) as url:
        async with (
            running_sandbox(clock_from("system")) as sandbox,
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        ):
            environ = {
                "BUGMARK_DATABASE_URL": url,
                "BUGMARK_GITHUB_API_URL": sandbox.url,
                "BUGMARK_PUBLIC_URL": app_url,
                "BUGMARK_CREDENTIALS_FILE": str(tmp_path / "credentials"),
                "PORT": str(port),
            }
            yield Empty(sandbox, Browser(session), app_url, tmp_path / "credentials", environ)


async def test_from_an_empty_machine_to_the_first_answered_command(
    empty: Empty, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingsError):
        Settings.from_environment(empty.environ)
    with structlog.testing.capture_logs() as logs:
        async with empty.setting_up() as found:
            assert "One-time code" in await empty.browser.get(f"{empty.app_url}/setup")
            url, fields = await empty.at_github(found)
            page = await empty.browser.post(url, fields)
            assert found.done.is_set()
    assert "BugMark of Ann is registered" in page and str(empty.file) in page
    assert stat.S_IMODE(empty.file.stat().st_mode) == 0o600
    assert [path.name for path in empty.file.parent.iterdir() if "credentials" in path.name] == ["credentials"]

    settings = Settings.from_environment(empty.environ)
    secrets = [*settings.webhook_secrets, *settings.private_key.splitlines()[1:-1], found.code]
    secrets += re.findall("CLIENT_SECRET=(.+)", empty.file.read_text())
    assert len(secrets) > 10
    said = "".join(empty.browser.seen) + repr(logs) + repr(settings) + repr(found)
    assert [one for one in secrets if one in said] == []

    server = TestServer(bootstrap.web_app(settings, Database(settings.database_url)), port=settings.port)
    async with running_app(settings, server) as db:
        await empty.sandbox.control("POST", "/repositories", {"owner": "mozilla", "name": "blocked"})
        install = re.findall('href="([^"]+)">Install BugMark of Ann', page)
        told = await empty.browser.post(install[0], {"owner": "mozilla"})
        assert "BugMark is installed" in told and "/bugmark fund 50" in told
        thread = Thread(empty.browser.session, empty.sandbox.url, empty.app_url, empty.file.with_name("no"), db)
        await thread.open_issue()
        assert await thread.comments() == []
        reply = await thread.say("adam", "/bugmark fund 50 by in 2 months")
        assert "Your account was opened" in reply and "**o1** waits in the book" in reply
        capsys.readouterr()
        assert await doctor(empty.environ) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line for line in lines if line.startswith("WRONG")] == []
        assert f"ok      credentials file: {empty.file} is its owner's alone." in lines
        assert any(line.startswith("ok      webhook secret") for line in lines)
        await thread.check()


async def test_whoever_lacks_the_code_gets_nowhere_and_the_operator_goes_on(empty: Empty) -> None:
    setup, callback = f"{empty.app_url}/setup", f"{empty.app_url}/setup/callback"
    async with empty.setting_up() as found:
        assert "not the code" in await empty.browser.post(setup, {"code": "guess", "name": "Mine"}, 403)
        assert "not the code" in await empty.browser.post(setup, {"code": found.code[:-1], "name": "Mine"}, 403)
        await empty.browser.get(f"{callback}?code=abc", status=403)
        await empty.browser.get(f"{callback}?code=abc&state=", status=403)
        url, fields = await empty.at_github(found)
        await empty.browser.get(f"{callback}?code=abc&state=guess", status=403)
        assert "is registered" in await empty.browser.post(url, fields)
        await empty.browser.get(f"{callback}?code=abc&state={fields['state']}", status=403)


async def test_a_code_that_was_used_brings_no_credentials(empty: Empty) -> None:
    async with empty.setting_up() as found:
        back = await empty.agree(found)
        code = back.split("code=")[1].split("&")[0]
        status, _, _ = await empty.sandbox.call("POST", f"/app-manifests/{code}/conversions")
        assert status == 201
        page = await empty.browser.get(back, status=502)
        assert "used already or is older than an hour" in page
        assert not found.done.is_set()
        assert not empty.file.exists()


CODE_DENIED = {"404", "410"}
"""GitHub's word that the code is not good any more, which counts."""
CODE_SPENT = {fault for fault in possible("POST") if FAULTS[fault].get("after")} | CODE_DENIED
"""The App is there on GitHub, and nobody gets its credentials any more."""


@pytest.mark.parametrize("fault", possible("POST"))
async def test_whatever_strikes_the_conversion_the_page_leads_to_stored_credentials(empty: Empty, fault: str) -> None:
    """Whoever does what each page says ends with an App's credentials. Until then there is no file."""
    conversions = "^POST /app-manifests/[^/]+/conversions$"
    await empty.sandbox.control("POST", "/faults", {"endpoints": {"match": conversions, **FAULTS[fault]}})
    shown = []
    async with empty.setting_up(timeouts=TIMEOUTS) as found:
        back = await empty.agree(found)
        while "is registered" not in (page := await empty.browser.look(back)):
            shown.append(told(page))
            assert not found.done.is_set()
            assert [path.name for path in empty.file.parent.iterdir() if "credentials" in path.name] == []
            assert len(shown) < 5, shown
            if shown[-1].endswith("Delete the App there and start again."):
                back = await empty.agree(found, "BugMark of Ann, again")
        assert found.done.is_set()
    spent = [text for text in shown if "used already" in text]
    assert len(spent) == (fault in CODE_SPENT), shown
    assert len(shown) - len(spent) == (0 if fault in CODE_DENIED else FAULTS[fault].get("times", 1)), shown
    (app_id,) = re.findall("APP_ID=(.+)", empty.file.read_text())
    assert int(app_id) == max(empty.sandbox.state.apps)
    assert [secret for secret in re.findall("SECRET=(.+)", empty.file.read_text()) if secret in "".join(shown)] == []


def told(page: str) -> str:
    """What a page says went wrong, and what to do."""
    (text,) = re.findall('<p class="bad">(.+)</p>', page)
    return html.unescape(text)


async def test_credentials_that_are_there_are_never_written_over(empty: Empty) -> None:
    async with empty.setting_up() as found:
        back = await empty.agree(found)
        empty.file.write_text("the only key of another App")
        assert "is there already" in await empty.browser.get(back, 500)
        assert empty.file.read_text() == "the only key of another App"
        assert len(empty.sandbox.state.new_apps) == 1, "the code is not spent where nothing could be stored"
        empty.file.rename(empty.file.with_name("other"))
        assert "is registered" in await empty.browser.get(back)
    with pytest.raises(CannotKeep, match="is there already"):
        async with empty.setting_up():
            pass


async def test_credentials_can_be_printed_for_a_secret_store(empty: Empty) -> None:
    printed: list[str] = []
    async with empty.setting_up(printed) as found:
        url, fields = await empty.at_github(found)
        page = await empty.browser.post(url, fields)
    assert "standard output" in page
    assert not empty.file.exists()
    stored = dict(line.split("=", 1) for line in printed[0].splitlines())
    settings = Settings.from_environment({**empty.environ, "BUGMARK_CREDENTIALS_FILE": "", **stored})
    assert settings.app_id == str(next(iter(empty.sandbox.state.apps)))


async def test_the_page_closes_when_the_operator_stops_it(empty: Empty) -> None:
    settings = SetupSettings.from_environment(empty.environ)
    stopping = asyncio.Event()
    async with setting_up.set_up(settings, SystemClock(), setting_up.keeper(settings, False, print)) as found:
        task = asyncio.create_task(setting_up.serve(found, settings.port, stopping))
        stopping.set()
        assert await task is False


async def test_the_process_ends_by_itself_when_all_is_stored(empty: Empty) -> None:
    settings = SetupSettings.from_environment(empty.environ)
    async with setting_up.set_up(settings, SystemClock(), setting_up.keeper(settings, False, print)) as found:
        task = asyncio.create_task(setting_up.serve(found, settings.port, asyncio.Event()))
        while not await listens(settings.port):
            await asyncio.sleep(0.01)
        url, fields = await empty.at_github(found)
        assert "is registered" in await empty.browser.post(url, fields)
        assert await task is True


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
