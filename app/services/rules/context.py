"""Context of a command: its place, its instant, its user."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from app.services.rules.config import Config
from app.storage.people.places import Place


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Context of a command: its place, its instant, its user.

    `cause` names it in the journal, `now` is the instant it carries; `closed`: the issue is closed as completed, by a
    close that was not set aside; `rejected`: why it is closed otherwise, such as "not_planned". `may_triage` is only
    asked for commands that need it; `insider`: GitHub says that the user is the issue's author or has triage rights.
    `asked`: contracts about other issues of which GitHub was asked for this command. Nothing has a default: whoever
    makes a context must have found all of it out.
    """

    place: Place
    config: Config
    user_id: int
    cause: str
    now: int
    closed: bool
    may_triage: bool
    insider: bool
    rejected: str | None
    asked: Container[int]
