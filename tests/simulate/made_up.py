"""Made-up histories: small repositories whose truth is known."""

from __future__ import annotations

import random

from app.simulate.flow import DAY
from app.simulate.histories import EventRow, History, IssueRow

READ_AT = 1_600_000_000


def made_up(seed: int, issues: int = 120, over_days: int = 600) -> History:
    """Bugs are closed within days, ideas within months or as not planned; some closes follow a commit."""
    chance = random.Random(seed)
    rows, events = [], []
    for number in range(1, issues + 1):
        opened_at = READ_AT - over_days * DAY + number * over_days * DAY // (issues + 1)
        bug = chance.random() < 0.5
        closed_at = opened_at + round(chance.expovariate(1 / 8 if bug else 1 / 120) * DAY)
        reason = "completed" if bug or chance.random() < 0.6 else "not_planned"
        open_still = closed_at > READ_AT
        rows.append(
            IssueRow(
                number,
                opened_at,
                None if open_still else closed_at,
                None if open_still else reason,
                ("bug",) if bug else ("idea",),
                chance.randrange(5),
                "bob",
            )
        )
        if not open_still:
            events.append(EventRow(number, "closed", closed_at, "ann", None, None))
        if bug and opened_at + DAY < closed_at:
            events.append(EventRow(number, "referenced", closed_at - DAY // 2, "ann", "c0ffee", None))
    events.sort(key=lambda event: (event.at, event.issue))
    return History("ann/pump", READ_AT, tuple(rows), tuple(event for event in events if event.at <= READ_AT))
