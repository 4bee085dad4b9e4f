"""Releases of a repository. Drafts are seen by those only who may write there."""

from __future__ import annotations

from sandbox import releases
from sandbox.endpoints import Answer, Call, endpoint
from sandbox.errors import not_found
from sandbox.state import Json, Release

RELEASES = "/repos/{owner}/{repo}/releases"
RELEASE = f"{RELEASES}/{{release_id}}"


def shape(call: Call, release: Release) -> Json:
    return releases.shape(call.world.shapes, call.repo, release)


def seen(call: Call) -> list[Release]:
    """Newest first. An installation sees drafts if it may write contents."""
    token = call.principal.token
    writes = call.may("write") if token is None else token.permissions.get("contents") == "write"
    return [one for one in reversed(call.repo.releases.values()) if writes or one.published_at is not None]


def known(call: Call) -> Release:
    found = next((one for one in seen(call) if str(one.id) == call.params["release_id"]), None)
    if not found:
        raise not_found()
    return found


@endpoint("GET", RELEASES, needs="contents:read")
def list_releases(call: Call) -> Answer:
    return call.listed(seen(call), lambda release: shape(call, release))


@endpoint("POST", RELEASES, needs="contents:write")
def create_release(call: Call) -> Answer:
    call.require("write")
    made = shape(call, releases.create(call.world, call.actor, call.repo, call.fields))
    return Answer(201, made, {"Location": made["url"]})


@endpoint("GET", f"{RELEASES}/tags/{{tag}}", needs="contents:read")
def get_release_by_tag(call: Call) -> Answer:
    found = releases.on_tag(call.repo, call.params["tag"])
    if not found:
        raise not_found()
    return Answer(200, shape(call, found))


@endpoint("GET", RELEASE, needs="contents:read")
def get_release(call: Call) -> Answer:
    return Answer(200, shape(call, known(call)))


@endpoint("PATCH", RELEASE, needs="contents:write")
def edit_release(call: Call) -> Answer:
    call.require("write")
    found = known(call)
    releases.edit(call.world, call.actor, call.repo, found, call.fields)
    return Answer(200, shape(call, found))


@endpoint("DELETE", RELEASE, needs="contents:write")
def delete_release(call: Call) -> Answer:
    call.require("write")
    releases.delete(call.world, call.actor, call.repo, known(call))
    return Answer(204)
