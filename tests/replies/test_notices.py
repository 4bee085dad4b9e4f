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
    [(None, "and trading resumes."), ("a leak", "and the market stays halted, as a maintainer wants it.")],
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
