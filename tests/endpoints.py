"""What of GitHub's API the app asks: every endpoint is struck by faults somewhere, and no test may find it ask more."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.endpoints import find
from sandbox.server import LoggedRequest, is_number

HERE = "/repos/{owner}/blocked"
ENDPOINTS: dict[str, tuple[str, str]] = {
    "POST /app/installations/{installation_id}/access_tokens": (
        "trade",
        "/app/installations/{installation}/access_tokens",
    ),
    "GET /repositories/{repository_id}": ("trade", "/repositories/{repository}"),
    "GET /repos/{owner}/{repo}": ("trade", "/repos/{owner}/(blocked|.github)"),
    "GET /repos/{owner}/{repo}/contents/{path}": ("trade", HERE + "/contents/.+"),
    "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions": (
        "trade",
        HERE + r"/issues/comments/\d+/reactions",
    ),
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": ("trade", HERE + "/issues/1/comments"),
    "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}": ("board", HERE + r"/issues/comments/\d+"),
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments": ("look", HERE + "/issues/1/comments"),
    "GET /repos/{owner}/{repo}/issues/{issue_number}": ("close", HERE + "/issues/1"),
    "GET /repos/{owner}/{repo}/issues/{issue_number}/timeline": ("close", HERE + "/issues/1/timeline"),
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission": ("rights", HERE + "/collaborators/.+/permission"),
    "GET /user/{account_id}": ("renamed", r"/user/\d+"),
    "POST /graphql": ("close", "/graphql"),
    "POST /graphql (minimise)": ("outgrown", "/graphql"),
    "GET /repos/{owner}/{repo}/issues/{issue_number}/labels": ("label", HERE + "/issues/1/labels"),
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels": ("label", HERE + "/issues/1/labels"),
    "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}": (
        "label of others",
        HERE + "/issues/1/labels/.+",
    ),
    "DELETE /repos/{owner}/{repo}/labels/{name}": ("label", HERE + "/labels/.+"),
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/files": ("check", HERE + r"/pulls/\d+/files"),
    "POST /repos/{owner}/{repo}/check-runs": ("check", HERE + "/check-runs"),
    "GET /repos/{owner}/{repo}/commits/{ref}/check-runs": ("look for the check", HERE + r"/commits/\w+/check-runs"),
    "GET /users/{username}": ("young", "/users/new-{owner}"),
    "GET /repos/{owner}/{repo}/issues": ("label forecast", HERE + "/issues"),
    "GET /repos/{owner}/{repo}/milestones": ("milestone", HERE + "/milestones"),
    "GET /repos/{owner}/{repo}/milestones/{milestone_number}": ("milestone", HERE + "/milestones/1"),
    "GET /repos/{owner}/{repo}/pulls/{pull_number}": ("merge", HERE + r"/pulls/\d+"),
    "GET /repos/{owner}/{repo}/releases/tags/{tag}": ("release", HERE + "/releases/tags/v1.0"),
    "GET /advisories": ("advisory", "/advisories"),
    "GET /app/installations/{installation_id}": ("presence", "/app/installations/{installation}"),
    "GET /repos/{owner}/{repo}/installation": ("presence", HERE + "/installation"),
}
"""The scene of tests/stories/scenes.py in which it is struck, and its path there."""

AS_THE_APP = (
    "POST /app/installations/{installation_id}/access_tokens",
    "GET /app/installations/{installation_id}",
    "GET /repos/{owner}/{repo}/installation",
)

ELSEWHERE = {
    "GET /app": "a test of its own in the fault matrix",
    "GET /app/hook/deliveries": "the sweep's",
    "POST /app/hook/deliveries/{delivery_id}/attempts": "the sweep's",
    "GET /app/hook/config": "the doctor's",
    "GET /app/installations": "the doctor's",
    "GET /repos/{owner}/{repo}/issues/events": "the history's: tests/run/test_history.py",
    "POST /app-manifests/{code}/conversions": "the set-up page's: test_onboarding.py",
}
"""Where it is struck instead."""


def asked(requests: Iterable[LoggedRequest]) -> set[str]:
    """The endpoints that the app asked for."""
    return {endpoint_of(one.method, one.path) for one in requests if one.user_agent.startswith("bugmark")}


def endpoint_of(method: str, path: str) -> str:
    """By its name in GitHub's description; the path itself where the sandbox would not serve it."""
    path = path.partition("?")[0]
    if re.fullmatch(r"/repositories/\d+", path):
        return f"{method} /repositories/{{repository_id}}"
    found = find(method, re.sub(r"^/repositories/\d+/", "/repos/owner/name/", path))
    if found is None or not all(value.isdecimal() for name, value in found[1].items() if is_number(name)):
        return f"{method} {path}"
    return found[0].name


def unknown(requests: Iterable[LoggedRequest]) -> set[str]:
    """What the app asked for that stands in neither table."""
    known = {endpoint.removesuffix(" (minimise)") for endpoint in ENDPOINTS}
    return asked(requests) - known - set(ELSEWHERE)
