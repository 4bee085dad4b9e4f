"""Merges and releases as GitHub's API tells of them. Every function raises GitHubError where there is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

import structlog

from app.github.api.client import GitHub, JsonObject
from app.github.api.errors import Forbidden, Gone, Invalid
from app.github.api.queries import WHO_MERGED
from app.github.reading.listed import merge_act, publication, pull_state
from app.github.reading.merging import Merge, merge_from
from app.market.life.facts import IssueFacts
from app.market.life.forecast_memory import Act, Known, known_act, published_at_the_end
from app.market.life.forecast_verdict import NOT_TRUE, judge_pull, judge_release
from app.market.terms.pull import PullState
from app.market.terms.statement import PullMerged, ReleasePublished
from app.storage.people.places import Repository

log = structlog.get_logger()


async def pull_facts(
    github: GitHub, repository: Repository, statement: PullMerged, now: int, known: Known
) -> IssueFacts:
    """A merge that was told of once stays one, whatever becomes of the pull request."""
    pull = await _there(github, repository, _pull_path(statement.number))
    if pull is None:
        told, before = known_act(known)
        if before is None and not (told and now > statement.by):
            return replace(NOT_TRUE, gone="deleted", gone_at=now)
        return judge_pull(statement, before)
    merged = merge_act(pull)
    facts = judge_pull(statement, merged)
    if merged is None or facts.closed_at != merged.at:
        return facts
    merge = await _merge(github, repository, pull, merged)
    return facts if merge is None else _backed_by(merge, facts)


def _backed_by(merge: Merge, facts: IssueFacts) -> IssueFacts:
    """Whoever merges, approves or queues here may write here: nobody's rights need be asked."""
    backers = tuple(one.id for one in merge.backers)
    return replace(
        facts,
        closer_may_triage=facts.closed_by in backers,
        backers=backers,
        evidence=(*facts.evidence, *merge.told("")),
    )


async def release_facts(
    github: GitHub, repository: Repository, statement: ReleasePublished, now: int, known: Known
) -> IssueFacts:
    """As it is until the end, and as it was then ever after."""
    release = await _there(github, repository, _release_path(statement.tag))
    found = None if release is None else publication(release)
    return judge_release(statement, published_at_the_end(found, known, statement.by, now))


async def state_of_pull(github: GitHub, repository: Repository, number: int) -> PullState:
    pull = await _there(github, repository, _pull_path(number))
    return PullState.ABSENT if pull is None else pull_state(pull)


async def is_published(github: GitHub, repository: Repository, tag: str) -> bool:
    """Tell if there is a release on the tag. A draft is none."""
    release = await _there(github, repository, _release_path(tag))
    return release is not None and publication(release) is not None


def _pull_path(number: int) -> str:
    return f"/pulls/{number:d}"


def _release_path(tag: str) -> str:
    return f"/releases/tags/{quote(tag, safe='')}"


async def _there(github: GitHub, repository: Repository, path: str) -> JsonObject | None:
    """None: the repository answers, and has no such thing."""
    try:
        return await github.repository_object(repository.installation_id, repository.id, path)
    except Gone as error:
        if error.about != "resource":
            raise
        return None


async def _merge(github: GitHub, repository: Repository, pull: JsonObject, merged: Act) -> Merge | None:
    """Ask for what only GraphQL tells. Where GitHub refuses it nobody backs the merge: that costs time alone."""
    try:
        data = await github.query(repository.installation_id, WHO_MERGED, {"id": str(pull.get("node_id"))})
    except (Forbidden, Gone, Invalid) as error:
        if error.about != "resource":
            raise
        log.warning("merger not told", repository=repository.id, pull=pull.get("number"), why=str(error))
        return None
    node = data.get("node")
    return merge_from(node, merged.at) if isinstance(node, Mapping) else None
