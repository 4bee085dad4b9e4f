"""`python -m app history`: a repository's issues and events, read page by page into a file.

Pages are kept in FILE.part as they come, so that a run that was stopped goes on where it was. Every page is charged to
the installation's budget, and while GitHub's limits hold it back, or few requests are left of its hour, the run waits:
the app itself comes first.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from app.base.clock import Clock
from app.github.api.client import GitHub
from app.github.api.errors import Forbidden, GitHubError, Gone, RateLimited
from app.github.api.repository_names import NAME
from app.github.reading.past import Naming, event_row, issue_row
from app.simulate.histories import EventRow, History, IssueRow
from app.storage.engine.db import Database
from app.storage.queues import budgets
from app.storage.queues.budgets import Limits, Use

ATTEMPTS: Final = 4
PAUSE_SECONDS: Final = 5
LONG_PAUSE_SECONDS: Final = 60

LISTS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("issues", "/issues", {"state": "all", "sort": "created", "direction": "asc"}),
    ("events", "/issues/events", {}),
)
"""Name, path and parameters of what is read. Pages move while events come in; an item that comes twice counts once."""

Wait = Callable[[int], Awaitable[None]]
Say = Callable[[str], None]


class HistoryRefused(Exception):
    """The history cannot be written; the text is a sentence."""


@dataclass(slots=True)
class Part:
    """The file of what was read so far: a line that says of what, then a line a page."""

    path: Path
    head: dict[str, Any]
    pages: list[dict[str, Any]]

    def add(self, page: dict[str, Any]) -> None:
        """Durable before the next page is asked for."""
        self.pages.append(page)
        _append(self.path, page)

    def next_of(self, name: str) -> tuple[bool, str | None]:
        """Tell if a list is still to be read, and from which url on, None: from its beginning."""
        last = next((page for page in reversed(self.pages) if page["list"] == name), None)
        return (True, None) if last is None else (last["next"] is not None, last["next"])


def opened(path: Path, repository_id: int, key: str | None) -> Part:
    """Go on with a part, or begin one; a last line that was cut short is read again from GitHub.

    `key`: what logins are hashed with, None: they are not. A part that was begun keeps its own.
    """
    head = {"repository": repository_id, "key": key}
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise HistoryRefused(f"{path} cannot be read: {error.strerror}.") from None
    whole = [line for line in lines if line.endswith(b"\n")]
    if not whole:
        _begin(path, head)
        return Part(path, head, [])
    try:
        found, *pages = [json.loads(line) for line in whole]
        fits = found["repository"] == repository_id and (found["key"] is None) == (key is None)
    except (ValueError, TypeError, KeyError):
        raise HistoryRefused(f"{path} is not what this program left behind: remove it to begin anew.") from None
    if not fits:
        raise HistoryRefused(f"{path} was begun for another repository or with other options: remove it to begin anew.")
    if len(whole) < len(lines):
        with path.open("r+b") as file:
            file.truncate(sum(map(len, whole)))
    return Part(path, found, pages)


def _begin(path: Path, head: dict[str, Any]) -> None:
    try:
        path.write_bytes(b"")
        path.chmod(0o600)
        _append(path, head)
    except OSError as error:
        raise HistoryRefused(f"{path} cannot be written: {error.strerror}.") from None


def _append(path: Path, value: dict[str, Any]) -> None:
    with path.open("ab") as file:
        file.write(json.dumps(value).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


@dataclass(slots=True)
class Reader:
    """Reads a repository's pages within the installation's budget. `limits` None: nothing is charged."""

    db: Database
    github: GitHub
    clock: Clock
    limits: Limits | None
    wait: Wait
    say: Say

    async def write(self, name: str, out: Path, *, private: bool, key: str | None) -> History:
        """Read the whole history and write it. Raises HistoryRefused with a sentence."""
        installation, repository = await self._find(name, private)
        part = opened(out.with_name(out.name + ".part"), repository["id"], key)
        if part.pages:
            self.say(f"history: going on after {len(part.pages)} pages.")
        for listed, path, params in LISTS:
            await self._read(part, installation, listed, path, params)
        history = put_together(part, str(repository["full_name"]), self.clock.now())
        _replace(out, history.text())
        part.path.unlink()
        return history

    async def _find(self, name: str, private: bool) -> tuple[int, dict[str, Any]]:
        if not NAME.fullmatch(name):
            raise HistoryRefused(f"{name} is no repository: name it as OWNER/REPO.")
        found = await self._asked(0, lambda: self.github.installation_of(name))
        if found is None:
            raise HistoryRefused(f"The App is not installed in {name}, or there is no such repository.")
        if found.get("suspended_at"):
            raise HistoryRefused(f"The App is suspended in {name}.")
        installation = int(found["id"])
        repository = await self._asked(installation, lambda: self.github.get_json(installation, f"/repos/{name}"))
        if not isinstance(repository, dict) or not isinstance(repository.get("id"), int):
            raise HistoryRefused(f"GitHub's answer about {name} cannot be read.")
        if repository.get("private") is not False and not private:
            raise HistoryRefused(f"{name} is private: --private writes its history all the same, for you alone.")
        return installation, repository

    async def _read(self, part: Part, installation: int, listed: str, path: str, params: dict[str, str]) -> None:
        repository = part.head["repository"]
        naming = naming_of(part.head["key"])
        wanted, url = part.next_of(listed)
        while wanted:
            items, following = await self._asked(
                installation,
                partial(self.github.repository_page, installation, repository, path, params, url),
            )
            rows = [row for item in items if (row := _row(listed, item, naming)) is not None]
            part.add({"list": listed, "next": following, "rows": rows})
            wanted, url = following is not None and following != url, following

    async def _asked(self, installation: int, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Ask, waiting at limits as long as they last, and a few times where GitHub gives no answer."""
        failed = 0
        while True:
            await self._room(installation)
            try:
                return await ask()
            except RateLimited as error:
                await self._hold(installation, error)
            except (Gone, Forbidden) as error:
                raise HistoryRefused(f"GitHub refuses to tell: {error.message}.") from None
            except GitHubError as error:
                failed += 1
                if failed == ATTEMPTS or error.permanent:
                    raise HistoryRefused(
                        f"GitHub gave no answer ({error.message}). What was read is kept: say the same again to go on."
                    ) from None
                await self.wait(PAUSE_SECONDS * 4 ** (failed - 1))
            finally:
                await self._charge(installation)

    async def _room(self, installation: int) -> None:
        """Wait while the installation is held, or so little is left of its hour that the app needs it."""
        while True:
            async with self.db.reading() as tx:
                held = (await budgets.standing(tx, self.clock.now())).held.get(installation, 0)
            seconds = held - self.clock.now()
            if seconds <= 0 and installation in self.github.meter.saving():
                seconds = LONG_PAUSE_SECONDS
            if seconds <= 0:
                return
            self.say(f"history: waiting {seconds} seconds for GitHub's limits.")
            await self.wait(seconds)

    async def _hold(self, installation: int, error: RateLimited) -> None:
        """Note the refusal for all processes; `_room` waits for its end."""
        async with self.db.transaction() as tx:
            await budgets.limited(tx, installation, error.retry_at if error.named else None, self.clock.now())

    async def _charge(self, installation: int) -> None:
        """Write down what was asked, for the app's own processes to reckon with."""
        taken = self.github.meter.take()
        if self.limits is None:
            return
        async with self.db.transaction() as tx:
            for number, count in taken.counts.items():
                use = Use(count.writes, count.creations, count.points)
                await budgets.spend(tx, number, use, self.clock.now(), self.limits)


def _row(listed: str, item: dict[str, Any], naming: Naming) -> list[Any] | None:
    """The item's id and its row."""
    row: IssueRow | EventRow | None = issue_row(item, naming) if listed == "issues" else event_row(item, naming)
    if row is None or not isinstance(item.get("id"), int):
        return None
    return [item["id"], {name: getattr(row, name) for name in row.__slots__}]


def put_together(part: Part, name: str, read_at: int) -> History:
    """Put the pages together: of what came twice the later one counts, and events of unread issues are left out."""
    found: dict[str, dict[int, Any]] = {listed: {} for listed, _, _ in LISTS}
    for page in part.pages:
        found[page["list"]].update((number, row) for number, row in page["rows"])
    rows = [IssueRow(**{**row, "labels": tuple(row["labels"])}) for row in found["issues"].values()]
    issues = sorted(rows, key=lambda row: row.number)
    known = {issue.number for issue in issues}
    told = sorted(found["events"].items(), key=lambda item: (item[1]["at"], item[0]))
    events = [EventRow(**row) for _, row in told if row["issue"] in known]
    return History(name, read_at, tuple(issues), tuple(events))


def naming_of(key: str | None) -> Naming:
    """Logins as they are, or hashed with a key that goes away with the part: the same one has the same name."""
    if key is None:
        return str
    secret = bytes.fromhex(key)
    return lambda login: hmac.new(secret, login.lower().encode(), hashlib.sha256).hexdigest()[:16]


def _replace(out: Path, text: str) -> None:
    new = out.with_name(out.name + ".new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(out)
    except OSError as error:
        raise HistoryRefused(f"{out} cannot be written: {error.strerror}. What was read is kept.") from None
