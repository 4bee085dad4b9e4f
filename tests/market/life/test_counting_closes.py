"""What a contract was made under is stored, shown, hashed as one text; which close counts (docs/market.md §5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.market.life.facts import IssueFacts
from app.market.terms.contract import Terms, canonical

TERMS = Terms("play:1", 250, 86_400, "unfixed", "void", "allow", "2")
CLOSED = IssueFacts(True, True, closed_at=500)


def test_terms_are_canonical_json_and_are_read_back() -> None:
    text = (
        '{"currency":"play:1","dispute_window_seconds":86400,"duplicate":"void","fee_bps":250,"insiders":"allow",'
        '"law":"2","not_planned":"unfixed"}'
    )
    assert TERMS.text() == text
    assert Terms.from_text(text) == TERMS


def test_what_is_hashed_is_written_in_one_way() -> None:
    assert canonical({"b": [1, True, None], "a": "é"}) == '{"a":"\\u00e9","b":[1,true,null]}'


@pytest.mark.parametrize(
    ("facts", "counts"),
    [
        (CLOSED, 500),
        (replace(CLOSED, closed=False), None),
        (replace(CLOSED, completed=False), None),
        (replace(CLOSED, closed=False, completed=False), None),
        (replace(CLOSED, closed_at=None), None),
    ],
)
def test_only_a_close_as_completed_with_its_instant_counts(facts: IssueFacts, counts: int | None) -> None:
    assert facts.good_close_at(500) == counts
    assert facts.good_close_at(499) is None
