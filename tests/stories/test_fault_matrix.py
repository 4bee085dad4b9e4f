"""Every endpoint that the app calls × every way in which GitHub fails: nothing lost, nothing doubled, the queue drains.

A scene is told undisturbed, and once for each of its endpoints and each fault: all must end alike. Scenes go side by
side on one stage. `make faults` tells them all; the suite takes every endpoint with a few of the faults, in turns.
The sweep's endpoints and the doctor's are in tests/github/test_fault_matrix.py.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.databases import SqliteDatabases
from tests.endpoints import AS_THE_APP, ELSEWHERE, ENDPOINTS, asked
from tests.faults import FAULTS, LIMITS, REFUSALS, TIMEOUTS, possible
from tests.stories.conftest import DAY
from tests.stories.scenes import SCENES, Play, calm, end_of, installation
from tests.stories.stage import Json, Stage, Story, running_stage

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(1800),
]

WHOLE = os.environ.get("FAULTS") == "all"
TOGETHER = 60
EACH = 2
"""Faults of an endpoint in the suite."""


TAKEN_AT_ITS_WORD = {
    "GET /users/{username}": "the account's age is not told: refused",
    "GET /user/{account_id}": "where insiders may not trade it is not told who somebody is: refused",
    "GET /repos/{owner}/{repo}/milestones": "no milestones: refused",
    "GET /repos/{owner}/{repo}/milestones/{milestone_number}": "the milestone was deleted: void",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}": "there is no such pull request: refused, or void",
    "GET /repos/{owner}/{repo}/releases/tags/{tag}": "no release is published: not true",
    "GET /repos/{owner}/{repo}/installation": "the App is not there: halted until the next look",
}
"""Where a refusal may move other money than the calm run did. Nothing else may."""


@dataclass(frozen=True)
class Cell:
    scene: str
    endpoint: str = ""
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.endpoint} × {self.fault}"

    @property
    def ends_it(self) -> bool:
        """Whether GitHub's answer ends what was asked for. What cannot be written now is written later."""
        later = ("403",) if self.endpoint.startswith("DELETE") else ("403", "404")  # what is not there is deleted
        written = not self.endpoint.startswith(("GET", "POST /graphql"))
        return self.fault in REFUSALS and not (written and self.fault in later)

    def plan(self, story: Story) -> Json | None:
        """Where the fault strikes: this story's part of the endpoint alone."""
        if not self.endpoint:
            return None
        ids = {"owner": story.owner, "repository": story.repository.id, "installation": installation(story)}
        path = re.sub(r"\{(\w+)\}", lambda found: str(ids[found[1]]), ENDPOINTS[self.endpoint][1])
        plan = {"match": f"^{self.endpoint.split()[0]} {path}$", **FAULTS[self.fault]}
        nameless = path in ("/graphql", "/advisories", r"/user/\d+")
        return {**plan, "caller": f"installation:{ids['installation']}"} if nameless else plan


def cells() -> list[Cell]:
    """Those of the suite take the faults in turns, so that each meets many endpoints and each endpoint several."""
    found = []
    for number, (endpoint, (scene, _)) in enumerate(ENDPOINTS.items()):
        faults = possible(endpoint.split()[0])
        turns = range(len(faults)) if WHOLE else [number * EACH + turn for turn in range(EACH)]
        found += [Cell(scene, endpoint, faults[turn % len(faults)]) for turn in turns]
    return found


CELLS = cells()
CALM = [Cell(scene) for scene in SCENES]


def batches() -> list[list[Cell]]:
    """What goes side by side; a limit that is met as the App concerns all, and goes alone."""
    alone = [cell for cell in CELLS if cell.endpoint in AS_THE_APP and cell.fault in LIMITS]
    rest = [*CALM, *(cell for cell in CELLS if cell not in alone)]
    return [rest[start : start + TOGETHER] for start in range(0, len(rest), TOGETHER)] + [[cell] for cell in alone]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    with sqlite_databases.migrated(folder) as url:
        async with running_stage(url, folder, validated=False, timeouts=TIMEOUTS) as found:
            yield found


async def told(stage: Stage, together: Sequence[Cell]) -> list[Json]:
    """Tell the scenes of these cells side by side; how each ended."""
    stories = [await stage.story() for _ in together]
    plays = [(SCENES[cell.scene], Play(story, story.day(60))) for cell, story in zip(together, stories, strict=True)]

    async def pass_by(days: float) -> None:
        stories[0].move(int(days * DAY))
        await calm(stories[0])

    await asyncio.gather(*(scene.before(play) for scene, play in plays))
    await calm(stories[0])
    await pass_by(2)
    plans = [cell.plan(story) for cell, story in zip(together, stories, strict=True)]
    for plan in filter(None, plans):
        await stories[0].fault(endpoints=plan)
    await asyncio.gather(*(scene.act(play) for scene, play in plays))
    await calm(stories[0])
    await pass_by(1.1)
    await asyncio.gather(*(scene.later(play) for scene, play in plays))
    await calm(stories[0])
    for _ in range(4):
        await pass_by(2.1)
    left = await stories[0].call("GET", "/_sandbox/faults")
    unused = {(fault["pattern"], fault["caller"]): fault["times"] for fault in left["endpoints"]}
    struck = [
        plan.get("times", 1) - unused.get((plan["match"], plan.get("caller")), 0) if plan else 0 for plan in plans
    ]
    ends = [await end_of(play) for _, play in plays]
    return [{**end, "struck": times} for end, times in zip(ends, struck, strict=True)]


@dataclass
class Told:
    calm: dict[str, Json]
    struck: dict[Cell, Json]
    asked: set[str]
    """The endpoints that the app asked for."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ends(stage: Stage) -> Told:
    found: dict[Cell, Json] = {}
    names: set[str] = set()
    for batch in batches():
        found |= dict(zip(batch, await told(stage, batch), strict=True))
        names |= asked(stage.sandbox.inside.requests)
    return Told({cell.scene: found.pop(cell) for cell in CALM}, found, names)


async def test_who_the_app_is_can_be_asked_until_it_is_told(
    sqlite_databases: SqliteDatabases, tmp_path: Path, ends: Told
) -> None:
    """It comes once in a worker's life, before it first looks for a comment of its own."""
    with sqlite_databases.migrated(tmp_path) as url:
        async with running_stage(url, tmp_path, validated=False, timeouts=TIMEOUTS) as stage:
            story = await stage.story()
            for path in ("/app", "/users/bugmark%5Bbot%5D"):
                for fault in set(possible("GET")) - set(REFUSALS):
                    await story.fault(endpoints={"match": f"^GET {path}$", **FAULTS[fault], "times": 1})
            play = Play(story, story.day(60))
            await SCENES["look"].act(play)
            await calm(story)
            assert await story.call("GET", "/_sandbox/faults") == {"deliveries": [], "endpoints": []}
            end = await end_of(play)
    assert end == {part: ends.calm["look"][part] for part in end}


async def test_the_matrix_has_every_endpoint(ends: Told) -> None:
    """Scenes and doctor between them use all that the app has; what is new in the app must come into the matrix."""
    named = {endpoint.removesuffix(" (minimise)") for endpoint in ENDPOINTS}
    assert ends.asked - set(ELSEWHERE) == named


@pytest.mark.parametrize("scene", SCENES)
async def test_the_calm_run_leaves_nothing_behind(ends: Told, scene: str) -> None:
    end = ends.calm[scene]
    assert end["unfinished"] == end["doubled"] == []


@pytest.mark.parametrize("cell", CELLS, ids=str)
async def test_nothing_is_lost_and_nothing_doubled(ends: Told, cell: Cell) -> None:
    end, undisturbed = dict(ends.struck[cell]), dict(ends.calm[cell.scene])
    assert end.pop("struck") > 0
    del undisturbed["struck"]
    if not cell.ends_it:
        assert end == undisturbed
        return
    if cell.endpoint not in TAKEN_AT_ITS_WORD:
        assert end["journal"] == undisturbed["journal"]
    assert not [left for left in end["unfinished"] if "waiting" in left or not left.endswith(("dead", "dropped"))]
    assert end["doubled"] == []
    more = Counter(end["said"]) - Counter(undisturbed["said"])
    assert not set(more) - {"window", "resume"}, "only the news of a halt, and of its end, may be more"
