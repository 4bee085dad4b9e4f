"""`positions`: what somebody holds, what it cost and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.corrections import reads
from app.language.escape import code
from app.language.grammar import Parts
from app.language.requests import PositionsRequest
from app.market.exchange.spoken import HandOut
from app.market.terms.errors import Refusal
from app.market.terms.money import format_mills, format_price
from app.replies import reply
from app.replies.formats import folded, price, side, signed, table, where
from app.services.rules.context import CommandContext
from app.services.views import holdings
from app.services.views.holdings import Holding
from app.storage.engine.db import Tx
from app.storage.people import places

MOST_SHOWN = 6


def build(parts: Parts) -> PositionsRequest:
    return PositionsRequest(parts.get("login"))


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    named = bool(words) and reads("login", words[0], now)
    return (HandOut("positions", {"login": words[0].removeprefix("@")} if named else {}),)


async def handle(tx: Tx, context: CommandContext, request: PositionsRequest) -> str:
    user_id = context.user_id if request.login is None else await places.user_by_login(tx, request.login)
    if user_id is None:
        raise Refusal(f"Nobody called {code(request.login or '')} has traded here.", "/bugmark positions")
    user = await holdings.user_view(tx, context.place, user_id, context.now)
    held = await holdings.holdings(tx, user, context.now)
    parts = [reply.standing(user, with_money=user_id == context.user_id), worth(held[:MOST_SHOWN])]
    return "\n\n".join(filter(None, [*parts, folded("More positions", worth(held[MOST_SHOWN:]))]))


def worth(held: Sequence[Holding]) -> str:
    """Table of positions: their cost and their value."""
    heads = ["position", "average cost", "cost", "price now", "worth", "unrealised", "a VOID now would pay"]
    return table(heads, "lrrrrrr", [_line(one) for one in held]) if held else ""


def _line(one: Holding) -> list[str]:
    units = one.position.units
    return [
        f"{units:,} {side(one.row, one.side)} {where(one.row)}",
        format_price(one.average),
        format_mills(one.position.cost_mills),
        f"{price(one.price)} ({one.basis})" if one.price is not None else "–",
        "–" if one.price is None else format_mills(units * one.price),
        "–" if one.unrealised_mills is None else signed(one.unrealised_mills),
        "–" if one.void_mills is None else format_mills(one.void_mills),
    ]


COMMAND = Command(
    name="positions",
    usage="positions [@user]",
    summary="Show the units held, what they cost and are worth, and the offers waiting in this thread.",
    who="Everybody. Another user is named, not mentioned.",
    notes=(
        "What units are worth now is said by the middle of bid and ask, by the price at which holders entered, or by "
        "the last trade.",
        "A VOID gives money back: what you paid in, as far as the money in the contract goes, and never less than that "
        "or half a token a unit, whichever is less.",
    ),
    examples=("positions", "positions @adam"),
    rules="login?",
    build=build,
    handle=handle,
    mend=mend,
    stands=False,
    order=23,
)
