"""Checks with GitHub: the App's identity, permissions, webhook address and installations."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from app.base.settings import Settings
from app.doctor.finding import Finding, Mark
from app.doctor.hooks import last_delivery
from app.github.api.client import GitHub
from app.github.api.errors import GitHubError, Gone, Unauthorized, Unavailable

MANIFEST = Path(__file__).resolve().parents[2] / "app.yml"
LEVELS = {"read": 1, "write": 2, "admin": 3}


async def github(settings: Settings, client: GitHub) -> AsyncIterator[Finding]:
    manifest = _manifest()
    if manifest is None:
        yield Finding(Mark.SKIPPED, "manifest", f"{MANIFEST} is not there: permissions and events are not compared.")
    try:
        app = await client.app()
    except GitHubError as error:
        yield Finding(Mark.WRONG, "GitHub", _advice(settings, error))
    else:
        yield _identity(settings, app)
        if manifest is not None:
            yield permissions(manifest["default_permissions"], app.get("permissions") or {})
            yield events(manifest["default_events"], app.get("events") or [])
    yield await _hook(settings, client)
    yield await last_delivery(client)
    for found in await _installations(settings, client, manifest):
        yield found


def _manifest() -> dict[str, Any] | None:
    if not MANIFEST.exists():
        return None
    found: dict[str, Any] = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return found


def _advice(settings: Settings, error: GitHubError) -> str:
    if isinstance(error, Unauthorized):
        return (
            "refuses our signature: BUGMARK_APP_ID and the private key must belong to the same App, the key must"
            f" not have been deleted, and the clock must be right ({error.message})."
        )
    if isinstance(error, Unavailable):
        return f"no answer from {settings.github_api_url} ({error.message}): can this machine reach it?"
    if isinstance(error, Gone):
        return f"{settings.github_api_url} has no such page: is BUGMARK_GITHUB_API_URL GitHub's API?"
    return f"{error}."


def _identity(settings: Settings, app: Mapping[str, Any]) -> Finding:
    name = f"{app.get('slug')} ({app.get('id')})"
    if str(app.get("id")) != settings.app_id:
        text = f"the key belongs to the App {name}, but BUGMARK_APP_ID is {settings.app_id}."
        return Finding(Mark.WRONG, "GitHub", text)
    return Finding(Mark.OK, "GitHub", f"knows us as the App {name}.")


def permissions(wanted: Mapping[str, str], granted: Mapping[str, str]) -> Finding:
    """Compare the App's permissions and events with the least that everything needs."""
    missing = lacking(wanted, granted)
    if missing:
        text = f"missing: {', '.join(missing)}. Grant them on the App's settings page, under Permissions and events."
        return Finding(Mark.WRONG, "permissions", text)
    needless = lacking(granted, wanted)
    if needless:
        return Finding(Mark.WARN, "permissions", f"more than BugMark needs: {', '.join(needless)}. Take them away.")
    return Finding(Mark.OK, "permissions", "the least that is needed, as app.yml says.")


def lacking(wanted: Mapping[str, str], granted: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {level}"
        for name, level in wanted.items()
        if LEVELS.get(granted.get(name, ""), 0) < LEVELS.get(level, 1)
    ]


def events(wanted: list[str], subscribed: list[str]) -> Finding:
    missing = [name for name in wanted if name not in subscribed]
    if missing:
        text = f"not subscribed to: {', '.join(missing)}. Tick them on the App's settings page."
        return Finding(Mark.WRONG, "events", text)
    needless = [name for name in subscribed if name not in wanted]
    if needless:
        return Finding(Mark.WARN, "events", f"more than BugMark needs: {', '.join(needless)}. Untick them.")
    return Finding(Mark.OK, "events", "those of app.yml.")


async def _hook(settings: Settings, client: GitHub) -> Finding:
    """The secret is masked there; whether it is ours is seen from what became of the last delivery."""
    try:
        config = await client.hook_config()
    except GitHubError as error:
        return Finding(Mark.WARN, "webhook", f"its configuration cannot be read ({error}).")
    wanted = {"url": f"{settings.public_url}/webhook", "content_type": "json", "insecure_ssl": "0"}
    wrong = [
        f"{name} is {config.get(name)} and should be {value}"
        for name, value in wanted.items()
        if str(config.get(name)) != value
    ]
    if wrong:
        return Finding(Mark.WRONG, "webhook", f"{'; '.join(wrong)}. Change it on the App's settings page.")
    return Finding(Mark.OK, "webhook", f"comes to {wanted['url']} as JSON.")


async def _installations(settings: Settings, client: GitHub, manifest: dict[str, Any] | None) -> list[Finding]:
    wanted = manifest["default_permissions"] if manifest else {}
    findings: list[Finding] = []
    count = 0
    try:
        async for found in client.installations():
            count += 1
            owner = (found.get("account") or {}).get("login")
            if found.get("suspended_at"):
                findings.append(Finding(Mark.WARN, "installation", f"{owner} has suspended it."))
            missing = lacking(wanted, found.get("permissions") or {})
            if missing:
                text = f"{owner} has not granted {', '.join(missing)}: the owner must accept the App's new permissions."
                findings.append(Finding(Mark.WARN, "installation", text))
    except GitHubError as error:
        return [Finding(Mark.WRONG, "installations", _advice(settings, error))]
    if not count:
        return [Finding(Mark.WARN, "installations", "none yet: install the App on a repository.")]
    return [Finding(Mark.OK, "installations", f"{count}."), *findings]
