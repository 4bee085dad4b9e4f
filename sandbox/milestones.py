"""Milestones of a repository, and the issues that have one."""

from __future__ import annotations

from sandbox.state import Issue, Json, Milestone, Repository
from sandbox.world import Actor, World


def create(world: World, actor: Actor, repository: Repository, title: str, new: Json) -> Milestone:
    now = world.clock.now()
    number = max(repository.milestones, default=0) + 1
    milestone = Milestone(next(world.state.ids.milestone), number, title, actor.user, now, now)
    milestone.description, milestone.due_on = new.get("description"), new.get("due_on")
    repository.milestones[number] = milestone
    emit(world, "created", actor, repository, milestone)
    return milestone


def edit(world: World, actor: Actor, repository: Repository, milestone: Milestone, new: Json) -> None:
    """`new` may hold title, description, due_on (an instant) and state."""
    changes: Json = {}
    for field in ("title", "description", "due_on"):
        if field in new and new[field] != getattr(milestone, field):
            changes[field] = {"from": str(getattr(milestone, field) or "")}
            setattr(milestone, field, new[field])
    milestone.updated_at = world.clock.now()
    if changes:
        emit(world, "edited", actor, repository, milestone, {"changes": changes})
    if new.get("state") == "closed" and milestone.closed_at is None:
        milestone.closed_at = world.clock.now()
        emit(world, "closed", actor, repository, milestone)
    elif new.get("state") == "open" and milestone.closed_at is not None:
        milestone.closed_at = None
        emit(world, "opened", actor, repository, milestone)


def delete(world: World, actor: Actor, repository: Repository, milestone: Milestone) -> None:
    """Issues lose it without an event of their own."""
    del repository.milestones[milestone.number]
    for issue in repository.issues.values():
        issue.milestone = None if issue.milestone is milestone else issue.milestone
    emit(world, "deleted", actor, repository, milestone)


def put(world: World, actor: Actor, repository: Repository, issue: Issue, new: Milestone | None) -> None:
    old = issue.milestone
    if old is new:
        return
    issue.milestone = new
    for milestone, event in ((old, "demilestoned"), (new, "milestoned")):
        if milestone:
            world.note(actor, issue, event, {"milestone": {"title": milestone.title}})
            data = {"milestone": world.shapes.milestone(repository, milestone)}
            world.emit_issue(event, actor, repository, issue, data)


def emit(
    world: World, action: str, actor: Actor, repository: Repository, milestone: Milestone, data: Json | None = None
) -> None:
    about = {"milestone": world.shapes.milestone(repository, milestone), **(data or {})}
    world.emit("milestone", action, repository, actor, about)
