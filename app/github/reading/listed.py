"""Issues, pull requests and releases as GitHub's JSON gives them, read into the facts that forecasts are judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.github.api.instants import read_instant
from app.market.life.forecast_memory import Act, MilestoneIssue
from app.market.life.forecast_verdict import OpenedIssue
from app.market.terms.names import folded
from app.market.terms.pull import PullState

Json = Mapping[str, Any]


def is_pull_request(issue: Json) -> bool:
    return issue.get("pull_request") is not None


def label_names(issue: Json) -> list[str]:
    """Labels are objects, in old answers bare names."""
    listed = issue.get("labels")
    found = [item.get("name") if isinstance(item, Mapping) else item for item in listed or ()]
    return [name for name in found if isinstance(name, str)]


def act_of(thing: Json, at: object, who: str) -> Act | None:
    """Read an act and its instant; None if they cannot be read."""
    instant = read_instant(at)
    if instant is None:
        return None
    user = thing.get(who)
    if not isinstance(user, Mapping) or not isinstance(user.get("id"), int):
        return Act(instant)
    return Act(instant, user["id"], str(user.get("login") or ""))


def _acts(timeline: Iterable[Json], event: str) -> list[tuple[Json, Act]]:
    """Events of a kind, oldest first as the timeline has them."""
    found = [(item, act_of(item, item.get("created_at"), "actor")) for item in timeline if item.get("event") == event]
    return [(item, act) for item, act in found if act is not None]


def opened_issue_from(issue: Json, timeline: Sequence[Json]) -> OpenedIssue | None:
    opened = act_of(issue, issue.get("created_at"), "user")
    if opened is None or not isinstance(issue.get("number"), int):
        return None
    put_on = {folded(_inner(item, "label", "name")): act for item, act in _acts(timeline, "labeled")}
    return OpenedIssue(
        number=issue["number"],
        title=str(issue.get("title") or ""),
        opened=opened,
        labels={folded(name): put_on.get(folded(name)) for name in label_names(issue)},
        renames=[(_inner(item, "rename", "from"), act) for item, act in _acts(timeline, "renamed")],
    )


def milestone_issue_from(issue: Json, timeline: Sequence[Json]) -> MilestoneIssue | None:
    """The timeline may be empty where nobody asked for it: then the issue itself says when it was closed."""
    created_at, number = read_instant(issue.get("created_at")), issue.get("number")
    if created_at is None or not isinstance(number, int):
        return None
    closes, added = _acts(timeline, "closed"), _acts(timeline, "milestoned")
    closed = closes[-1][1] if closes else act_of(issue, issue.get("closed_at"), "closed_by")
    return MilestoneIssue(
        number=number,
        created_at=created_at,
        closed=closed if issue.get("state") == "closed" else None,
        added_at=added[-1][1].at if added else None,
    )


def merge_act(pull: Json) -> Act | None:
    return act_of(pull, pull.get("merged_at"), "merged_by")


def pull_state(pull: Json) -> PullState:
    if merge_act(pull) is not None:
        return PullState.MERGED
    return PullState.OPEN if pull.get("state") == "open" else PullState.CLOSED


def publication(release: Json) -> Act | None:
    """Its author is who GitHub names; None while it is a draft."""
    return None if release.get("draft") else act_of(release, release.get("published_at"), "author")


def _inner(item: Json, outer: str, key: str) -> str:
    found = item.get(outer)
    return str(found.get(key) or "") if isinstance(found, Mapping) else ""
