"""Evidence of a close from GitHub's API: the issue's state, its closer, commit or pull request (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import structlog

from app.github.api.client import GitHub, JsonObject
from app.github.api.errors import Forbidden, Gone, Invalid
from app.github.api.queries import WHO_CLOSED
from app.github.oracle.people import TRIAGE_OR_BETTER
from app.github.reading.closing import Closer, canonical_from, closer_from, person_from, pushed
from app.github.reading.issue import (
    Spell,
    as_it_was,
    discussion_since,
    facts_from,
    reopenings_from,
    spell_from,
    spells_from,
)
from app.github.reading.merging import Person
from app.market.life.facts import IssueFacts
from app.storage.people.places import Place

log = structlog.get_logger()

TOLD_BY_QUERY = frozenset({None, "completed", "duplicate"})
"""For a close with another reason nobody asks what was behind it."""

MOST_ASKED = 5
"""Number of approvers in another repository to ask about: the cost of one close is bounded."""


async def closed_facts(github: GitHub, place: Place, issue: JsonObject, judged_at: Collection[int]) -> IssueFacts:
    """An issue as it stands, with what its timeline says. Raises GitHubError.

    `judged_at`: maturations of contracts that wait for a verdict. Without any, an open issue's timeline is not asked.
    """
    facts = facts_from(issue)
    if not facts.closed and not judged_at:
        return facts
    repository, number = place.repository, place.issue.number
    pages = github.repository_pages(repository.installation_id, repository.id, f"/issues/{number:d}/timeline")
    timeline = [event async for event in pages]
    before = await _before(github, place, issue, spells_from(timeline), judged_at)
    facts = replace(facts, reopenings=reopenings_from(timeline), before=before)
    converted_at = discussion_since(timeline)
    if converted_at is not None:
        return _as_discussion(facts, converted_at)
    return await _closed_by(github, place, issue, facts, spell_from(timeline)) if facts.closed else facts


def _as_discussion(facts: IssueFacts, converted_at: int) -> IssueFacts:
    """GitHub closes what becomes a discussion: an issue that was open until then is still told as that."""
    if (facts.closed_at or 0) >= converted_at:
        facts = replace(facts, closed=False, completed=False, closed_at=None)
    return replace(facts, gone="discussion", gone_at=converted_at)


async def _closed_by(
    github: GitHub, place: Place, issue: JsonObject, facts: IssueFacts, spell: Spell | None
) -> IssueFacts:
    if spell is not None:
        # The issue itself keeps its first date when the reason changes.
        facts = replace(facts, closed_at=spell.as_now_at, closed_since=spell.since, **_closer(spell))
    return await _with_evidence(github, place, issue, facts, spell)


async def _before(
    github: GitHub, place: Place, issue: JsonObject, spells: list[Spell], judged_at: Collection[int]
) -> tuple[IssueFacts, ...]:
    """The closes that stood at these instants and are over, with who was behind them."""
    found = []
    for spell in spells:
        if spell.until_at is not None and any(spell.as_now_at <= at < spell.until_at for at in judged_at):
            then = {**issue, **as_it_was(spell)}
            facts = await _closed_by(github, place, then, facts_from(then), spell)
            found.append(replace(facts, until_at=spell.until_at))
    return tuple(found)


def _closer(spell: Spell) -> dict[str, Any]:
    actor = spell.actor or {}
    return {"closed_by": actor["id"], "closer": str(actor["login"])} if {"id", "login"} <= actor.keys() else {}


async def _with_evidence(
    github: GitHub, place: Place, issue: JsonObject, facts: IssueFacts, spell: Spell | None
) -> IssueFacts:
    node = await _who_closed(github, place, issue) if facts.reason in TOLD_BY_QUERY else {}
    by = closer_from(node, spell.as_now_at) if spell else None
    if by is None and spell and spell.commit:
        by = pushed(spell.commit)
    actor = person_from(spell.actor if spell and spell.actor else issue.get("closed_by"))
    backers = await _backers(github, place, by, actor)
    merge = by.merge if by else None
    automatic = merge is not None and merge.automatic  # GitHub did it in somebody's name
    known = actor is not None and actor.id in backers
    return replace(
        facts,
        closer_may_triage=known or (not automatic and await _may_triage(github, place, actor)),
        backers=backers,
        evidence=() if by is None else by.told(facts.closer),
        by_pull=merge is not None,
        duplicate_of=canonical_from(node) if facts.reason == "duplicate" else None,
    )


async def _backers(github: GitHub, place: Place, by: Closer | None, actor: Person | None) -> tuple[int, ...]:
    """Whoever merged it, stands behind what a bot merged, or pushed the commit.

    Where that lies in another repository, only with rights here, and only a few are asked about.
    """
    people = () if by is None else by.backers(actor)
    if by is None or by.here:
        return tuple(one.id for one in people)
    return tuple([one.id for one in people[:MOST_ASKED] if await _may_triage(github, place, one)])


async def _who_closed(github: GitHub, place: Place, issue: JsonObject) -> Mapping[str, Any]:
    """Fetch the part that only GraphQL tells. If GitHub refuses, the close counts as one by hand."""
    try:
        data = await github.query(place.repository.installation_id, WHO_CLOSED, {"id": str(issue.get("node_id"))})
    except (Forbidden, Gone, Invalid) as error:
        if error.about != "resource":
            raise
        log.warning("closer not told", issue=place.issue.id, why=str(error))
        return {}
    node = data.get("node")
    return node if isinstance(node, Mapping) else {}


async def _may_triage(github: GitHub, place: Place, person: Person | None) -> bool:
    """Treat a close as not backed when GitHub refuses to tell: that costs time; no answer would cost the verdict."""
    if person is None:
        return False
    where = place.repository.installation_id, place.repository.id
    try:
        rights = await github.permission(*where, person.login, person.id)
    except (Forbidden, Invalid) as error:
        if error.about != "resource":
            raise
        log.warning("rights not told", issue=place.issue.id, why=str(error))
        return False
    return bool(rights & TRIAGE_OR_BETTER)
