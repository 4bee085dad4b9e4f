"""What is known of repositories and issues: the newest, whatever order it is heard in."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from app.storage.engine.db import Database
from app.storage.people import absences, places
from app.storage.people.places import Installation, Issue, Repository

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


async def test_a_closer_stays_known_while_it_is_the_same_close_and_labels_until_others_are_told(
    known: Database,
) -> None:
    """Most of what GitHub sends of a closed issue does not say who closed it."""
    issue = Issue(101, 7, 5, "A bug", "closed", "completed", 50, updated_at=100, labels='["bug"]', closed_by=9)
    later = replace(issue, updated_at=101, labels=None, closed_by=None)
    told = (
        (issue, ('["bug"]', 9)),
        (later, ('["bug"]', 9)),
        (replace(later, labels="[]"), ("[]", 9)),
        (replace(later, closed_at=60), ("[]", None)),
        (replace(later, closed_at=60, closed_by=8), ("[]", 8)),
        (replace(later, state="open", closed_at=None), ("[]", None)),
    )
    async with known.transaction() as tx:
        for one, expected in told:
            await places.save_issue(tx, one)
            found = await places.place(tx, 101)
            assert found
            assert (found.issue.labels, found.issue.closed_by) == expected


async def found_under(db: Database, name: str) -> int | None:
    """The repository of issue 1 under ann's name."""
    async with db.reading() as tx:
        found = await places.place_by_name(tx, "Ann", name, 1)
    return found.repository.id if found else None


async def test_a_name_that_passed_on_is_its_new_owners_whatever_was_stored_first(known: Database) -> None:
    """A rename that nobody told us of leaves two repositories here under one name."""
    async with known.transaction() as tx:
        for number, updated_at in ((6, 200), (7, 100), (8, 200), (9, 150)):
            await places.save_repository(tx, replace(REPOSITORY, id=number, updated_at=updated_at))
            await places.save_issue(tx, Issue(100 + number, number, 1, "A bug", "open", None, None))
    assert await found_under(known, "TOOL") == 8


async def test_an_issue_that_came_back_has_its_old_number_whichever_was_told_of_last(known: Database) -> None:
    """It has another id then, and the thread that it was stays with all that was said and settled there."""
    was = Issue(101, 7, 1, "A bug", "open", None, None, updated_at=90)
    async with known.transaction() as tx:
        await places.save_issue(tx, was)
        await places.save_issue(tx, replace(was, id=301, updated_at=80))
        await places.note_moved(tx, 101, 301)
    async with known.reading() as tx:
        found = await places.place_by_name(tx, "ann", "tool", 1)
        old = await places.place(tx, 101)
    assert found and found.issue.id == 301
    assert old and old.issue == replace(was, moved_to=301)


async def test_a_repository_out_of_sight_is_under_no_name(known: Database) -> None:
    """Another may be there by now, and nobody would tell us that this one was made private."""
    async with known.transaction() as tx:
        for number in (7, 6):
            await places.save_repository(tx, replace(REPOSITORY, id=number, updated_at=100 * number))
            await places.save_issue(tx, Issue(100 + number, number, 1, "A bug", "open", None, None))
        await absences.begin(tx, 7, 50)
    assert await found_under(known, "tool") == 6
    async with known.transaction() as tx:
        await absences.begin(tx, 6, 60)
        await absences.end(tx, 7, 70)
    assert await found_under(known, "tool") == 7


async def test_a_login_that_was_seen_earlier_does_not_take_the_place_of_a_later_one(db: Database) -> None:
    """A comment may be dealt with hours after it was made, and its author have another name by then."""
    async with db.transaction() as tx:
        for login, seen_at in (("ann", 100), ("ann", 300), ("was", 200), ("Ann", 300)):
            await places.open_user(tx, 1, login, 1_000, seen_at)
        assert await places.logins(tx, {1}) == {1: "Ann"}
        assert not await places.open_user(tx, 1, "now", 1_000)
        assert await places.logins(tx, {1}) == {1: "now"}


# -- former names -------------------------------------------------------------------------------------------------

ISSUE = Issue(101, 7, 5, "A bug", "open", None, None, updated_at=100)
RENAMED = replace(REPOSITORY, owner_login="Anne", name="Gadget", updated_at=200)


async def repository_under(db: Database, owner: str, name: str, number: int = 5) -> int | None:
    async with db.reading() as tx:
        found = await places.place_by_name(tx, owner, name, number)
    return found.repository.id if found else None


async def learn(db: Database, *news: Repository | Issue) -> None:
    async with db.transaction() as tx:
        for one in news:
            if isinstance(one, Issue):
                await places.save_issue(tx, one)
            else:
                await places.save_repository(tx, one)


async def test_an_old_name_of_repository_or_owner_leads_to_where_it_went(known: Database) -> None:
    await learn(known, ISSUE, replace(REPOSITORY, name="Tool2", updated_at=150), RENAMED)
    for owner, name in (("ann", "tool"), ("ANN", "TOOL2"), ("anne", "gadget")):
        assert await repository_under(known, owner, name) == 7
    assert await repository_under(known, "anne", "tool") is None
    assert await repository_under(known, "ann", "tool", 6) is None


async def test_an_old_name_that_somebody_else_has_now_is_theirs_alone(known: Database) -> None:
    other = Repository(9, 1, 3, "ann", "tool", False, updated_at=300)
    await learn(known, ISSUE, RENAMED, other)
    assert await repository_under(known, "ann", "tool") is None
    await learn(known, Issue(301, 9, 5, "Another", "open", None, None, updated_at=300))
    assert await repository_under(known, "ann", "tool") == 9
    async with known.transaction() as tx:
        await absences.begin(tx, 9, 400)
    assert await repository_under(known, "ann", "tool") is None


async def test_an_old_name_of_several_is_that_of_who_had_it_last(known: Database) -> None:
    other = Repository(9, 1, 3, "ann", "tool", False, updated_at=300)
    await learn(known, ISSUE, RENAMED, other, Issue(301, 9, 5, "Another", "open", None, None, updated_at=300))
    await learn(known, replace(other, name="elsewhere", updated_at=400))
    assert await repository_under(known, "ann", "tool") == 9
    await learn(known, replace(REPOSITORY, updated_at=500), replace(RENAMED, updated_at=600))
    assert await repository_under(known, "ann", "tool") == 7


async def test_late_news_of_an_older_name_changes_none(known: Database) -> None:
    await learn(known, ISSUE, RENAMED, REPOSITORY)
    assert await repository_under(known, "anne", "gadget") == 7
    assert await repository_under(known, "ann", "tool") == 7


async def test_an_author_stays_known_though_not_everything_tells_of_one(known: Database) -> None:
    issue = Issue(101, 7, 5, "A bug", "open", None, None, updated_at=100, author_id=9)
    async with known.transaction() as tx:
        for one in (issue, replace(issue, updated_at=101, author_id=None)):
            await places.save_issue(tx, one)
        found = await places.place(tx, 101)
    assert found and found.issue.author_id == 9
