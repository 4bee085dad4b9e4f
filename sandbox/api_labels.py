"""Labels of a repository and of an issue; milestones."""

from __future__ import annotations

from sandbox import milestones
from sandbox.api_issues import ISSUE, label_names
from sandbox.clock import from_iso
from sandbox.endpoints import Answer, Call, endpoint, text_field
from sandbox.errors import ApiError, invalid, not_found
from sandbox.state import Issue, Json, Label, Milestone

LABELS = "/repos/{owner}/{repo}/labels"
MILESTONES = "/repos/{owner}/{repo}/milestones"


def labels_of(call: Call, issue: Issue) -> Answer:
    return Answer(200, [call.world.shapes.label(call.repo, label) for label in issue.labels])


@endpoint("GET", f"{ISSUE}/labels", needs="issues:read")
def list_issue_labels(call: Call) -> Answer:
    return call.listed(call.issue().labels, lambda label: call.world.shapes.label(call.repo, label))


@endpoint("POST", f"{ISSUE}/labels", needs="issues:write")
def add_labels(call: Call) -> Answer:
    call.require("triage")
    issue = call.issue()
    given = call.body if isinstance(call.body, list) else call.fields.get("labels")
    for name in label_names([given] if isinstance(given, str) else given):
        call.world.add_label(call.actor, call.repo, issue, name)
    return labels_of(call, issue)


@endpoint("DELETE", f"{ISSUE}/labels/{{name}}", needs="issues:write")
def remove_label(call: Call) -> Answer:
    call.require("triage")
    issue = call.issue()
    label = next((known for known in issue.labels if known.name.lower() == call.params["name"].lower()), None)
    if not label:
        raise ApiError(404, "Label does not exist")
    call.world.remove_label(call.actor, call.repo, issue, label)
    return labels_of(call, issue)


@endpoint("GET", LABELS, needs="issues:read")
def list_labels(call: Call) -> Answer:
    found = list(call.repo.labels.values())
    return call.listed(found, lambda label: call.world.shapes.label(call.repo, label))


@endpoint("POST", LABELS, needs="issues:write")
def create_label(call: Call) -> Answer:
    call.require("write")
    name = text_field(call.fields, "name", "Label")
    color = call.fields.get("color", "ededed")
    label = call.world.create_label(call.actor, call.repo, name, color, call.fields.get("description"))
    shape = call.world.shapes.label(call.repo, label)
    return Answer(201, shape, {"Location": shape["url"]})


def known_label(call: Call) -> Label:
    name = call.params["name"].lower()
    found = next((label for label in call.repo.labels.values() if label.name.lower() == name), None)
    if not found:
        raise not_found()
    return found


@endpoint("GET", f"{LABELS}/{{name}}", needs="issues:read")
def get_label(call: Call) -> Answer:
    return Answer(200, call.world.shapes.label(call.repo, known_label(call)))


@endpoint("PATCH", f"{LABELS}/{{name}}", needs="issues:write")
def edit_label(call: Call) -> Answer:
    call.require("write")
    label, new = known_label(call), dict(call.fields)
    if "new_name" in new:
        new["name"] = new.pop("new_name")
    call.world.edit_label(call.actor, call.repo, label, new)
    return Answer(200, call.world.shapes.label(call.repo, label))


@endpoint("DELETE", f"{LABELS}/{{name}}", needs="issues:write")
def delete_label(call: Call) -> Answer:
    call.require("write")
    call.world.delete_label(call.actor, call.repo, known_label(call))
    return Answer(204)


@endpoint("GET", MILESTONES, needs="issues:read")
def list_milestones(call: Call) -> Answer:
    state = call.query.get("state", "open")
    found = [m for m in call.repo.milestones.values() if state in ("all", "closed" if m.closed_at else "open")]
    return call.listed(found, lambda milestone: call.world.shapes.milestone(call.repo, milestone))


@endpoint("POST", MILESTONES, needs="issues:write")
def create_milestone(call: Call) -> Answer:
    call.require("write")
    title, new = text_field(call.fields, "title", "Milestone"), milestone_fields(call)
    milestone = milestones.create(call.world, call.actor, call.repo, title, new)
    if new.get("state") == "closed":
        milestones.edit(call.world, call.actor, call.repo, milestone, {"state": "closed"})
    shape = call.world.shapes.milestone(call.repo, milestone)
    return Answer(201, shape, {"Location": shape["url"]})


def milestone_fields(call: Call) -> Json:
    new = dict(call.fields)
    if new.get("due_on"):
        try:
            new["due_on"] = from_iso(new["due_on"])
        except ValueError as error:
            raise invalid("Milestone", "due_on", "invalid") from error
    return new


def known_milestone(call: Call) -> Milestone:
    found = call.repo.milestones.get(int(call.params["milestone_number"]))
    if not found:
        raise not_found()
    return found


@endpoint("GET", f"{MILESTONES}/{{milestone_number}}", needs="issues:read")
def get_milestone(call: Call) -> Answer:
    return Answer(200, call.world.shapes.milestone(call.repo, known_milestone(call)))


@endpoint("DELETE", f"{MILESTONES}/{{milestone_number}}", needs="issues:write")
def delete_milestone(call: Call) -> Answer:
    call.require("write")
    milestones.delete(call.world, call.actor, call.repo, known_milestone(call))
    return Answer(204)


@endpoint("PATCH", f"{MILESTONES}/{{milestone_number}}", needs="issues:write")
def edit_milestone(call: Call) -> Answer:
    call.require("write")
    milestone = known_milestone(call)
    milestones.edit(call.world, call.actor, call.repo, milestone, milestone_fields(call))
    return Answer(200, call.world.shapes.milestone(call.repo, milestone))
