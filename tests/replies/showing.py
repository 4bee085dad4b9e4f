"""Contracts, books and users for the tests of what is drawn: rows as the database would give them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.market.exchange.fill import FillKind
from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.exchange.position import Position
from app.market.prices.price import Paid
from app.market.prices.quotes import Trade
from app.market.terms.contract import Outcome, Side, Status, canonical, digest
from app.market.terms.statement import ADVISORY, ISSUE_FIXED, Advisory, text_of
from app.replies.reply import NOTHING_BELOW, Below, reply
from app.services.accounts.accounts import Balance
from app.services.rules.config import Config
from app.services.views.contract_views import BookView, ContractView, Holder, IssueView
from app.services.views.holdings import UserView
from app.services.views.market_views import speaking
from app.storage.market.contracts import ContractRow
from app.storage.market.market_data import Levels, Standing, Volume
from app.storage.queues.commands import CommandRecord
from app.storage.queues.told import Batch
from tests.clocks import START_AT

DAY = 86_400
NOW = START_AT + 9 * 3600 + 120
OWNER = 7


def day(days: int) -> int:
    """The last second of the day so many days ahead."""
    return START_AT + days * DAY + DAY - 1


def row(number: int = 1, days: int = 30, **values: Any) -> ContractRow:
    terms = Config().terms(OWNER).text()
    statement = canonical({"kind": ISSUE_FIXED, "issue": 101, "round": values.get("round", 1)})
    base: dict[str, Any] = {
        "id": number,
        "issue_id": 101,
        "statement_text": statement,
        "statement_hash": digest(statement),
        "kind": ISSUE_FIXED,
        "round": 1,
        "maturation_at": day(days),
        "currency": f"play:{OWNER}",
        "terms_text": terms,
        "terms_hash": digest(terms),
        "status": Status.OPEN,
        "outcome": None,
        "open_interest": 0,
        "minted_mills": 0,
        "amendment": 0,
        "created_at": START_AT,
    }
    return ContractRow(**{**dict.fromkeys(ContractRow.__slots__), "retry_due": False, **base, **values})


def forecast(number: int, days: int = 30, package: str = "left-pad", **values: Any) -> ContractRow:
    text = text_of(Advisory(101, 1, START_AT, day(days), "npm", package, "high"))
    return row(number, days, kind=ADVISORY, statement_text=text, statement_hash=digest(text), **values)


def halted(found: ContractRow, ends_at: int = NOW + DAY) -> ContractRow:
    return replace(found, status=Status.HALTED, window_ends_at=ends_at, window_opened_at=NOW, verdict=Outcome.FIXED)


def settled(found: ContractRow, outcome: Outcome = Outcome.FIXED, at: int = NOW) -> ContractRow:
    return replace(found, status=Status.SETTLED, outcome=outcome, settled_at=at)


def view(
    found: ContractRow,
    bids: list[tuple[int, int]] | None = None,
    asks: list[tuple[int, int]] | None = None,
    **values: Any,
) -> ContractView:
    return ContractView(found, NOW, Levels(bids or [], asks or []), **values)


def marks(*prices: int) -> list[Trade]:
    """Fills of 50 units, the last an hour ago."""
    count = len(prices)
    return [
        Trade(1, at, NOW - 3_600 * (count + 1 - at), price, 50, FillKind.EXPAND) for at, price in enumerate(prices, 1)
    ]


def traded(found: ContractRow, prices: list[int], volume: int = 1_234, **values: Any) -> ContractView:
    """A contract with a history, firm quotes around its last price and holders."""
    last, units = prices[-1], volume // 2
    return view(
        replace(found, open_interest=units),
        [(last - 30, 100), (last - 50, 40)],
        [(last + 20, 80), (last + 70, 250)],
        paid=Paid(units, units * last, units * (1000 - last)),
        marks=marks(*prices),
        price_before=prices[0],
        volume=Volume(volume, volume // 10),
        void_price=prices[0],
        top=[Holder("adam", Side.UNFIXED, 400), Holder("beth", Side.FIXED, 350), Holder("carl", Side.FIXED, 50)],
        holders=5,
        **values,
    )


def issue(*views: ContractView, done: list[ContractView] | None = None, left_out: int = 0, **found: Any) -> IssueView:
    reward = max((one.reward_mills for one in views if one.row.open), default=0)
    return IssueView(NOW, list(views), done or [], left_out, speaking(views), **{"reward_mills": reward, **found})


def standing(number: int, login: str, action: Action, side: Side, units: int, price: int, **values: Any) -> Standing:
    base = {"until_at": day(30), "all_or_none": False}
    return Standing(number, number, login, action, side, price, units, **{**base, **values})


def book_view(found: ContractRow, levels: Levels | None = None, offers: list[Standing] | None = None) -> BookView:
    return BookView(found, NOW, levels or Levels(), offers or [])


def offer(number: int, action: Action, side: Side, volume: int, price: int, until_at: int = day(30)) -> Offer:
    new = NewOffer(action, side, volume, price, until_at)
    return Offer(
        new, number=number, user=1, contract=1, until_at=until_at, units_left=0, cash_left=volume, created_at=NOW
    )


def answered(*records: CommandRecord, below: Below = NOTHING_BELOW) -> str:
    """The reply to one comment."""
    return reply([Batch(1, records)], below)


def user(
    positions: list[tuple[int, Side, Position]] | None = None,
    offers: list[tuple[int, Offer]] | None = None,
    rows: list[ContractRow] | None = None,
    free: int = 940_000,
    reserve: int = 60_000,
) -> UserView:
    known = {found.id: found for found in rows or [row()]}
    return UserView("adam", Balance(f"play:{OWNER}", free, reserve), "octo", offers or [], positions or [], known)


def record(answer: str, done: bool = True, number: int = 5) -> CommandRecord:
    return CommandRecord(number, "", 1, done, answer)
