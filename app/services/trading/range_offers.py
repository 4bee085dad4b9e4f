"""An offer over a range of maturations: the contracts that it goes to, and where what is left of it may wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.market.exchange.fill import FillKind
from app.market.exchange.offer import NewOffer
from app.market.exchange.spoken import spoken
from app.market.exchange.state import Changes
from app.market.terms.contract import Status
from app.market.terms.errors import InvalidOffer, Refusal
from app.services.rules.context import CommandContext
from app.services.trading.contract_lookup import check_trading, current_round, make_contract, to_look
from app.services.trading.room import NoRoom
from app.storage.engine.db import DatabaseBusy, Tx
from app.storage.market import books, contracts
from app.storage.market.contracts import ContractRow


@dataclass(frozen=True, slots=True)
class Range:
    """Open contracts of one statement that mature in a range.

    `last`: the one at the range's end, where the rest waits if nobody holds anything in any; None if it is not among
    them, since it did not seem to be needed or because of `why_not`. `made`: it was made for this.
    """

    rows: list[ContractRow]
    last: int | None
    made: bool = False
    why_not: Refusal | None = None

    @property
    def home(self) -> int:
        """Where the rest waits if nobody holds anything in any, as the calculation is told."""
        return self.rows[-1].id if self.last is None else self.last


async def in_range(tx: Tx, context: CommandContext, new: NewOffer, from_at: int, by_at: int) -> Range:
    """The contract at the range's end, where it runs already, says which round and currency is meant.

    It is made where the rest may have to wait in it. Raises a Refusal.
    """
    if from_at > by_at:
        raise InvalidOffer("A range runs from its earlier date to its later one.", spoken(new, by_at))
    rows = await contracts.of_issue(tx, context.place.issue.id, context.now)
    last = next((row for row in rows if row.maturation_at == by_at and row.status is not Status.SETTLED), None)
    meant = (last.round, last.currency) if last else (current_round(rows), _currency(context))
    found = [
        row
        for row in rows
        if row.open
        and (row.round, row.currency) == meant
        and from_at <= row.maturation_at <= by_at
        and row.maturation_at > context.now
    ]
    if last is not None and last in found:
        return Range(found, last.id)
    if not any(row.open_interest for row in found):
        try:
            made = last or await make_contract(tx, context, by_at, meant[0], new, displacing=not found)
        except NoRoom as full:
            if not found:
                raise
            return Range(found, None, why_not=full)
        return Range([*found, made] if made.open else [made], made.id, made=last is None)
    if not await _may_empty(tx, context, new, found):
        return Range(found, None)
    return await _with_last(tx, context, new, found, last, by_at)


def _currency(context: CommandContext) -> str:
    """Of contracts made now."""
    return context.config.terms(context.place.repository.owner_id).currency


async def _may_empty(tx: Tx, context: CommandContext, new: NewOffer, found: Sequence[ContractRow]) -> bool:
    """Whether the offer's own fills could leave nothing held in any of these: all of it is the user's to give."""
    gives = new.side.other
    held = await books.positions_of(tx, context.user_id, context.place.issue.id)
    units = {contract: position.units for contract, side, position in held if side is gives}
    enough = all(units.get(row.id, 0) >= row.open_interest for row in found)
    return enough and sum(row.open_interest for row in found) <= new.volume


async def _with_last(
    tx: Tx, context: CommandContext, new: NewOffer, found: list[ContractRow], last: ContractRow | None, by_at: int
) -> Range:
    """With the one at the range's end, which may turn out not to be needed, nor to be missed where it cannot be had."""
    try:
        if last is not None:
            check_trading(last, await to_look(tx, context))
        made = await make_contract(tx, context, by_at, current_round(found), new, displacing=False)
    except Refusal as refusal:
        return Range(found, None, why_not=refusal)
    return Range([*found, made], made.id, made=True)


def check_rest(found: Range, new: NewOffer, held: Mapping[int, int], changes: Changes, numbers: Sequence[int]) -> None:
    """What is left of an offer waits in none of these contracts if its own fills have emptied them all.

    `held` is their open interest before it came. Raises the Refusal for which it cannot wait at the range's end, or
    DatabaseBusy if that contract only seemed not to be needed before the others were locked.
    """
    rests = any(changes.offers[number].remaining for number in numbers if number in changes.offers)
    if found.last is not None or new.all_or_none or not rests:
        return
    left = dict(held)
    for fill in changes.fills:
        if fill.newcomer in numbers and fill.kind is not FillKind.TRANSFER:
            left[fill.contract] += fill.volume if fill.kind is FillKind.EXPAND else -fill.volume
    if not any(left.values()):
        raise found.why_not or DatabaseBusy("contracts of a range were emptied while they were being locked")
