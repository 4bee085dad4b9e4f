"""Repositories, their files and rights; users; the rate limit."""

from __future__ import annotations

from sandbox.commits import BRANCH, blob_sha, resolve
from sandbox.endpoints import Answer, Call, endpoint
from sandbox.errors import ApiError, not_found
from sandbox.state import Commit, Json

# What the permission endpoint says for each role.
LEGACY = {"none": "none", "read": "read", "triage": "read", "write": "write", "maintain": "write", "admin": "admin"}


@endpoint("GET", "/repos/{owner}/{repo}", needs="metadata:read")
def get_repository(call: Call) -> Answer:
    role = "write" if call.principal.token else call.repo.role_of(call.principal.actor)
    rights = call.world.shapes.rights(role)
    return Answer(200, call.world.shapes.full_repository(call.repo, rights))


@endpoint("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", needs="metadata:read")
def get_permission(call: Call) -> Answer:
    if not call.principal.token:
        call.require("write")
    user = call.world.state.user_named(call.params["username"])
    if not user:
        raise not_found()
    role = call.repo.role_of(user)
    about: Json = {
        **call.world.shapes.user(user),
        "permissions": call.world.shapes.rights(role),
        "role_name": role,
    }
    return Answer(200, {"permission": LEGACY[role], "role_name": role, "user": about})


@endpoint("GET", "/repos/{owner}/{repo}/contents/{path}", needs="contents:read")
def get_contents(call: Call) -> Answer:
    ref = call.query.get("ref", BRANCH)
    commit = resolve(call.repo, ref)
    if not commit:
        raise ApiError(404, f"No commit found for the ref {ref}")
    path = call.params["path"].strip("/")
    content = commit.files.get(path)
    if content is None:
        return Answer(200, directory(call, commit, path, ref))
    if "raw" in call.headers.get("accept", ""):
        return Answer(200, raw=content, headers={"Content-Type": "application/vnd.github.raw+json; charset=utf-8"})
    return Answer(200, call.world.shapes.file(call.repo, path, content, ref))


def directory(call: Call, commit: Commit, path: str, ref: str) -> list[Json]:
    """The entries of a directory, which exists as long as it holds files."""
    inside = sorted(name for name in commit.files if name.startswith(f"{path}/"))
    if not inside:
        raise not_found()
    entries: dict[str, Json] = {}
    for name in inside:
        child, _, deeper = name.removeprefix(f"{path}/").partition("/")
        shape = call.world.shapes.file(call.repo, f"{path}/{child}", b"" if deeper else commit.files[name], ref)
        del shape["content"], shape["encoding"]
        if deeper:
            shape |= {"type": "dir", "size": 0, "download_url": None, "sha": blob_sha(child.encode())}
        entries.setdefault(child, shape)
    return list(entries.values())


@endpoint("GET", "/user", needs="user")
def get_self(call: Call) -> Answer:
    counts = ("private_gists", "total_private_repos", "owned_private_repos", "disk_usage", "collaborators")
    shape = {**call.world.shapes.public_user(call.user), "user_view_type": "private"}
    return Answer(200, {**shape, **dict.fromkeys(counts, 0), "two_factor_authentication": False})


@endpoint("GET", "/users/{username}", needs="nobody")
def get_user(call: Call) -> Answer:
    user = call.world.state.user_named(call.params["username"])
    if not user:
        raise not_found()
    return Answer(200, call.world.shapes.public_user(user))


@endpoint("GET", "/user/{account_id}", needs="nobody")
def get_user_by_id(call: Call) -> Answer:
    """Under whatever name they have now."""
    number = call.params["account_id"]
    user = call.world.state.users.get(int(number)) if number.isdecimal() else None
    if not user:
        raise not_found()
    return Answer(200, call.world.shapes.public_user(user))


@endpoint("GET", "/rate_limit", needs="nobody")
def get_rate_limit(call: Call) -> Answer:
    """Looking is free."""
    rate = {
        "limit": call.limit,
        "used": call.used,
        "remaining": max(0, call.limit - call.used),
        "reset": call.resets_at,
    }
    resources = dict.fromkeys(("core", "search", "graphql"), rate)
    return Answer(200, {"resources": resources, "rate": rate})
