"""Reviews of pull requests, the merge queue, auto-merge. No webhook tells of them: no app here asks for any."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.coding import Coding
from sandbox.errors import invalid
from sandbox.state import Commit, Issue, Pull, Review
from sandbox.world import Actor, World

MERGE_QUEUE = "github-merge-queue[bot]"


@dataclass(frozen=True)
class Merging:
    """Pull requests in one repository."""

    coding: Coding

    @property
    def world(self) -> World:
        return self.coding.world

    def review(self, actor: Actor, pull: Pull, state: str, sha: str | None = None) -> Review:
        """Reviews of its last commit, or of an older one. An author's last word counts."""
        commit = self.coding.repository.commits[sha or pull.head]
        made = Review(next(self.world.state.ids.event), actor.user, state, commit, self.world.clock.now())
        pull.reviews.append(made)
        return made

    def enqueue(self, actor: Actor, pull: Pull) -> None:
        """Whoever did it is named, also where GitHub does it for auto-merge."""
        self.coding.note_pull(actor, pull, "added_to_merge_queue", enqueuer=actor.user)
        pull.queued = True

    def dequeue(self, actor: Actor, pull: Pull, reason: str) -> None:
        self.coding.note_pull(actor, pull, "removed_from_merge_queue", enqueuer=actor.user, reason=reason)
        pull.queued = False

    def enable(self, actor: Actor, pull: Pull) -> None:
        self.coding.note_pull(actor, pull, "auto_merge_enabled", enabler=actor.user)
        pull.auto_merge_by = actor.user

    def disable(self, actor: Actor, pull: Pull) -> None:
        self.coding.note_pull(actor, pull, "auto_merge_disabled", disabler=actor.user, reason="by hand")
        pull.auto_merge_by = None

    def merge_queued(self, issue: Issue, pull: Pull) -> Commit:
        """The queue's turn has come: GitHub's own bot merges what is in it."""
        if not pull.queued:
            raise invalid("PullRequest", "state", "invalid", "the pull request is not in the merge queue")
        pull.queued = False
        return self.coding.merge(Actor(self.world.account(MERGE_QUEUE)), issue, pull)

    def merge_by_itself(self, issue: Issue, pull: Pull) -> Commit:
        """Everything that auto-merge waited for is there: GitHub merges in the name of whoever switched it on."""
        if pull.auto_merge_by is None:
            raise invalid("PullRequest", "state", "invalid", "auto-merge is not enabled")
        return self.coding.merge(Actor(pull.auto_merge_by), issue, pull)
