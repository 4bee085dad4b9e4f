"""From a command's text to the request that is handed in at the gate."""

from __future__ import annotations

from typing import get_type_hints

from app.commands.command import Command
from app.commands.registry import meant, parse
from app.language.requests import Request
from app.market.terms.errors import Refusal
from app.services.uses.table import USE_CASES
from app.services.uses.use_case import Unread


def asked(text: str, now: int) -> Request | Unread:
    """Read what a command asks for, or why it cannot be read."""
    try:
        return parse(text, now)
    except Refusal as refusal:
        command = meant(text)
        return Unread(refusal, command is not None and USE_CASES[_request_of(command)].winds_up)


def _request_of(command: Command) -> type:
    """The type of the requests that a command makes."""
    found: type = get_type_hints(command.build)["return"]
    return found
