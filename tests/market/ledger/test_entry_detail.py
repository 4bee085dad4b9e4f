"""Details: what a command left behind, as its last entry tells it."""

from __future__ import annotations

import json

import pytest

from app.market.exchange.fill import Amendment, AmendmentKind, Fill, FillKind
from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.exchange.position import Position
from app.market.ledger.entry_detail import (
    KINDS,
    amendment_row,
    contract_row,
    detail_text,
    fill_row,
    grant_row,
    joiner_row,
    made_row,
    net_paid_row,
    offer_row,
    pool_row,
    position_row,
    read_detail,
)
from app.market.ledger.journal import AccountKey, Entry, Kind, entry, entry_hash, stored_hash
from app.market.terms.contract import Outcome, Side, Status, canonical

OFFER = Offer(
    NewOffer(Action.BUY, Side.FIXED, 50, 400, all_or_none=True, pool=True),
    number=17,
    user=3,
    contract=2,
    until_at=99,
    units_left=0,
    cash_left=50,
    created_at=7,
)
CONTRACT = contract_row(
    2,
    Status.SETTLED,
    Outcome.VOID,
    open_interest=0,
    minted_mills=0,
    amendment=4,
    maturation_at=99,
    round_number=1,
    terms_hash="aa",
    statement_hash="bb",
)
ROWS = [
    offer_row(OFFER, 7),
    position_row(2, 3, Side.UNFIXED, Position(5, 1, 2_400, 6)),
    fill_row(Fill(2, 3, 17, 18, 3, 4, 18, 6, 400, FillKind.EXPAND, False), 8),
    amendment_row(Amendment(2, 3, AmendmentKind.FILL, 6, 2_400), 8),
    CONTRACT,
    net_paid_row(2, 3, -600),
    pool_row(3, "play:7", 9_000),
    made_row(2, 101, 5),
    grant_row(3, "play:7", 1_000),
    joiner_row(6, 3, 1_000, "cc", 9),
]


def test_every_kind_of_row_has_the_columns_it_says() -> None:
    assert [row[0] for row in ROWS] == list(KINDS)
    for row in ROWS:
        assert len(row) == len(KINDS[str(row[0])].columns) + 1


def test_a_detail_is_read_as_it_was_written() -> None:
    told = read_detail(detail_text(ROWS))
    assert [(name, key) for name, key, _ in told] == [
        ("offer", (17,)),
        ("position", (2, 3, '"UNFIXED"')),
        ("fill", (2, 3)),
        ("amendment", (2, 3)),
        ("contract", (2,)),
        ("net_paid", (2, 3)),
        ("pool", (3, '"play:7"')),
        ("made", (2,)),
        ("grant", (3, '"play:7"')),
        ("joiner", (6, 3)),
    ]
    for row, (_, _, written) in zip(ROWS, told, strict=True):
        assert written == canonical(row[1:])[1:-1]
        assert json.loads(f"[{written}]") == row[1:]


def test_flags_and_what_is_not_there_are_written_as_such() -> None:
    assert "99,false,true,false,false,true,17" in detail_text([offer_row(OFFER, 7)])
    assert '"OPEN",null]' in detail_text([["contract", 1, Status.OPEN, None]])


def test_nothing_to_tell_is_no_detail() -> None:
    assert detail_text([]) == ""


@pytest.mark.parametrize(
    "text", ["x", "[]", "[[]]", "{}", '[["offer"]]', '[["gift",1,2]]', '[["position",1]]', "[[1,2]]"]
)
def test_what_is_no_detail_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_detail(text)


def told(detail: str) -> Entry:
    moves = {AccountKey(Kind.ISSUANCE, 0, "play:7"): -5, AccountKey(Kind.FREE, 1, "play:7"): 5}
    return entry("gift:1", "test", 9, moves, detail)


def test_the_hash_of_an_entry_without_detail_is_what_it_was_before_there_were_any() -> None:
    assert entry_hash(told("")) == "5a54cc9bb3124fb8d27f26a4b0e1a719546c3f242c17b2f151a5d7b24398d1a3"


def test_the_detail_is_hashed_with_the_entry() -> None:
    assert len({entry_hash(told(detail)) for detail in ("", "a", "b")}) == 3


def test_the_hash_can_be_made_from_what_is_stored() -> None:
    item = told(detail_text(ROWS))._replace(cause='said "ä"')
    postings = canonical([list(posting) for posting in item.postings])
    assert stored_hash(item.key, item.cause, item.at, postings, item.detail) == entry_hash(item)
