"""A forecast's memory of the facts that made it true or false (docs/market.md §7). Pure.

Of what is deleted, moved away or taken out after the end the last known state counts: whoever may do that with issues,
milestones and releases must not be able to turn a verdict by it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.market.terms.contract import canonical


@dataclass(frozen=True, slots=True)
class Known:
    """`told` is what the last answer told, at `at`, as JSON; "": nothing that could vanish, or there was no answer.

    What made the statement true until `aside_at` a maintainer has set aside.
    """

    at: int = 0
    told: str = ""
    aside_at: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """An act on an issue. `user` None: GitHub does not name its author."""

    at: int
    user: int | None = None
    login: str = ""


@dataclass(frozen=True, slots=True)
class MilestoneIssue:
    """An issue that is in the milestone now. `closed` None: it is open; `added_at` None: not told."""

    number: int
    created_at: int
    closed: Act | None
    added_at: int | None = None


@dataclass(frozen=True, slots=True)
class MilestoneFacts:
    """`closed_at`: when the milestone itself was closed, None if it is open."""

    closed_at: int | None
    issues: Sequence[MilestoneIssue]


# -- issues -------------------------------------------------------------------------------------------------------


def told_of_issue(number: int, act: Act) -> str:
    """The issue that made a forecast true, and the act since which it does."""
    return canonical({"issue": number, "act": _act(act)})


def known_issue(known: Known) -> tuple[int, Act] | None:
    """The other way round; None if nothing made it true, or what did was set aside since."""
    found = json.loads(known.told) if known.told else None
    act = Act(*found["act"]) if found else None
    return (found["issue"], act) if found and act and act.at > known.aside_at else None


# -- milestones ---------------------------------------------------------------------------------------------------


def told_of_milestone(closed_at: int | None, counted: Sequence[MilestoneIssue]) -> str:
    issues = [[one.number, _act(one.closed) if one.closed else None] for one in counted]
    return canonical({"closed_at": closed_at, "issues": issues})


def known_milestone(known: Known) -> MilestoneFacts | None:
    """The other way round, of those issues only that counted; None if nothing was told yet."""
    if not known.told:
        return None
    found = json.loads(known.told)
    issues = [MilestoneIssue(number, 0, Act(*closed) if closed else None) for number, closed in found["issues"]]
    return MilestoneFacts(found["closed_at"], issues)


def since_the_end(found: MilestoneFacts, known: Known, by: int) -> MilestoneFacts:
    """Its issues are those of the first answer after its end; of one that is not in it any more the last state counts.

    Of the others it is told exactly when they were closed.
    """
    before = known_milestone(known)
    if before is None or known.at < by:
        return found
    there = {one.number: one.closed for one in found.issues}
    kept = [replace(one, closed=there.get(one.number, one.closed)) for one in before.issues]
    return MilestoneFacts(found.closed_at, kept)


# -- pull requests and releases -----------------------------------------------------------------------------------

LAG_SECONDS = 60
"""GitHub's first answer after the end may not know yet what was published so shortly before it."""


def told_of_act(act: Act | None) -> str:
    """The merge, or the publication; None: there was none."""
    return canonical({"act": None if act is None else _act(act)})


def known_act(known: Known) -> tuple[bool, Act | None]:
    """The other way round; False if nothing was told yet."""
    if not known.told:
        return False, None
    found = json.loads(known.told)["act"]
    return True, Act(*found) if found else None


def published_at_the_end(found: Act | None, known: Known, by: int, now: int) -> Act | None:
    """The publication of a release as it stood at its end: nobody turns it by deleting it, or by moving a tag to it.

    The first answer at or after the end is the last. Before it GitHub alone tells; what it told before and does not
    tell in that answer was deleted meanwhile, and counts.
    """
    told, before = known_act(known)
    if not told or now < by:
        return found
    in_time = found is not None and found.at <= by
    if known.at < by:
        return found if in_time else before
    late = before is None and found is not None and by - LAG_SECONDS < found.at <= by
    return found if late else before


def _act(act: Act) -> list[int | str | None]:
    return [act.at, act.user, act.login]
