"""Making forecasts: contracts on other statements than the issue's own (docs/market.md §7), each in one thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.market.exchange.spoken import Blank
from app.market.terms.contract import Status, digest
from app.market.terms.errors import InvalidOffer, Refusal
from app.market.terms.instants import command_date, format_instant
from app.market.terms.milestone import KnownMilestone
from app.market.terms.names import folded
from app.market.terms.pull import PullState
from app.market.terms.statement import (
    ISSUE_FIXED,
    Advisory,
    AnyForecast,
    IssueForecast,
    Milestone,
    PullMerged,
    ReleasePublished,
    quoted,
    read_forecast,
    subject,
    text_of,
)
from app.services.rules.changed import Changed, publish
from app.services.rules.context import CommandContext
from app.services.trading import permission
from app.services.trading.contract_entries import note_made
from app.services.trading.forecasting import check_room, woken
from app.storage.engine.db import Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.people import places
from app.storage.people.places import Repository

MOST_NAMED = 10


class Subjects(Protocol):
    """Tells how things stand that a forecast may be about. None: there is no answer."""

    async def milestones(self, repository: Repository) -> list[KnownMilestone] | None:
        """All of a repository."""

    async def pull_request(self, repository: Repository, number: int) -> PullState | None:
        """State of a pull request of a repository."""

    async def released(self, repository: Repository, tag: str) -> bool | None:
        """Tell if a release on that tag is published in a repository."""


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast's contract; `new`: it was made by this command."""

    contract: ContractRow
    new: bool


async def forecast_advisory(
    tx: Tx, context: CommandContext, ecosystem: str, package: str, severity: str, by_at: int
) -> Made:
    """The contract on an advisory for this package; `severity` is the least that counts. Raises a Refusal."""
    about = Advisory(context.place.issue.id, 1, context.now, by_at, ecosystem, package, severity)
    said = f"advisory {ecosystem}:{package}" + ("" if severity == "unknown" else f" severity {severity}")
    return await _contract_on(tx, context, about, said)


async def forecast_issue(tx: Tx, context: CommandContext, label: str, title: str, by_at: int) -> Made:
    """The contract on an issue with this label, and this text in its title, in the thread's repository."""
    thread = context.place.issue
    about = IssueForecast(thread.id, 1, context.now, by_at, thread.repository_id, label, title)
    return await _contract_on(
        tx, context, about, f"issue label {_spoken(label)}" + (f" title {_spoken(title)}" if title else "")
    )


async def forecast_milestone(
    tx: Tx, context: CommandContext, name: str, known: Sequence[KnownMilestone], by_at: int
) -> Made:
    """The contract on the open milestone of that name, letter case aside. Raises a Refusal that names the open ones."""
    thread = context.place.issue
    milestone = _milestone(name, known, by_at)
    what = milestone.id, milestone.number, milestone.title
    about = Milestone(thread.id, 1, context.now, by_at, thread.repository_id, *what)
    return await _contract_on(tx, context, about, f"milestone {_spoken(milestone.title)} closed")


async def forecast_pull(tx: Tx, context: CommandContext, number: int, state: PullState, by_at: int) -> Made:
    """The contract on the merge of an open pull request. Raises a Refusal."""
    if state is not PullState.OPEN:
        again = f"forecast pull {Blank.NUMBER} merged by {command_date(by_at)}"
        raise Refusal(_NOT_OPEN[state].format(number=number), f"/bugmark {again}")
    thread = context.place.issue
    about = PullMerged(thread.id, 1, context.now, by_at, thread.repository_id, number)
    return await _contract_on(tx, context, about, f"pull {number} merged")


_NOT_OPEN = {
    PullState.ABSENT: "There is no pull request {number} in this repository.",
    PullState.CLOSED: "Pull request {number} is closed; a forecast needs one that is open.",
    PullState.MERGED: "Pull request {number} is merged already.",
}


async def forecast_release(tx: Tx, context: CommandContext, tag: str, published: bool, by_at: int) -> Made:
    """The contract on a release that there is not yet. Raises a Refusal."""
    if published:
        again = f"forecast release {Blank.TAG} published by {command_date(by_at)}"
        raise Refusal(f"The release {quoted(tag)} is published already.", f"/bugmark {again}")
    thread = context.place.issue
    about = ReleasePublished(thread.id, 1, context.now, by_at, thread.repository_id, tag)
    return await _contract_on(tx, context, about, f"release {tag} published")


def _milestone(name: str, known: Sequence[KnownMilestone], by_at: int) -> KnownMilestone:
    named = [one for one in known if folded(one.title) == folded(name)]
    still_open = [one for one in known if not one.closed]
    found = next((one for one in named if not one.closed), None)
    if found is not None:
        return found
    why = "That milestone is closed already" if named else "There is no milestone of that name in this repository"
    if not still_open:
        raise Refusal(f"{why}, and no other is open.", "/bugmark help forecast")
    here = ", ".join(quoted(one.title) for one in still_open[:MOST_NAMED])
    again = f"forecast milestone {Blank.NAME} closed by {command_date(by_at)}"
    raise Refusal(f"{why}; open are {here}.", f"/bugmark {again}")


def _spoken(name: str) -> str:
    """A name as a command takes it."""
    return f'"{name}"'


async def _contract_on(tx: Tx, context: CommandContext, about: AnyForecast, said: str) -> Made:
    """The unsettled contract on the same question in this thread, woken if it slept; else one of the next round."""
    await places.lock_issue(tx, about.thread)
    rows = [row for row in await contracts.of_thread(tx, about.thread) if row.kind != ISSUE_FIXED]
    same = [row for row in rows if _asks(row, about)]
    for row in same:
        if row.status is not Status.SETTLED:
            return Made(await woken(tx, context, row), new=False)
    await permission.check_market(tx, context)
    _check_span(context, about.by, said)
    check_room(context, rows)
    made = await _make(tx, context, replace(about, round=1 + max((row.round for row in same), default=0)))
    await publish(tx, Changed.here(context.place, made.id), context.now, context.place)
    return Made(made, new=True)


def _asks(row: ContractRow, about: AnyForecast) -> bool:
    found = read_forecast(row.statement_text)
    return found is not None and subject(found) == subject(about)


def _check_span(context: CommandContext, by_at: int, said: str) -> None:
    config, span = context.config, by_at - context.now
    if config.least_maturation_seconds <= span <= config.most_maturation_seconds:
        return
    if span <= 0:
        what = "is in the past"
    elif span < config.least_maturation_seconds:
        what = f"is too near: a contract runs at least {config.least_maturation_seconds // 60} minutes"
    else:
        what = f"is too far: a contract runs at most {config.most_maturation_seconds // 86_400} days"
    raise InvalidOffer(f"{format_instant(by_at)} {what}.", f"/bugmark forecast {said} by {Blank.DATE}")


async def _make(tx: Tx, context: CommandContext, about: AnyForecast) -> ContractRow:
    text = text_of(about)
    terms = context.config.terms(context.place.repository.owner_id)
    made = await contracts.create(
        tx,
        issue_id=about.thread,
        statement_text=text,
        statement_hash=digest(text),
        kind=about.kind,
        round=about.round,
        maturation_at=about.by,
        currency=terms.currency,
        terms_text=terms.text(),
        terms_hash=digest(terms.text()),
        status=Status.OPEN.value,
        created_at=context.now,
        next_look_at=about.by,
        idle_at=context.now,
        made_by=context.user_id,
    )
    await note_made(tx, made, context.cause)
    return made
