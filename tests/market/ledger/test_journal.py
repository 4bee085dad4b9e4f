"""Entries, their hashes and seals; and that the same commands always write the same entries (docs/market.md §4)."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from app.market.exchange.offer import Action, NewOffer
from app.market.exchange.state import Changes
from app.market.exchange.voiding import VoidPrice
from app.market.ledger.entries import Before, entry_of
from app.market.ledger.journal import (
    GENESIS_SEAL,
    AccountKey,
    Entry,
    Kind,
    Posting,
    dated_seal,
    entry,
    entry_hash,
    imbalance,
    seal_hash,
    stored_hash,
    unit_currency,
)
from app.market.terms.contract import Outcome, Side, canonical, digest
from app.market.terms.errors import Refusal
from tests.market.drawing import FIXED, IDS, UNFIXED, Scene, book, scene
from tests.market.invariants import check_entries
from tests.market.venue import CONTRACT, CURRENCY

ANN, BOB = IDS["ann"], IDS["bob"]


def free(user: int) -> AccountKey:
    return AccountKey(Kind.FREE, user, CURRENCY)


def test_an_entry_must_balance() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        entry("k", "c", 1, {free(ANN): 5, free(BOB): -4})


def test_an_entry_must_balance_in_each_currency() -> None:
    units = AccountKey(Kind.UNITS_FREE, BOB, unit_currency(CONTRACT, FIXED))
    with pytest.raises(ValueError, match="does not balance"):
        entry("k", "c", 1, {free(ANN): 5, units: -5})


def test_accounts_that_come_out_even_are_left_out() -> None:
    made = entry("k", "c", 1, {free(ANN): 5, free(3): 0, free(BOB): -5})
    assert made.postings == (Posting(Kind.FREE, ANN, CURRENCY, 5), Posting(Kind.FREE, BOB, CURRENCY, -5))


def test_imbalance_says_what_is_missing() -> None:
    postings = [Posting(Kind.FREE, ANN, "a", 5), Posting(Kind.FREE, BOB, "a", -3), Posting(Kind.FREE, BOB, "b", 0)]
    assert imbalance(postings) == {"a": 2}


def test_units_of_each_side_of_each_contract_are_currencies_of_their_own() -> None:
    assert len({unit_currency(contract, side) for contract in (1, 2) for side in Side}) == 4


@pytest.mark.parametrize(
    "other",
    [
        Entry("l", "c", 1, (Posting(Kind.FREE, 1, "a", 5),)),
        Entry("k", "d", 1, (Posting(Kind.FREE, 1, "a", 5),)),
        Entry("k", "c", 2, (Posting(Kind.FREE, 1, "a", 5),)),
        Entry("k", "c", 1, (Posting(Kind.FREE, 1, "a", 6),)),
        Entry("k", "c", 1, (Posting(Kind.RESERVE, 1, "a", 5),)),
        Entry("k", "c", 1, ()),
        Entry("k", "c", 1, (Posting(Kind.FREE, 1, "a", 5),), "[[]]"),
    ],
)
def test_the_hash_of_an_entry_is_of_all_of_it(other: Entry) -> None:
    assert entry_hash(other) != entry_hash(Entry("k", "c", 1, (Posting(Kind.FREE, 1, "a", 5),)))


def test_the_hash_of_an_entry_never_changes() -> None:
    """Seals of live journals hang on it."""
    made = Entry(
        "fill:3:1", "command:1", 1_000, (Posting(Kind.FREE, 1, "play:1", 5), Posting(Kind.FEES, 0, "play:1", -5))
    )
    assert canonical([made.key, made.cause]) == '["fill:3:1","command:1"]'
    assert entry_hash(made) == "9f00c1a38b33bbe5ef057c01b5aaa86ed1b6f09808ae7bdd8b73f363d8f8890d"


def test_what_an_entry_tells_is_in_its_hash_and_its_stored_text_is_enough_to_find_it() -> None:
    told = entry("command:1", "command:1", 7, {free(ANN): 5, free(BOB): -5}, '[["pool",1,"play:1",5]]')
    assert (told.detail, entry("k", "c", 7, {}).detail) == ('[["pool",1,"play:1",5]]', "")
    stored = ("command:1", "command:1", 7, canonical(told.postings), told.detail)
    whole = canonical(["command:1", "command:1", 7, told.postings, told.detail])
    assert entry_hash(told) == stored_hash(*stored) == digest(whole)
    assert stored_hash(*stored[:4], "") == digest(canonical(["command:1", "command:1", 7, told.postings]))


def test_a_seal_is_dated() -> None:
    assert dated_seal("abc", 7) == digest("abc@7") != dated_seal("abc", 8)


def test_a_seal_hangs_on_every_entry_before_it_and_on_their_order() -> None:
    hashes = [f"{number:064x}" for number in range(3)]
    seal = seal_hash(GENESIS_SEAL, hashes)
    assert seal == seal_hash(seal_hash(GENESIS_SEAL, hashes[:2]), hashes[2:])
    assert len({seal, seal_hash(GENESIS_SEAL, hashes[::-1]), seal_hash(GENESIS_SEAL, hashes[:2])}) == 3
    assert seal_hash(seal, []) == seal


def test_a_command_is_one_entry_with_the_postings_of_all_it_moved() -> None:
    standing = book("bob ask 10 @ 300")
    earlier = len(standing.entries)
    standing.add("ann bid 10 @ 400")
    (made,) = standing.entries[earlier:]
    assert made.at == standing.now
    assert set(made.postings) == {
        Posting(Kind.FREE, ANN, CURRENCY, -3_000),
        Posting(Kind.RESERVE, BOB, CURRENCY, -7_000),
        Posting(Kind.ESCROW, CONTRACT, CURRENCY, 10_000),
        Posting(Kind.UNITS_FREE, ANN, unit_currency(CONTRACT, FIXED), 10),
        Posting(Kind.UNITS_FREE, BOB, unit_currency(CONTRACT, UNFIXED), 10),
        Posting(Kind.UNITS_ISSUED, CONTRACT, unit_currency(CONTRACT, FIXED), -10),
        Posting(Kind.UNITS_ISSUED, CONTRACT, unit_currency(CONTRACT, UNFIXED), -10),
    }


def test_what_moves_nothing_posts_nothing() -> None:
    standing = scene()
    before = Before(standing.market)
    changes = standing.add("ann bid 10 @ 400 now-or-never")
    assert not moves_of(standing, before, changes)
    assert not moves_of(standing, before, standing.halt())


def moves_of(standing: Scene, before: Before, changes: Changes) -> tuple[Posting, ...]:
    return entry_of(standing.market, before, changes, CURRENCY, key="k", cause="c", now=standing.now).postings


def test_a_calculation_that_makes_money_out_of_nothing_has_no_entry() -> None:
    standing = scene()
    before = Before(standing.market)
    changes = standing.add("ann bid 10 @ 400")
    standing.market.purses[ANN].free_mills += 1
    with pytest.raises(ValueError, match="does not balance"):
        moves_of(standing, before, changes)


def test_every_entry_has_a_key_of_its_own() -> None:
    check_entries(story(1, 400).entries)


def story(seed: int, commands: int) -> Scene:
    """A long random story, the same for the same seed; ends settled as VOID."""
    chance = random.Random(seed)
    told = scene()
    for _ in range(commands):
        told.now += chance.randrange(3)
        user, side = chance.randint(1, 5), chance.choice([FIXED, UNFIXED])
        action = chance.choice([Action.BUY, Action.BUY, Action.SELL])
        price = chance.choice([499, 500, 501, chance.randint(1, 999)])
        until = chance.choice([None, told.now + chance.randint(1, 60)])
        new = NewOffer(action, side, chance.randint(1, 20), price, until, chance.random() < 0.2)
        try:
            if chance.random() < 0.15:
                told.cancel(user, chance.randint(1, told.numbers + 1))
            else:
                told.place(user, new)
        except Refusal:
            continue
    told.settle(Outcome.VOID, VoidPrice(333, 1))
    return told


def text(told: Scene) -> bytes:
    """Everything the core handed out, as bytes."""
    entries = [canonical([item.key, item.cause, item.at, item.postings]) for item in told.entries]
    return "\n".join([*entries, *map(repr, told.fills), *map(repr, told.amendments)]).encode()


def test_the_same_commands_write_the_same_entries_byte_for_byte() -> None:
    first, second = story(7, 300), story(7, 300)
    assert len(first.fills) > 50
    assert text(first) == text(second)
    seals = [seal_hash(GENESIS_SEAL, map(entry_hash, told.entries)) for told in (first, second)]
    assert seals[0] == seals[1]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_no_order_hangs_on_pythons_hashes(hash_seed: str) -> None:
    program = "import sys; from tests.market.ledger.test_journal import story, text"
    program += "; sys.stdout.buffer.write(text(story(7, 300)))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert told.stdout == text(story(7, 300))
