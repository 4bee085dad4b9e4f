"""GitHub's own example payloads, signed and posted to the running app: each is taken in, none breaks the worker."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select

from app import bootstrap
from app.settings import Settings
from app.storage.db import Database
from app.storage.tables import deliveries
from bench.servers import new_key
from tests.stories.conftest import running_app, wait_for

EXAMPLES = Path("node_modules/@octokit/webhooks-examples/api.github.com/index.json")
SECRET = "the secret of the payloads"


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """(event, payload) for each of the 329 examples; `make test` installs them."""
    for event in json.loads(EXAMPLES.read_text()):
        for payload in event["examples"]:
            yield event["name"], payload


def signed(body: bytes, event: str) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={digest}",
    }


async def test_every_upstream_payload_is_taken_in_and_dealt_with(database_url: str) -> None:
    settings = Settings(
        database_url=database_url,
        github_api_url="http://127.0.0.1:9",
        app_id="1",
        private_key=new_key(),
        webhook_secrets=(SECRET,),
        public_url="http://127.0.0.1",
    )
    db = Database(database_url)
    server = TestServer(bootstrap.web_app(settings, db))
    posted = 0
    async with running_app(settings, server), aiohttp.ClientSession() as session:
        for event, payload in examples():
            body = json.dumps(payload).encode()
            async with session.post(server.make_url("/webhook"), data=body, headers=signed(body, event)) as answer:
                assert answer.status == 202, (event, await answer.text())
            posted += 1

        async def all_done() -> str | None:
            async with db.reading() as tx:
                count = select(func.count()).where(deliveries.c.state == "done", deliveries.c.error.is_(None))
                return "done" if (await tx.execute(count)).scalar_one() == posted else None

        await wait_for(all_done, lambda: "a delivery was not dealt with")
    assert posted == 329
    await db.close()
