"""Finding a forecast that a command means, with refusals in its words: TRUE, FALSE, its number (docs/market.md §7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.market.terms.contract import Status
from app.market.terms.errors import NotTrading, Refusal
from app.market.terms.statement import ADVISORY, ISSUE_FIXED, said, short_words
from app.services.rules.context import CommandContext
from app.services.trading import permission, room
from app.storage.engine.db import Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.people import places

_DATE = re.compile(r" by [0-9][0-9TZ:-]*(\.\.[0-9][0-9TZ:-]*)?")
_SIDES = re.compile(r"\b(?:FIXED|UNFIXED|fixed|unfixed)\b")


MOST_FORECASTS = 20
"""Unsettled ones in a thread: each is asked about at GitHub, and making one costs nothing."""


class UnclearForecast(Refusal):
    """Several forecasts could be meant. `choices` are the numbers of those that do, each with what it is about."""

    def __init__(self, sentence: str, correction: str, choices: list[tuple[int, str]]) -> None:
        super().__init__(sentence, correction)
        self.choices = choices


@contextmanager
def in_words_of(row: ContractRow) -> Iterator[None]:
    """Trading speaks of FIXED and dates: a refusal inside is told anew with TRUE, FALSE and the forecast's number."""
    try:
        yield
    except Refusal as refusal:
        if row.kind != ISSUE_FIXED:
            refusal.sentence = _SIDES.sub(_truth, refusal.sentence)
            refusal.args = (refusal.sentence,)
            if refusal.correction is not None:
                on = "" if refusal.correction.startswith("/bugmark book") else "on "
                again = _SIDES.sub(_truth, refusal.correction)
                refusal.correction = _DATE.sub(f" {on}F{row.id}", again, count=1)
        raise


def _truth(match: re.Match[str]) -> str:
    word = said(ADVISORY, match[0].upper())
    return word if match[0].isupper() else word.lower()


async def contract_of(tx: Tx, context: CommandContext, number: int) -> ContractRow:
    """The forecast with this number that lives in this thread. Raises a Refusal that names those that do."""
    row = await contracts.get(tx, number)
    if row is None or row.issue_id != context.place.issue.id or row.kind == ISSUE_FIXED:
        raise await _none_such(tx, context, f"There is no forecast F{number} in this thread")
    return row


async def number_meant(tx: Tx, context: CommandContext, number: int | None, truth: bool) -> int | None:
    """The forecast an offer is for: the one it names, or the thread's only one if it says TRUE or FALSE; else None."""
    return (await only_forecast(tx, context)).id if number is None and truth else number


async def only_forecast(tx: Tx, context: CommandContext) -> ContractRow:
    """Find the thread's only open forecast, which `true` and `false` mean without a number. Raises a Refusal."""
    here = await contracts.of_thread(tx, context.place.issue.id, context.now)
    rows = [row for row in here if row.kind != ISSUE_FIXED]
    now_open = [row for row in rows if row.open]
    if len(now_open) == 1:
        return now_open[0]
    if len(rows) == 1:
        raise NotTrading(f"F{rows[0].id} is not open for trading now.", f"/bugmark book F{rows[0].id}")
    raise await _none_such(tx, context, "TRUE and FALSE are the sides of a forecast: say which, as in `on F12`")


async def _none_such(tx: Tx, context: CommandContext, why: str) -> Refusal:
    here = await contracts.of_thread(tx, context.place.issue.id, context.now)
    rows = [row for row in here if row.kind != ISSUE_FIXED]
    unsettled = [row for row in rows if row.status is not Status.SETTLED]
    if not unsettled:
        return Refusal(f"{why}; no forecast is open here.", "/bugmark help forecast")
    named = "; ".join(f"F{row.id} ({short_words(row.statement_text)})" for row in unsettled)
    meant = [row for row in unsettled if row.open] or unsettled
    choices = [(row.id, short_words(row.statement_text)) for row in meant]
    return UnclearForecast(f"{why}; here live {named}.", f"/bugmark book F{meant[0].id}", choices)


def check_room(context: CommandContext, rows: Sequence[ContractRow]) -> None:
    going = [row for row in rows if row.status is not Status.SETTLED and not row.asleep(context.now)]
    if len(going) >= MOST_FORECASTS:
        why = f"{MOST_FORECASTS} forecasts live in this thread already; ask in another issue's thread."
        raise Refusal(why, f"/bugmark book F{going[0].id}")


async def woken(tx: Tx, context: CommandContext, row: ContractRow) -> ContractRow:
    """A forecast as it is, awake: one that sleeps wakes up if there is room for it. Raises a Refusal."""
    if not row.asleep(context.now):
        return row
    if row.maturation_at <= context.now:
        raise NotTrading(
            "That forecast's maturation has come; nothing is traded in it any more.", "/bugmark help forecast"
        )
    await permission.check_market(tx, context)
    await places.lock_issue(tx, row.issue_id)
    rows = await contracts.of_thread(tx, row.issue_id, context.now)
    check_room(context, [other for other in rows if other.kind != ISSUE_FIXED])
    (held,) = await room.hold(tx, context, [row])
    return await room.wake(tx, context, held, context.config.terms(context.place.repository.owner_id))
