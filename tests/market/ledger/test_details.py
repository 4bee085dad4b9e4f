"""Each kind of row that an entry tells, column by column (docs/market.md §4)."""

from __future__ import annotations

import json

import pytest

from app.market.exchange.fill import Amendment, AmendmentKind, Fill, FillKind
from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.exchange.position import Position
from app.market.ledger.entry_detail import (
    KINDS,
    Row,
    RowKind,
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
from app.market.terms.contract import Outcome, Side, Status

POOLED = NewOffer(Action.BUY, Side.UNFIXED, 9, 400, pool=True, cancel_on_halt=True)
PARTLY = NewOffer(Action.SELL, Side.FIXED, 5, 600, 80, now_or_never=True, all_or_none=True, post_only=True)
KEYS = {
    "offer": (17,),
    "position": (3, 4, '"FIXED"'),
    "fill": (3, 8),
    "amendment": (3, 9),
    "contract": (3,),
    "net_paid": (3, 4),
    "pool": (4, '"play:1"'),
    "made": (3,),
    "grant": (4, '"play:1"'),
    "joiner": (6, 4),
}


def offer(new: NewOffer, units_left: int, cash_left: int) -> Offer:
    made = Offer(new, 17, 4, 3, new.until_at or 900, units_left, cash_left, 50)
    made.rank, made.filled, made.cancelled = 23, 1, 2
    return made


def settled() -> Row:
    return contract_row(
        3,
        Status.SETTLED,
        Outcome.VOID,
        open_interest=40,
        minted_mills=16_000,
        amendment=9,
        maturation_at=999,
        round_number=2,
        terms_hash="aa",
        statement_hash="bb",
    )


def rows() -> list[Row]:
    return [
        offer_row(offer(POOLED, 2, 7), 51),
        position_row(3, 4, Side.FIXED, Position(5, 6, 789, 1)),
        fill_row(Fill(3, 8, 17, 18, 4, 5, 18, 6, 400, FillKind.TRANSFER, True), 77),
        amendment_row(Amendment(3, 9, AmendmentKind.REDEEM, 40, 16_000), 78),
        settled(),
        net_paid_row(3, 4, -1_234),
        pool_row(4, "play:1", 2_500),
        made_row(3, 101, 44),
        grant_row(4, "play:1", 1_500),
        joiner_row(6, 4, 1_000, "cc", 77),
    ]


def columns() -> dict[str, dict[str, object]]:
    """Every row by the names of its columns, as the text tells it."""
    found = json.loads(detail_text(rows()))
    return {name: dict(zip(KINDS[name].columns, values, strict=True)) for name, *values in found}


def test_an_offer_is_told_whole() -> None:
    assert columns()["offer"] == {
        "id": 17,
        "contract_id": 3,
        "user_id": 4,
        "action": "BUY",
        "side": "UNFIXED",
        "price": 400,
        "volume": 9,
        "until_at": 900,
        "now_or_never": False,
        "all_or_none": False,
        "post_only": False,
        "cancel_on_halt": True,
        "pooled": True,
        "rank": 23,
        "units_left": 2,
        "cash_left": 7,
        "filled": 1,
        "cancelled": 2,
        "state": "LIVE",
        "created_at": 51,
    }


def test_each_condition_of_an_offer_has_its_place() -> None:
    row = dict(zip(KINDS["offer"].columns, offer_row(offer(PARTLY, 5, 0), 51)[1:], strict=True))
    flags = ("now_or_never", "all_or_none", "post_only", "cancel_on_halt", "pooled")
    assert [row[name] for name in flags] == [True, True, True, False, False]
    assert (row["action"], row["side"], row["until_at"]) == ("SELL", "FIXED", 80)


def test_positions_net_paid_and_pools_are_told_whole() -> None:
    assert columns()["position"] == {
        "contract_id": 3,
        "user_id": 4,
        "side": "FIXED",
        "free": 5,
        "reserved": 6,
        "cost_mills": 789,
        "pool_units": 1,
    }
    assert columns()["net_paid"] == {"contract_id": 3, "user_id": 4, "mills": -1_234}
    assert columns()["pool"] == {"user_id": 4, "currency": "play:1", "left_mills": 2_500}


def test_fills_and_amendments_are_told_whole() -> None:
    assert columns()["fill"] == {
        "contract_id": 3,
        "amendment": 8,
        "bid": 17,
        "ask": 18,
        "buyer": 4,
        "seller": 5,
        "newcomer": 18,
        "volume": 6,
        "price": 400,
        "kind": "transfer",
        "at": 77,
    }
    assert columns()["amendment"] == {
        "contract_id": 3,
        "number": 9,
        "kind": "redeem",
        "open_interest": 40,
        "minted_mills": 16_000,
        "at": 78,
    }


def test_a_contract_is_told_whole() -> None:
    assert columns()["contract"] == {
        "id": 3,
        "status": "SETTLED",
        "outcome": "VOID",
        "open_interest": 40,
        "minted_mills": 16_000,
        "amendment": 9,
        "maturation_at": 999,
        "round": 2,
        "terms_hash": "aa",
        "statement_hash": "bb",
    }


def test_where_a_contract_was_made_and_what_is_left_of_a_grant_are_told() -> None:
    assert columns()["made"] == {"id": 3, "issue_id": 101, "created_at": 44}
    assert columns()["grant"] == {"user_id": 4, "currency": "play:1", "untraded_mills": 1_500}


def test_who_joined_a_dispute_is_told_with_the_hash_of_the_reason() -> None:
    joiner = {"dispute_id": 6, "user_id": 4, "bond_mills": 1_000, "reason_hash": "cc", "at": 77}
    assert columns()["joiner"] == joiner


def test_rows_are_read_back_with_their_keys_in_the_order_they_were_told() -> None:
    found = read_detail(detail_text(rows()))
    assert [(name, key) for name, key, _ in found] == list(KEYS.items())
    assert {name: len(key) for name, key in KEYS.items()} == {name: kind.keys for name, kind in KINDS.items()}
    assert [json.loads(f"[{text}]") for *_, text in found] == [list(row.values()) for row in columns().values()]


def test_a_kind_of_row_names_its_table_its_keys_and_its_columns() -> None:
    made = RowKind("gifts", 2, "user_id  at\n mills")
    assert (made.table, made.keys, made.columns) == ("gifts", 2, ("user_id", "at", "mills"))
    tables = {name: f"{name}s" for name in KEYS} | {"made": "contracts", "net_paid": "net_paid"}
    assert {name: kind.table for name, kind in KINDS.items()} == tables


@pytest.mark.parametrize("text", ["", "[]", "[[5,6]]", '[["pool",4', '["pool",4,"play:1",5]]', '[["pool",4,"x",5]'])
def test_what_is_no_list_of_rows_is_refused_as_such(text: str) -> None:
    with pytest.raises(ValueError, match=r"^this is no list of rows$"):
        read_detail(text)


@pytest.mark.parametrize("row", ['"position",1,2', '"position",1,2,"FIXED"'])
def test_a_row_that_has_no_more_than_its_key_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match=r"^this is no row of a detail$"):
        read_detail(f"[[{row}]]")


def test_a_row_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError):
        read_detail('[["bribe",4,"play:1",5]]')
