"""The maker among traders, on the core itself: whatever they and the verdicts do, it loses no more than its budget."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.state import ContractState, Market
from app.market.ledger.journal import Kind
from app.market.maker import Style
from app.market.maker_news import News
from app.market.terms.contract import Outcome, Side, Status
from app.market.terms.errors import Refusal
from tests.market.drawing import NOW, terms
from tests.market.invariants import check, check_now
from tests.market.making import MAKER, Making
from tests.market.venue import Venue

PEOPLE = (1, 2, 3)
MATURATIONS = (NOW + 10_000, NOW + 20_000, NOW + 30_000)


def opened(dates: int, budget_mills: int, chances: list[float], style: Style, fee_bps: int = 0) -> Making:
    """A venue with a maker who has far more money than the budget, so that the budget alone bounds it."""
    market = Market()
    for at in range(dates):
        market.add(ContractState(at + 1, terms(fee_bps), MATURATIONS[at]))
    venue = Venue(market, NOW)
    for user in (*PEOPLE, MAKER):
        venue.grant(user, 10_000_000)
    rising = sorted(chances[:dates])
    return Making(venue, style, {at + 1: rising[at] for at in range(dates)})


def worth(making: Making) -> int:
    return making.venue.mills(Kind.FREE, MAKER) + making.venue.mills(Kind.RESERVE, MAKER)


def within_budget(making: Making) -> None:
    assert making.used_mills <= making.style.budget_mills


def step(making: Making, draw: st.DataObject) -> None:
    """One thing that happens; a refusal leaves everything as it was."""
    venue = making.venue
    contract = draw.draw(st.sampled_from(making.contracts))
    what = draw.draw(st.sampled_from(DEEDS))
    if venue.market.contracts[contract].status is Status.SETTLED:
        return
    if what == "trade":
        trade(venue, contract, draw)
    elif what == "chance":
        making.chances[contract] = draw.draw(st.floats(0.001, 0.999))
    elif what == "news":
        making.news = draw.draw(st.sampled_from((News(), News(), News(closed=True), News(linked_at=venue.now))))
    elif what == "halt":
        venue.halt(contract)
    elif what == "resume":
        venue.resume(contract)
    elif what == "wait":
        venue.now += draw.draw(st.integers(1, 2_000))
    elif what == "cancel":
        cancel_one(venue, draw)
    else:
        end(making, contract, draw.draw(st.sampled_from(Outcome)))


DEEDS = ("trade",) * 12 + ("chance", "chance", "news", "halt", "resume", "wait", "cancel", "settle")


def trade(venue: Venue, contract: int, draw: st.DataObject) -> None:
    user = draw.draw(st.sampled_from(PEOPLE))
    side = draw.draw(st.sampled_from(Side))
    held = venue.market.contracts[contract].free_units(user, side)
    action = draw.draw(st.sampled_from((Action.BUY, Action.BUY, Action.SELL))) if held else Action.BUY
    volume = draw.draw(st.integers(1, held if action is Action.SELL else 120))
    flags = draw.draw(st.sampled_from(({}, {"now_or_never": True}, {"all_or_none": True}, {"pool": True}, {})))
    if action is Action.SELL:
        flags = {name: on for name, on in flags.items() if name != "pool"}
    new = NewOffer(action, side, volume, draw.draw(st.integers(1, 999)), **flags)
    refused(lambda: venue.place(user, new, contract))


def refused(deed: Callable[[], object]) -> bool:
    try:
        deed()
    except Refusal:
        return True
    return False


def cancel_one(venue: Venue, draw: st.DataObject) -> None:
    states = venue.market.contracts.values()
    offers = [offer for state in states for offer in state.book.open_offers() if offer.user != MAKER]
    if offers:
        offer = draw.draw(st.sampled_from(offers))
        venue.cancel(offer.user, offer.number)


def end(making: Making, contract: int, outcome: Outcome) -> None:
    """Settle a contract: its budget is used up by what it cost, and grows by nothing that it gained."""
    before, paid = worth(making), making.paid_in(contract)
    making.venue.settle(outcome, contract=contract)
    got = worth(making) - before
    making.settled_mills += paid - got
    assert got >= 0


styles = st.builds(
    Style,
    st.integers(5_000, 250_000),
    b=st.sampled_from((25, 50, 100)),
    unit=st.integers(5, 20),
    rungs=st.integers(1, 6),
)
starts = st.lists(st.floats(0.02, 0.98), min_size=3, max_size=3)


@given(st.data(), st.integers(1, 3), styles, starts, st.sampled_from((0, 500)))
def test_it_never_loses_more_than_its_budget(
    draw: st.DataObject, dates: int, style: Style, chances: list[float], fee_bps: int
) -> None:
    """Both outcomes, voids, halts, partial fills, and kills in the midst of a re-quote or before it."""
    making = opened(dates, style.budget_mills, chances, style, fee_bps)
    for _ in range(draw.draw(st.integers(1, 14))):
        if draw.draw(st.booleans()):
            making.requote(draw.draw(st.sampled_from((None, None, 0, 1, 3, 7))))
            within_budget(making)
        step(making, draw)
        check_now(making.venue)
        within_budget(making)
        assert worth(making) + style.budget_mills >= 10_000_000 or making.unsettled()
    for contract in making.unsettled():
        end(making, contract, draw.draw(st.sampled_from(Outcome)))
    check(making.venue)
    assert worth(making) >= 10_000_000 - style.budget_mills


@given(st.data(), st.integers(1, 3), styles, starts)
def test_a_restart_quotes_the_same(draw: st.DataObject, dates: int, style: Style, chances: list[float]) -> None:
    """A second look changes nothing; and a re-quote that was killed anywhere comes to what a whole one comes to."""
    making = opened(dates, style.budget_mills, chances, style)
    making.requote()
    for _ in range(draw.draw(st.integers(0, 6))):
        step(making, draw)
    twin = opened(dates, style.budget_mills, chances, style)
    twin.venue, twin.chances, twin.news = making.venue, dict(making.chances), making.news
    twin.settled_mills = making.settled_mills
    making.requote(draw.draw(st.integers(0, 20)))
    twin.requote()
    settled = twin.offers()
    assert making.requote() == 0
    assert twin.requote() == 0
    assert making.offers() == settled


def test_all_that_is_bought_of_it_costs_it_the_ladder_and_no_more() -> None:
    making = opened(1, 64_570, [0.5, 0.9, 0.9], Style(64_570))
    for _ in range(60):
        making.requote()
        refused(lambda: making.venue.place(1, NewOffer(Action.BUY, Side.FIXED, 60, 999, now_or_never=True), 1))
    assert making.paid_in(1) == 64_570
    end(making, 1, Outcome.FIXED)
    assert worth(making) == 10_000_000 - 64_570


def test_a_halt_takes_its_offers_away() -> None:
    making = opened(1, 50_000, [0.5, 0.9, 0.9], Style(50_000))
    assert making.requote() == 12
    making.venue.halt(1)
    assert making.offers() == []
    assert making.requote() == 0
    making.venue.resume(1)
    assert making.requote() == 12


def test_it_does_not_meet_offers_of_others_but_quotes_beside_them() -> None:
    making = opened(1, 64_570, [0.5, 0.9, 0.9], Style(64_570))
    making.venue.place(1, NewOffer(Action.BUY, Side.FIXED, 100, 560), 1)
    making.requote()
    asks = [price for _, bid, price, *_ in making.offers() if not bid]
    assert asks == [575, 599, 623, 646, 669, 690]
    assert not making.venue.fills


def test_an_offer_that_fills_only_wholly_bars_no_more_than_it_would_take() -> None:
    """A large one waits crossed and is in nobody's way; a small one would be filled, so nothing is asked that low."""
    making = opened(1, 64_570, [0.5, 0.9, 0.9], Style(64_570))
    making.venue.place(1, NewOffer(Action.BUY, Side.FIXED, 1_000, 600, all_or_none=True), 1)
    making.requote()
    assert min(price for _, bid, price, *_ in making.offers() if not bid) == 525
    making = opened(1, 64_570, [0.5, 0.9, 0.9], Style(64_570))
    making.venue.place(1, NewOffer(Action.BUY, Side.FIXED, 20, 560, all_or_none=True), 1)
    making.requote()
    asks = [price for _, bid, price, *_ in making.offers() if not bid]
    assert asks[:2] == [525, 575]  # one rung is not enough for it, two would be
    assert not making.venue.fills
    assert making.requote() == 0


def test_selling_one_date_moves_the_quotes_of_all() -> None:
    making = opened(2, 400_000, [0.3, 0.5, 0.9], Style(400_000))
    making.requote()
    before = making.offers()
    making.venue.place(1, NewOffer(Action.BUY, Side.FIXED, 30, 999, now_or_never=True), 1)
    making.requote()
    later = [offer for offer in making.offers() if offer[0] == 2]
    assert min(price for _, bid, price, *_ in later if not bid) > min(
        price for contract, bid, price, *_ in before if not bid and contract == 2
    )
