"""Events on the sandbox's GitHub, and the webhooks that each causes. Rights are checked by the callers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.auth import LOGIN
from sandbox.chance import Chance
from sandbox.clock import Clock
from sandbox.commits import begin
from sandbox.errors import invalid
from sandbox.hooks import Hooks
from sandbox.shapes import DEFAULT_LABELS, Shapes
from sandbox.shapes_code import pull_request
from sandbox.state import (
    Comment,
    Commit,
    Issue,
    Json,
    Label,
    Reaction,
    Repository,
    State,
    TimelineEvent,
    User,
)

REPOSITORY_NAME = re.compile(r"(?!\.{1,2}\Z)[\w.-]{1,100}\Z", re.ASCII)
# First segments of the API's paths: nobody can have them for a name, as pages stand beside them.
RESERVED_LOGINS = {
    "_sandbox",
    "advisories",
    "app",
    "apps",
    "graphql",
    "installation",
    "organizations",
    "rate_limit",
    "repos",
    "repositories",
    "settings",
    "user",
    "users",
}
BODY_LIMIT = 65_536
"""Characters of an issue's or a comment's body."""
TOKEN_LIFE_SECONDS = 3600


@dataclass(frozen=True)
class Actor:
    """The person who acts, and the app in between."""

    user: User
    app_id: int | None = None


@dataclass
class World:
    state: State
    shapes: Shapes
    hooks: Hooks
    clock: Clock
    chance: Chance

    # -- accounts and repositories ------------------------------------------------------------------------------

    def account(self, login: str, kind: str = "User") -> User:
        """The account of this name, made on first use; `name[bot]` is a bot's."""
        if user := self.state.user_named(login):
            return user
        kind = "Bot" if login.endswith("[bot]") else kind
        return self.state.add_user(User(next(self.state.ids.user), login, self.clock.now(), kind))

    def add_repository(self, owner: str, name: str, private: bool = False, owner_type: str = "User") -> Repository:
        if owner.lower() in RESERVED_LOGINS or not LOGIN.match(owner):
            raise invalid("Repository", "owner", "invalid", "not a name for an account")
        if not REPOSITORY_NAME.match(name):
            raise invalid("Repository", "name", "invalid")
        if self.state.repository_named(f"{owner}/{name}"):
            raise invalid("Repository", "name", "custom", "name already exists on this account")
        now = self.clock.now()
        repository = Repository(
            next(self.state.ids.repository), self.account(owner, owner_type), name, now, now, private
        )
        for label, color in DEFAULT_LABELS.items():
            repository.labels[label] = Label(next(self.state.ids.label), label, color)
        begin(repository, repository.owner, now)
        return self.state.add_repository(repository)

    def rename_repository(self, actor: Actor, repository: Repository, name: str) -> None:
        changes = {"repository": {"name": {"from": repository.name}}}
        self.state.rename(repository, name)
        repository.updated_at = self.clock.now()
        self.emit("repository", "renamed", repository, actor, {"changes": changes})

    def set_archived(self, actor: Actor, repository: Repository, archived: bool) -> None:
        if repository.archived != archived:
            repository.archived, repository.updated_at = archived, self.clock.now()
            self.emit("repository", "archived" if archived else "unarchived", repository, actor, {})

    def set_private(self, actor: Actor, repository: Repository, private: bool) -> None:
        if repository.private != private:
            repository.private, repository.updated_at = private, self.clock.now()
            self.emit("repository", "privatized" if private else "publicized", repository, actor, {})

    # -- issues -------------------------------------------------------------------------------------------------

    def open_issue(
        self, actor: Actor, repository: Repository, title: str, body: str | None, labels: list[str] | None = None
    ) -> Issue:
        check_body("Issue", body)
        now = self.clock.now()
        number = next(repository.numbers)
        issue = Issue(next(self.state.ids.issue), number, title, body, actor.user, now, now, app_id=actor.app_id)
        repository.issues[number] = issue
        issue.labels = [self.label_named(actor, repository, name) for name in dict.fromkeys(labels or [])]
        self.emit_issue("opened", actor, repository, issue)
        for label in issue.labels:
            self.tell_labeled(actor, repository, issue, label)
        return issue

    def edit_issue(
        self, actor: Actor, repository: Repository, issue: Issue, title: str | None, body: str | None
    ) -> None:
        """None leaves as it is; an edit that changes nothing causes nothing."""
        check_body("Issue", body)
        changes: Json = {}
        if title is not None and title != issue.title:
            changes["title"] = {"from": issue.title}
            self.note(actor, issue, "renamed", {"rename": {"from": issue.title, "to": title}})
            issue.title = title
        if body is not None and body != issue.body:
            changes["body"] = {"from": issue.body or ""}
            issue.body = body
        if changes:
            issue.updated_at = self.clock.now()
            self.emit_issue("edited", actor, repository, issue, {"changes": changes})

    def close_issue(
        self,
        actor: Actor,
        repository: Repository,
        issue: Issue,
        reason: str | None,
        closer: Commit | Issue | None = None,
        canonical: Issue | None = None,
    ) -> None:
        """`closer`: the commit or pull request that did it. Closing a closed issue may change the reason.

        `canonical`: the issue of which this one is a duplicate.
        """
        reason = reason if reason in ("completed", "not_planned", "duplicate") else "completed"
        if issue.state == "closed" and issue.state_reason == reason:
            return
        if reason == "duplicate" and canonical:
            issue.duplicate_of = canonical
            self.note(actor, issue, "marked_as_duplicate", {}).canonical = canonical
        if issue.state != "closed":  # a change of reason leaves the date; only the timeline tells when it was
            issue.closed_at = self.clock.now()
        issue.state, issue.state_reason = "closed", None if issue.pull else reason
        issue.updated_at = self.clock.now()
        issue.closed_by = actor.user
        data: Json = {"state_reason": issue.state_reason}
        if isinstance(closer, Commit):
            url = f"{self.shapes.repository_api(repository)}/commits/{closer.sha}"
            data |= {"commit_id": closer.sha, "commit_url": url}
        self.note(actor, issue, "closed", data).closer = closer
        self.emit_issue("closed", actor, repository, issue)

    def reopen_issue(self, actor: Actor, repository: Repository, issue: Issue) -> None:
        if issue.state == "open":
            return
        issue.state, issue.state_reason = "open", "reopened"
        issue.closed_at = issue.closed_by = issue.duplicate_of = None
        issue.updated_at = self.clock.now()
        self.note(actor, issue, "reopened", {"state_reason": "reopened"})
        self.emit_issue("reopened", actor, repository, issue)

    def lock_issue(self, actor: Actor, repository: Repository, issue: Issue, reason: str | None) -> None:
        if not issue.locked:
            issue.locked, issue.lock_reason = True, reason
            self.note(actor, issue, "locked", {"lock_reason": reason})
            self.emit_issue("locked", actor, repository, issue)

    def unlock_issue(self, actor: Actor, repository: Repository, issue: Issue) -> None:
        if issue.locked:
            issue.locked, issue.lock_reason = False, None
            self.note(actor, issue, "unlocked", {"lock_reason": None})
            self.emit_issue("unlocked", actor, repository, issue)

    def delete_issue(self, actor: Actor, repository: Repository, issue: Issue) -> None:
        if not issue.deleted:
            self.emit_issue("deleted", actor, repository, issue)
            issue.deleted = True

    # -- comments and reactions ---------------------------------------------------------------------------------

    def write_comment(self, actor: Actor, repository: Repository, issue: Issue, body: str) -> Comment:
        check_body("IssueComment", body)
        now = self.clock.now()
        comment = Comment(next(self.state.ids.comment), actor.user, body, now, now, actor.app_id)
        issue.comments[comment.id] = comment
        issue.updated_at = now
        self.emit_comment("created", actor, repository, issue, comment)
        return comment

    def edit_comment(self, actor: Actor, repository: Repository, issue: Issue, comment: Comment, body: str) -> None:
        check_body("IssueComment", body)
        if body != comment.body:
            changes = {"body": {"from": comment.body}}
            comment.body, comment.updated_at = body, self.clock.now()
            self.emit_comment("edited", actor, repository, issue, comment, {"changes": changes})

    def delete_comment(self, actor: Actor, repository: Repository, issue: Issue, comment: Comment) -> None:
        del issue.comments[comment.id]
        self.emit_comment("deleted", actor, repository, issue, comment)

    def react(self, actor: Actor, comment: Comment, content: str) -> tuple[Reaction, bool]:
        """The reaction and whether it is new. No webhook tells of reactions."""
        for reaction in comment.reactions.values():
            if reaction.user.id == actor.user.id and reaction.content == content:
                return reaction, False
        reaction = Reaction(next(self.state.ids.reaction), actor.user, content, self.clock.now())
        comment.reactions[reaction.id] = reaction
        return reaction, True

    # -- labels -------------------------------------------------------------------------------------------------

    def create_label(
        self, actor: Actor, repository: Repository, name: str, color: str = "ededed", description: str | None = None
    ) -> Label:
        if any(known.lower() == name.lower() for known in repository.labels):
            raise invalid("Label", "name", "already_exists")
        label = Label(next(self.state.ids.label), name, color.lower(), description)
        repository.labels[name] = label
        self.emit_label("created", actor, repository, label)
        return label

    def edit_label(self, actor: Actor, repository: Repository, label: Label, new: Json) -> None:
        changes = {
            field: {"from": getattr(label, field) or ""}
            for field in ("name", "color", "description")
            if field in new and new[field] != getattr(label, field)
        }
        del repository.labels[label.name]
        for field in changes:
            setattr(label, field, new[field])
        repository.labels[label.name] = label
        if changes:
            self.emit_label("edited", actor, repository, label, {"changes": changes})

    def delete_label(self, actor: Actor, repository: Repository, label: Label) -> None:
        del repository.labels[label.name]
        for issue in repository.issues.values():
            issue.labels = [other for other in issue.labels if other is not label]
        self.emit_label("deleted", actor, repository, label)

    def add_label(self, actor: Actor, repository: Repository, issue: Issue, name: str) -> None:
        label = self.label_named(actor, repository, name)
        if label not in issue.labels:
            issue.labels.append(label)
            self.tell_labeled(actor, repository, issue, label)

    def label_named(self, actor: Actor, repository: Repository, name: str) -> Label:
        """A label that the repository does not have yet is made, as GitHub does."""
        known = {label.name.lower(): label for label in repository.labels.values()}
        return known.get(name.lower()) or self.create_label(actor, repository, name)

    def tell_labeled(self, actor: Actor, repository: Repository, issue: Issue, label: Label) -> None:
        self.note(actor, issue, "labeled", {"label": {"name": label.name, "color": label.color}})
        data = {"label": self.shapes.label(repository, label)}
        self.emit_issue("labeled", actor, repository, issue, data)

    def remove_label(self, actor: Actor, repository: Repository, issue: Issue, label: Label) -> None:
        issue.labels.remove(label)
        self.note(actor, issue, "unlabeled", {"label": {"name": label.name, "color": label.color}})
        data = {"label": self.shapes.label(repository, label)}
        self.emit_issue("unlabeled", actor, repository, issue, data)

    def set_labels(self, actor: Actor, repository: Repository, issue: Issue, names: list[str]) -> None:
        wanted = {name.lower() for name in names}
        for label in [label for label in issue.labels if label.name.lower() not in wanted]:
            self.remove_label(actor, repository, issue, label)
        for name in names:
            self.add_label(actor, repository, issue, name)

    # -- telling ------------------------------------------------------------------------------------------------

    def note(self, actor: Actor, issue: Issue, event: str, data: Json) -> TimelineEvent:
        """Written into the thread's timeline."""
        number, now = next(self.state.ids.event), self.clock.now()
        noted = TimelineEvent(number, event, actor.user, now, actor.app_id, data)
        issue.events.append(noted)
        return noted

    def emit(self, event: str, action: str, repository: Repository, actor: Actor, data: Json) -> None:
        self.hooks.emit_repository(event, action, repository, actor.user, data)

    def emit_issue(
        self, action: str, actor: Actor, repository: Repository, issue: Issue, data: Json | None = None
    ) -> None:
        """Rename the event for a pull request, as GitHub does."""
        if issue.pull:
            shape = pull_request(self.shapes, repository, issue, issue.pull)
            about = {"number": issue.number, "pull_request": shape, **(data or {})}
            self.emit("pull_request", action, repository, actor, about)
            return
        self.emit("issues", action, repository, actor, {"issue": self.shapes.issue(repository, issue), **(data or {})})

    def emit_comment(
        self,
        action: str,
        actor: Actor,
        repository: Repository,
        issue: Issue,
        comment: Comment,
        data: Json | None = None,
    ) -> None:
        about = {
            **(data or {}),
            "issue": self.shapes.issue(repository, issue),
            "comment": self.shapes.comment(repository, issue, comment),
        }
        self.emit("issue_comment", action, repository, actor, about)

    def emit_label(
        self, action: str, actor: Actor, repository: Repository, label: Label, data: Json | None = None
    ) -> None:
        self.emit("label", action, repository, actor, {"label": self.shapes.label(repository, label), **(data or {})})


def check_body(resource: str, body: str | None) -> None:
    if body is not None and len(body) > BODY_LIMIT:
        raise invalid(resource, "body", "unprocessable", f"body is too long (maximum is {BODY_LIMIT} characters)")
