"""What is made to go wrong does go wrong, as often as asked, and is seen on record."""

from __future__ import annotations

import random
from typing import Any

import aiohttp
import pytest

from sandbox.chance import Chance
from sandbox.faults import FAULT_BODY, DeliveryFault, DeliveryFaults
from tests.sandbox.conftest import Installed

ISSUE = "/repos/ann/pump/issues/1"


async def plan(installed: Installed, **fault: Any) -> None:
    await installed.sandbox.control("POST", "/faults", fault)


async def test_a_lost_delivery_is_listed_without_a_code(installed: Installed) -> None:
    await plan(installed, deliveries={"kind": "lose", "next": 1})
    await installed.issue()
    await installed.comment()
    await installed.sandbox.idle()
    assert installed.hook.names() == ["installation.created", "issue_comment.created"]
    lost = [d for d in await installed.sandbox.control("GET", "/deliveries") if d["status_code"] == 0]
    assert [(d["event"], d["status"]) for d in lost] == [("issues", "failed to connect to host")]


async def test_a_repeated_delivery_comes_twice_under_one_guid(installed: Installed) -> None:
    await plan(installed, deliveries={"kind": "repeat"})
    await installed.issue()
    await installed.sandbox.idle()
    first, second = installed.hook.received[-2:]
    assert (first.name, first.guid, first.body) == ("issues.opened", second.guid, second.body)


async def test_reordered_deliveries_change_places(installed: Installed) -> None:
    await installed.issue()
    await installed.sandbox.idle()
    await plan(installed, deliveries={"kind": "reorder"})
    await installed.comment("first")
    await installed.comment("second")
    await installed.sandbox.idle()
    bodies = [one.payload["comment"]["body"] for one in installed.hook.received[-2:]]
    assert bodies == ["second", "first"]


async def test_a_delayed_delivery_is_waited_for(installed: Installed) -> None:
    await plan(installed, deliveries={"kind": "delay", "seconds": 0.05})
    await installed.issue()
    await installed.sandbox.idle()
    assert installed.hook.names()[-1] == "issues.opened"


def test_chances_are_those_of_the_given_dice() -> None:
    def losses(seed: int) -> list[bool]:
        faults = DeliveryFaults(Chance(random.Random(seed)), [DeliveryFault("lose", probability=0.5)])
        return [faults.fate().lost for _ in range(40)]

    assert losses(7) == losses(7) != losses(8)
    assert 5 < sum(losses(7)) < 35


async def test_an_endpoint_answers_with_the_planned_status_then_recovers(installed: Installed) -> None:
    await installed.issue()
    fault = {"kind": "status", "match": r"POST .*/comments$", "status": 403, "headers": {"Retry-After": "60"}}
    await plan(installed, endpoints=fault)
    assert (await installed.bot("GET", ISSUE))[0] == 200
    status, _, headers = await installed.bot("POST", f"{ISSUE}/comments", {"body": "x"})
    assert (status, headers["Retry-After"]) == (403, "60")
    assert (await installed.bot("GET", f"{ISSUE}/comments"))[1] == []
    assert (await installed.bot("POST", f"{ISSUE}/comments", {"body": "x"}))[0] == 201


@pytest.mark.parametrize("kind", ["reset", "truncate", "timeout"])
async def test_a_broken_answer_after_the_work_was_done(installed: Installed, kind: str) -> None:
    """The case in which a retry posts twice."""
    await installed.issue()
    await plan(installed, endpoints={"kind": kind, "match": "POST .*/comments", "after": True, "seconds": 0.01})
    with pytest.raises(aiohttp.ClientError):
        await installed.bot("POST", f"{ISSUE}/comments", {"body": "x"})
    assert [comment["body"] for comment in (await installed.bot("GET", f"{ISSUE}/comments"))[1]] == ["x"]


async def test_faults_can_be_listed_and_forgotten(installed: Installed) -> None:
    await plan(installed, deliveries={"kind": "lose", "probability": 1}, endpoints={"kind": "reset", "match": "GET"})
    planned = await installed.sandbox.control("GET", "/faults")
    assert (len(planned["deliveries"]), planned["endpoints"][0]["pattern"]) == (1, "GET")
    await installed.sandbox.control("DELETE", "/faults")
    assert (await installed.bot("GET", "/repos/ann/pump"))[0] == 200
    wrong = {"deliveries": {"kind": "eat"}}
    status, body, _ = await installed.sandbox.call("POST", "/_sandbox/faults", wrong)
    assert (status, "lose, repeat" in body["message"]) == (422, True)


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        ({"text": "<html>Unicorn!</html>"}, "text/html", b"<html>Unicorn!</html>"),
        ({"json": [1]}, "application/json", b"[1]"),
        ({}, "application/json", FAULT_BODY),
    ],
)
async def test_a_wrong_answer_with_a_right_status(
    installed: Installed, answer: dict[str, Any], kind: str, told: bytes
) -> None:
    await installed.issue()
    await plan(installed, endpoints={"kind": "status", "status": 200, "match": f"GET {ISSUE}", **answer})
    async with installed.sandbox.session.get(installed.sandbox.url + ISSUE) as response:
        assert (response.status, response.content_type, await response.read()) == (200, kind, told)


async def test_endpoints_fail_by_chance_as_the_seed_says(installed: Installed) -> None:
    await installed.issue()

    async def answers(seed: int) -> list[int]:
        await installed.sandbox.control("DELETE", "/faults")
        fault = {"kind": "status", "status": 502, "match": f"GET {ISSUE}$", "probability": 0.5}
        await installed.sandbox.control("POST", "/faults", {"seed": seed, "endpoints": fault})
        return [(await installed.bot("GET", ISSUE))[0] for _ in range(20)]

    first = await answers(7)
    assert first == await answers(7) != await answers(8)
    assert {200, 502} == set(first)


async def test_a_fault_may_strike_one_caller_alone(installed: Installed) -> None:
    await installed.issue()
    caller = f"installation:{installed.installation_id}"
    await plan(installed, endpoints={"kind": "status", "status": 502, "match": f"GET {ISSUE}$", "caller": caller})
    assert (await installed.sandbox.as_person("bob", "GET", ISSUE))["number"] == 1
    assert [(await installed.bot("GET", ISSUE))[0] for _ in range(2)] == [502, 200]
