"""The worked examples A, B, C, D, E, G, H and I of docs/market.md §6 in the core, to the mill."""

from __future__ import annotations

import copy

from app.market.exchange.voiding import VoidPrice
from app.market.terms.contract import Outcome
from tests.market.drawing import FIXED, UNFIXED, Scene, book, drawing, earned, kinds, trades
from tests.market.invariants import check

DAY = 86_400
START = book()


def base(fee_bps: int = 0, law: str = "2") -> Scene:
    """A. Base case: Adam wants it not fixed, or rather pays 160 tokens for it to be."""
    story = book(fee_bps=fee_bps, law=law)
    story.add("adam buy unfixed 200 @ 800")
    assert story.reserve("adam") == 160_000
    assert kinds(story.add("beth buy fixed 200 @ 200")) == ["expand"]
    assert (story.fills[0].price, story.escrow) == (200, 200_000)
    return story


def partial_work(law: str = "2") -> Scene:
    """B. Partial work: a week later Beth sells to Charles at 0.40."""
    story = base(law=law)
    story.now += 7 * DAY
    story.add("beth sell fixed 200 @ 400")
    assert kinds(story.add("charles buy fixed 200 @ 400")) == ["transfer"]
    return story


def results(story: Scene, outcome: Outcome, void: VoidPrice | None = None) -> dict[str, int]:
    """What each of the four has gained in the end, in mills."""
    end = copy.deepcopy(story)
    end.settle(outcome, void)
    check(end)
    return {name: earned(START, end, name) for name in ("adam", "beth", "charles", "bobby")}


def test_a_base_case() -> None:
    story = base()
    assert earned(START, story, "adam") == -160_000
    assert results(story, Outcome.FIXED) == {"adam": -160_000, "beth": 160_000, "charles": 0, "bobby": 0}
    assert results(story, Outcome.UNFIXED) == {"adam": 40_000, "beth": -40_000, "charles": 0, "bobby": 0}
    paid = copy.deepcopy(story)
    assert [(payout.paid_mills, payout.cost_mills) for payout in paid.settle(Outcome.FIXED)[1]] == [
        (0, 160_000),
        (200_000, 40_000),
    ]


def test_b_partial_work() -> None:
    story = partial_work()
    assert earned(START, story, "beth") == 40_000
    assert story.escrow == 200_000
    assert results(story, Outcome.FIXED) == {"adam": -160_000, "beth": 40_000, "charles": 120_000, "bobby": 0}
    assert results(story, Outcome.UNFIXED) == {"adam": 40_000, "beth": 40_000, "charles": -80_000, "bobby": 0}


def test_c_selling_the_other_side() -> None:
    story = base()
    before = copy.deepcopy(story)
    story.now += 2 * DAY
    story.add("adam sell unfixed 200 @ 700")
    assert kinds(story.add("bobby buy unfixed 200 @ 700")) == ["transfer"]
    assert earned(START, story, "adam") == -20_000
    assert earned(before, story, "beth") == 0
    assert story.units("beth", FIXED) == (200, 0)
    assert results(story, Outcome.FIXED) == {
        "adam": -20_000,
        "beth": 160_000,
        "charles": 0,
        "bobby": -140_000,
    }


def test_d_getting_out_by_buying_is_posting_for_posting_selling() -> None:
    sold = partial_work()
    bought = base()
    bought.now += 7 * DAY
    bought.add("beth buy unfixed 200 @ 600")
    assert drawing(bought) == ["beth ask 200 @ 400"]
    assert (bought.reserve("beth"), bought.units("beth", FIXED)) == (0, (0, 200))
    bought.add("charles buy fixed 200 @ 400")
    assert bought.entries[-1].postings == sold.entries[-1].postings
    assert [item.postings for item in bought.entries] == [item.postings for item in sold.entries]
    assert (bought.fills, bought.amendments, bought.balances) == (sold.fills, sold.amendments, sold.balances)
    assert (bought.state.fixed, bought.state.unfixed) == (sold.state.fixed, sold.state.unfixed)


def test_d_needs_no_free_money() -> None:
    story = base()
    story.add(f"beth bid {(10_000_000 - 40_000) // 40} @ 40")
    assert story.free("beth") == 0
    story.add("beth buy unfixed 200 @ 600")
    assert "beth ask 200 @ 400" in drawing(story)


def test_e_both_leave() -> None:
    story = base()
    before = copy.deepcopy(story)
    story.add("beth sell fixed 200 @ 350")
    assert kinds(story.add("adam sell unfixed 200 @ 650")) == ["reduce"]
    assert (story.escrow, story.state.open_interest, story.state.minted_mills) == (0, 0, 0)
    assert (earned(before, story, "beth"), earned(before, story, "adam")) == (70_000, 130_000)
    story.add("adam buy unfixed 200 @ 800")
    assert kinds(story.add("beth buy fixed 200 @ 200")) == ["expand"]
    check(story)


def test_g_improvement() -> None:
    story = book("adam buy unfixed 10 @ 900", "beth buy unfixed 10 @ 800")
    fills = story.add("charles buy fixed 15 @ 300")
    assert trades(fills) == [("adam", 10, 100), ("beth", 5, 200)]
    assert (earned(START, story, "charles"), story.reserve("charles")) == (-2_000, 0)


def test_law_1_h_void() -> None:
    story = partial_work(law="1")
    story.now += 8 * DAY
    pair = VoidPrice(story.state.minted_mills, story.state.open_interest)
    assert (pair.minted_mills, pair.open_interest) == (40_000, 200)
    assert results(story, Outcome.VOID, pair) == {"adam": 0, "beth": 40_000, "charles": -40_000, "bobby": 0}


def test_law_1_h_a_wash_mint_just_before_moves_nothing() -> None:
    """The pair of 7 days before still says 200; the washers get 200 and 800 a unit like everybody."""
    story = partial_work(law="1")
    pair = VoidPrice(story.state.minted_mills, story.state.open_interest)
    story.now += 8 * DAY
    story.add("bobby buy unfixed 500 @ 10")
    story.add("ann buy fixed 500 @ 990")
    assert story.state.minted_mills == 40_000 + 500 * 990
    assert results(story, Outcome.VOID, pair) == {
        "adam": 0,
        "beth": 40_000,
        "charles": -40_000,
        "bobby": 500 * 790,
    }


def test_i_fee() -> None:
    story = base(fee_bps=1_000)
    _, payouts = story.settle(Outcome.FIXED)
    assert [(payout.paid_mills, payout.cost_mills, payout.fee_mills) for payout in payouts] == [
        (0, 160_000, 0),
        (200_000 - 16_000, 40_000, 16_000),
    ]
    assert (story.fees, story.units("adam", UNFIXED)) == (16_000, (0, 0))
