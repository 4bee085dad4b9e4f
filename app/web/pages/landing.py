"""The pages for people: the front page, what an installation leads to, and the documents of this very version.

Nothing on them depends on who asks or on what a link claims: `installation_id` may be anybody's and is not looked at.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

from aiohttp import web
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.web.pages.html import Html, fill, page

DOCS = Path(__file__).resolve().parents[3] / "docs"
FIRST = {
    "commands": "Every command",
    "traders": "For traders",
    "maintainers": "For maintainers",
    "configuration": "Settings of a repository",
    "market": "The rules of the market",
    "replies": "What the replies look like",
    "research": "Data for research",
    "operators": "For operators",
}
"""The documents to which every page leads, by their file's name."""

READABLE = {
    **FIRST,
    "liquidity": "A market maker, and back-tests",
    "escrow": "The escrow on a chain",
    "performance": "How fast it is",
    "sandbox": "The stand-in for GitHub",
    "decisions": "Decisions and their reasons",
    "mutation": "Changes that the tests notice",
}
"""All documents that are served."""

SCHEMA = "bugmark.schema.json"

HOST = "https://YOUR-HOST"
"""Placeholder of this app's address in documents."""

CONFIG = """\
# BugMark on this repository. These are the defaults: every line may go.
enabled: true

labels:
  # Only issues with one of these, say [bounty]. Empty: every issue.
  allow: []
  # Never issues with one of these, say [question, discussion].
  deny: []

# reactions: no replies, only what halts, resumes and settles is told.
replies: full

# true: issues get a label with the reward on offer, such as
# bugmark: 10, bugmark: 20, bugmark: 50, bugmark: 100.
label_rewards: false
"""

_NAME = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/([A-Za-z0-9._-]{1,100})", re.ASCII)
_BRANCH = re.compile(r"[A-Za-z0-9._/-]{1,200}", re.ASCII)
_LINK = re.compile(r"([a-z]+)\.md(#.*)?|bugmark\.schema\.json")

_NAV = fill(
    '<nav><p>{links} · <a href="/docs">All documents</a></p></nav>',
    links=Html(" · ".join(fill('<a href="/docs/{key}">{title}</a>', key=key, title=FIRST[key]) for key in FIRST)),
)

_ALL = fill(
    """<h1>Documents</h1>
<ul>
{links}
<li><a href="/docs/{schema}">JSON Schema of the settings file</a>, for editors</li>
</ul>""",
    links=Html(
        "\n".join(fill('<li><a href="/docs/{key}">{title}</a></li>', key=key, title=READABLE[key]) for key in READABLE)
    ),
    schema=SCHEMA,
)

_FRONT = fill(
    """<h1>BugMark</h1>
<p>A futures market on software issues that lives in the GitHub thread: people offer and take contracts on whether an
issue is closed as completed by a date, and whoever fixes it can earn what others put up.</p>
<p>To take part, write <code>/bugmark help</code> as a comment on an issue of a repository that has installed this App.
It trades in play tokens: no money is involved.</p>
{nav}""",
    nav=_NAV,
)

_INSTALLED = """<h1>{title}</h1>
<p>{lead}</p>
<h2>First commands</h2>
<p>Write them as a comment on an issue, each in a line of its own. Everybody may, and starts with play tokens.</p>
<pre><code>/bugmark fund 50 by in 2 months</code></pre>
<p>Puts 50 tokens up for whoever fixes the issue within two months. If nobody does, they come back with what was bet
against.</p>
<pre><code>/bugmark offer fixed 50 at 0.40 by in 2 months</code></pre>
<p>You think it will be fixed: you pay 20 tokens and get 50 if the issue is closed as completed in time.</p>
<pre><code>/bugmark help</code></pre>
<p>All commands, in the thread. Closing the issue settles its contracts: maintainers go on as they always did.</p>
<h2>Settings, if you want other rules</h2>
<p>Nothing needs to be set. To change the rules, put a file <code>.github/bugmark.yml</code> on the default branch; a
pull request that touches it gets a check. This one can be copied as it is;
<a href="/docs/configuration">every key</a> has more.</p>
<pre><code>{config}</code></pre>
<form method="get" action="/installed/settings">
<label for="repository">Repository</label>
<input id="repository" name="repository" type="text" placeholder="owner/name"
 pattern="[A-Za-z0-9\\-]+/[A-Za-z0-9._\\-]+" required>
<label for="branch">Default branch</label>
<input id="branch" name="branch" type="text" value="main" pattern="[A-Za-z0-9._\\/\\-]+" required>
<button>Open it on GitHub as a new file</button>
<p class="soft">GitHub shows the file and asks before it is committed.</p>
</form>
<h2>More</h2>
{nav}"""

_LEADS = {
    "install": (
        "BugMark is installed",
        "It has posted nothing, made no label and no file, and will not before somebody gives a command in a thread.",
    ),
    "update": ("The installation is changed", "What was traded stays as it is."),
    "request": (
        "Your request is on its way",
        "An owner of the organisation has to agree before BugMark can be used there. Until then nothing happens.",
    ),
}


def add_to(app: web.Application, github_url: str, public_url: str) -> None:
    """`github_url` is the address of GitHub's website, `public_url` that of this app."""

    async def installed(request: web.Request) -> web.Response:
        return _installed(request.query.get("setup_action", ""), github_url)

    async def settings(request: web.Request) -> web.Response:
        raise web.HTTPSeeOther(
            _new_file(github_url, request.query.get("repository", ""), request.query.get("branch", ""))
        )

    app.router.add_get("/", _front)
    app.router.add_get("/installed", installed)
    app.router.add_get("/installed/settings", settings)

    async def document(request: web.Request) -> web.Response:
        return _document(request.match_info["name"], public_url)

    app.router.add_get("/docs", _documents)
    app.router.add_get("/docs/{name:[a-z]+}", document)
    app.router.add_get(f"/docs/{SCHEMA}", _schema)
    app.router.add_get("/docs/replies/{picture:[a-z0-9-]+}.png", _picture)


async def _front(_request: web.Request) -> web.Response:
    return page("A market on issues", _FRONT, keep=True)


def _installed(action: str, github_url: str) -> web.Response:
    title, lead = _LEADS.get(action, _LEADS["install"])
    body = fill(_INSTALLED, title=title, lead=lead, config=CONFIG, nav=_NAV)
    return page(title, body, forms=["'self'", github_url])


def _new_file(github_url: str, repository: str, branch: str) -> str:
    """GitHub's page for a new file, filled in. Leads nowhere but to GitHub."""
    named = _NAME.fullmatch(repository.strip())
    if named is None or named[2] in (".", "..") or not _BRANCH.fullmatch(branch) or ".." in branch:
        raise web.HTTPBadRequest(text="The repository is named as owner/name, and the branch as on GitHub.")
    query = urlencode({"filename": ".github/bugmark.yml", "value": CONFIG}, quote_via=quote)
    return f"{github_url}/{named[1]}/{named[2]}/new/{branch}?{query}"


async def _documents(_request: web.Request) -> web.Response:
    return page("Documents", _ALL, keep=True)


def _document(name: str, public_url: str) -> web.Response:
    if name not in READABLE or not (DOCS / f"{name}.md").is_file():
        raise web.HTTPNotFound
    return page(READABLE[name], _rendered(name, public_url), keep=True)


async def _schema(_request: web.Request) -> web.Response:
    """For editors, those in a browser too."""
    headers = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
    if not (DOCS / SCHEMA).is_file():
        raise web.HTTPNotFound
    return web.Response(body=_text_of(SCHEMA).encode(), content_type="application/schema+json", headers=headers)


@cache
def _text_of(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


async def _picture(request: web.Request) -> web.FileResponse:
    path = DOCS / "replies" / f"{request.match_info['picture']}.png"
    if not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Cache-Control": "public, max-age=300"})


def _anchor(heading: str) -> str:
    """As GitHub names a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _relink(tokens: Iterable[Token]) -> None:
    """Links to documents lead to their pages; those to what is not served are text."""
    dropped = False
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrs.get("href", ""))
            target = _LINK.fullmatch(href)
            if target and (target[1] is None or target[1] in READABLE):
                token.attrs["href"] = f"/docs/{target[1]}{target[2] or ''}" if target[1] else f"/docs/{SCHEMA}"
            else:
                token.hidden = dropped = not href.startswith(("https://", "#"))
        elif token.type == "link_close":
            token.hidden, dropped = dropped, False
        elif token.type == "image":
            token.attrs["src"] = f"/docs/{token.attrs['src']}"


@cache
def _rendered(name: str, public_url: str) -> Html:
    """A document as a page's body, with the address of this very app."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_text_of(f"{name}.md").replace(HOST, public_url))
    for heading, text in itertools.pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrs["id"] = _anchor(text.content)
    for found in tokens:
        _relink(found.children or ())
    return Html(parser.renderer.render(tokens, parser.options, {}) + _NAV)
