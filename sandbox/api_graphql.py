"""GraphQL: what REST does not tell of who closed an issue and by what, and which one it duplicates; folding a comment.

Run by graphql-core over a cut of GitHub's own schema, so that a query GitHub would refuse is refused here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_schema, execute_sync, parse, validate

from sandbox.clock import iso
from sandbox.endpoints import Answer
from sandbox.errors import ApiError
from sandbox.shapes import instant, node_id
from sandbox.state import Comment, Commit, Issue, Json, Pull, Repository, Review, State, TimelineEvent, User

SCHEMA = Path(__file__).with_name("graphql") / "github.graphql"
EVENTS = {
    "closed": "ClosedEvent",
    "reopened": "ReopenedEvent",
    "marked_as_duplicate": "MarkedAsDuplicateEvent",
    "unmarked_as_duplicate": "UnmarkedAsDuplicateEvent",
    "converted_to_discussion": "ConvertedToDiscussionEvent",
    "transferred": "TransferredEvent",
}
PULL_EVENTS = {
    "added_to_merge_queue": "AddedToMergeQueueEvent",
    "removed_from_merge_queue": "RemovedFromMergeQueueEvent",
    "auto_merge_enabled": "AutoMergeEnabledEvent",
    "auto_merge_disabled": "AutoMergeDisabledEvent",
}
NO_SUCH_NODE = "Could not resolve to a node with the global id of '{}'."
NO_SUCH_REPOSITORY = "Could not resolve to a Repository with the name '{}'."


@cache
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"))


class Refused(GraphQLError):
    """An error as GitHub types it, beside whatever else could be answered."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def answer(state: State, sees: Callable[[Repository], bool], permissions: dict[str, str] | None, body: Any) -> Answer:
    """Always 200, as on GitHub; what went wrong stands under `errors`. `permissions` None: a person asks."""
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise ApiError(400, "A query attribute must be specified and must be a string.")
    document, invalid = understood(body["query"])
    if document is None or invalid:
        return Answer(200, {"errors": [told(error) for error in invalid]})
    root = Reader(state, sees, permissions).root()
    result = execute_sync(schema(), document, root, variable_values=body.get("variables") or {})
    errors = {"errors": [told(error) for error in result.errors]} if result.errors else {}
    return Answer(200, {"data": result.data, **errors})


@lru_cache(512)
def understood(query: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """The query's tree, and what is wrong with it. Kept: programs ask in the same words, and checking takes long."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, [error]
    return document, validate(schema(), document)


def told(error: GraphQLError) -> Json:
    kind = {"type": error.original_error.kind} if isinstance(error.original_error, Refused) else {}
    return {**kind, **error.formatted}


Fields = dict[str, Any]
"""Values for the executor, and functions of the query's info and arguments."""


@dataclass
class Reader:
    state: State
    sees: Callable[[Repository], bool]
    permissions: dict[str, str] | None

    def root(self) -> Fields:
        return {"node": self.node, "repository": self.repository_named, "minimizeComment": self.minimize}

    def need(self, area: str) -> None:
        if self.permissions is not None and self.permissions.get(area, "none") == "none":
            raise Refused("FORBIDDEN", "Resource not accessible by integration")

    def node(self, _: object, id: str) -> Fields:
        for repository in self.state.repositories.values():
            for issue in repository.issues.values():
                if id == node_id("I", issue.id) and self.there(repository, issue):
                    return self.issue(repository, issue)
                if issue.pull and id == node_id("PR", issue.pull.id) and self.sees(repository) and issue.present:
                    return self.pull(repository, issue)
        if comment := self.comment_of(id):
            return self.comment(comment)
        raise Refused("NOT_FOUND", NO_SUCH_NODE.format(id))

    def comment_of(self, id: str) -> Comment | None:
        seen = filter(self.sees, self.state.repositories.values())
        there = (issue for repository in seen for issue in repository.issues.values() if issue.present)
        comments = (comment for issue in there for comment in issue.comments.values())
        return next((comment for comment in comments if id == node_id("IC", comment.id)), None)

    def comment(self, comment: Comment) -> Fields:
        self.need("issues")
        return {
            "__typename": "IssueComment",
            "id": node_id("IC", comment.id),
            "isMinimized": comment.minimized is not None,
            "minimizedReason": comment.minimized,
        }

    def minimize(self, _: object, input: Fields) -> Fields:
        """By an app that may write issues; people cannot do it here."""
        if (self.permissions or {}).get("issues") != "write":
            raise Refused("FORBIDDEN", "Resource not accessible by integration")
        comment = self.comment_of(input["subjectId"])
        if comment is None:
            raise Refused("NOT_FOUND", NO_SUCH_NODE.format(input["subjectId"]))
        comment.minimized = str(input["classifier"]).lower().replace("_", "-")
        return {"clientMutationId": input.get("clientMutationId"), "minimizedComment": self.comment(comment)}

    def there(self, repository: Repository, issue: Issue) -> bool:
        return self.sees(repository) and issue.present and not issue.pull

    def repository_named(self, _: object, owner: str, name: str, **__: object) -> Fields:
        found = self.state.repository_named(f"{owner}/{name}")
        if not found or not self.sees(found):
            raise Refused("NOT_FOUND", NO_SUCH_REPOSITORY.format(f"{owner}/{name}"))
        return self.repository(found)

    def repository(self, found: Repository) -> Fields:
        def issue(_: object, number: int) -> Fields:
            wanted = found.issues.get(number)
            if not wanted or not self.there(found, wanted):
                raise Refused("NOT_FOUND", f"Could not resolve to an Issue with the number of {number}.")
            return self.issue(found, wanted)

        return {
            "__typename": "Repository",
            "id": node_id("R", found.id),
            "databaseId": found.id,
            "name": found.name,
            "nameWithOwner": found.full_name,
            "isPrivate": found.private,
            "issue": issue,
        }

    def person(self, user: User | None) -> Fields | None:
        if user is None:
            return None
        login = user.login.removesuffix("[bot]")
        return {"__typename": user.type, "id": node_id("U", user.id), "databaseId": user.id, "login": login}

    def issue(self, repository: Repository, issue: Issue) -> Fields:
        self.need("issues")

        def reason(_: object, **asked: bool) -> str | None:
            """DUPLICATE is told as not planned to whoever did not say that it is known."""
            hidden = issue.state_reason == "duplicate" and not asked.get("enableDuplicate")
            found = "not_planned" if hidden else issue.state_reason
            return found.upper() if found else None

        def items(_: object, **asked: Any) -> Fields:
            kinds = {kind.replace("_", "").lower() for kind in asked.get("itemTypes") or ()}
            found = [self.event(one) for one in issue.events if one.event in EVENTS]
            wanted = [one for one in found if not kinds or str(one["__typename"]).lower() in kinds]
            return connection(wanted, asked)

        return {
            "__typename": "Issue",
            "id": node_id("I", issue.id),
            "number": issue.number,
            "title": issue.title,
            "state": issue.state.upper(),
            "stateReason": reason,
            "closed": issue.state == "closed",
            "closedAt": instant(issue.closed_at),
            "repository": self.repository(repository),
            "timelineItems": items,
        }

    def event(self, event: TimelineEvent) -> Fields:
        reason = event.data.get("state_reason")
        return {
            "__typename": EVENTS[event.event],
            "id": node_id("EV", event.id),
            "actor": self.person(event.actor),
            "createdAt": iso(event.created_at),
            "stateReason": reason.upper() if reason else None,
            "closer": lambda _: self.closer(event.closer),
            "canonical": lambda _: self.canonical(event.canonical),
            "fromRepository": None,
        }

    def closer(self, closer: Commit | Issue | None) -> Fields | None:
        """It may lie in another repository, which the asker need not see."""
        for repository in filter(self.sees, self.state.repositories.values()):
            if isinstance(closer, Commit) and repository.commits.get(closer.sha) is closer:
                return self.commit(repository, closer)
            if isinstance(closer, Issue) and repository.issues.get(closer.number) is closer:
                return self.pull(repository, closer)
        return None

    def canonical(self, issue: Issue | None) -> Fields | None:
        for repository in filter(self.sees, self.state.repositories.values()):
            if issue and repository.issues.get(issue.number) is issue and issue.present:
                return self.issue(repository, issue)
        return None

    def commit(self, repository: Repository, commit: Commit) -> Fields:
        self.need("contents")

        def pulls(_: object, **page: Any) -> Fields:
            self.need("pull_requests")
            found = [i for i in repository.issues.values() if i.pull and brought(i, commit)]
            return connection([self.pull(repository, issue) for issue in found], page)

        return {
            "__typename": "Commit",
            "id": node_id("C", int(commit.sha[:12], 16)),
            "oid": commit.sha,
            "committedDate": iso(commit.at),
            "repository": self.repository(repository),
            "associatedPullRequests": pulls,
        }

    def pull(self, repository: Repository, issue: Issue) -> Fields:
        self.need("pull_requests")
        pull = issue.pull
        if pull is None:
            raise LookupError(f"issue {issue.number} is no pull request")

        def commits(_: object, **page: Any) -> Fields:
            head = repository.commits[pull.head]
            found = {
                "__typename": "PullRequestCommit",
                "id": node_id("PC", pull.id),
                "commit": lambda _: self.commit(repository, head),
            }
            return connection([found], page)

        def items(_: object, **asked: Any) -> Fields:
            kinds = {kind.replace("_", "").lower() for kind in asked.get("itemTypes") or ()}
            found = [self.pull_event(one) for one in pull.events]
            return connection([one for one in found if not kinds or str(one["__typename"]).lower() in kinds], asked)

        return {
            "__typename": "PullRequest",
            "id": node_id("PR", pull.id),
            "number": issue.number,
            "title": issue.title,
            "merged": pull.merged_at is not None,
            "mergedAt": instant(pull.merged_at),
            "mergedBy": self.person(pull.merged_by),
            "headRefOid": pull.head,
            "repository": self.repository(repository),
            "latestOpinionatedReviews": lambda _, **asked: self.reviews(repository, pull, asked),
            "commits": commits,
            "timelineItems": items,
        }

    def reviews(self, repository: Repository, pull: Pull, asked: Fields) -> Fields:
        """Everybody's last word; of writers alone where that is asked."""
        last = {review.user.id: review for review in pull.reviews}
        wanted = [one for one in last.values() if not asked.get("writersOnly") or repository.allows(one.user, "write")]
        return connection([self.review(repository, one) for one in wanted], asked)

    def review(self, repository: Repository, review: Review) -> Fields:
        return {
            "__typename": "PullRequestReview",
            "id": node_id("PRR", review.id),
            "state": review.state,
            "submittedAt": iso(review.at),
            "commit": lambda _: self.commit(repository, review.commit),
            "author": self.person(review.user),
            "isMinimized": False,
            "minimizedReason": None,
        }

    def pull_event(self, event: TimelineEvent) -> Fields:
        told = {name: self.person(value) if isinstance(value, User) else value for name, value in event.data.items()}
        return {
            "__typename": PULL_EVENTS[event.event],
            "id": node_id("EV", event.id),
            "actor": self.person(event.actor),
            "createdAt": iso(event.created_at),
            **told,
        }


def brought(issue: Issue, commit: Commit) -> bool:
    return issue.pull is not None and commit.sha in (issue.pull.head, issue.pull.merge_commit)


def connection(found: list[Fields], page: Fields) -> Fields:
    """A page from one of the ends, of which GitHub wants at most 100; cursors are not served."""
    size: int | None = page.get("first", page.get("last"))
    if size is None:
        raise Refused("MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value.")
    if not 0 < size <= 100:
        raise Refused("EXCESSIVE_PAGINATION", "Requesting more than 100 records is not permitted.")
    return {"nodes": found[:size] if "first" in page else found[-size:], "totalCount": len(found)}
