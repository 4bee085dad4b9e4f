"""The end of GitHub's manifest flow: the code that came back is changed for the new App's credentials, once."""

from __future__ import annotations

import re

from app.base.credentials import Credentials
from app.github.api.errors import Unavailable
from app.github.api.transport import Transport

CODE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_LINE = re.compile(r"[!-~]+", re.ASCII)


async def convert(transport: Transport, code: str) -> Credentials:
    """Raises GitHubError: Gone if the code is unknown, used or older than an hour. ValueError if it is no code."""
    if not CODE.fullmatch(code):
        raise ValueError("not a code of the manifest flow")
    answer = await transport.send("POST", transport.url(f"/app-manifests/{code}/conversions"))
    try:
        return _credentials(answer.data)
    except (KeyError, TypeError, ValueError):
        raise Unavailable(answer.status, "the answer holds no credentials") from None


def _credentials(data: object) -> Credentials:
    found = data if isinstance(data, dict) else {}
    lines = [found[name] for name in ("client_id", "client_secret", "webhook_secret")]
    if not all(_LINE.fullmatch(line) for line in lines) or "PRIVATE KEY" not in found["pem"]:
        raise ValueError
    client_id, client_secret, webhook_secret = lines
    return Credentials(
        app_id=int(found["id"]),
        name=str(found["name"]),
        html_url=str(found["html_url"]),
        client_id=client_id,
        client_secret=client_secret,
        private_key=found["pem"],
        webhook_secret=webhook_secret,
    )
