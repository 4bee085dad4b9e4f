"""Which contract a command means: the one with that date, the only one, or a refusal with the list."""

from __future__ import annotations

from app.market.exchange.offer import NewOffer, Offer
from app.market.exchange.spoken import Blank, HandOut, Unclear, each, offered, spoken
from app.market.terms.contract import Side, Status, Terms, canonical, digest
from app.market.terms.errors import InsufficientUnits, InvalidOffer, NotTrading, Refusal, UnknownOffer
from app.market.terms.instants import command_date, format_instant
from app.market.terms.statement import ISSUE_FIXED, said
from app.services.rules.context import CommandContext
from app.services.trading import permission, room
from app.storage.engine.db import Tx
from app.storage.market import books, contracts
from app.storage.market.contracts import ContractRow
from app.storage.people import places

SUGGESTED_SPAN_SECONDS = 90 * 86_400


async def unsettled(tx: Tx, context: CommandContext) -> list[ContractRow]:
    """The issue's own contracts that are not settled, nearest maturation first."""
    rows = await contracts.of_issue(tx, context.place.issue.id, context.now)
    return [row for row in rows if row.status is not Status.SETTLED]


async def to_offer_in(
    tx: Tx, context: CommandContext, new: NewOffer, by_at: int | None
) -> tuple[ContractRow, list[ContractRow] | None]:
    """The contract an offer goes to; if it had to be made, with the open ones beside it. Raises a Refusal."""
    rows = await contracts.of_issue(tx, context.place.issue.id, context.now)
    if by_at is None:
        return only_open(rows, context, new), None
    number = current_round(rows)
    for row in rows:
        if row.maturation_at == by_at and (row.round == number or row.status is not Status.SETTLED):
            return row, None
    made = await make_contract(tx, context, by_at, number, new)
    return made, [row for row in rows if row.open and row.maturation_at != by_at]


async def to_sell_in(
    tx: Tx, context: CommandContext, side: Side, by_at: int | None, volume: int | None, price: int | None
) -> ContractRow:
    """Without a date the only contract in which the user has such units. Raises a Refusal."""
    rows = await unsettled(tx, context)
    reserved = 0
    if by_at is None:
        found = await books.positions_of(tx, context.user_id, context.place.issue.id)
        held = {contract: position for contract, of_side, position in found if of_side is side}
        reserved = sum(held[row.id].reserved for row in rows if row.id in held)
        rows = [row for row in rows if row.id in held and held[row.id].free]
    if not rows:
        raise none_free(side, reserved, "thread")
    at = {} if price is None else {"at": price}
    parts = {"side": side, **({"everything": True} if volume is None else {"volume": volume}), **at}
    return single(rows, by_at, HandOut("sell", parts))


def none_free(side: Side, reserved: int, where: str) -> InsufficientUnits:
    """There is nothing to sell, or offers hold it all."""
    if reserved:
        why = f"Your {reserved:,} {side.value} units in this {where} are all held for your open offers."
        return InsufficientUnits(1, 0, why, "/bugmark offers")
    return InsufficientUnits(1, 0, f"You have no free {side.value} units in this {where}.", "/bugmark positions")


async def of_offer(tx: Tx, context: CommandContext, number: int) -> tuple[ContractRow, Offer]:
    """An offer of this thread as it was made, with its contract; nothing is locked yet. Raises UnknownOffer."""
    found = await books.stored_offer(tx, number)
    row = await contracts.get(tx, found.contract) if found else None
    if found is None or row is None or row.issue_id != context.place.issue.id:
        raise UnknownOffer(f"There is no offer o{number} in this thread.", await to_look(tx, context))
    return row, found


async def to_look(tx: Tx, context: CommandContext) -> str:
    """The command that shows what there is to trade in this thread."""
    rows = await unsettled(tx, context)
    if not rows:
        return "/bugmark positions"
    return "/bugmark book" if len(rows) == 1 else f"/bugmark book by {command_date(rows[0].maturation_at)}"


def only_open(rows: list[ContractRow], context: CommandContext, new: NewOffer) -> ContractRow:
    """The issue's only open contract. Raises a Refusal that hands out the same offer with a date."""
    now_open = [row for row in rows if row.open]
    if not now_open:
        if any(row.maintainer_halt is not None and row.status is not Status.SETTLED for row in rows):
            raise NotTrading(permission.HALTED, "/bugmark positions")
        raise Refusal("No contract is open on this issue; say by when.", spoken(new, Blank.DATE))
    if len(now_open) > 1:
        raise Unclear(_several(now_open), *each(offered(new, Blank.DATE), "by", dated(now_open), Blank.DATE))
    return now_open[0]


def single(rows: list[ContractRow], by_at: int | None, again: HandOut) -> ContractRow:
    """The one contract that is meant. `again` is the command to copy, without its date."""
    named = [row for row in rows if by_at in (None, row.maturation_at)]
    if len(named) == 1:
        return named[0]
    if by_at is None:
        raise Unclear(_several(rows), *each(again, "by", dated(rows), Blank.DATE))
    example = f"/bugmark book by {command_date(rows[0].maturation_at)}"
    raise Refusal(f"No contract here matures at {format_instant(by_at)}; there are: {_known(rows)}.", example)


def dated(rows: list[ContractRow]) -> list[tuple[int, str]]:
    """Each contract's date, which says all of it."""
    return [(row.maturation_at, "") for row in rows]


def _several(rows: list[ContractRow]) -> str:
    return f"Several contracts run here: {_known(rows)}; add `by DATE`."


def _known(rows: list[ContractRow]) -> str:
    return "; ".join(f"by {format_instant(row.maturation_at)}{'' if row.open else ' (halted)'}" for row in rows)


def current_round(rows: list[ContractRow]) -> int:
    """The round that trades now: one settled while a close decided it is over, the reopening starts the next."""
    newest = max((row.round for row in rows), default=1)
    return newest + any(row.round == newest and row.ended_round for row in rows)


async def make_contract(
    tx: Tx, context: CommandContext, maturation_at: int, number: int, new: NewOffer, displacing: bool = True
) -> ContractRow:
    """A new contract, or the one of that date that sleeps. Raises a Refusal.

    `displacing`: another may give way to it where there is no room.
    """
    span = maturation_at - context.now
    config, issue = context.config, context.place.issue
    if not config.least_maturation_seconds <= span <= config.most_maturation_seconds:
        raise _unfit_maturation(span, context, maturation_at, new)
    await permission.check_market(tx, context)
    await room.check_date(tx, context, new, maturation_at)
    terms = config.terms(context.place.repository.owner_id)
    _check_not_rejected(context, terms)
    await places.lock_issue(tx, issue.id)
    least = await room.make_room(tx, context, new, maturation_at, displacing)
    slept = await room.sleeping(tx, context, maturation_at, number)
    held = {row.id: row for row in await room.hold(tx, context, [least, slept])}
    if least is not None:
        await room.take_place(tx, context, new, least)
    if slept is not None:
        return await room.wake(tx, context, held[slept.id], terms)
    statement = canonical({"kind": "issue_fixed", "issue": issue.id, "round": number})
    return await contracts.create(
        tx,
        issue_id=issue.id,
        statement_text=statement,
        statement_hash=digest(statement),
        round=number,
        maturation_at=maturation_at,
        currency=terms.currency,
        terms_text=terms.text(),
        terms_hash=digest(terms.text()),
        status=Status.OPEN.value,
        created_at=context.now,
        next_look_at=maturation_at,
        idle_at=context.now,
        made_by=context.user_id,
    )


def _check_not_rejected(context: CommandContext, terms: Terms) -> None:
    """Raises NotTrading where the issue is closed in a way that would void a new contract from its first day."""
    if context.rejected in terms.void_reasons:
        reason = "as a duplicate" if context.rejected == "duplicate" else "as not planned"
        why = (
            f"This issue is closed {reason}, which makes contracts void here; no new one is made unless it is reopened."
        )
        raise NotTrading(why, "/bugmark positions")


def _unfit_maturation(span: int, context: CommandContext, maturation_at: int, new: NewOffer) -> Refusal:
    config = context.config
    if span <= 0:
        what = "is in the past"
    elif span < config.least_maturation_seconds:
        what = f"is too near: a contract runs at least {config.least_maturation_seconds // 60} minutes"
    else:
        what = f"is too far: a contract runs at most {config.most_maturation_seconds // 86_400} days"
    return InvalidOffer(f"{format_instant(maturation_at)} {what}.", spoken(new, Blank.DATE))


def check_trading(row: ContractRow | None, look: str) -> ContractRow:
    """Raises NotTrading unless the contract is open."""
    if row is None or not row.open:
        raise NotTrading(_why_closed(row), look)
    return row


def _why_closed(row: ContractRow | None) -> str:
    if row is None:
        return "There is no such contract."
    if row.status is Status.SETTLED:
        outcome = said(row.kind, row.outcome.value) if row.outcome else ""
        return f"That contract is settled ({outcome}); settled is final."
    if row.maintainer_halt is not None:
        return permission.HALTED
    if row.kind != ISSUE_FIXED:
        return "That forecast is halted: it may have come true, or its maturation has come."
    return "That contract is halted: the issue was closed or its maturation has come."
