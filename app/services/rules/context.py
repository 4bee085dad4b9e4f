"""Context of a command: its place, its instant, its user."""

from __future__ import annotations

from collections.abc import Container
from typing import Protocol

from app.services.rules.config import Config
from app.storage.people.places import Place


class CommandContext(Protocol):
    """Context of a command: its place, its instant, its user. It is made at the gate alone (`services/orders`).

    `cause` names it in the journal, `now` is the instant it carries; `closed`: the issue is closed as completed, by a
    close that was not set aside; `rejected`: why it is closed otherwise, such as "not_planned". `may_triage` is only
    asked for commands that need it; `insider`: GitHub says that the user is the issue's author or has triage rights.
    `asked`: contracts about other issues of which GitHub was asked for this command.
    """

    @property
    def place(self) -> Place: ...

    @property
    def config(self) -> Config: ...

    @property
    def user_id(self) -> int: ...

    @property
    def cause(self) -> str: ...

    @property
    def now(self) -> int: ...

    @property
    def closed(self) -> bool: ...

    @property
    def may_triage(self) -> bool: ...

    @property
    def insider(self) -> bool: ...

    @property
    def rejected(self) -> str | None: ...

    @property
    def asked(self) -> Container[int]: ...
