"""What is known of repositories and issues: the newest, whatever order it is heard in."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from app.storage import places
from app.storage.db import Database
from app.storage.places import Installation, Issue, Repository

REPOSITORY = Repository(7, 1, 3, "ann", "tool", False, updated_at=100)


@pytest.fixture
async def known(db: Database) -> Database:
    async with db.transaction() as tx:
        for number in (1, 2):
            await places.save_installation(tx, Installation(number, 3, "ann", "active", 0))
        await places.save_repository(tx, REPOSITORY)
    return db


async def after(db: Database, *news: Repository, asked: bool = False) -> Repository:
    async with db.transaction() as tx:
        for repository in news:
            await places.save_repository(tx, repository, asked=asked)
        found = await places.repository(tx, 7)
    assert found
    return found


async def test_older_news_of_a_repository_changes_nothing(known: Database) -> None:
    for asked in (False, True):
        old = replace(REPOSITORY, name="was", private=True, updated_at=99)
        assert await after(known, old, asked=asked) == REPOSITORY


async def test_news_of_one_instant_makes_nothing_public(known: Database) -> None:
    """GitHub's instants are whole seconds: what came first in one is not known."""
    private = replace(REPOSITORY, private=True)
    for order in itertools.permutations((REPOSITORY, private, REPOSITORY)):
        assert (await after(known, *order)).private
    assert not (await after(known, REPOSITORY, asked=True)).private
    assert not (await after(known, private, replace(REPOSITORY, updated_at=101))).private


async def test_of_two_installations_at_one_instant_the_newer_counts_unless_github_was_asked(known: Database) -> None:
    newer = replace(REPOSITORY, installation_id=2)
    assert (await after(known, newer, REPOSITORY)).installation_id == 2
    assert (await after(known, REPOSITORY, asked=True)).installation_id == 1


async def test_older_news_of_an_issue_changes_nothing_and_where_it_went_stays(known: Database) -> None:
    issue = Issue(101, 7, 5, "A bug", "closed", "completed", 50, updated_at=100)
    async with known.transaction() as tx:
        await places.save_issue(tx, issue)
        await places.note_moved(tx, 101, 201)
        await places.save_issue(tx, replace(issue, title="Was", state="open", updated_at=99))
        found = await places.place(tx, 101)
        assert found
        assert found.issue == replace(issue, moved_to=201)
        await places.save_issue(tx, replace(issue, title="Is", updated_at=101))
        found = await places.place(tx, 101)
    assert found
    assert (found.issue.title, found.issue.moved_to) == ("Is", 201)
