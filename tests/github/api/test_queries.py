"""GraphQL: every query that the app sends is one that GitHub takes; answers, and what stands in for one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from app.github.api import queries
from app.github.api.client import GitHub
from app.github.api.errors import Forbidden, GitHubError, Gone, Invalid, RateLimited, Unavailable
from app.github.api.transport import Timeouts, Transport
from tests.clocks import START_AT, FakeClock
from tests.github.play import Play, reply

PACKAGE = Path("node_modules/@octokit/graphql-schema/schema.graphql")
DOCUMENTS = {name: text for name, text in vars(queries).items() if name.isupper()}


@cache
def schema() -> GraphQLSchema:
    assert PACKAGE.exists(), f"{PACKAGE} is missing: run `npm ci` first"
    return build_schema(PACKAGE.read_text(encoding="utf-8"), assume_valid=True)  # its own rules it breaks


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_query_is_one_that_github_takes(name: str) -> None:
    assert validate(schema(), parse(DOCUMENTS[name])) == []


def test_there_is_no_query_elsewhere() -> None:
    holders = [path.name for path in Path("app").rglob("*.py") if "... on " in path.read_text(encoding="utf-8")]
    assert holders == ["queries.py"]


async def test_a_query_is_posted_with_its_variables(play: Play, github: GitHub) -> None:
    play.on("POST /graphql", reply({"data": {"node": {"number": 7}}}))
    assert await github.query(1, "query($id: ID!) { x }", {"id": "I_1"}) == {"node": {"number": 7}}
    asked = play.last("POST /graphql")
    assert asked.body == {"query": "query($id: ID!) { x }", "variables": {"id": "I_1"}}
    assert asked.headers["authorization"] == "token ghs_1"


async def test_what_may_not_be_told_is_null_beside_the_rest(play: Play, github: GitHub) -> None:
    errors = [{"type": "FORBIDDEN", "path": ["node", "closer"], "message": "no"}]
    play.on("POST /graphql", reply({"data": {"node": {"closer": None}}, "errors": errors}))
    assert await github.query(1, "{ x }", {}) == {"node": {"closer": None}}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "NOT_FOUND", "message": "Could not resolve"}, Gone),
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, Forbidden),
        ({"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}, Invalid),
        ({"message": "Something went wrong while executing your query"}, Unavailable),
    ],
)
async def test_an_answer_without_data_is_an_error(
    play: Play, github: GitHub, error: Any, kind: type[GitHubError]
) -> None:
    for body in ({"data": {"node": None}, "errors": [error]}, {"data": None, "errors": [error]}, {"errors": [error]}):
        play.on("POST /graphql", reply(body))
        with pytest.raises(GitHubError) as raised:
            await github.query(1, "{ x }", {})
        assert type(raised.value) is kind


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
async def test_a_rate_limit_is_told_with_status_200(play: Play, github: GitHub, kind: str) -> None:
    body = {"errors": [{"type": kind, "message": "API rate limit exceeded"}]}
    limited = reply(body, x_ratelimit_remaining="0", x_ratelimit_reset=str(START_AT + 900))
    play.on("POST /graphql", limited)
    with pytest.raises(RateLimited) as raised:
        await github.query(1, "{ x }", {})
    assert raised.value.retry_at == START_AT + 900
    play.on("POST /graphql", reply(body))
    with pytest.raises(RateLimited) as raised:
        await github.query(2, "{ x }", {})
    assert raised.value.retry_at == START_AT + 60


async def test_a_query_after_a_refused_token_is_asked_with_a_fresh_one(play: Play, github: GitHub) -> None:
    play.on("POST /graphql", reply({"message": "Bad credentials"}, 401), reply({"data": {"x": 1}}))
    assert await github.query(1, "{ x }", {}) == {"x": 1}
    assert play.tokens_made == 2


@pytest.mark.parametrize(
    ("rest", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://git.example/api/v3/", "https://git.example/api/graphql"),
        ("http://127.0.0.1:8040/", "http://127.0.0.1:8040/graphql"),
    ],
)
async def test_graphql_lies_beside_rest(github: GitHub, clock: FakeClock, rest: str, graphql: str) -> None:
    transport = Transport(github._transport._session, clock, rest, "test", Timeouts())
    assert str(transport.graphql_url) == graphql
