"""Repositories that are deleted or change hands, and accounts that take another name."""

from __future__ import annotations

from sandbox import installing
from sandbox.errors import invalid
from sandbox.state import Installation, Repository, User
from sandbox.world import Actor, World


def delete(world: World, actor: Actor, repository: Repository) -> None:
    world.emit("repository", "deleted", repository, actor, {})
    world.state.remove(repository)
    for installation in world.state.installations.values():
        if installation.repository_ids is not None:
            installation.repository_ids.discard(repository.id)


def give(world: World, actor: Actor, repository: Repository, to: User) -> None:
    """To another account: the old name leads there from now on. Who had it may still write to it."""
    if to is repository.owner or world.state.repository_named(f"{to.login}/{repository.name}"):
        raise invalid("Repository", "new_owner", "invalid", "has a repository of this name")
    before, old = covering(world, repository), repository.owner
    world.state.rename(repository, repository.name, to)
    repository.roles[old.id] = "write"
    repository.roles.pop(to.id, None)
    for installation in before:
        if installation.repository_ids is not None:
            installation.repository_ids.discard(repository.id)
        installing.emit_repositories(world, installation, actor.user, added=[], removed=[repository])
    kind = "organization" if old.type == "Organization" else "user"
    shape = world.hooks.organization(old) if kind == "organization" else world.shapes.user(old)
    world.emit("repository", "transferred", repository, actor, {"changes": {"owner": {"from": {kind: shape}}}})
    for installation in covering(world, repository):
        installing.emit_repositories(world, installation, actor.user, added=[repository], removed=[])


def covering(world: World, repository: Repository) -> list[Installation]:
    return [found for found in world.state.installations.values() if found.covers(repository)]


def rename_account(world: World, account: User, login: str) -> None:
    """Every repository goes along; what is under the old name leads to the new one, until somebody takes it."""
    if world.state.user_named(login):
        raise invalid("User", "login", "already_exists")
    old = account.login
    world.state.rename_user(account, login)
    for installation in world.state.installations.values():
        if installation.account is account:
            about = {
                "account": world.shapes.user(account),
                "changes": {"login": {"from": old}},
                "target_type": account.type,
            }
            world.hooks.emit_target("renamed", installation, account, about)
