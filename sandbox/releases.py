"""Releases of a repository: drafts, published, made drafts again, deleted. The tag need not be there."""

from __future__ import annotations

from sandbox.clock import iso
from sandbox.commits import BRANCH
from sandbox.errors import invalid
from sandbox.shapes import Shapes, instant, node_id
from sandbox.state import Json, Release, Repository
from sandbox.world import Actor, World


def create(world: World, actor: Actor, repository: Repository, new: Json) -> Release:
    """`new` may hold tag_name, name, body, draft, prerelease."""
    tag, now = str(new.get("tag_name") or ""), world.clock.now()
    if not tag:
        raise invalid("Release", "tag_name", "missing_field")
    if on_tag(repository, tag) and not new.get("draft"):
        raise invalid("Release", "tag_name", "already_exists")
    made = Release(next(world.state.ids.release), tag, actor.user, now, now)
    repository.releases[made.id] = made
    fill(made, new)
    emit(world, "created", actor, repository, made)
    if not new.get("draft"):
        publish(world, actor, repository, made)
    return made


def on_tag(repository: Repository, tag: str) -> Release | None:
    """The published one. Letter case counts."""
    there = (found for found in repository.releases.values() if found.tag == tag and found.published_at is not None)
    return next(there, None)


def fill(release: Release, new: Json) -> None:
    release.tag = str(new.get("tag_name", release.tag))
    release.name = new.get("name", release.name)
    release.body = new.get("body", release.body)
    release.prerelease = bool(new.get("prerelease", release.prerelease))


def publish(world: World, actor: Actor, repository: Repository, release: Release) -> None:
    release.published_at = release.updated_at = world.clock.now()
    emit(world, "published", actor, repository, release)
    emit(world, "prereleased" if release.prerelease else "released", actor, repository, release)


def edit(world: World, actor: Actor, repository: Repository, release: Release, new: Json) -> None:
    """As in `create`; `draft` says whether it is published."""
    old = {field: getattr(release, attribute) for field, attribute in FIELDS.items()}
    fill(release, new)
    now = {field: getattr(release, attribute) for field, attribute in FIELDS.items()}
    changes = {field: {"from": old[field] or ""} for field in FIELDS if old[field] != now[field]}
    release.updated_at = world.clock.now()
    if changes:
        emit(world, "edited", actor, repository, release, {"changes": changes})
    if new.get("draft") is False and release.published_at is None:
        publish(world, actor, repository, release)
    elif new.get("draft") and release.published_at is not None:
        release.published_at = None
        emit(world, "unpublished", actor, repository, release)


FIELDS = {"tag_name": "tag", "name": "name", "body": "body"}
"""Fields that an edit tells of, and their names here."""


def delete(world: World, actor: Actor, repository: Repository, release: Release) -> None:
    del repository.releases[release.id]
    emit(world, "deleted", actor, repository, release)


def emit(
    world: World, action: str, actor: Actor, repository: Repository, release: Release, data: Json | None = None
) -> None:
    about = {"release": shape(world.shapes, repository, release), **(data or {})}
    world.emit("release", action, repository, actor, about)


def shape(shapes: Shapes, repository: Repository, release: Release) -> Json:
    api, page = shapes.repository_api(repository), f"{shapes.url}/{repository.full_name}"
    own = f"{api}/releases/{release.id}"
    published = release.published_at is not None
    return {
        "url": own,
        "html_url": f"{page}/releases/tag/{release.tag}",
        "assets_url": f"{own}/assets",
        "upload_url": f"{own}/assets{{?name,label}}",
        "tarball_url": f"{api}/tarball/{release.tag}" if published else None,
        "zipball_url": f"{api}/zipball/{release.tag}" if published else None,
        "id": release.id,
        "node_id": node_id("RE", release.id),
        "tag_name": release.tag,
        "target_commitish": BRANCH,
        "name": release.name,
        "body": release.body,
        "draft": not published,
        "prerelease": release.prerelease,
        "immutable": False,
        "created_at": iso(release.created_at),
        "updated_at": iso(release.updated_at),
        "published_at": instant(release.published_at),
        "author": shapes.user(release.author),
        "assets": [],
    }
