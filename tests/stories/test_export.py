"""What people said and did around a market, as an export tells it afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.services.research.dictionary import Format
from app.services.research.export import export
from tests.stories.conftest import DAY
from tests.stories.market_life import closed_window, contract, give_right, matched
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def exported(story: Story, folder: Path) -> dict[str, list[dict[str, Any]]]:
    await export(story.db, f"{story.owner}/{story.name}", Format.JSONL, folder)
    return {path.stem: [json.loads(line) for line in path.read_text().splitlines()] for path in folder.glob("*.jsonl")}


async def test_halts_disputes_and_rulings_are_told_with_their_reasons(story: Story, tmp_path: Path) -> None:
    await give_right(story, "mary")
    by = await matched(story)
    await story.say("carl", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    await story.say("eve", f"/bugmark offer fixed 100 at 0.20 by {by}")
    await story.say("mary", "/bugmark market halt a fix may have leaked")
    await story.say("mary", "/bugmark market resume it is clear now")
    await story.bot("resume:")
    await closed_window(story)
    await story.say("adam", "/bugmark dispute The release does not have it")
    await story.say("carl", "/bugmark dispute It crashes on Windows")
    await story.say("mary", "/bugmark resolve fixed It is in the branch of the release")
    story.move(8 * DAY)
    await story.settled()
    told = await exported(story, tmp_path)
    number = (await contract(story)).id
    logins = {row["user"]: row["login"] for row in told["users"]}
    halts = [(row["event"], row["cause"], logins.get(row["user"]), row["reason"]) for row in told["halts"]]
    assert halts == [
        ("halt", "maintainer", "mary", "a fix may have leaked"),
        ("resume", "maintainer", "mary", "it is clear now"),
        ("resume", "lifted", None, None),
        ("halt", "closed", None, None),
    ]
    assert [row["contract"] for row in told["halts"]] == [number, None, number, number]
    (dispute,) = told["disputes"]
    assert (logins[dispute["user"]], dispute["reason"], dispute["cause"], dispute["verdict"], dispute["state"]) == (
        "adam",
        "The release does not have it",
        "closed",
        "FIXED",
        "rejected",
    )
    (joiner,) = told["joiners"]
    assert (logins[joiner["user"]], joiner["reason"], joiner["bond_mills"]) == (
        "carl",
        "It crashes on Windows",
        "2500",
    )
    (ruling,) = told["rulings"]
    assert (logins[ruling["user"]], ruling["ruling"], ruling["reason"], ruling["void_price_mills"]) == (
        "mary",
        "FIXED",
        "It is in the branch of the release",
        None,
    )
    assert "mary" in {logins[row["user"]] for row in told["insiders"]}
    assert "adam" not in {logins[row["user"]] for row in told["insiders"]}
    (issue,) = told["issues"]
    assert (issue["number"], issue["state"], issue["state_reason"]) == (story.number, "closed", "completed")
    closer = story.issue.closed_by
    assert closer is not None and issue["closed_by"] == closer.id
    assert json.loads(issue["labels"]) == sorted(label.name for label in story.issue.labels)
    assert issue["title"] == story.issue.title and issue["closed_at"] is not None
