"""Commits that reach branches, pull requests, check runs: what happens by them, and the webhooks it causes."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.commits import BRANCH, NOBODY, Changes, closed_by, grow
from sandbox.errors import invalid
from sandbox.shapes_code import pushed_commit, sent_check_run
from sandbox.state import CheckRun, Commit, Issue, Json, Pull, Repository, TimelineEvent, User
from sandbox.world import Actor, World


@dataclass(frozen=True)
class Coding:
    """Code of one repository."""

    world: World
    repository: Repository

    def push(self, actor: Actor, new: Changes, message: str, author: User | None = None) -> Commit:
        """One commit to the default branch; words like "fixes #3" in its message close issues."""
        where, now = self.repository, self.world.clock.now()
        made = grow(where, (where.head,), message, author or actor.user, actor.user, now, new)
        self._move_branch(actor, [made])
        self._close_named(actor, made.message, made)
        return made

    def _move_branch(self, actor: Actor, made: list[Commit]) -> None:
        before, self.repository.head = self.repository.head, made[-1].sha
        self._tell_push(actor, BRANCH, before, made[-1].sha, made)

    def _tell_push(self, actor: Actor, branch: str, before: str, after: str, made: list[Commit]) -> None:
        shapes, where = self.world.shapes, self.repository
        told = [pushed_commit(shapes, where, commit) for commit in made]
        page = f"{shapes.url}/{where.full_name}/compare/{before[:12]}...{after[:12]}"
        about: Json = {
            "ref": f"refs/heads/{branch}",
            "before": before,
            "after": after,
            "created": before == NOBODY,
            "deleted": False,
            "forced": False,
            "base_ref": None,
            "compare": page,
            "commits": told,
            "head_commit": told[-1],
            "pusher": {"name": actor.user.login, "email": f"{actor.user.login}@users.noreply.github.com"},
        }
        pushed = {"created_at": where.created_at, "pushed_at": self.world.clock.now(), "master_branch": BRANCH}
        about["repository"] = {**shapes.repository(where), **pushed, "stargazers": 0}
        self.world.hooks.emit_repository("push", None, where, actor.user, about)

    def _close_named(self, actor: Actor, text: str, closer: Commit | Issue) -> None:
        """Those of other repositories only where the actor may write, too."""
        for name, number in closed_by(text, self.repository):
            where = self.world.state.repository_named(name)
            if where and (where is self.repository or where.allows(actor.user, "write")):
                self._close(actor, where, number, closer)

    def _close(self, actor: Actor, where: Repository, number: int, closer: Commit | Issue) -> None:
        issue = where.issues.get(number)
        if issue and not issue.pull and issue.present and issue.state == "open":
            self.world.close_issue(actor, where, issue, "completed", closer)

    # -- pull requests ------------------------------------------------------------------------------------------

    def open_pull(self, actor: Actor, title: str, body: str | None, new: Changes, branch: str = "") -> Issue:
        """From a branch of the same repository, with one commit on it."""
        where, now = self.repository, self.world.clock.now()
        made = grow(where, (where.head,), title, actor.user, actor.user, now, new)
        number = next(where.numbers)
        issue = Issue(next(self.world.state.ids.issue), number, title, body, actor.user, now, now)
        issue.pull = Pull(next(self.world.state.ids.pull), branch or f"patch-{number}", where.head, made.sha)
        where.issues[number] = issue
        self._tell_push(actor, issue.pull.branch, NOBODY, made.sha, [made])
        self.world.emit_issue("opened", actor, where, issue)
        return issue

    def change_pull(self, actor: Actor, issue: Issue, pull: Pull, new: Changes) -> None:
        """One more commit on its branch, which takes it out of the merge queue; auto-merge outlives it."""
        if pull.queued:
            self.note_pull(actor, pull, "removed_from_merge_queue", enqueuer=actor.user, reason="the head was changed")
            pull.queued = False
        before, now = pull.head, self.world.clock.now()
        made = grow(self.repository, (before,), "Another commit", actor.user, actor.user, now, new)
        pull.head, issue.updated_at = made.sha, now
        self._tell_push(actor, pull.branch, before, made.sha, [made])
        self.world.emit_issue("synchronize", actor, self.repository, issue, {"before": before, "after": made.sha})

    def merge(self, actor: Actor, issue: Issue, pull: Pull, squash: bool = False) -> Commit:
        """Issues that its text names are closed by the pull request, those in a commit's message by the commit."""
        if issue.state != "open":
            raise invalid("PullRequest", "state", "invalid", "the pull request is closed")
        where, now = self.repository, self.world.clock.now()
        base, head = where.commits[pull.base].files, where.commits[pull.head]
        new: Changes = {
            path: head.files.get(path) for path in {*base, *head.files} if base.get(path) != head.files.get(path)
        }
        message = (
            f"{issue.title} (#{issue.number})" if squash else f"Merge pull request #{issue.number}\n\n{issue.title}"
        )
        parents = (where.head,) if squash else (where.head, head.sha)
        made = grow(where, parents, message, issue.user if squash else actor.user, actor.user, now, new)
        pull.merged_at, pull.merged_by, pull.merge_commit = now, actor.user, made.sha
        self._move_branch(actor, [made] if squash else [head, made])
        self.world.note(actor, issue, "merged", {"commit_id": made.sha})
        self.world.close_issue(actor, where, issue, None)
        self._close_named(actor, issue.body or "", issue)
        self._close_named(actor, made.message if squash else head.message, made if squash else head)
        return made

    def note_pull(self, actor: Actor, pull: Pull, event: str, **data: object) -> None:
        """Written into the pull request's own timeline."""
        number, now = next(self.world.state.ids.event), self.world.clock.now()
        pull.events.append(TimelineEvent(number, event, actor.user, now, actor.app_id, dict(data)))

    # -- checks -------------------------------------------------------------------------------------------------

    def tell_check(self, action: str, actor: Actor, run: CheckRun) -> None:
        """Apps are told of their own runs."""
        data = {"check_run": sent_check_run(self.world.shapes, self.repository, run)}
        self.world.hooks.emit_repository("check_run", action, self.repository, actor.user, data, run.app_id)


def as_changes(files: object) -> Changes:
    """`{path: content or null}`."""
    if not isinstance(files, dict):
        raise ValueError("files: an object of paths with their contents")
    return {str(path).strip("/"): None if text is None else str(text).encode() for path, text in files.items()}
