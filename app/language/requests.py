"""Typed requests, checked for form. Prices are mills of the side named, instants seconds UTC."""

from __future__ import annotations

from dataclasses import dataclass

from app.market.exchange.offer import Action
from app.market.terms.contract import Outcome, Side
from app.market.terms.mention import Mode
from app.market.terms.milestone import KnownMilestone
from app.market.terms.pull import PullState


@dataclass(frozen=True, slots=True)
class OfferRequest:
    """`offer` or `sell`. Both `volume` and `amount_mills` are None for `sell … all`: all free units.

    At most one of `price`, `deposit_mills`, `profit_mills` is given; none means the default price for an offer, and
    what the book gives now for a sale. `amount_mills` asks for as many units as that money buys at the limit.
    `by_at` None means the issue's only open contract, `until_at` None the maturation. With `from_at` all contracts
    maturing from then to `by_at` are meant.
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
    all_or_none: bool = False
    post_only: bool = False
    pool: bool = False
    cancel_on_halt: bool = False
    from_at: int | None = None
    contract: int | None = None
    """The number of a forecast; None means the issue's own contracts, or with `truth` the thread's only forecast."""
    truth: bool = False


@dataclass(frozen=True, slots=True)
class FundRequest:
    """Money for whoever fixes the issue; `price` None means the repository's fund price.

    `by_at` None: the contract where such money is best put.
    """

    amount_mills: int
    by_at: int | None
    price: int | None


@dataclass(frozen=True, slots=True)
class WorkRequest:
    """To be listed as working on the issue, and FIXED for that much; or with `stop` not to be listed any more."""

    amount_mills: int | None
    stop: bool = False


@dataclass(frozen=True, slots=True)
class SettingsRequest:
    pass


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change of an offer; None leaves a part as it is. `volume` is the open volume afterwards."""

    offer: int
    volume: int | None
    price: int | None
    until_at: int | None


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
    """`contract` is the number of a forecast."""

    by_at: int | None
    contract: int | None = None


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """`contract` is the number of a forecast."""

    by_at: int | None
    contract: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """`contract` is the number of a forecast."""

    by_at: int | None
    contract: int | None = None


@dataclass(frozen=True, slots=True)
class AboutAdvisory:
    """`severity` is the least that counts."""

    ecosystem: str
    package: str
    severity: str


@dataclass(frozen=True, slots=True)
class AboutIssue:
    """An issue to come; `title` is what its title holds, "" is anything."""

    label: str
    title: str


@dataclass(frozen=True, slots=True)
class AboutMilestone:
    """`known` are the repository's milestones, None until GitHub was asked."""

    name: str
    known: tuple[KnownMilestone, ...] | None = None


@dataclass(frozen=True, slots=True)
class AboutPull:
    """`state` is how it stands, None until GitHub was asked."""

    number: int
    state: PullState | None = None


@dataclass(frozen=True, slots=True)
class AboutRelease:
    """`published`: as GitHub said, None until it was asked."""

    tag: str
    published: bool | None = None


@dataclass(frozen=True, slots=True)
class ForecastRequest:
    about: AboutAdvisory | AboutIssue | AboutMilestone | AboutPull | AboutRelease
    by_at: int


@dataclass(frozen=True, slots=True)
class PositionsRequest:
    """`login` without its `@`; None means one's own."""

    login: str | None


@dataclass(frozen=True, slots=True)
class OffersRequest:
    pass


@dataclass(frozen=True, slots=True)
class BalanceRequest:
    pass


@dataclass(frozen=True, slots=True)
class GiveRequest:
    """`login` without its `@`; `holder` is who has it on GitHub, by id, as far as that was asked."""

    login: str
    amount_mills: int
    holder: int | None = None


@dataclass(frozen=True, slots=True)
class MuteRequest:
    """A choice of how often the user is mentioned in this repository."""

    mode: Mode


DRY_RUN = "dry-run"


@dataclass(frozen=True, slots=True)
class DryRunRequest:
    """A question: the effect of the command of that name with this request."""

    name: str
    request: Request


@dataclass(frozen=True, slots=True)
class DisputeRequest:
    """`contract` None: the only one whose verdict the user may dispute."""

    reason: str
    contract: int | None


@dataclass(frozen=True, slots=True)
class ResolveRequest:
    """`price`: another void price than the market's, in mills of FIXED."""

    outcome: Outcome
    reason: str
    contract: int | None
    price: int | None


@dataclass(frozen=True, slots=True)
class MarketRequest:
    """Halt the thread's market, or lift that halt."""

    halt: bool
    reason: str


@dataclass(frozen=True, slots=True)
class HelpRequest:
    """`command` is the name of a command that exists, None for the overview."""

    command: str | None


Request = (
    OfferRequest
    | FundRequest
    | WorkRequest
    | SettingsRequest
    | ChangeRequest
    | TakeRequest
    | CancelRequest
    | BookRequest
    | PriceRequest
    | HistoryRequest
    | ForecastRequest
    | PositionsRequest
    | OffersRequest
    | BalanceRequest
    | GiveRequest
    | MuteRequest
    | DryRunRequest
    | DisputeRequest
    | ResolveRequest
    | MarketRequest
    | HelpRequest
)
