"""Reading what the market tells, for replies and the market comment (docs/market.md §8). Nothing is locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.market.exchange import voiding
from app.market.exchange.voiding import LAW_1, Stake, VoidPrice
from app.market.life.facts import Watch
from app.market.life.next_step import VOID_LOOK_BACK_SECONDS
from app.market.prices.price import headline
from app.market.prices.reward import stake_of
from app.market.terms.contract import Status
from app.market.terms.statement import ISSUE_FIXED
from app.services.accounts import insiders
from app.services.life import life_state
from app.services.rules.config import Config
from app.services.rules.in_force import StoredConfigs
from app.services.views.contract_views import BookView, ContractView, Holder, IssueView
from app.storage.engine.db import Tx
from app.storage.market import contracts, market_data, stakes, workers
from app.storage.market.contracts import ContractRow
from app.storage.market.market_data import DAY_SECONDS, Standing
from app.storage.people import places

TOP_HOLDERS = 3
SPARK_PRICES = 60
"""Number of last prices in a spark line."""

BOOK_OFFERS = 10
"""Offers of each half that are named."""

WORKERS_NAMED = 5
MOST_TRADING = 30
MOST_SETTLED = 20
"""Contracts of one issue that are shown, the largest and the newest; anybody may make more."""


async def issue_view(tx: Tx, issue_id: int, now: int) -> IssueView:
    """Every contract of an issue that there is room for; what speaks for it is sought among all."""
    rows = await contracts.of_thread(tx, issue_id, now)
    done = sorted(
        (row for row in rows if row.status is Status.SETTLED), key=lambda row: (-(row.settled_at or 0), row.id)
    )
    going = await readings(tx, [row for row in rows if row.status is not Status.SETTLED], now)
    speaker = speaking(going)
    trading = _largest(going, MOST_TRADING, speaker)
    settled = done[:MOST_SETTLED]
    shown = await _views(tx, trading, now)
    working, count = await workers.listed(tx, issue_id, now, WORKERS_NAMED)
    return IssueView(
        now=now,
        trading=shown,
        settled=await _settled(tx, settled, now),
        left_out=len(rows) - len(trading) - len(settled),
        headline=next((view for view in shown if speaker and view.id == speaker.id), None),
        reward_mills=_reward(going),
        working=working,
        all_working=count,
        **await _to_take(tx, going, speaker, now),
    )


async def readings(tx: Tx, rows: Sequence[ContractRow], now: int) -> list[ContractView]:
    """Load the parts of prices and rewards for contracts of one issue, in two statements."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    levels, paid, stake = (
        await market_data.levels(tx, ids, now),
        await market_data.paid(tx, ids),
        await _stake(tx, rows[0].issue_id),
    )
    return [ContractView(row, now, levels[row.id], paid[row.id], stake) for row in rows]


async def _stake(tx: Tx, issue_id: int) -> int:
    """Money of a newcomer there."""
    place = await places.place(tx, issue_id)
    config = await StoredConfigs().config(tx, place.repository) if place else Config()
    return stake_of(config.welcome_grant_mills)


def speaking(views: Sequence[ContractView]) -> ContractView | None:
    """The open contract whose price is the issue's; where none is about the issue itself, the largest forecast."""
    going = [view for view in views if view.row.open]
    return headline([view for view in going if view.row.kind == ISSUE_FIXED]) or headline(going)


def _reward(views: Sequence[ContractView]) -> int:
    """The largest that an open contract on the issue itself has on offer."""
    own = [view for view in views if view.row.open and view.row.kind == ISSUE_FIXED]
    return max((view.reward_mills for view in own), default=0)


async def _to_take(
    tx: Tx, views: Sequence[ContractView], speaker: ContractView | None, now: int
) -> dict[str, Standing | None]:
    """The offers whose numbers can be copied: never those of a contract that somebody put just before another."""
    if speaker is None:
        return {}
    if speaker.row.kind != ISSUE_FIXED:
        alone = [speaker.id]
        return {
            "to_fixer": await market_data.best_ask(tx, alone, now),
            "to_doubter": await market_data.best_bid(tx, alone, now),
        }
    near = [view.id for view in views if _beside(view.row, speaker.row)]
    return {"to_fixer": await market_data.best_ask(tx, near, now)}


def _beside(row: ContractRow, other: ContractRow) -> bool:
    """An open contract on the same, in the same tokens, that matures within a day of the other."""
    same = row.kind == other.kind and row.round == other.round and row.currency == other.currency
    return row.open and same and abs(row.maturation_at - other.maturation_at) <= DAY_SECONDS


async def contract_view(tx: Tx, row: ContractRow, now: int) -> ContractView:
    return (await _views(tx, await readings(tx, [row], now), now))[0]


async def book_view(tx: Tx, row: ContractRow, now: int) -> BookView:
    return (await _books(tx, [row], now))[0]


async def _books(tx: Tx, rows: Sequence[ContractRow], now: int) -> list[BookView]:
    ids = [row.id for row in rows]
    levels, best = await market_data.levels(tx, ids, now), await market_data.best_offers(tx, ids, now, BOOK_OFFERS)
    lives = await _lives(tx, rows)
    return [BookView(row, now, levels[row.id], best[row.id], lives.get(row.id)) for row in rows]


async def _lives(tx: Tx, rows: Sequence[ContractRow]) -> dict[int, Watch]:
    """Lives of those that are halted, as far as they are known; nothing is read where none is."""
    halted = [row for row in rows if row.status is Status.HALTED]
    place = await places.place(tx, halted[0].issue_id) if halted else None
    return await life_state.watches_of(tx, place, halted) if place is not None else {}


async def best_reward(tx: Tx, issue_id: int, now: int) -> int:
    """The reward that the issue has on offer, in mills: the same as in its market comment."""
    rows = [row for row in await contracts.of_issue(tx, issue_id, now) if row.open]
    return _reward(await readings(tx, rows, now))


async def worths(tx: Tx, rows: Sequence[ContractRow], now: int) -> dict[int, tuple[int, str] | None]:
    """Value FIXED in each of these contracts of one issue, and name the source."""
    found = await readings(tx, rows, now)
    marks = await market_data.marks(tx, [view.id for view in found], 1)
    return {view.id: replace(view, marks=marks[view.id]).worth for view in found}


def _largest(views: Sequence[ContractView], most: int, speaker: ContractView | None) -> list[ContractView]:
    """Those with the most open interest and what speaks for the issue, in the order they came."""

    def rank(view: ContractView) -> tuple[bool, int, bool, int, int]:
        return view is not speaker, -view.open_interest, not view.says_something, view.maturation_at, view.id

    kept = {view.id for view in sorted(views, key=rank)[:most]}
    return [view for view in views if view.id in kept]


async def _views(tx: Tx, found: Sequence[ContractView], now: int) -> list[ContractView]:
    """Readings of one issue with everything else that is shown of them."""
    if not found:
        return []
    ids = [view.id for view in found]
    marked = await insiders.disclosed(tx, found[0].row.issue_id)
    volumes = await market_data.volumes(tx, ids, now - DAY_SECONDS)
    holders = await market_data.holders(tx, ids)
    marks, top = await market_data.marks(tx, ids, SPARK_PRICES), await market_data.largest(tx, ids, TOP_HOLDERS)
    before = await market_data.prices_at(tx, ids, now - DAY_SECONDS)
    by_law_1 = await _void_prices(tx, [view.row for view in found], now)
    lives = await _lives(tx, [view.row for view in found])
    return [
        replace(
            view,
            watch=lives.get(view.id),
            marks=marks[view.id],
            price_before=before.get(view.id),
            volume=volumes[view.id],
            void_price=by_law_1.get(view.id),
            top=[
                Holder(login, side, units, user in marked and view.row.terms.insiders != insiders.ALLOW)
                for user, login, side, units in top[view.id]
            ],
            holders=holders.get(view.id, 0),
        )
        for view in found
    ]


async def _settled(tx: Tx, rows: Sequence[ContractRow], now: int) -> list[ContractView]:
    """View contracts that are over: only the last price and the volume."""
    ids = [row.id for row in rows]
    volumes, marks = await market_data.volumes(tx, ids, now - DAY_SECONDS), await market_data.marks(tx, ids, 1)
    return [ContractView(row=row, now=now, marks=marks[row.id], volume=volumes[row.id]) for row in rows]


async def _void_prices(tx: Tx, rows: Sequence[ContractRow], now: int) -> dict[int, int]:
    """Void prices of contracts under law 1, as a settlement would read them; law 2 has none."""
    found = await void_pairs(tx, rows, now)
    return {number: pair.minted_mills // pair.open_interest for number, pair in found.items() if pair.open_interest}


async def void_pairs(tx: Tx, rows: Sequence[ContractRow], now: int) -> dict[int, VoidPrice]:
    """As it stood seven days before the window opened, or before now; of contracts made under law 1."""
    old = [row for row in rows if row.terms.law == LAW_1]
    since = {row.id: (now if row.window_opened_at is None else row.window_opened_at) for row in old}
    return await stakes.void_prices(tx, {number: at - VOID_LOOK_BACK_SECONDS for number, at in since.items()})


async def void_payouts(tx: Tx, rows: Sequence[ContractRow], now: int) -> dict[int, dict[int, tuple[Stake, int]]]:
    """By contract and user: what each holder has in it, and what a VOID would pay now, in mills."""
    pairs = await void_pairs(tx, rows, now)
    found = {}
    held = await stakes.stakes(tx, [row.id for row in rows]) if rows else {}
    for row in rows:
        paid = voiding.void_payouts(row.terms, held[row.id], pairs.get(row.id))
        found[row.id] = {user: (held[row.id][user], mills) for user, mills in paid.items()}
    return found
