"""Apps, and where they are installed."""

from __future__ import annotations

import re

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from sandbox.endpoints import LEVELS
from sandbox.errors import ApiError
from sandbox.hooks import EVENT_PERMISSIONS, UNASKED
from sandbox.state import App, Installation, InstallationToken, Json, Repository, User
from sandbox.world import World

TOKEN_LIFE_SECONDS = 3600


def check_manifest(manifest: Json) -> tuple[dict[str, str], list[str]]:
    """The permissions and events that it asks for. Raises ApiError where GitHub would refuse them."""
    permissions = {"metadata": "read", **manifest.get("default_permissions", {})}
    events = list(manifest.get("default_events", []))
    check_events(permissions, events)
    return permissions, events


def register_app(world: World, name: str, manifest: Json, webhook_url: str, owner: str) -> tuple[App, str]:
    """The app and its private key, which is kept nowhere else."""
    permissions, events = check_manifest(manifest)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "app"
    taken = {app.slug for app in world.state.apps.values()}
    slug = slug if slug not in taken else f"{slug}-{len(taken) + 1}"
    pem = world.chance.new_pem()
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("an app has an RSA key")
    app = App(
        id=next(world.state.ids.app),
        slug=slug,
        name=name,
        owner=world.account(owner),
        bot=world.account(f"{slug}[bot]"),
        client_id=world.chance.token("Iv23li", 14),
        public_key=key.public_key(),
        webhook_url=webhook_url,
        webhook_secret=world.chance.secret(),
        permissions=permissions,
        events=events,
        created_at=world.clock.now(),
        description=manifest.get("description"),
        external_url=manifest.get("url"),
        setup_url=manifest.get("setup_url"),
    )
    world.state.apps[app.id] = app
    return app, pem


def install(world: World, app: App, account: User, repositories: list[Repository] | None, sender: User) -> Installation:
    now = world.clock.now()
    ids = None if repositories is None else {r.id for r in repositories}
    installation = Installation(
        next(world.state.ids.installation), app, account, dict(app.permissions), list(app.events), now, now, ids
    )
    world.state.installations[installation.id] = installation
    emit_lifecycle(world, "created", installation, sender)
    return installation


def add_to_installation(world: World, installation: Installation, repository: Repository, sender: User) -> None:
    if installation.covers(repository):
        return
    installation.repository_ids = {*(installation.repository_ids or ()), repository.id}
    installation.updated_at = world.clock.now()
    emit_repositories(world, installation, sender, added=[repository], removed=[])


def remove_from_installation(world: World, installation: Installation, repository: Repository, sender: User) -> None:
    if installation.covers(repository):
        kept = {r.id for r in world.state.repositories_of(installation)} - {repository.id}
        installation.repository_ids, installation.updated_at = kept, world.clock.now()
        emit_repositories(world, installation, sender, added=[], removed=[repository])


def suspend(world: World, installation: Installation, sender: User) -> None:
    installation.suspended_at = installation.updated_at = world.clock.now()
    installation.suspended_by = sender
    emit_lifecycle(world, "suspend", installation, sender)


def unsuspend(world: World, installation: Installation, sender: User) -> None:
    installation.suspended_at = installation.suspended_by = None
    installation.updated_at = world.clock.now()
    emit_lifecycle(world, "unsuspend", installation, sender)


def set_permissions(world: World, installation: Installation, granted: dict[str, str], sender: User) -> None:
    """Set the account's grants. GitHub reports accepted permissions; none are taken back one by one."""
    before, installation.permissions = installation.permissions, {"metadata": "read", **granted}
    installation.updated_at = world.clock.now()
    if any(LEVELS.index(level) > LEVELS.index(before.get(area, "none")) for area, level in granted.items()):
        emit_lifecycle(world, "new_permissions_accepted", installation, sender)


def uninstall(world: World, installation: Installation, sender: User) -> None:
    emit_lifecycle(world, "deleted", installation, sender)
    del world.state.installations[installation.id]


def emit_lifecycle(world: World, action: str, installation: Installation, sender: User) -> None:
    covered = world.state.repositories_of(installation)
    data: Json = {"repositories": [world.shapes.short_repository(r) for r in covered]}
    if action == "created":
        data["requester"] = None
    world.hooks.emit_installation("installation", action, installation, sender, data)


def emit_repositories(
    world: World, installation: Installation, sender: User, *, added: list[Repository], removed: list[Repository]
) -> None:
    data: Json = {
        "repository_selection": "all" if installation.repository_ids is None else "selected",
        "repositories_added": [world.shapes.short_repository(r) for r in added],
        "repositories_removed": [world.shapes.short_repository(r) for r in removed],
        "requester": None,
    }
    action = "added" if added else "removed"
    world.hooks.emit_installation("installation_repositories", action, installation, sender, data)


def issue_token(
    world: World, installation: Installation, permissions: dict[str, str], repository_ids: set[int] | None
) -> InstallationToken:
    expires_at = world.clock.now() + TOKEN_LIFE_SECONDS
    token = InstallationToken(world.chance.token("ghs_"), installation, permissions, repository_ids, expires_at)
    world.state.tokens[token.token] = token
    return token


def check_events(permissions: dict[str, str], events: list[str]) -> None:
    """GitHub refuses a manifest that names what comes unasked, or an event without its permission."""
    for event in events:
        if event in UNASKED or event not in EVENT_PERMISSIONS:
            raise ApiError(422, f"Invalid GitHub App configuration: default events unsupported: {event}")
        needed = EVENT_PERMISSIONS[event]
        if needed and needed not in permissions:
            raise ApiError(422, f"Invalid GitHub App configuration: event {event} needs the permission {needed}")
