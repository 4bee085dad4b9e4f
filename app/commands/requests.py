"""What people ask for, read and checked for form. Prices are mills of the side named, instants seconds UTC."""

from dataclasses import dataclass

from app.market.contract import Side
from app.market.offer import Action


@dataclass(frozen=True, slots=True)
class OfferRequest:
    """`offer` or `sell`. Both `volume` and `amount_mills` are None for `sell … all`: all free units.

    At most one of `price`, `deposit_mills`, `profit_mills` is given; none means the default price for an offer, and
    what the book gives now for a sale. `amount_mills` asks for as many units as that money buys at the limit.
    `by_at` None means the issue's only open contract, `until_at` None the maturation.
    """

    action: Action
    side: Side
    volume: int | None
    amount_mills: int | None
    price: int | None
    deposit_mills: int | None
    profit_mills: int | None
    by_at: int | None
    until_at: int | None
    now_or_never: bool


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """The other side of an offer; `volume` None means all that is open of it."""

    offer: int
    volume: int | None


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """`offer` None means all of one's offers in the thread."""

    offer: int | None


@dataclass(frozen=True, slots=True)
class BookRequest:
    by_at: int | None


@dataclass(frozen=True, slots=True)
class PositionsRequest:
    """`login` without its `@`; None means one's own."""

    login: str | None


@dataclass(frozen=True, slots=True)
class BalanceRequest:
    pass


@dataclass(frozen=True, slots=True)
class HelpRequest:
    """`command` is the name of a command that exists, None for the overview."""

    command: str | None


Request = OfferRequest | TakeRequest | CancelRequest | BookRequest | PositionsRequest | BalanceRequest | HelpRequest
