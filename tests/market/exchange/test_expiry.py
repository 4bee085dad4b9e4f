"""Offers that are due, in all contracts at once, and what fills when they go (docs/market.md §2)."""

from __future__ import annotations

import copy

import pytest

from app.market.exchange.expiry import due, expire, filling
from app.market.exchange.matching import cancel, place, retry
from tests.market.drawing import IDS, MATURATION_AT, NOW, Scene, book, drawing, offer, scene
from tests.market.invariants import check

EARLY, LATE = 3, 5
SOON = NOW + 60


def two() -> Scene:
    return scene(maturations=((EARLY, MATURATION_AT), (LATE, MATURATION_AT)))


def blocked(contract: int = EARLY) -> Scene:
    """carol's seven and dave's five would be ann's twelve, but bob's eight come first and leave four, until SOON."""
    story = two()
    story.add(f"bob ask 8 @ 400 until {SOON} all-or-none", contract)
    story.add("carol ask 7 @ 450 all-or-none", contract)
    story.add("dave ask 5 @ 460 all-or-none", contract)
    story.add("ann bid 12 @ 500 all-or-none", contract)
    return story


def numbers(story: Scene, among: set[int], now: int) -> list[int]:
    return [found.number for found in due(story.market, among, now)]


def test_what_is_due_in_all_contracts_comes_in_one_order_of_until_and_number() -> None:
    story = two()
    for contract, until in (
        (LATE, 1_030),
        (EARLY, 1_040),
        (LATE, 1_040),
        (EARLY, 1_030),
        (EARLY, 1_020),
        (LATE, 1_041),
    ):
        story.add(f"ann bid 5 @ 400 until {until}", contract)
    assert numbers(story, {EARLY, LATE}, 1_040) == [5, 1, 4, 2, 3]
    assert numbers(story, {EARLY}, 1_040) == [5, 4, 2]
    assert numbers(story, {EARLY, LATE}, 1_019) == []
    story.now = 1_040
    assert story.expire() == [5, 1, 4, 2, 3]
    check(story)


def test_what_is_suspended_is_due_as_well() -> None:
    story = two()
    story.add(f"ann bid 10 @ 500 until {SOON} pool", EARLY)
    story.add("ann bid 10 @ 500 pool", LATE)
    story.add("bob ask 10 @ 500", LATE)
    assert numbers(story, {EARLY, LATE}, SOON) == [1]


def test_what_fills_as_they_go_is_found_out_without_changing_anything() -> None:
    for contract in (EARLY, LATE):
        story = blocked(contract)
        before = story.picture()
        assert filling(story.market, {EARLY, LATE}, SOON) == {contract}
        assert filling(story.market, {EARLY, LATE}, SOON - 1) == set()
        assert filling(story.market, {EARLY, LATE} - {contract}, SOON) == set()
        assert story.picture() == before


def test_nothing_fills_where_nothing_could() -> None:
    story = blocked()
    story.cancel(IDS["dave"], 3)
    assert filling(story.market, {EARLY, LATE}, SOON) == set()
    halted = blocked()
    halted.halt(EARLY)
    assert filling(halted.market, {EARLY, LATE}, SOON) == set()


def test_re_tries_are_put_off_where_nothing_may_fill_now() -> None:
    story = blocked()
    changes = expire(story.market, 1, now=SOON, later=True)
    assert (changes.fills, changes.to_retry) == ([], {EARLY})
    assert drawing(story) == ["carol ask 7 @ 450", "dave ask 5 @ 460", "ann bid 12 @ 500"]
    assert [fill.volume for fill in retry(story.market, EARLY, now=SOON).fills] == [7, 5]


def test_nothing_is_put_off_where_no_all_or_none_offer_waits() -> None:
    story = book(f"bob ask 8 @ 400 until {SOON}")
    assert expire(story.market, 1, now=SOON, later=True).to_retry == set()


@pytest.mark.parametrize(("room", "volumes"), [(0, []), (1, []), (2, [7, 5])])
def test_re_tries_for_which_a_command_has_no_room_are_put_off(room: int, volumes: list[int]) -> None:
    story = blocked()
    changes = cancel(story.market, 1, user=IDS["bob"], now=NOW, room=room)
    assert [fill.volume for fill in changes.fills] == volumes
    assert changes.to_retry == (set() if volumes else {EARLY})


def test_a_re_try_that_fails_with_all_room_is_not_put_off() -> None:
    story = blocked()
    story.cancel(IDS["dave"], 3)
    assert cancel(story.market, 1, user=IDS["bob"], now=NOW, room=1).to_retry == set()


@pytest.mark.parametrize(("room", "filled", "stopped"), [(0, 0, True), (1, 5, True), (2, 10, False)])
def test_an_offer_makes_no_more_fills_than_its_command_has_room_for(room: int, filled: int, stopped: bool) -> None:
    story = book("bob ask 5 @ 400", "carol ask 5 @ 410")
    user, new = offer("ann bid 10 @ 500")
    twin = copy.deepcopy(story)
    changes = place(twin.market, EARLY, new, number=3, user=user, now=NOW, room=room)
    assert (changes.offers[3].filled, changes.offers[3].remaining, changes.stopped) == (filled, 0, stopped)
