"""Issues: listing, opening, editing, closing and reopening, locking, and their timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox import milestones
from sandbox.clock import from_iso
from sandbox.endpoints import Answer, Call, endpoint, text_field
from sandbox.errors import ApiError, invalid
from sandbox.state import Issue, Json, Milestone

SORTED_BY: dict[str, Callable[[Issue], int]] = {
    "created": lambda issue: issue.created_at,
    "updated": lambda issue: issue.updated_at,
    "comments": lambda issue: len(issue.comments),
}
ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}"


@endpoint("GET", "/repos/{owner}/{repo}/issues", needs="issues:read")
def list_issues(call: Call) -> Answer:
    def wanted(issue: Issue) -> bool:
        names = {label.name.lower() for label in issue.labels}
        return (
            issue.present
            and call.query.get("state", "open") in ("all", issue.state)
            and {name.lower() for name in call.query.get("labels", "").split(",") if name} <= names
            and call.query.get("creator", issue.user.login).lower() == issue.user.login.lower()
            and fits_milestone(issue, call.query.get("milestone", "any"))
            and issue.updated_at >= since(call)
        )

    order = SORTED_BY.get(call.query.get("sort", "created"), SORTED_BY["created"])
    found = sorted(filter(wanted, call.repo.issues.values()), key=lambda issue: (order(issue), issue.number))
    if call.query.get("direction", "desc") == "desc":
        found.reverse()
    return call.listed(found, lambda issue: call.world.shapes.issue(call.repo, issue))


def since(call: Call) -> int:
    """The instant from which on changed things are asked for; 0: all."""
    try:
        return from_iso(call.query["since"]) if "since" in call.query else 0
    except ValueError as error:
        raise invalid("Issue", "since", "invalid") from error


def fits_milestone(issue: Issue, wanted: str) -> bool:
    if wanted in ("any", "*", "none"):
        return wanted == "any" or (issue.milestone is None) == (wanted == "none")
    return issue.milestone is not None and str(issue.milestone.number) == wanted


@endpoint("POST", "/repos/{owner}/{repo}/issues", needs="issues:write")
def create_issue(call: Call) -> Answer:
    """Labels and milestone of somebody without triage rights are dropped, as on GitHub."""
    title = text_field(call.fields, "title", "Issue")
    labels = label_names(call.fields.get("labels")) if call.may("triage") else []
    issue = call.world.open_issue(call.actor, call.repo, title, call.fields.get("body"), labels)
    if call.may("triage") and call.fields.get("milestone") is not None:
        milestones.put(call.world, call.actor, call.repo, issue, milestone_named(call, call.fields["milestone"]))
    shape = call.world.shapes.full_issue(call.repo, issue)
    return Answer(201, shape, {"Location": shape["url"]})


def label_names(labels: Any) -> list[str]:
    """Labels come as names or as objects with a name."""
    return [label["name"] if isinstance(label, dict) else str(label) for label in labels or []]


def milestone_named(call: Call, number: object) -> Milestone | None:
    if number is None:
        return None
    found = call.repo.milestones.get(int(str(number))) if str(number).isdecimal() else None
    if not found:
        raise invalid("Issue", "milestone", "invalid")
    return found


@endpoint("GET", "/repos/{owner}/{repo}/issues/events", needs="issues:read")
def list_events(call: Call) -> Answer:
    """Events of all issues and pull requests, the newest first; what another thread says of one is only in its
    timeline."""
    shapes = call.world.shapes
    found = [(e, issue) for issue in call.repo.issues.values() if issue.present for e in issue.events]
    told = [(e, issue) for e, issue in found if e.event != "cross-referenced"]
    told.sort(key=lambda one: (one[0].created_at, one[0].id), reverse=True)
    return call.listed(
        told,
        lambda one: {**shapes.timeline_event(call.repo, one[0]), "issue": shapes.issue(call.repo, one[1])},
    )


@endpoint("GET", ISSUE, needs="issues:read")
def get_issue(call: Call) -> Answer:
    return Answer(200, call.world.shapes.full_issue(call.repo, call.issue()))


@endpoint("PATCH", ISSUE, needs="issues:write")
def edit_issue(call: Call) -> Answer:
    issue, fields, world = call.issue(), call.fields, call.world
    author = issue.user.id == call.user.id
    if not author and not call.may("triage"):
        raise ApiError(403, "Must have admin rights to Repository.")
    if "title" in fields or "body" in fields:
        if not author and not call.may("write"):
            raise ApiError(403, "Must have admin rights to Repository.")
        title = fields.get("title")
        world.edit_issue(call.actor, call.repo, issue, None if title is None else str(title), fields.get("body"))
    if call.may("triage"):
        if fields.get("labels") is not None:
            world.set_labels(call.actor, call.repo, issue, label_names(fields["labels"]))
        if "milestone" in fields:
            milestones.put(world, call.actor, call.repo, issue, milestone_named(call, fields["milestone"]))
    change_state(call, issue, fields)
    return Answer(200, world.shapes.full_issue(call.repo, issue))


def change_state(call: Call, issue: Issue, fields: Json) -> None:
    """An author may reopen only what the author closed."""
    if fields.get("state") == "closed":
        call.world.close_issue(call.actor, call.repo, issue, fields.get("state_reason"))
    elif fields.get("state") == "open" and issue.state == "closed":
        closer = issue.closed_by
        if not call.may("triage") and (closer is None or closer.id != call.user.id):
            raise ApiError(403, "Must have admin rights to Repository.")
        call.world.reopen_issue(call.actor, call.repo, issue)


@endpoint("PUT", f"{ISSUE}/lock", needs="issues:write")
def lock_issue(call: Call) -> Answer:
    call.require("write")
    call.world.lock_issue(call.actor, call.repo, call.issue(), call.fields.get("lock_reason"))
    return Answer(204)


@endpoint("DELETE", f"{ISSUE}/lock", needs="issues:write")
def unlock_issue(call: Call) -> Answer:
    call.require("write")
    call.world.unlock_issue(call.actor, call.repo, call.issue())
    return Answer(204)


@endpoint("GET", f"{ISSUE}/timeline", needs="issues:read")
def list_timeline(call: Call) -> Answer:
    """Comments and events in the order in which they happened; ids break ties within a second."""
    issue, shapes = call.issue(), call.world.shapes
    entries = [(c.created_at, shapes.timeline_comment(call.repo, issue, c)) for c in issue.comments.values()]
    entries += [(e.created_at, shapes.timeline_event(call.repo, e)) for e in issue.events]
    entries.sort(key=lambda entry: entry[0])
    return call.listed([shape for _, shape in entries], lambda shape: shape)
