"""Every refusal of an offer by its sentence and the command that would do instead (docs/market.md §2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.market.exchange.expiry import expire
from app.market.exchange.matching import cancel
from app.market.exchange.offer import Action, NewOffer
from app.market.terms.errors import (
    InsufficientFunds,
    InsufficientUnits,
    InvalidOffer,
    NotTrading,
    Refusal,
    UnknownOffer,
)
from app.market.terms.money import format_price
from tests.market.drawing import (
    FIXED,
    IDS,
    MATURATION_AT,
    NAMES,
    NOW,
    Scene,
    book,
    crowded,
    drawing,
    scene,
    suspended,
)
from tests.market.invariants import check

EARLY, LATE = 3, 5
BY = "by 1970-04-26T17:46:40Z"
NOT_TRADING = "This contract is not trading now."
HOLDING = ["ann 10 fixed @ 200", "bob 5 fixed @ 200", "carol 4 fixed @ 200"]
DUST = "An offer that comes to rest must be for at least 5 units; a smaller one may be now-or-never."
VOLUME = "The volume must be 1 to 1,000,000,000 units."
PRICE = "The price must be between 0.001 and 0.999."
UNTIL = "`until` must be later than now and not later than the contract's maturation."
EITHER = "`post-only` goes with neither `all-or-none` nor `now-or-never`."
FOR_BUYERS = "Only buy offers can share a pool or span a range."
CROSSES = "This offer would fill at once, and post-only forbids that."
OFFER = f"/bugmark offer fixed 5 at 0.50 {BY}"

REFUSED = [
    ("ann bid 0 @ 500", InvalidOffer, VOLUME, "/bugmark help offer"),
    ("ann bid 5 @ 1000", InvalidOffer, PRICE, None),
    ("ann bid 5 @ 500 until 1000 pool", InvalidOffer, UNTIL, f"{OFFER} until DATE pool"),
    ("ann bid 5 @ 500 all-or-none post-only", InvalidOffer, EITHER, "/bugmark help offer"),
    ("ann bid 5 @ 500 now-or-never post-only", InvalidOffer, EITHER, "/bugmark help offer"),
    ("ann sell fixed 5 @ 400 pool", InvalidOffer, FOR_BUYERS, f"/bugmark sell fixed 5 at 0.40 {BY}"),
    (
        "ann sell fixed 11 @ 400",
        InsufficientUnits,
        "You have 10 free FIXED units here, not 11.",
        f"/bugmark sell fixed 10 at 0.40 {BY}",
    ),
    (
        "bob sell fixed 6 @ 400 post-only",
        InsufficientUnits,
        "You have 5 free FIXED units here, not 6.",
        f"/bugmark sell fixed 5 at 0.40 {BY} post-only",
    ),
    (
        "carol sell fixed 6 @ 400 post-only",
        InsufficientUnits,
        "You have 4 free FIXED units here, not 6.",
        "/bugmark balance",
    ),
    (
        "dave sell unfixed 5 @ 400",
        InsufficientUnits,
        "You have 0 free UNFIXED units here, not 5.",
        "/bugmark positions",
    ),
    (
        "dave bid 20010 @ 500",
        InsufficientFunds,
        "This needs 10,005.00 and you have 10,000.00 free.",
        f"/bugmark offer fixed 20000 at 0.50 {BY}",
    ),
    ("dave bid 4 @ 500 post-only", InvalidOffer, DUST, f"/bugmark book {BY}"),
    (
        "dave bid 5 @ 900 post-only cancel-on-halt",
        InvalidOffer,
        CROSSES,
        f"/bugmark offer fixed 5 at PRICE {BY} post-only",
    ),
]


def refusal(attempt: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as refused:
        attempt()
    return refused.value


def told(found: Refusal) -> tuple[type[Refusal], str, str | None]:
    return type(found), found.sentence, found.correction


@pytest.mark.parametrize(("line", "kind", "sentence", "correction"), REFUSED)
def test_a_refusal_says_what_is_wrong_and_what_would_do(
    line: str, kind: type[Refusal], sentence: str, correction: str | None
) -> None:
    standing = book("fay ask 5 @ 900", holding=HOLDING)
    assert told(refusal(lambda: standing.add(line))) == (kind, sentence, correction)


def test_after_maturation_the_book_may_still_be_read() -> None:
    late = scene()
    late.now = MATURATION_AT
    assert told(refusal(lambda: late.add("ann bid 5 @ 500"))) == (NotTrading, NOT_TRADING, f"/bugmark book {BY}")


def test_who_can_pay_for_no_unit_is_shown_their_balance() -> None:
    poor = scene(purse_mills=499)
    found = refusal(lambda: poor.add("ann bid 5 @ 500"))
    sentence = "This needs 2.50 and you have 0.499 free."
    assert told(found) == (InsufficientFunds, sentence, "/bugmark balance")
    assert isinstance(found, InsufficientFunds) and (found.need_mills, found.free_mills) == (2_500, 499)


def test_a_sale_names_one_contract() -> None:
    story = scene(maturations=((EARLY, MATURATION_AT), (LATE, MATURATION_AT + 1)))
    found = refusal(lambda: story.spread("ann sell fixed 5 @ 400", (EARLY, LATE)))
    assert told(found) == (InvalidOffer, FOR_BUYERS, "/bugmark sell fixed 5 at 0.40 by 1970-04-26T17:46:41Z")


def test_where_a_user_has_fifty_offers_they_are_shown() -> None:
    full = crowded(50)
    found = refusal(lambda: full.place(1_000, NewOffer(Action.BUY, FIXED, 5, 400)))
    assert told(found) == (InvalidOffer, "You have 50 open offers here already.", "/bugmark offers")


FULL = "50 all-or-none offers wait on this side of the book already, none at a worse price than yours"


@pytest.mark.parametrize(
    ("stance", "worst", "line", "better"),
    [
        ("bid", 400, "crowd buy fixed 5 @ 400", "; one above 0.40 would take the place of the last."),
        ("bid", 400, "crowd sell unfixed 5 @ 600", "; one below 0.60 would take the place of the last."),
        ("ask", 700, "crowd buy unfixed 5 @ 300", "; one above 0.30 would take the place of the last."),
        ("bid", 999, "crowd buy fixed 5 @ 400", "."),
    ],
)
def test_where_fifty_all_or_none_offers_wait_a_better_price_or_one_that_does_not_wait_would_do(
    stance: str, worst: int, line: str, better: str
) -> None:
    full = book("ann bid 5 @ 500", "crowd ask 5 @ 500")
    for number in range(50):
        full.add(f"{NAMES[number // 5]} {stance} 5 @ {worst} all-or-none")
    found = refusal(lambda: full.add(f"{line} all-or-none"))
    action, side, price = line.split()[1], line.split()[2], int(line.split()[-1])
    verb = "offer" if action == "buy" else "sell"
    instead = f"/bugmark {verb} {side} 5 at {format_price(price)} by 1970-04-26T17:46:40Z all-or-none now-or-never"
    assert told(found) == (InvalidOffer, FULL + better, instead)


def test_a_user_has_five_all_or_none_offers_in_a_contract() -> None:
    full = scene()
    for price in range(100, 105):
        full.add(f"ann bid 5 @ {price} all-or-none")
    found = refusal(lambda: full.add("ann bid 5 @ 500 all-or-none"))
    sentence = "You have 5 all-or-none offers waiting here already, which is the most."
    assert told(found) == (InvalidOffer, sentence, f"{OFFER} all-or-none now-or-never")


def test_a_pool_spans_ten_contracts() -> None:
    numbers = range(3, 14)
    story = scene(maturations=[(number, MATURATION_AT + number) for number in numbers])
    for number in numbers[:10]:
        story.add("ann bid 5 @ 500 pool", number)
    found = refusal(lambda: story.add("ann bid 5 @ 500 pool", 13))
    sentence = "Your pool has offers in 10 contracts already, which is the most."
    instead = "/bugmark offer fixed 5 at 0.50 by 1970-04-26T17:46:53Z now-or-never pool"
    assert told(found) == (InvalidOffer, sentence, instead)
    story.add("ann bid 5 @ 500 pool", 12)
    story.add("ann bid 5 @ 500 pool now-or-never", 13)
    for number in [offer.number for offer in story.market.contracts[3].book.open_offers()]:
        story.cancel(IDS["ann"], number)
    story.add("ann bid 5 @ 500 pool", 13)
    check(story)


def test_only_an_open_offer_of_ones_own_is_cancelled_and_wholly_unless_some_is_kept() -> None:
    standing = book("ann bid 5 @ 500")
    market, ann = standing.market, IDS["ann"]
    unknown = (UnknownOffer, "You have no open offer o9.", "/bugmark positions")
    assert told(refusal(lambda: cancel(market, 9, user=ann, now=NOW))) == unknown
    assert told(refusal(lambda: expire(market, 9, now=NOW))) == (UnknownOffer, "Offer o9 is not open.", None)
    cancel(market, 1, user=ann, now=NOW)
    assert drawing(standing) == []


# -- suspended offers -----------------------------------------------------------------------------------------------


def emptied(until: str = "") -> Scene:
    """ann's o1 of c3 needs 50 000; the fill of o2 in c5 has left 25 000."""
    story = scene(maturations=((EARLY, MATURATION_AT), (LATE, MATURATION_AT + 1)))
    story.add(f"ann bid 100 @ 500{until} pool", EARLY)
    story.add("ann bid 100 @ 500 pool", LATE)
    story.add("bob ask 50 @ 500", LATE)
    assert suspended(story) == [1]
    return story


def test_a_suspended_offer_comes_back_only_if_its_pool_has_what_it_needs() -> None:
    found = refusal(lambda: emptied().resume_offer(1))
    assert told(found) == (InsufficientFunds, "Offer o1 needs more than is left of its pool.", None)
    assert isinstance(found, InsufficientFunds) and (found.need_mills, found.free_mills) == (50_000, 25_000)


def test_a_suspended_offer_comes_back_only_while_its_contract_trades() -> None:
    story = emptied()
    story.halt(EARLY)
    assert told(refusal(lambda: story.resume_offer(1))) == (NotTrading, NOT_TRADING, None)


def test_a_suspended_offer_does_not_come_back_at_its_last_instant() -> None:
    story = emptied(" until 2000")
    story.now = 2_000
    assert told(refusal(lambda: story.resume_offer(1))) == (NotTrading, NOT_TRADING, None)


@pytest.mark.parametrize("number", [2, 9])
def test_what_is_not_suspended_does_not_come_back(number: int) -> None:
    unknown = (UnknownOffer, f"Offer o{number} is not suspended.", "/bugmark offers")
    assert told(refusal(lambda: emptied().resume_offer(number))) == unknown


def test_a_suspended_offer_does_not_come_back_as_the_fifty_first() -> None:
    story = emptied()
    for price in range(1, 51):
        story.add(f"ann bid 5 @ {price}", EARLY)
    story.add("ann bid 100 @ 500 pool", LATE)
    before = story.picture()
    full = (InvalidOffer, "You have 50 open offers here already.", "/bugmark offers")
    assert told(refusal(lambda: story.resume_offer(1))) == full
    assert story.picture() == before
    story.add("bob ask 5 @ 50", EARLY)
    story.resume_offer(1)
    assert drawing(story, EARLY)[0] == "ann bid 100 @ 500"


def test_a_suspended_post_only_offer_does_not_come_back_to_fill() -> None:
    story = scene(maturations=((EARLY, MATURATION_AT), (LATE, MATURATION_AT + 1)))
    story.add("ann bid 5 @ 500 post-only cancel-on-halt pool", EARLY)
    story.add("ann bid 5 @ 400 pool", LATE)
    story.add("bob ask 5 @ 400", LATE)
    story.add("bob ask 5 @ 500", EARLY)
    story.add("ann bid 25 @ 100 pool", LATE)
    assert told(refusal(lambda: story.resume_offer(1))) == (
        InvalidOffer,
        CROSSES,
        f"/bugmark offer fixed 5 at PRICE {BY} post-only pool",
    )
