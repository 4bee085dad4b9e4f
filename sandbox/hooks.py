"""Webhooks as GitHub sends them: signed, in the order of their causes, never sent again unasked, all on record."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field

import aiohttp

from sandbox.chance import Chance
from sandbox.clock import Clock
from sandbox.faults import DeliveryFaults
from sandbox.shapes import Shapes, node_id
from sandbox.state import App, Delivery, Installation, Json, Repository, State, User
from sandbox.validation import Violations, webhook_problems

# Sent to every app, whatever its manifest lists; GitHub refuses a manifest that names them.
UNASKED = {"ping", "installation", "installation_repositories", "installation_target"}
# The permission that an app needs before it may ask for an event; None: anybody may.
EVENT_PERMISSIONS: dict[str, str | None] = {
    "issues": "issues",
    "issue_comment": "issues",
    "label": "metadata",
    "milestone": "issues",
    "repository": "metadata",
    "pull_request": "pull_requests",
    "push": "contents",
    "release": "contents",
    "check_run": "checks",
    "security_advisory": None,
}
# How long one delivery may hold up the next, seconds: in order as long as the app answers, yet never stuck.
PATIENCE = 1.0


@dataclass
class Hooks:
    """One queue per app. `timeout` in seconds: GitHub's is 10, after which a delivery has failed."""

    state: State
    shapes: Shapes
    clock: Clock
    chance: Chance
    violations: Violations
    faults: DeliveryFaults
    timeout: float = 10.0
    outstanding: int = 0
    _session: aiohttp.ClientSession | None = None
    _queues: dict[int, asyncio.Queue[Delivery]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=True)

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the hooks were not started")
        return self._session

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    def emit_repository(
        self,
        event: str,
        action: str | None,
        repository: Repository,
        sender: User,
        data: Json,
        app_id: int | None = None,
    ) -> None:
        """To every app that is installed on the repository and asked for the event; to `app_id` alone, if given."""
        for installation in list(self.state.installations.values()):
            if app_id not in (None, installation.app.id):
                continue
            if installation.covers(repository) and installation.suspended_at is None and asks(installation, event):
                about = {"id": installation.id, "node_id": node_id("I", installation.id)}
                payload = {
                    **({"action": action} if action else {}),
                    "repository": self.shapes.repository(repository),
                    "sender": self.shapes.user(sender),
                    "installation": about,
                    **data,
                }
                if repository.owner.type == "Organization":
                    payload["organization"] = self.organization(repository.owner)
                self.queue(installation.app, event, action, payload, installation, repository)

    def emit_installation(self, event: str, action: str, installation: Installation, sender: User, data: Json) -> None:
        """To the one app that is installed, suspended or not."""
        payload = {
            "action": action,
            "installation": self.shapes.installation(installation),
            **data,
            "sender": self.shapes.user(sender),
        }
        self.queue(installation.app, event, action, payload, installation, None)

    def emit_target(self, action: str, installation: Installation, sender: User, data: Json) -> None:
        """Send an event of the account itself, with `installation` in short form."""
        about = {"id": installation.id, "node_id": node_id("I", installation.id)}
        payload = {"action": action, "installation": about, "sender": self.shapes.user(sender), **data}
        self.queue(installation.app, "installation_target", action, payload, installation, None)

    def emit_global(self, event: str, action: str, data: Json) -> None:
        """To every app that asked for the event, once, whether or not anybody has installed it."""
        for app in self.state.apps.values():
            if event in app.events:
                self.queue(app, event, action, {"action": action, **data}, None, None)

    def organization(self, owner: User) -> Json:
        api = f"{self.shapes.url}/orgs/{owner.login}"
        return {
            "login": owner.login,
            "id": owner.id,
            "node_id": node_id("O", owner.id),
            "url": api,
            "repos_url": f"{api}/repos",
            "events_url": f"{api}/events",
            "hooks_url": f"{api}/hooks",
            "issues_url": f"{api}/issues",
            "members_url": f"{api}/members{{/member}}",
            "public_members_url": f"{api}/public_members{{/member}}",
            "avatar_url": f"{self.shapes.url}/_sandbox/avatars/{owner.id}.svg",
            "description": None,
        }

    def queue(
        self,
        app: App,
        event: str,
        action: str | None,
        payload: Json,
        installation: Installation | None,
        repository: Repository | None,
    ) -> None:
        # Frozen now: later changes of the thread must not show in what was sent.
        payload = json.loads(json.dumps(payload))
        name = (f"{event}-{action}" if action else event).replace("_", "-")
        if self.violations.enabled:
            problems = webhook_problems(name, json.dumps(payload).encode())
            self.violations.note("webhook", name, self.clock.now(), problems)
        delivery = Delivery(
            id=next(self.state.ids.delivery),
            guid=self.chance.guid(),
            app_id=app.id,
            event=event,
            action=action,
            payload=payload,
            installation_id=installation.id if installation else None,
            repository_id=repository.id if repository else None,
            created_at=self.clock.now(),
        )
        self.enqueue(delivery)

    def redeliver(self, old: Delivery) -> Delivery:
        """Another attempt at the same event, under the same guid."""
        again = Delivery(
            id=next(self.state.ids.delivery),
            guid=old.guid,
            app_id=old.app_id,
            event=old.event,
            action=old.action,
            payload=old.payload,
            installation_id=old.installation_id,
            repository_id=old.repository_id,
            created_at=self.clock.now(),
            redelivery=True,
        )
        self.enqueue(again)
        return again

    def enqueue(self, delivery: Delivery) -> None:
        self.state.deliveries[delivery.id] = delivery
        self.outstanding += 1
        if delivery.app_id not in self._queues:
            self._queues[delivery.app_id] = asyncio.Queue()
            self._spawn(self._work(self._queues[delivery.app_id]))
        self._queues[delivery.app_id].put_nowait(delivery)

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _work(self, queue: asyncio.Queue[Delivery]) -> None:
        while True:
            delivery = await queue.get()
            if self.faults.holds_back():
                with contextlib.suppress(TimeoutError):
                    following = await asyncio.wait_for(queue.get(), PATIENCE)
                    await asyncio.wait({self._spawn(self._deliver(following))}, timeout=PATIENCE)
            await asyncio.wait({self._spawn(self._deliver(delivery))}, timeout=PATIENCE)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            fate = self.faults.fate()
            if fate.lost:
                self.finish(delivery, 0, "failed to connect to host", 0.0)
                return
            await asyncio.sleep(fate.delay_seconds)
            for _ in range(fate.times):
                await self.attempt(delivery)
        finally:
            self.outstanding -= 1
            self._settled.set()

    async def attempt(self, delivery: Delivery) -> None:
        """One POST. Whatever goes wrong is the receiver's failure and is written in the record."""
        app = self.state.apps[delivery.app_id]
        body = json.dumps(delivery.payload, separators=(",", ":")).encode()
        delivery.request_headers = headers_for(app, delivery, body)
        delivery.url = app.webhook_url
        started = self.clock.elapsed()
        timeout = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with self.session.post(
                app.webhook_url,
                data=body,
                headers=delivery.request_headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                delivery.response_body = (await response.content.read(65_536)).decode(errors="replace")
                delivery.response_headers = dict(response.headers)
                status = "OK" if response.status < 400 else f"Invalid HTTP Response: {response.status}"
                self.finish(delivery, response.status, status, started)
        except TimeoutError:
            self.finish(delivery, 0, "timed out", started)
        except (aiohttp.ClientError, OSError, ValueError):
            self.finish(delivery, 0, "failed to connect to host", started)

    def finish(self, delivery: Delivery, status_code: int, status: str, started: float) -> None:
        delivery.status_code, delivery.status = status_code, status
        delivery.delivered_at = self.clock.now()
        delivery.duration_millis = int((self.clock.elapsed() - started) * 1000) if started else 0

    async def settled(self) -> None:
        """Returns when every delivery queued so far has been answered or has failed."""
        while self.outstanding:
            self._settled.clear()
            await self._settled.wait()


def asks(installation: Installation, event: str) -> bool:
    return event in UNASKED or event in installation.events


def headers_for(app: App, delivery: Delivery, body: bytes) -> dict[str, str]:
    def signature(algorithm: str) -> str:
        return f"{algorithm}=" + hmac.new(app.webhook_secret.encode(), body, algorithm).hexdigest()

    agent = hashlib.sha256(str(app.id).encode()).hexdigest()[:7]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"GitHub-Hookshot/{agent}",
        "Accept": "*/*",
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Hook-ID": str(app.id + 400_000_000),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature": signature("sha1"),
        "X-Hub-Signature-256": signature("sha256"),
    }
