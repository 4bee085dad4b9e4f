"""The end of GitHub's manifest flow: a code that was handed out is changed for the app's credentials.

The pages before it, GitHub's website, are in `manifest_page.py`.
"""

from __future__ import annotations

from sandbox.endpoints import Answer, Call, endpoint
from sandbox.errors import not_found

CODE_LIFE_SECONDS = 3600


@endpoint("POST", "/app-manifests/{code}/conversions", needs="nobody")
def convert(call: Call) -> Answer:
    """Once, and within the hour."""
    found = call.world.state.new_apps.pop(call.params["code"], None)
    if found is None or found.made_at + CODE_LIFE_SECONDS <= call.world.clock.now():
        raise not_found()
    about = {
        "client_secret": call.world.chance.secret(),
        "webhook_secret": found.app.webhook_secret,
        "pem": found.pem,
    }
    return Answer(201, {**call.world.shapes.app(found.app), **about})
