"""Commits and what names them: hashes, refs, the keywords by which a message closes issues. Records only."""

from __future__ import annotations

import hashlib
import re

from sandbox.state import Commit, Repository, User

BRANCH = "main"
NOBODY = "0" * 40
"""The SHA before the first and after the last commit of a branch."""
CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:([\w.-]+/[\w.-]+))?#(\d+)\b", re.IGNORECASE)

Changes = dict[str, bytes | None]
"""Path → new content; None removes the file."""


def begin(repository: Repository, owner: User, at: int) -> None:
    """The first commit, which is empty."""
    repository.head = _add(repository, "Initial commit", owner, owner, at, (), {}).sha


def grow(
    repository: Repository, parents: tuple[str, ...], message: str, author: User, committer: User, at: int, new: Changes
) -> Commit:
    """A commit on top of the first of its parents. No branch moves by it."""
    files = {**repository.commits[parents[0]].files, **new}
    kept = {path: content for path, content in files.items() if content is not None}
    return _add(repository, message, author, committer, at, parents, kept)


def named(repository: Repository, sha: str, by: User, at: int) -> Commit:
    """The commit of this name; one that nobody pushed is made up, without changes."""
    if sha not in repository.commits:
        files = repository.commits[repository.head].files
        repository.commits[sha] = Commit(sha, "A commit", by, by, at, (repository.head,), files)
    return repository.commits[sha]


def _add(
    repository: Repository,
    message: str,
    author: User,
    committer: User,
    at: int,
    parents: tuple[str, ...],
    files: dict[str, bytes],
) -> Commit:
    tree = sorted((path, blob_sha(content)) for path, content in files.items())
    text = repr((repository.id, len(repository.commits), message, author.id, committer.id, at, parents, tree))
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    repository.commits[sha] = Commit(sha, message, author, committer, at, parents, files)
    return repository.commits[sha]


def resolve(repository: Repository, ref: str | None) -> Commit | None:
    """The commit that a ref stands for: a branch, `refs/pull/N/head`, or a SHA of at least 7 digits."""
    name = (ref or BRANCH).removeprefix("refs/").removeprefix("heads/")
    if name in (BRANCH, "HEAD"):
        return repository.commits[repository.head]
    pulls = {issue.number: issue.pull for issue in repository.issues.values() if issue.pull}
    if match := re.fullmatch(r"pull/(\d+)/head", name):
        pull = pulls.get(int(match[1]))
    else:
        pull = next((pull for pull in pulls.values() if pull.branch == name), None)
    if pull:
        return repository.commits[pull.head]
    found = [sha for sha in repository.commits if len(name) >= 7 and sha.startswith(name)]
    return repository.commits[found[0]] if len(found) == 1 else None


def changed(old: dict[str, bytes], new: dict[str, bytes]) -> dict[str, str]:
    """Path → added, modified or removed, in the order of the paths."""
    found = {}
    for path in sorted({*old, *new}):
        if path not in old:
            found[path] = "added"
        elif path not in new:
            found[path] = "removed"
        elif old[path] != new[path]:
            found[path] = "modified"
    return found


def closed_by(text: str, repository: Repository) -> list[tuple[str, int]]:
    """The repositories and numbers of the issues that the text says it closes."""
    return [(where or repository.full_name, int(number)) for where, number in CLOSING.findall(text)]


def blob_sha(content: bytes) -> str:
    """The name git gives this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
