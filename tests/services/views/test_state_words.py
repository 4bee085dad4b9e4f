"""How a contract stands, in words: each state says one thing, and no end that is not its own."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from app.market.life.facts import ANSWER_SECONDS, Cause, Watch
from app.market.terms.contract import Outcome, Status
from app.market.terms.instants import format_instant
from app.services.views import state_words
from app.storage.market.contracts import ContractRow
from tests.replies.showing import NOW, row, settled

ENDS = NOW + 86_400
INSTANT = re.compile(r"\d+ \w+ \d{4} [\d:]+ UTC")


def halted(**values: Any) -> ContractRow:
    found = {"status": Status.HALTED, "window_opened_at": NOW, "window_ends_at": ENDS, "verdict": Outcome.FIXED}
    return row(**{**found, **values})


def watch(found: ContractRow, **values: Any) -> Watch:
    base: dict[str, Any] = {
        "maturation_at": found.maturation_at,
        "dispute_window_seconds": 86_400,
        "cause": Cause.CLOSED if found.window_ends_at else None,
        "window_opened_at": found.window_opened_at,
        "window_ends_at": found.window_ends_at,
        "verdict": found.verdict,
        "ruling": found.ruling,
    }
    return Watch(**{**base, **values})


def test_each_state_has_its_words() -> None:
    plain, nothing = halted(), halted(verdict=None)
    by_hand = halted(window_opened_at=None, window_ends_at=None, verdict=None, maintainer_halt="a leak")
    due = format_instant(NOW + ANSWER_SECONDS)
    said = {
        state_words.state(row(), NOW): "open, 30 days left",
        state_words.state(settled(row()), NOW): "settled FIXED",
        state_words.state(settled(row(), Outcome.VOID), NOW): "settled VOID",
        state_words.state(plain, NOW, watch(plain)): f"halted until {format_instant(ENDS)}",
        state_words.state(nothing, NOW, watch(nothing)): (
            f"halted until {format_instant(ENDS)}; as things stand, trading resumes then"
        ),
        state_words.state(plain, NOW, watch(plain, disputed_at=NOW)): f"disputed, halted until {due} at the latest",
        state_words.state(plain, NOW, watch(plain, set_aside_at=NOW)): "halted: trading resumes",
        state_words.state(plain, NOW, watch(plain, away_at=NOW)): "halted while BugMark is not installed here",
        state_words.state(by_hand, NOW, watch(by_hand)): "halted by a maintainer",
        state_words.state(replace(by_hand, maintainer_halt=None), NOW): "halted",
    }
    assert [told for told, right in said.items() if told != right] == []
    assert len(said) == 10
    assert [state_words.short(one) for one in (row(), plain, settled(row()), settled(row(), Outcome.VOID))] == [
        "open",
        "halted",
        "settled FIXED",
        "void",
    ]


VERDICTS, HALTS, DISPUTES = (None, *Outcome), (None, "a leak"), (None, NOW)


@pytest.mark.parametrize("ends_at", [None, ENDS, NOW - 5])
def test_no_state_contradicts_itself(ends_at: int | None) -> None:
    for verdict, halt, disputed, ruling, aside, away in product(
        VERDICTS, HALTS, DISPUTES, (None, Outcome.FIXED), (None, NOW), (None, NOW)
    ):
        found = halted(window_ends_at=ends_at, verdict=verdict, maintainer_halt=halt, ruling=ruling)
        life = watch(found, disputed_at=disputed, set_aside_at=aside, away_at=away)
        told = state_words.state(found, NOW, life)
        assert told.startswith(("halted", "disputed")), told
        ends = INSTANT.findall(told)
        assert ends in ([], [format_instant(life.due_at)]), "the only end is that of window or dispute"
        assert not ("resumes" in told and (halt or verdict) and not aside), told
        assert not ("disputed" in told and ruling), told
