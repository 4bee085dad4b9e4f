"""Disappearance of an issue: a definite answer, not the lack of one."""

from __future__ import annotations

from app.github.api.client import GitHub
from app.github.api.errors import Gone, Moved
from app.storage.people.places import Repository


def deleted(error: Gone) -> bool:
    """The repository answers, and has no such issue. Where issues were switched off they are only out of sight."""
    return not error.may_come_back


async def vanished(github: GitHub, repository: Repository, number: int) -> bool:
    """Ask if the issue was deleted or transferred. Raises GitHubError."""
    try:
        await github.issue(repository.installation_id, repository.id, number)
    except Moved:
        return True
    except Gone as error:
        if not deleted(error):
            raise
        return True
    return False
