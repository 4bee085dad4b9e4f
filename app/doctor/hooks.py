"""Checks of the webhook door: the fate of GitHub's last delivery, and of an empty one of our own."""

from __future__ import annotations

import hmac

import aiohttp

from app.base.settings import Settings
from app.doctor.finding import Finding, Mark
from app.doctor.machine import HTTP
from app.github.api.client import GitHub
from app.github.api.errors import GitHubError
from app.storage.engine.db import Database
from app.storage.people import marketplace as purchases

NO_WEBHOOK = b'"doctor"'
"""No object: with a good signature it is refused as that (400), without one as nobody's (401), and never stored."""


async def last_delivery(client: GitHub) -> Finding:
    """GitHub masks the secret it signs with, but tells how we answered."""
    what = "webhook secret"
    try:
        last = await anext(aiter(client.hook_deliveries()), None)
    except GitHubError as error:
        return Finding(Mark.WARN, what, f"GitHub's list of deliveries cannot be read ({error}).")
    if last is None:
        text = "GitHub has sent nothing in the last 3 days, so whether it is GitHub's is not known."
        return Finding(Mark.SKIPPED, what, text)
    status, told = last.get("status_code"), f"{last.get('event')} of {last.get('delivered_at')}"
    if status == 401:
        text = (
            f"we refused GitHub's last delivery ({told}) with 401: BUGMARK_WEBHOOK_SECRET is not the secret on the"
            " App's settings page. Set one like the other, restart, and send the delivery again from there."
        )
        return Finding(Mark.WRONG, what, text)
    if isinstance(status, int) and 200 <= status < 300:
        return Finding(Mark.OK, what, f"is GitHub's: its last delivery ({told}) was taken in.")
    how = f"was answered {status}" if status else "got no answer"
    return Finding(Mark.WARN, what, f"GitHub's last delivery ({told}) {how}; the worker asks for what failed again.")


async def door(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    """Check that the running web process has this environment's secrets. Nothing is stored by it."""
    url, what = f"{settings.public_url}/webhook", "webhook door"
    for secret in settings.webhook_secrets:
        try:
            status = await _knock(session, url, secret)
        except (aiohttp.ClientError, OSError) as error:
            return Finding(Mark.WRONG, what, f"{url} does not answer ({type(error).__name__}).")
        if status == 401:
            text = "the web process has another BUGMARK_WEBHOOK_SECRET than this environment: restart it."
            return Finding(Mark.WRONG, what, text)
        if status != 400:
            return Finding(Mark.WRONG, what, f"{url} answers {status}: what does the proxy send there?")
    return Finding(Mark.OK, what, "the web process knows what is signed with our secret.")


async def _knock(session: aiohttp.ClientSession, url: str, secret: str) -> int:
    digest = hmac.digest(secret.encode(), NO_WEBHOOK, "sha256").hex()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": "doctor",
        "X-Hub-Signature-256": f"sha256={digest}",
    }
    async with session.post(url, data=NO_WEBHOOK, headers=headers, allow_redirects=False, timeout=HTTP) as answer:
        return answer.status


async def marketplace(settings: Settings) -> list[Finding]:
    """Count Marketplace purchases, if there is a listing. An unreadable database was reported before."""
    if not settings.marketplace_secrets:
        return []
    db = Database(settings.database_url, pool_size=1)
    try:
        async with db.reading() as tx:
            counts = await purchases.counts(tx)
    except Exception:
        return [Finding(Mark.SKIPPED, "marketplace", "not counted: the database cannot be read.")]
    finally:
        await db.close()
    told = [
        f"{plan} {state} {count:,}{f' ({pending:,} with a change to come)' if pending else ''}"
        for plan, state, count, pending in counts
    ]
    return [Finding(Mark.OK, "marketplace", f"accounts by plan: {'; '.join(told) or 'none yet'}.")]
