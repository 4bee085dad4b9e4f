"""Handlers of webhook events. Events only wake us; facts that decide money are asked from the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from app.base.clock import Clock
from app.github.api.clean import clean
from app.github.api.client import GitHub
from app.github.api.errors import GitHubError
from app.github.api.instants import read_instant
from app.github.oracle.presence import Presence, know_place, know_repository, look_soon
from app.github.oracle.transfers import Transfers, move
from app.github.reading.forecast_events import read_advisory, read_issue_news, read_pull_news, read_release_news
from app.github.reading.issue import facts_from
from app.github.reading.payloads import (
    Payload,
    Unreadable,
    read_author,
    read_labels,
    read_place,
    read_repository,
    touches,
)
from app.github.rules import checks
from app.github.rules.rules_file import PATH, Configs
from app.services.forecasts import news
from app.services.life import issue_checks
from app.services.orders.guards import GIVE_UP_SECONDS
from app.services.orders.order import NoAnswer
from app.storage.engine.db import Database, Tx
from app.storage.people import configs, places
from app.storage.people.places import Issue, Place
from app.storage.queues import outbox, poll_schedule
from app.storage.queues.inbox import KEPT_SECONDS, Delivery
from app.thread.comment import Comment
from app.thread.runner import Runner

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Events:
    """Deals with deliveries, one at a time for each issue. Raises what should be tried again."""

    db: Database
    runner: Runner
    github: GitHub
    clock: Clock
    configs: Configs
    presence: Presence
    transfers: Transfers

    async def deal_with(self, delivery: Delivery) -> None:
        """Unknown events and payloads that cannot be read are passed over with a log line."""
        try:
            await self._dispatch(delivery, _payload(delivery))
        except Unreadable as error:
            log.warning("delivery passed over", delivery=delivery.guid, event_name=delivery.event, why=str(error))

    async def _dispatch(self, delivery: Delivery, payload: Payload) -> None:
        if delivery.event == "issue_comment":
            await self._comment(payload, delivery.received_at)
            return
        if delivery.event == "issues":
            await self._issue(payload, delivery.received_at)
            return
        handlers: dict[str, Callable[[Payload], Awaitable[None]]] = {
            "milestone": self._note_for_forecasts,
            "security_advisory": self._advisory,
            "push": self._push,
            "pull_request": self._pull_request,
            "release": self._release,
            "check_run": self._check_run,
            "repository": self._repository,
            "installation": self.presence.installation_changed,
            "installation_repositories": self.presence.repositories_changed,
            "installation_target": self.presence.account_changed,
        }
        if delivery.event in handlers:
            await handlers[delivery.event](payload)

    async def _comment(self, payload: Payload, received_at: int) -> None:
        """Bots are ignored, the app itself above all; so are comments on pull requests."""
        edited = payload.action == "edited"
        if not edited and payload.action != "created":
            return
        if payload.get("sender", "type") == "Bot" or payload.get("issue", "pull_request"):
            return
        old = payload.get("changes", "body", "from")
        if edited and not isinstance(old, str):
            return
        found = read_place(payload)
        comment = Comment(
            id=payload.number("comment", "id"),
            body=payload.text("comment", "body"),
            old_body=clean(old) if edited else None,
            author_id=payload.number("comment", "user", "id"),
            sender_id=payload.number("sender", "id"),
            sender_login=payload.text("sender", "login")[:255],
            created_at=payload.instant("comment", "created_at"),
            said_at=payload.instant("comment", "updated_at" if edited else "created_at"),
            received_at=received_at,
            place=found,
            facts=facts_from(payload.get("issue")),
            labels=read_labels(payload),
            issue_author_id=read_author(payload),
            in_thread=payload.number_or_none("issue", "comments") or 0,
        )
        if received_at - comment.said_at > KEPT_SECONDS:
            log.warning("comment passed over: too old to be news", comment=comment.id)
            return
        if "/bugmark" in comment.body.lower():
            await self.configs.meet(found.repository)
        await self.runner.run(comment, self._know_place)

    async def _issue(self, payload: Payload, received_at: int) -> None:
        """Keep what is shown of the issue, stop trading on a close, and have its contracts looked at.

        Of news of one second that contradict each other neither decides: GitHub is asked.
        """
        if payload.get("issue", "pull_request"):
            return
        await self._note_for_forecasts(payload)
        found = read_place(payload)
        gone = payload.action == "deleted" or (
            payload.action == "transferred" and not await self._followed(payload, found)
        )
        now = self.clock.now()
        async with self.db.transaction() as tx:
            known = await self._know_place(tx, found)
            contradicted = not gone and _contradict(found.issue, known.issue)
            if not contradicted:
                await places.save_issue(tx, found.issue)
            if contradicted:
                await look_soon(tx, found.issue.id, now)
            elif gone:
                await issue_checks.note_gone(tx, found, now)
            elif found.issue.updated_at < known.issue.updated_at:
                await look_soon(tx, found.issue.id, now)
            else:
                await issue_checks.note_news(tx, found, facts_from(payload.get("issue")), now)
            old_id = payload.number_or_none("changes", "old_issue", "id")
            if old_id not in (None, found.issue.id):
                await move(tx, old_id, found, now)
            if payload.action == "unlocked":
                await outbox.wake(tx, now, issue_id=found.issue.id)
        if contradicted:
            await self._ask(known, received_at)

    async def _ask(self, place: Place, received_at: int) -> None:
        """Learn from GitHub how the issue stands. Raises NoAnswer while it is worth asking again.

        The API may be behind the news: what it says of an earlier second is no answer.
        """
        try:
            issue = await self.github.issue(place.repository.installation_id, place.repository.id, place.issue.number)
        except GitHubError as error:
            log.warning("no answer about an issue", issue=place.issue.id, why=str(error))
            issue = {}
        now = self.clock.now()
        updated_at = read_instant(issue.get("updated_at")) or 0
        if issue.get("id") == place.issue.id and updated_at >= place.issue.updated_at:
            await self.presence.note_issue(place, issue)
            async with self.db.transaction() as tx:
                await issue_checks.note_news(tx, place, facts_from(issue), now)
        elif now - received_at < GIVE_UP_SECONDS:
            raise NoAnswer

    async def _followed(self, payload: Payload, old: Place) -> bool:
        """Ask if the App is where the issue went. Without an answer trading stops, and the next look asks again."""
        repository_id = payload.number_or_none("changes", "new_repository", "id")
        number = payload.number_or_none("changes", "new_issue", "number")
        if repository_id is None or number is None:
            return False
        try:
            return await self.transfers.follow(old, repository_id, number)
        except GitHubError as error:
            log.warning("transfer not followed yet", issue=old.issue.id, why=str(error))
            return False

    async def _note_for_forecasts(self, payload: Payload) -> None:
        """Forecasts about other issues and milestones may be decided by it."""
        await news.note_issue(self.db, read_issue_news(payload), self.clock.now())

    async def _advisory(self, payload: Payload) -> None:
        """GitHub sends it to every App that asks for it: it belongs to no repository."""
        advisory = read_advisory(payload)
        if advisory is None:
            raise Unreadable("security_advisory")
        await news.note_advisory(self.db, advisory, self.clock.now())

    async def _push(self, payload: Payload) -> None:
        """Only what touches the file of rules on the default branch matters."""
        branch = payload.get("repository", "default_branch")
        if payload.get("ref") == f"refs/heads/{branch}" and touches(payload, PATH):
            await self.configs.changed(read_repository(payload))

    async def _pull_request(self, payload: Payload) -> None:
        """Note a merge that may be forecast; queue a check, which finds out if the rules file changed."""
        if payload.action == "closed":
            await news.note_pull(self.db, read_pull_news(payload), self.clock.now())
        rebased = payload.action == "edited" and payload.get("changes", "base") is not None
        if payload.action not in ("opened", "synchronize", "reopened") and not rebased:
            return
        number, head_sha = payload.number("pull_request", "number"), payload.text("pull_request", "head", "sha")
        async with self.db.transaction() as tx:
            await checks.want(tx, read_repository(payload), number, head_sha, self.clock.now())

    async def _release(self, payload: Payload) -> None:
        if payload.action in ("published", "unpublished", "deleted", "edited"):
            await news.note_release(self.db, read_release_news(payload), self.clock.now())

    async def _check_run(self, payload: Payload) -> None:
        """Somebody wants it run again. For which pull request, the run says itself: for forks GitHub does not."""
        if payload.action != "rerequested" or payload.get("check_run", "name") != checks.NAME:
            return
        pull, head_sha = payload.text("check_run", "external_id"), payload.text("check_run", "head_sha")
        if not (pull.isascii() and pull.isdigit() and len(pull) <= 9):
            raise Unreadable("check_run.external_id")
        async with self.db.transaction() as tx:
            await checks.want(tx, read_repository(payload), int(pull), head_sha, self.clock.now())

    async def _repository(self, payload: Payload) -> None:
        """After any change to it its rules may come from another file: branch, owner or name may be others.

        GitHub is asked soon how things stand: it may be deleted, or be where the App is not.
        """
        repository = read_repository(payload)
        self.github.forget_repository(repository.installation_id, repository.id)
        async with self.db.transaction() as tx:
            await know_repository(tx, repository, self.clock.now())
            await configs.wake(tx, repository.id, self.clock.now())
            await poll_schedule.wake(tx, repository.id, self.clock.now())
            if payload.action == "unarchived":
                await outbox.wake(tx, self.clock.now(), repository_id=repository.id)

    async def _know_place(self, tx: Tx, place: Place) -> Place:
        return await know_place(tx, place, self.clock.now())


def _contradict(told: Issue, known: Issue) -> bool:
    """Tell if both are of one second and contradict each other about the issue's close."""
    if (told.id, told.updated_at) != (known.id, known.updated_at) or not told.updated_at:
        return False
    return (told.state, told.state_reason, told.closed_at) != (known.state, known.state_reason, known.closed_at)


def _payload(delivery: Delivery) -> Payload:
    """Only reading may fail so: an error in dealing with what was read is a bug, and must not lose the delivery."""
    try:
        return Payload.from_bytes(delivery.payload)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error
