"""An offer as the command that makes it: what refusals hand out to be copied."""

from __future__ import annotations

from app.market.instants import command_date
from app.market.money import format_price
from app.market.offer import Action, NewOffer


def spoken(new: NewOffer, by_at: int) -> str:
    """`/bugmark offer fixed 50 at 0.40 by 2026-12-01`, with the conditions it has."""
    word = "offer" if new.action is Action.BUY else "sell"
    parts = [f"/bugmark {word} {new.side.value.lower()} {new.volume} at {format_price(new.price)}"]
    parts.append(f"by {command_date(by_at)}")
    if new.until_at is not None and new.until_at < by_at:
        parts.append(f"until {command_date(new.until_at)}")
    if new.now_or_never:
        parts.append("now-or-never")
    return " ".join(parts)
