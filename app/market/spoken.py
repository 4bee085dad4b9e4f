"""An offer as the command that makes it: what refusals hand out to be copied."""

from __future__ import annotations

from datetime import UTC, datetime

from app.market.instants import command_date
from app.market.money import format_price
from app.market.offer import Action, NewOffer, Offer


def spoken(new: NewOffer, by_at: int, from_at: int | None = None) -> str:
    """`/bugmark offer fixed 50 at 0.40 by 2026-12-01`, with the conditions it has."""
    word = "offer" if new.action is Action.BUY else "sell"
    parts = [f"/bugmark {word} {new.side.value.lower()} {new.volume} at {format_price(new.price)}"]
    parts.append(f"by {spoken_dates(by_at, from_at)}")
    if new.until_at is not None and new.until_at < by_at:
        parts.append(f"until {command_date(new.until_at)}")
    return " ".join([*parts, *conditions(new)])


def spoken_dates(by_at: int, from_at: int | None = None) -> str:
    """`2026-12-01`, or a range as `2026-12-01..2026-12-31`, whose first date means the first second of its day."""
    if from_at is None:
        return command_date(by_at)
    start = datetime.fromtimestamp(from_at, UTC)
    first = f"{start:%Y-%m-%d}" if from_at % 86_400 == 0 else f"{start:%Y-%m-%dT%H:%M:%S}Z"
    return f"{first}..{command_date(by_at)}"


def conditions(offer: NewOffer | Offer) -> list[str]:
    """The conditions as they are typed; what another one implies is left out."""
    pooled = offer.pool if isinstance(offer, NewOffer) else offer.pooled
    said = {
        "all-or-none": offer.all_or_none,
        "now-or-never": offer.now_or_never,
        "post-only": offer.post_only,
        "pool": pooled,
        "cancel-on-halt": offer.cancel_on_halt and not offer.post_only,
    }
    return [word for word, holds in said.items() if holds]
