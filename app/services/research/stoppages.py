"""Halts and resumptions of trade with their reasons, and what maintainers said of them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

from app.storage.engine.db import Tx
from app.storage.proof import lives
from app.storage.proof.audit_reader import Found
from app.storage.proof.lives import Act, Stoppage

_ACT = re.compile(r"(?:/bugmark\s+)?market\s+(halt|resume)\s+(.+)", re.IGNORECASE | re.DOTALL)
_CAUSES = {"command": "maintainer", "away": "away", "gone": "gone"}
"""Read from the journal where no reason was kept."""

AFTER_COMMANDS = 2**63


async def stoppages(tx: Tx, repository_id: int) -> AsyncIterator[Found]:
    """(at, issue, contract, amendment, event, cause, user, reason), by instant, then contract."""
    acts = {act.cause: act for act in await lives.market_acts(tx, repository_id) if _ACT.search(act.text)}
    used = {stop.cause async for stop in lives.stoppages(tx, repository_id) if stop.cause in acts}
    alone = iter(sorted((act for act in acts.values() if act.cause not in used), key=_turn))
    waiting = next(alone, None)
    async for stop in lives.stoppages(tx, repository_id):
        while waiting is not None and _turn(waiting) < (stop.at, _number(stop.cause)):
            yield _said(waiting)
            waiting = next(alone, None)
        yield _stopped(stop, acts.get(stop.cause or ""))
    for act in _rest(waiting, alone):
        yield _said(act)


def _turn(act: Act) -> tuple[int, int]:
    return act.at, _number(act.cause)


def _number(cause: str | None) -> int:
    """The command's; what follows by itself comes after the commands of the same second."""
    name, _, number = (cause or "").partition(":")
    return int(number) if name == "command" else AFTER_COMMANDS


def _rest(first: Act | None, others: Iterator[Act]) -> Iterator[Act]:
    if first is not None:
        yield first
        yield from others


def _stopped(stop: Stoppage, act: Act | None) -> Found:
    kept = (stop.cause or "").partition(":")[0]
    cause = stop.reason or (_CAUSES.get(kept) if stop.kind == "halt" else None)
    said = (None, None) if act is None else (act.user, _words(act)[1])
    return stop.at, stop.issue, stop.contract, stop.amendment, stop.kind, cause, *said


def _said(act: Act) -> Found:
    event, reason = _words(act)
    return act.at, act.issue, None, None, event, "maintainer", act.user, reason


def _words(act: Act) -> tuple[str, str]:
    found = _ACT.search(act.text)
    return (found[1].lower(), found[2].strip()) if found else ("", "")
