"""Places and people: installations, repositories, issues and users, by GitHub's numeric ids."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, bindparam, case, func, or_, select, update

from app.storage.engine.db import Tx
from app.storage.engine.sql import in_parts, insert, insert_for
from app.storage.engine.tables import absences, former_names, installations, issues, repositories, users


@dataclass(frozen=True, slots=True)
class Installation:
    id: int
    account_id: int
    account_login: str
    state: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class Repository:
    """`updated_at` is GitHub's: what is told later of an earlier state does not count."""

    id: int
    installation_id: int
    owner_id: int
    owner_login: str
    name: str
    private: bool
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class Issue:
    """`updated_at` is GitHub's; `moved_to` the id that the issue has where it was transferred to.

    `labels` are their names as canonical JSON, `closed_by` and `author_id` are ids of people; None: not told.
    """

    id: int
    repository_id: int
    number: int
    title: str
    state: str
    state_reason: str | None
    closed_at: int | None
    updated_at: int = 0
    moved_to: int | None = None
    labels: str | None = None
    closed_by: int | None = None
    author_id: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """An issue with the repository it is in."""

    issue: Issue
    repository: Repository


async def save_installation(tx: Tx, installation: Installation) -> None:
    """`changed_at` stays while the state does. A deleted one never comes back: installed anew it has another id."""
    await tx.execute(_save_installation(tx.dialect.name), asdict(installation))


@cache
def _save_installation(dialect: str) -> Any:
    statement = insert_for(dialect, installations)
    new, old = statement.excluded, installations.c
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "account_login": new.account_login,
            "state": new.state,
            "changed_at": case((old.state == new.state, old.changed_at), else_=new.changed_at),
        },
        where=old.state != "deleted",
    )


async def save_repository(tx: Tx, repository: Repository, asked: bool = False) -> None:
    """Unless something later is known. Of two installations at one instant the one with the higher id is newer.

    At one instant news in any order makes nothing public that was private; only GitHub's answer (`asked`) does.
    """
    values = asdict(repository)
    await tx.execute(_note_former_name(tx.dialect.name), values)
    await tx.execute(_save_repository(tx.dialect.name, asked), values)


@cache
def _note_former_name(dialect: str) -> Any:
    """Keep the former name of a repository that was renamed."""
    statement = insert_for(dialect, former_names)
    had = [func.lower(repositories.c.owner_login), func.lower(repositories.c.name)]
    has = [func.lower(bindparam("owner_login")), func.lower(bindparam("name"))]
    until_at = bindparam("updated_at", type_=BigInteger)
    renamed = select(*had, repositories.c.id, until_at).where(
        repositories.c.id == bindparam("id"),
        repositories.c.updated_at <= until_at,
        or_(*(old != new for old, new in zip(had, has, strict=True))),
    )
    kept = statement.from_select([c.name for c in former_names.columns], renamed)
    return kept.on_conflict_do_update(
        index_elements=list(former_names.primary_key), set_={"until_at": statement.excluded.until_at}
    )


@cache
def _save_repository(dialect: str, asked: bool) -> Any:
    statement = insert_for(dialect, repositories)
    new, old = statement.excluded, repositories.c
    later = old.updated_at < new.updated_at
    again = old.updated_at == new.updated_at
    if not asked:
        again &= old.installation_id <= new.installation_id
    values = {c.name: new[c.name] for c in old if not c.primary_key}
    if not asked:
        values["private"] = case((later, new.private), else_=old.private | new.private)
    return statement.on_conflict_do_update(index_elements=["id"], set_=values, where=later | again)


async def repository(tx: Tx, repository_id: int) -> Repository | None:
    row = (await tx.execute(select(repositories).where(repositories.c.id == repository_id))).first()
    return Repository(**row._mapping) if row else None


async def owner_login(tx: Tx, owner_id: int) -> str | None:
    """The login of whoever owns repositories, as it was last seen; None where the owner is not known any more."""
    named = select(installations.c.account_login).where(installations.c.account_id == owner_id)
    newest = named.order_by(installations.c.id.desc()).limit(1)
    return (await tx.execute(newest)).scalar()


async def move_repositories(tx: Tx, repository_ids: set[int], installation_id: int) -> None:
    """Assign the known ones of these repositories to this installation."""
    for some in in_parts(repository_ids):
        moved = update(repositories).where(repositories.c.id.in_(some))
        await tx.execute(moved.values(installation_id=installation_id))


async def save_issue(tx: Tx, issue: Issue) -> None:
    """Unless something later is known. Who closed it stays known as long as it is closed by the same close."""
    await tx.execute(_save_issue(tx.dialect.name), asdict(issue))


@cache
def _save_issue(dialect: str) -> Any:
    statement = insert_for(dialect, issues)
    new, old = statement.excluded, issues.c
    return statement.on_conflict_do_update(
        index_elements=["id"],
        set_={
            **{c.name: new[c.name] for c in old if c.name not in ("id", "moved_to")},
            "labels": func.coalesce(new.labels, old.labels),
            "author_id": func.coalesce(new.author_id, old.author_id),
            "closed_by": case(
                (new.closed_at == old.closed_at, func.coalesce(new.closed_by, old.closed_by)), else_=new.closed_by
            ),
        },
        where=old.updated_at <= new.updated_at,
    )


async def note_moved(tx: Tx, old_issue_id: int, new_issue_id: int) -> None:
    """The issue was transferred and has another id now."""
    await tx.execute(update(issues).where(issues.c.id == old_issue_id).values(moved_to=new_issue_id))


async def came_by_transfer(tx: Tx, issue_id: int) -> bool:
    return (await tx.execute(select(issues.c.id).where(issues.c.moved_to == issue_id).limit(1))).first() is not None


async def installation(tx: Tx, installation_id: int) -> Installation | None:
    row = (await tx.execute(select(installations).where(installations.c.id == installation_id))).first()
    return Installation(**row._mapping) if row else None


async def meet_installation(tx: Tx, installation: Installation) -> None:
    """Make an installation known; what is known of it already stays."""
    await tx.execute(insert(tx, installations).values(**asdict(installation)).on_conflict_do_nothing())


async def open_user(tx: Tx, user_id: int, login: str, now: int, seen_at: int | None = None) -> bool:
    """Make the user known, or note a changed login, unless a later one is known. Returns whether the user is new.

    `seen_at`: when the login was theirs, without it now.
    """
    seen_at = now if seen_at is None else seen_at
    known = (await tx.execute(select(users.c.login_at).where(users.c.id == user_id))).scalar()
    if known is None:
        statement = insert(tx, users).values(id=user_id, login=login, created_at=now, login_at=seen_at)
        await tx.execute(statement.on_conflict_do_nothing())
    elif known <= seen_at:
        older = users.c.id == user_id, users.c.login_at <= seen_at
        await tx.execute(update(users).where(*older).values(login=login, login_at=seen_at))
    return known is None


async def lock_users(tx: Tx, user_ids: set[int]) -> None:
    """Hold the accounts of these users, in id order, so that two transactions never wait for each other."""
    if tx.dialect.name == "sqlite":
        return  # one writer at a time: everything is held already
    for some in in_parts(user_ids):
        statement = select(users.c.id).where(users.c.id.in_(some)).order_by(users.c.id)
        await tx.execute(statement.with_for_update(key_share=True))


async def lock_issue(tx: Tx, issue_id: int) -> None:
    """Hold an issue's row: whoever makes a contract of which there may be one only waits here for the other."""
    if tx.dialect.name != "sqlite":
        await tx.execute(select(issues.c.id).where(issues.c.id == issue_id).with_for_update(key_share=True))


async def logins(tx: Tx, user_ids: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for some in in_parts(user_ids):
        rows = await tx.execute(select(users.c.id, users.c.login).where(users.c.id.in_(some)))
        found |= {row.id: row.login for row in rows}
    return found


async def user_by_login(tx: Tx, login: str) -> int | None:
    """The id of the user who was last seen under this login; GitHub's logins ignore case."""
    statement = select(users.c.id).where(func.lower(users.c.login) == login.lower())
    return (await tx.execute(statement)).scalar()


async def users_by_login(tx: Tx, login: str) -> list[int]:
    """All who were last seen under this login, for what must not go to the wrong one."""
    statement = select(users.c.id).where(func.lower(users.c.login) == login.lower())
    return list((await tx.execute(statement.order_by(users.c.id))).scalars())


def _place(row: Row[Any]) -> Place:
    values = row._mapping
    return Place(
        Issue(**{c.name: values[c] for c in issues.columns}),
        Repository(**{c.name: values[c] for c in repositories.columns}),
    )


_PLACES = select(issues, repositories).join(repositories, repositories.c.id == issues.c.repository_id)


async def place(tx: Tx, issue_id: int) -> Place | None:
    row = (await tx.execute(_PLACES.where(issues.c.id == issue_id))).first()
    return _place(row) if row else None


def in_sight() -> ColumnElement[bool]:
    """Condition: the App is in the repository. Nobody tells us that another was made private, deleted or renamed."""
    away = select(absences.c.repository_id).where(
        absences.c.repository_id == repositories.c.id, absences.c.back_at.is_(None)
    )
    return ~away.correlate(repositories).exists()


async def place_by_name(tx: Tx, owner: str, name: str, number: int) -> Place | None:
    """The issue that is now under this name; names change, so only pages and badges look things up so.

    Names pass on, too: of two repositories under one name the one that was told of last has it. So may numbers, if an
    issue comes back that was transferred. A name that nobody has now is still that of who had it last.
    """
    bears = func.lower(repositories.c.owner_login) == owner.lower(), func.lower(repositories.c.name) == name.lower()
    found = await _place_under(tx, *bears, issues.c.number == number)
    if found is not None or (await tx.execute(select(repositories.c.id).where(*bears).limit(1))).first():
        return found
    had = former_names.c.owner_login == owner.lower(), former_names.c.name == name.lower()
    last = select(former_names.c.repository_id).where(*had)
    newest = last.order_by(former_names.c.until_at.desc(), former_names.c.repository_id.desc()).limit(1)
    renamed = (await tx.execute(newest)).scalar()
    if renamed is None:
        return None
    return await _place_under(tx, repositories.c.id == renamed, issues.c.number == number)


async def _place_under(tx: Tx, *which: ColumnElement[bool]) -> Place | None:
    statement = _PLACES.where(*which, in_sight()).order_by(
        repositories.c.updated_at.desc(),
        repositories.c.id.desc(),
        issues.c.moved_to.is_not(None),
        issues.c.updated_at.desc(),
        issues.c.id.desc(),
    )
    row = (await tx.execute(statement.limit(1))).first()
    return _place(row) if row else None
