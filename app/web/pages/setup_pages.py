"""Pages of the set-up: ask for the code, take the manifest to GitHub, report the end. They hold no secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from app.base.credentials import Credentials
from app.web.pages.html import Html, fill, page

LONGEST_NAME = 34
"""GitHub's own bound on an App's name."""

_ASK = """<h1>Set BugMark up</h1>
{problem}
<p>This page registers a GitHub App of your own, with the permissions and events that BugMark needs and no others.
GitHub shows them to you and asks before it makes anything.</p>
<form method="post" action="/setup">
<label for="code">One-time code</label>
<input id="code" name="code" type="password" autocomplete="off" required>
<p class="soft">It is printed in the terminal in which <code>python -m app setup</code> runs.</p>
<label for="name">Name of the App</label>
<input id="name" name="name" type="text" maxlength="{longest}" value="{name}" required>
<p class="soft">No two Apps on GitHub have the same name; its comments appear under it.</p>
<label for="organization">Organisation</label>
<input id="organization" name="organization" type="text" maxlength="39" pattern="[A-Za-z0-9\\-]+" autocomplete="off">
<p class="soft">Leave it empty to own the App yourself.</p>
<label class="tick"><input name="public" type="checkbox"> Others than the owner may install it</label>
<button>Go on</button>
</form>
"""

_TAKE = """<h1>Register {name} on GitHub</h1>
<p>The next page is GitHub’s. It shows what the App may do and makes it when you agree. Then you come back here, and the
App’s credentials are stored.</p>
<ul>
<li>Webhooks go to <code>{hook}</code>.</li>
<li>It may: {permissions}.</li>
<li>It hears of: {events}.</li>
</ul>
<form method="post" action="{action}" class="bare">
<input type="hidden" name="manifest" value="{manifest}">
<button>Take this to GitHub</button>
</form>
"""

_DONE = """<h1>{name} is registered</h1>
<p>Its credentials are in {place}, and nowhere else: GitHub does not show them again. The set-up has ended.</p>
<h2>What is next</h2>
<ol>
<li>{put}</li>
<li>Make the database: <code>python -m app migrate</code></li>
<li>Start <code>python -m app serve</code> and <code>python -m app worker</code>.</li>
<li>Let it be checked: <code>python -m app doctor</code></li>
<li><a href="{install}">Install {name} on a repository</a>.</li>
</ol>
"""

_FAILED = """<h1>{title}</h1>
<p class="bad">{text}</p>
<p><a href="/setup">Start again</a></p>
"""


def ask(name: str, problem: str = "") -> web.Response:
    told = fill('<p class="bad" role="alert">{problem}</p>', problem=problem) if problem else Html("")
    body = fill(_ASK, problem=told, name=name, longest=LONGEST_NAME)
    return page("Set-up", body, status=403 if problem else 200, forms=["'self'"])


def take(github: str, organization: str, manifest: Mapping[str, Any], state: str) -> web.Response:
    """The page whose button posts the manifest to GitHub. `github` is the address of its website."""
    account = f"/organizations/{organization}" if organization else ""
    body = fill(
        _TAKE,
        name=manifest["name"],
        hook=manifest["hook_attributes"]["url"],
        permissions=", ".join(f"{area}: {level}" for area, level in manifest["default_permissions"].items()),
        events=", ".join(manifest["default_events"]),
        action=f"{github}{account}/settings/apps/new?state={quote(state)}",
        manifest=json.dumps(manifest),
    )
    return page("Set-up", body, forms=[github])


def done(credentials: Credentials, place: str, put: str) -> web.Response:
    """Render the last page: the next step, and `put`: what to do with the credentials."""
    install = f"{credentials.html_url}/installations/new"
    return page("Set-up", fill(_DONE, name=credentials.name, place=place, put=put, install=install))


def failed(title: str, text: str, status: int) -> web.Response:
    return page(title, fill(_FAILED, title=title, text=text), status=status)
