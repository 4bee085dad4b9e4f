"""What is said of a verdict where a maintainer has halted the market: trade resumes only when that is lifted."""

from __future__ import annotations

import pytest

from app.market.terms.contract import Outcome
from app.replies import house_results, notices
from app.services.life.rulings import Resolved
from app.storage.market.disputes import Dispute, DisputeState
from tests.replies.showing import NOW, row

RULED = Dispute(
    1, 1, "closed", NOW, 1, Outcome.FIXED, 5_000, "it crashes", NOW, DisputeState.UPHELD, Outcome.UNFIXED, 4, "so", NOW
)


@pytest.mark.parametrize(
    ("halt", "holds"),
    [(None, "and trading resumes."), ("a leak", "and the market stays halted.")],
)
def test_a_ruling_lifts_no_maintainers_halt(halt: str | None, holds: str) -> None:
    found = Resolved(row(maintainer_halt=halt), RULED, {1: 5_000}, upheld=True, aside=True, due_at=NOW)
    told = house_results.ruled(found, Outcome.UNFIXED, {1: "adam"})
    assert f"this close is set aside {holds}" in told


@pytest.mark.parametrize(
    ("halt", "holds"), [(None, "trading resumes after"), ("a leak", "the window is over, without a verdict, after")]
)
def test_a_verdict_that_fell_away_lifts_no_maintainers_halt(halt: str | None, holds: str) -> None:
    body = {"notice": "verdict", "contract": 1, "verdict": None, "ends_at": NOW}
    assert f"as things stand now, {holds}" in notices.notice(body, row(maintainer_halt=halt), {})


SETTLED = {
    "notice": "settled",
    "contract": 1,
    "outcome": "FIXED",
    "why": "facts",
    "closer": "dana",
    "closed_at": NOW,
    "evidence": [],
    "disputable_until": None,
    "ruling": None,
}


def test_a_settlement_names_those_who_sold_before_with_what_they_gained() -> None:
    body = {**SETTLED, "payouts": [[3, 200_000, 80_000, 0]], "sold": [[2, 40_000], [4, -3_000], [5, 0]]}
    told = notices.notice(body, row(), {2: "**beth**", 3: "@charles", 4: "**bob**", 5: "**eve**"})
    assert (
        "| @charles | 200.00 | 80.00 | +120.00 | 0.00 |\n\nSold before: **beth** +40.00, **bob** −3.00, **eve** 0.00."
        in told
    )


def test_a_settlement_mentions_the_fifty_who_get_most_and_folds_the_rest() -> None:
    payouts = [[user, 1_000_000 - user, 0, 0] for user in range(1, 61)]
    told = notices.notice({**SETTLED, "payouts": payouts}, row(), {})
    assert told.partition("<details>")[0].count("| somebody |") == notices.MOST_MENTIONED
    assert "<summary>10 more</summary>" in told
    other = {**SETTLED, "contract": 2, "payouts": [[99, 2_000_000, 0, 0], [60, 500, 0, 0]]}
    mentioned = notices.most_paid([{**SETTLED, "payouts": payouts}, other])
    assert mentioned == {99, 60, *range(1, 49)}, "together they are mentioned by what they get in all"
