"""The pages for people: what an installation leads to, the documents, and nothing that depends on who asks."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from app.services.rules.config import Config
from app.services.rules.schema import read_rules
from app.services.rules.schema_docs import json_schema
from app.web.pages.landing import CONFIG, DOCS, READABLE
from tests.web.conftest import Client


async def text(client: Client, path: str, status: int = 200) -> str:
    answer = await client.get(path, allow_redirects=False)
    assert answer.status == status
    return await answer.text()


async def test_the_installed_page_tells_the_first_commands_and_offers_settings(client: Client) -> None:
    page = await text(client, "/installed?installation_id=51000001&setup_action=install")
    assert "<h1>BugMark is installed</h1>" in page
    assert "/bugmark fund 50 by in 2 months" in page and "/bugmark help" in page
    assert "label_rewards: false" in page and 'href="/docs/maintainers"' in page


async def test_whose_installation_a_link_names_changes_nothing(client: Client) -> None:
    pages = {await text(client, f"/installed?installation_id={one}") for one in ("1", "2", "x' --", "<b>")}
    assert len(pages) == 1


async def test_a_request_that_waits_for_an_owner_is_told_so(client: Client) -> None:
    assert "has to agree" in await text(client, "/installed?setup_action=request")
    assert "is installed" in await text(client, "/installed?setup_action=%3Cscript%3E")


async def test_the_settings_lead_to_githubs_page_for_a_new_file(client: Client) -> None:
    answer = await client.get("/installed/settings?repository=ann/pump&branch=main", allow_redirects=False)
    assert answer.status == 303
    where = urlsplit(answer.headers["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == "https://github.com/ann/pump/new/main"
    assert parse_qs(where.query) == {"filename": [".github/bugmark.yml"], "value": [CONFIG]}


@pytest.mark.parametrize(
    ("repository", "branch"),
    [
        ("evil.example/x", "main"),
        ("//evil.example", "main"),
        ("ann/..", "main"),
        ("ann/pump", "../../evil"),
        ("ann/pump", "main?x"),
        ("ann/pump/more", "main"),
        ("", ""),
    ],
)
async def test_they_lead_nowhere_else(client: Client, repository: str, branch: str) -> None:
    answer = await client.get(
        "/installed/settings", params={"repository": repository, "branch": branch}, allow_redirects=False
    )
    assert answer.status == 400


def test_the_settings_that_are_offered_are_right_and_change_nothing() -> None:
    assert read_rules(CONFIG.encode()) == (Config(), [])


@pytest.mark.parametrize("path", ["/", "/installed", "/docs/commands"])
async def test_pages_have_their_own_style_and_nothing_else(client: Client, path: str) -> None:
    answer = await client.get(path)
    rules = answer.headers["Content-Security-Policy"]
    assert rules.startswith("default-src 'none'; style-src 'sha256-")
    assert "script" not in rules and "unsafe" not in rules
    page = await answer.text()
    assert "<script" not in page and " style=" not in page and "javascript:" not in page
    assert '<html lang="en">' in page and page.count("<h1") == 1 and 'name="viewport"' in page


@pytest.mark.parametrize("name", [name for name in READABLE if (DOCS / f"{name}.md").exists()])
async def test_documents_are_readable_and_their_links_lead_somewhere(client: Client, name: str) -> None:
    page = await text(client, f"/docs/{name}")
    assert not re.search(r'(?:href|src)="(?!/|#|https://)', page)
    for target in re.findall(r'(?:href|src)="(/[^"#]*)', page):
        assert (await client.get(target)).status == 200


async def test_only_documents_for_readers_are_served(client: Client) -> None:
    for path in (
        "/docs/none",
        "/docs/app.yml",
        "/docs/replies/../../app.png",
        "/docs/..%2fapp.yml",
        "/docs/%2e%2e/app",
    ):
        await text(client, path, 404)


def test_every_document_has_a_page() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == set(READABLE)


async def test_all_documents_are_listed(client: Client) -> None:
    page = await text(client, "/docs")
    assert set(re.findall(r'href="/docs/([a-z]+)"', page)) == set(READABLE)
    for path in ("/docs/operators", "/docs/research"):
        assert f'href="{path}"' in await text(client, "/")
        assert "<h1" in await text(client, path)


async def test_the_schema_is_served_at_the_address_that_the_settings_page_tells(client: Client) -> None:
    page = await text(client, "/docs/configuration")
    (address,) = set(re.findall(r"\$schema=(\S+)", page))
    assert address == "https://bugmark.example/docs/bugmark.schema.json"
    answer = await client.get(urlsplit(address).path)
    assert (answer.status, answer.content_type) == (200, "application/schema+json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert await answer.text() == json_schema()
    assert 'href="/docs/bugmark.schema.json"' in page
    assert "YOUR-HOST" not in page + await text(client, "/docs/operators")
