"""Comments on issues and the reactions to them."""

from __future__ import annotations

from sandbox.api_issues import ISSUE, since
from sandbox.endpoints import Answer, Call, endpoint
from sandbox.errors import ApiError, invalid, not_accessible, not_found
from sandbox.shapes import REACTIONS
from sandbox.state import Comment, Issue

COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}"


@endpoint("GET", f"{ISSUE}/comments", needs="issues:read")
def list_comments(call: Call) -> Answer:
    issue = call.issue()
    found = [comment for comment in issue.comments.values() if comment.updated_at >= since(call)]
    return call.listed(found, lambda comment: call.world.shapes.comment(call.repo, issue, comment))


@endpoint("GET", "/repos/{owner}/{repo}/issues/comments", needs="issues:read")
def list_repository_comments(call: Call) -> Answer:
    found = [
        (issue, comment)
        for issue in call.repo.issues.values()
        if issue.present
        for comment in issue.comments.values()
        if comment.updated_at >= since(call)
    ]
    by_update = call.query.get("sort") == "updated"
    found.sort(key=lambda pair: (pair[1].updated_at if by_update else 0, pair[1].id))
    if call.query.get("direction") == "desc":
        found.reverse()
    return call.listed(found, lambda pair: call.world.shapes.comment(call.repo, *pair))


@endpoint("POST", f"{ISSUE}/comments", needs="issues:write")
def create_comment(call: Call) -> Answer:
    issue = call.issue()
    check_lock(call, issue)
    comment = call.world.write_comment(call.actor, call.repo, issue, text(call))
    shape = call.world.shapes.comment(call.repo, issue, comment)
    return Answer(201, shape, {"Location": shape["url"]})


def text(call: Call) -> str:
    body = call.fields.get("body")
    if not isinstance(body, str) or not body.strip():
        raise invalid("IssueComment", "body", "missing_field", "Body cannot be blank")
    return body


def check_lock(call: Call, issue: Issue) -> None:
    """A locked thread is for people with write access; an app's permission to write issues is not that.

    Nor is it the permission to write on pull requests.
    """
    token = call.principal.token
    if issue.pull and token and token.permissions.get("pull_requests") != "write":
        raise not_accessible()
    if issue.locked and not call.repo.allows(call.user, "write"):
        raise ApiError(403, "Unable to create comment because issue is locked.")


@endpoint("GET", COMMENT, needs="issues:read")
def get_comment(call: Call) -> Answer:
    issue, comment = call.comment()
    return Answer(200, call.world.shapes.comment(call.repo, issue, comment))


def check_ownership(call: Call, comment: Comment) -> None:
    if comment.user.id != call.user.id and not call.may("write"):
        raise ApiError(403, "Must have admin rights to Repository.")


@endpoint("PATCH", COMMENT, needs="issues:write")
def edit_comment(call: Call) -> Answer:
    issue, comment = call.comment()
    check_ownership(call, comment)
    call.world.edit_comment(call.actor, call.repo, issue, comment, text(call))
    return Answer(200, call.world.shapes.comment(call.repo, issue, comment))


@endpoint("DELETE", COMMENT, needs="issues:write")
def delete_comment(call: Call) -> Answer:
    issue, comment = call.comment()
    check_ownership(call, comment)
    call.world.delete_comment(call.actor, call.repo, issue, comment)
    return Answer(204)


@endpoint("GET", f"{COMMENT}/reactions", needs="issues:read")
def list_reactions(call: Call) -> Answer:
    content = call.query.get("content")
    found = [r for r in call.comment()[1].reactions.values() if content in (None, r.content)]
    return call.listed(found, call.world.shapes.reaction)


@endpoint("POST", f"{COMMENT}/reactions", needs="issues:write")
def create_reaction(call: Call) -> Answer:
    issue, comment = call.comment()
    check_lock(call, issue)
    content = call.fields.get("content")
    if content not in REACTIONS:
        raise invalid("Reaction", "content", "invalid")
    reaction, new = call.world.react(call.actor, comment, content)
    return Answer(201 if new else 200, call.world.shapes.reaction(reaction))


@endpoint("DELETE", f"{COMMENT}/reactions/{{reaction_id}}", needs="issues:write")
def delete_reaction(call: Call) -> Answer:
    comment = call.comment()[1]
    reaction = comment.reactions.get(int(call.params["reaction_id"]))
    if not reaction:
        raise not_found()
    if reaction.user.id != call.user.id:
        raise ApiError(403, "You can only delete your own reactions.")
    del comment.reactions[reaction.id]
    return Answer(204)
