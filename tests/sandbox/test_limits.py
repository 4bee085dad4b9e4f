"""Rate limits: counted always, enforced on request, in GitHub's words and headers."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from sandbox.clock import FixedClock
from tests.sandbox.conftest import Installed

ISSUE = "/repos/ann/pump/issues/1"


async def limit(installed: Installed, **limits: Any) -> None:
    await installed.sandbox.control("PUT", "/limits", {"enforced": True, **limits})


async def budget(installed: Installed) -> Any:
    """What the installation has used."""
    told = await installed.sandbox.control("GET", "/budgets")
    (found,) = [one for one in told if one["caller"] == f"installation:{installed.installation_id}"]
    return found


async def comment(installed: Installed, text: str = "x") -> tuple[int, Any, Any]:
    return await installed.bot("POST", f"{ISSUE}/comments", {"body": text})


async def test_most_is_remembered_of_every_window(installed: Installed, clock: FixedClock) -> None:
    await installed.issue()
    for seconds in (0, 0, 2, 4, 61):
        clock.advance(seconds)
        assert (await comment(installed))[0] == 201
        await installed.bot("GET", ISSUE)
    found = await budget(installed)
    assert found["most"] == {
        "requests_3600s": 10,
        "points_60s": 24,
        "writes_1s": 2,
        "writes_5s": 3,
        "writes_60s": 4,
        "creations_60s": 4,
        "creations_3600s": 5,
        "at_once": 1,
    }
    assert (found["smallest_gap"], found["refused"], found["early"]) == (0, 0, 0)


async def test_reactions_and_queries_create_nothing(installed: Installed) -> None:
    await installed.issue()
    made = await comment(installed)
    await installed.bot("POST", f"/repos/ann/pump/issues/comments/{made[1]['id']}/reactions", {"content": "eyes"})
    await installed.bot("POST", "/graphql", {"query": "query { viewer { login } }"})
    most = (await budget(installed))["most"]
    assert (most["creations_60s"], most["writes_60s"], most["points_60s"]) == (1, 2, 11)


@pytest.mark.parametrize("status", [403, 429])
async def test_the_primary_limit_ends_with_the_hour(installed: Installed, clock: FixedClock, status: int) -> None:
    await installed.issue()
    await limit(installed, installation_per_hour=2, status=status)
    etag = (await installed.bot("GET", ISSUE))[2]["ETag"]
    for _ in range(3):
        assert (await installed.bot("GET", ISSUE, **{"If-None-Match": etag}))[0] == 304
    assert (await comment(installed))[0] == 201
    refused, body, headers = await comment(installed)
    assert (refused, headers["X-RateLimit-Remaining"], "Retry-After" in headers) == (status, "0", False)
    assert body["message"].startswith("API rate limit exceeded")
    assert int(headers["X-RateLimit-Reset"]) == clock.now() + 3600
    clock.advance(1800)
    assert (await comment(installed))[0] == status
    clock.advance(1800)
    token = await installed.sandbox.installation_token(installed.app, installed.installation_id)
    assert (await installed.sandbox.call("GET", ISSUE, None, token))[0] == 200
    assert ((await budget(installed))["refused"], (await budget(installed))["early"]) == (2, 1)


async def test_people_without_a_name_have_sixty(installed: Installed) -> None:
    await installed.issue()
    await limit(installed)
    answers = [(await installed.sandbox.call("GET", ISSUE))[0] for _ in range(61)]
    assert answers == [200] * 60 + [403]
    assert (await installed.sandbox.call("GET", ISSUE, None, "sandbox-bob"))[0] == 200


@pytest.mark.parametrize("seconds", [60, None])
@pytest.mark.parametrize("limits", [{"points_per_minute": 9}, {"creations_per_minute": 1}, {"creations_per_hour": 1}])
async def test_the_secondary_limit(
    installed: Installed, clock: FixedClock, seconds: int | None, limits: dict[str, int]
) -> None:
    await installed.issue()
    await limit(installed, retry_after=seconds, **limits)
    assert (await comment(installed))[0] == 201
    status, body, headers = await comment(installed)
    assert (status, headers.get("Retry-After")) == (403, seconds and str(seconds))
    assert body["message"].startswith("You have exceeded a secondary rate limit")
    assert int(headers["X-RateLimit-Remaining"]) > 0
    clock.advance(59)
    assert (await installed.bot("GET", ISSUE))[0] == 403
    clock.advance(3600)
    token = await installed.sandbox.installation_token(installed.app, installed.installation_id)
    assert (await installed.sandbox.call("POST", f"{ISSUE}/comments", {"body": "y"}, token))[0] == 201
    assert (await budget(installed))["early"] == 1


async def test_too_many_at_once(installed: Installed) -> None:
    await installed.issue()
    await limit(installed, concurrent=1)
    slow = {"kind": "timeout", "match": "POST", "seconds": 2, "after": True}
    await installed.sandbox.control("POST", "/faults", {"endpoints": slow})

    async def hanging() -> None:
        with pytest.raises(aiohttp.ClientError):
            await comment(installed)

    waiting = asyncio.create_task(hanging())
    while (await installed.bot("GET", ISSUE))[0] != 403:
        assert not waiting.done()
    await waiting


async def test_limits_are_off_until_asked_for_and_say_what_they_take(installed: Installed) -> None:
    assert (await installed.sandbox.control("GET", "/limits"))["enforced"] is False
    for wrong in ({"creations": 3}, {"status": 500}, {"concurrent": "9"}, {"enforced": 1}, {"points_per_minute": None}):
        assert (await installed.sandbox.call("PUT", "/_sandbox/limits", wrong))[0] == 422
    await installed.issue()
    await installed.sandbox.control("DELETE", "/budgets")
    assert await installed.sandbox.control("GET", "/budgets") == []


async def test_tokens_end_when_told(installed: Installed) -> None:
    await installed.issue()
    assert await installed.sandbox.control("DELETE", "/tokens?installation=1") == {"ended": 0}
    assert await installed.sandbox.control("DELETE", "/tokens") == {"ended": 1}
    assert (await installed.bot("GET", ISSUE))[:2] == (401, bad_credentials())


def bad_credentials() -> dict[str, str]:
    return {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"}
