"""Results of requests as data: `replies` words them for the thread, another door in its own way.

What a use case of its own package returns already stands for itself: InForce, Made, Disputed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.market.exchange.offer import Offer
from app.market.prices.quotes import Day
from app.market.prices.quotes import Trade as LastTrade
from app.market.terms.contract import Outcome
from app.market.terms.mention import Mode
from app.services.accounts.gifts import Gift
from app.services.forecasts.making import Made
from app.services.life.disputes import Disputed
from app.services.life.rulings import Resolved
from app.services.rules.settings_told import InForce
from app.services.trading.offers import Cancelled, Traded
from app.services.views.contract_views import BookView, ContractView, IssueView
from app.services.views.holdings import Holding, UserView
from app.storage.market.contracts import ContractRow


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An open contract beside one that was made now; prices in mills of FIXED, None where there is none."""

    row: ContractRow
    bid: int | None
    ask: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Trade:
    """An offer, a sale or a taking.

    `named` is how the parties of its fills are to be named, as they want it; `dated`: a range was asked for, so each
    fill says in which contract it is.
    """

    traded: Traded
    named: Mapping[int, str]
    pool_left_mills: int
    beside: tuple[Neighbour, ...]
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """The offer of that number is different now, or another is in its place."""

    number: int
    trade: Trade


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Offers that were cancelled; `named` as in Trade."""

    cancelled: Cancelled
    named: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Funded:
    """`chosen_at`: the maturation of the contract that was chosen; None: the user named it. `rest_mills` stays free."""

    trade: Trade
    chosen_at: int | None
    amount_mills: int
    rest_mills: int


@dataclass(frozen=True, slots=True)
class Listed:
    """Listed as working on the issue; `trade` None: nothing was bought, because no contract is open if `backed`."""

    until_at: int
    backed: bool
    trade: Trade | None


@dataclass(frozen=True, slots=True)
class Unlisted:
    """No longer listed as working on the issue."""


@dataclass(frozen=True, slots=True)
class MoneyShown:
    """The user's money."""

    user: UserView


@dataclass(frozen=True, slots=True)
class BookShown:
    """One contract's book."""

    book: BookView


@dataclass(frozen=True, slots=True)
class PriceShown:
    """One contract's price."""

    contract: ContractView


@dataclass(frozen=True, slots=True)
class PricesShown:
    """Prices of all contracts of an issue."""

    issue: IssueView


@dataclass(frozen=True, slots=True)
class HistoryShown:
    """A contract's days and its last fills."""

    contract: ContractRow
    days: Sequence[Day]
    trades: Sequence[LastTrade]


@dataclass(frozen=True, slots=True)
class PositionsShown:
    """A user's positions; `own`: whoever asks is that user."""

    user: UserView
    held: Sequence[Holding]
    own: bool


@dataclass(frozen=True, slots=True)
class OffersShown:
    """The user's open offers, each with its contract."""

    offers: Sequence[tuple[Offer, ContractRow]]


@dataclass(frozen=True, slots=True)
class HelpShown:
    """Help for the command of that name, or the overview."""

    command: str | None


@dataclass(frozen=True, slots=True)
class Ruled:
    """A dispute is decided; `logins` of those who had put up bonds."""

    resolved: Resolved
    outcome: Outcome
    logins: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class MarketHalted:
    """A maintainer's halt of these contracts."""

    contracts: Sequence[ContractRow]
    reason: str


@dataclass(frozen=True, slots=True)
class HaltLifted:
    """The end of such a halt."""

    contracts: Sequence[ContractRow]
    reason: str


@dataclass(frozen=True, slots=True)
class Given:
    """Money given away; `receiver` is how its receiver is to be named."""

    gift: Gift
    receiver: str
    amount_mills: int


@dataclass(frozen=True, slots=True)
class MentionsChosen:
    """The choice of how often the user is mentioned in the repository."""

    mode: Mode


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The result there would be; nothing was done."""

    result: Result


Result = (
    Trade
    | Changed
    | TakenBack
    | Funded
    | Listed
    | Unlisted
    | MoneyShown
    | BookShown
    | PriceShown
    | PricesShown
    | HistoryShown
    | PositionsShown
    | OffersShown
    | InForce
    | HelpShown
    | Made
    | Disputed
    | Ruled
    | MarketHalted
    | HaltLifted
    | Given
    | MentionsChosen
    | Rehearsed
)
