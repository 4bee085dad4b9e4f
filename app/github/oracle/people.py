"""GitHub's answers about its users."""

from __future__ import annotations

from datetime import datetime

import structlog

from app.github.api.client import GitHub
from app.github.api.errors import GitHubError, Gone
from app.services.trading.limits import NOT_TOLD
from app.storage.people.places import Place

log = structlog.get_logger()

TRIAGE_OR_BETTER = frozenset({"triage", "push", "maintain", "admin"})


async def account_made_at(github: GitHub, installation_id: int, user_id: int, login: str) -> int | None:
    """Fetch an account's creation; NOT_TOLD if the login now belongs to another user (by id), or GitHub refuses.

    None where it gives no answer: it may the next time.
    """
    try:
        user = await github.get_json(installation_id, f"/users/{login}")
        if not isinstance(user, dict):
            return None
        if user.get("id") != user_id:
            return NOT_TOLD
        return int(datetime.fromisoformat(str(user.get("created_at"))).timestamp())
    except (GitHubError, ValueError) as error:
        log.warning("no answer about a user", user=user_id, why=str(error))
        return NOT_TOLD if _refused(error) else None


async def holder_of(github: GitHub, installation_id: int, login: str) -> int | None:
    """The id of the user who has a login now; NOT_TOLD where nobody has it, or GitHub refuses. None: no answer."""
    try:
        user = await github.get_json(installation_id, f"/users/{login}")
        found = user.get("id") if isinstance(user, dict) else None
        return found if isinstance(found, int) else None
    except (GitHubError, ValueError) as error:
        log.warning("no answer about a login", login=login, why=str(error))
        return NOT_TOLD if _refused(error) else None


def _refused(error: Exception) -> bool:
    return isinstance(error, Gone | ValueError) or getattr(error, "permanent", False)


async def may_triage(github: GitHub, place: Place, user_id: int, login: str) -> bool | None:
    """Ask if a user has triage access or better there; None when GitHub gives no answer about this user (by id)."""
    where = place.repository.installation_id, place.repository.id
    try:
        rights = await github.rights(*where, login, user_id)
    except GitHubError as error:
        log.warning("rights not told", user=user_id, repository=place.repository.id, why=str(error))
        return None
    return None if rights is None else bool(rights & TRIAGE_OR_BETTER)
