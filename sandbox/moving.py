"""Issues that leave: transferred to another repository, or made into a discussion."""

from __future__ import annotations

from dataclasses import replace

from sandbox.errors import invalid
from sandbox.state import Issue, Repository
from sandbox.world import Actor, World


def transfer(world: World, actor: Actor, source: Repository, issue: Issue, target: Repository) -> Issue:
    """A new issue with a new id and number; comments and timeline go along. The old number leads there from now on."""
    if target.owner is not source.owner or target is source or issue.pull or issue.moved_to:
        raise invalid("Issue", "repository", "invalid", "only to another repository of the same owner, and only once")
    made = replace(issue, id=next(world.state.ids.issue), number=next(target.numbers), milestone=None)
    names = {label.name.lower() for label in issue.labels}
    made.labels = [label for label in target.labels.values() if label.name.lower() in names]
    made.comments = {}
    for comment in issue.comments.values():
        reactions = {number: replace(reaction) for number, reaction in comment.reactions.items()}
        moved = replace(comment, id=next(world.state.ids.comment), reactions=reactions)
        made.comments[moved.id] = moved
    made.events = list(issue.events)
    target.issues[made.number] = made
    issue.moved_to = target.id, made.number
    tell(world, actor, source, issue, target, made)
    return made


def tell(world: World, actor: Actor, source: Repository, old: Issue, target: Repository, new: Issue) -> None:
    shapes = world.shapes
    world.note(actor, new, "transferred", {})
    gone = {"new_issue": shapes.issue(target, new), "new_repository": shapes.repository(target)}
    world.emit_issue("transferred", actor, source, old, {"changes": gone})
    come = {"old_issue": shapes.issue(source, old), "old_repository": shapes.repository(source)}
    world.emit_issue("opened", actor, target, new, {"changes": come})


def convert(world: World, actor: Actor, repository: Repository, issue: Issue) -> None:
    """To everybody it is a closed and locked issue; only the timeline tells that it is a discussion now."""
    if issue.discussion or issue.pull:
        raise invalid("Issue", "number", "invalid", "it cannot become a discussion")
    issue.discussion = True
    world.note(actor, issue, "converted_to_discussion", {})
    world.lock_issue(actor, repository, issue, None)
    world.close_issue(actor, repository, issue, "completed")
