"""Who may speak: the app's JWT, installation tokens, people."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from sandbox.chance import make_pem
from sandbox.clock import FixedClock
from sandbox.testing import START_AT
from tests.sandbox.conftest import Installed


def signed(installed: Installed, **changes: Any) -> str:
    claims = {"iat": START_AT - 60, "exp": START_AT + 540, "iss": str(installed.app["id"]), **changes}
    return jwt.encode(claims, installed.app["pem"], algorithm="RS256")


async def test_the_app_speaks_with_its_jwt(installed: Installed) -> None:
    status, body, _ = await installed.sandbox.call("GET", "/app", bearer=signed(installed))
    assert (status, body["slug"], body["installations_count"]) == (200, "bugmark", 1)
    by_client = await installed.sandbox.call("GET", "/app", bearer=signed(installed, iss=installed.app["client_id"]))
    assert by_client[0] == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": START_AT + 30},
        {"exp": START_AT},
        {"exp": START_AT + 601},
        {"iat": START_AT - 700, "exp": START_AT + 10},
        {"exp": None},
    ],
)
async def test_a_jwt_with_wrong_times_is_refused(installed: Installed, claims: dict[str, Any]) -> None:
    status, body, _ = await installed.sandbox.call("GET", "/app", bearer=signed(installed, **claims))
    assert status == 401
    assert "claim" in body["message"] or "decoded" in body["message"]


async def test_a_jwt_signed_with_another_key_or_another_algorithm_is_refused(installed: Installed) -> None:
    claims = {"iat": START_AT, "exp": START_AT + 60, "iss": str(installed.app["id"])}
    for forged in (
        jwt.encode(claims, make_pem(), algorithm="RS256"),
        jwt.encode(claims, installed.app["pem"], algorithm="RS512"),
        jwt.encode(claims, "a secret that is long enough for HS256", algorithm="HS256"),
        "not.a.token",
    ):
        assert (await installed.sandbox.call("GET", "/app", bearer=forged))[0] == 401


async def test_an_installation_token_lives_an_hour_of_the_sandboxes_clock(
    installed: Installed, clock: FixedClock
) -> None:
    clock.advance(3599)
    assert (await installed.bot("GET", "/installation/repositories"))[0] == 200
    clock.advance(1)
    status, body, _ = await installed.bot("GET", "/installation/repositories")
    assert (status, body["message"]) == (401, "Bad credentials")


async def test_a_token_can_be_narrowed_but_not_widened(installed: Installed) -> None:
    path = f"/app/installations/{installed.installation_id}/access_tokens"
    bearer = signed(installed)
    status, body, _ = await installed.sandbox.call("POST", path, {"permissions": {"issues": "read"}}, bearer)
    assert (status, body["permissions"]) == (201, {"metadata": "read", "issues": "read"})
    assert body["expires_at"] == "2023-11-14T23:13:20Z"
    await installed.issue()
    comment = {"body": "hello"}
    refused = await installed.sandbox.call("POST", "/repos/ann/pump/issues/1/comments", comment, body["token"])
    assert refused[0] == 403
    wider = await installed.sandbox.call("POST", path, {"permissions": {"actions": "write"}}, bearer)
    assert wider[0] == 422
    elsewhere = await installed.sandbox.call("POST", path, {"repository_ids": [1]}, bearer)
    assert elsewhere[0] == 422


async def test_each_kind_of_caller_has_its_own_endpoints(installed: Installed) -> None:
    assert (await installed.bot("GET", "/app"))[0] == 401
    with_jwt = await installed.sandbox.call("GET", "/repos/ann/pump/issues", bearer=signed(installed))
    assert with_jwt[0] == 403
    assert (await installed.sandbox.call("GET", "/repos/ann/pump/issues"))[0] == 200
    anonymous = await installed.sandbox.call("POST", "/repos/ann/pump/issues", {"title": "x"})
    assert (anonymous[0], anonymous[1]["message"]) == (401, "Requires authentication")
    unknown = await installed.sandbox.call("GET", "/repos/ann/pump/issues", bearer="ghs_unknown")
    assert unknown[0] == 401


async def test_a_person_is_made_on_first_use(installed: Installed) -> None:
    me = await installed.sandbox.as_person("Carol", "GET", "/user")
    assert (me["login"], me["type"]) == ("Carol", "User")
    assert (await installed.sandbox.as_person("carol", "GET", "/user"))["id"] == me["id"]
    status, _, _ = await installed.sandbox.call("GET", "/user", bearer="sandbox--bad-login")
    assert status == 401
    bot = await installed.sandbox.call("GET", "/users/bugmark%5Bbot%5D")
    assert (bot[1]["login"], bot[1]["type"]) == ("bugmark[bot]", "Bot")


async def test_a_request_without_user_agent_is_refused(installed: Installed) -> None:
    status, _, _ = await installed.bot("GET", "/repos/ann/pump", User_Agent="")
    assert status == 403
