"""The spells of being closed, read from an issue's timeline."""

import pytest

from app.github.reading.issue import Spell, reopenings_from, spell_from, spells_from


def timeline(*events: str) -> list[dict[str, str]]:
    """`closed 3` is an event three minutes past midnight."""
    found = []
    for event in events:
        name, minute = event.split()
        found.append({"event": name, "created_at": f"1970-01-01T00:{int(minute):02}:00Z"})
    return found


@pytest.mark.parametrize(
    ("events", "spell"),
    [
        ([], None),
        (["commented 1"], None),
        (["closed 1"], Spell(60, 60)),
        (["closed 1", "closed 5"], Spell(60, 300)),
        (["closed 1", "reopened 2"], None),
        (["closed 1", "reopened 2", "closed 3"], Spell(180, 180)),
        (["closed 1", "reopened 2", "closed 3", "commented 4", "closed 6"], Spell(180, 360)),
    ],
)
def test_a_spell_begins_at_the_first_close_since_the_last_reopening(events: list[str], spell: Spell | None) -> None:
    assert spell_from(timeline(*events)) == spell


def test_every_reopening_is_told() -> None:
    events = timeline("closed 1", "reopened 2", "closed 3", "commented 4", "reopened 5")
    assert reopenings_from([*events, {"event": "reopened", "created_at": "never"}]) == (120, 300)


def test_every_spell_ends_with_a_reopening_or_with_another_reason() -> None:
    """What has no instant is passed over: it tells of no order."""
    events = timeline("closed 1", "closed 3", "reopened 4", "commented 5", "closed 6")
    events[1]["state_reason"] = "not_planned"
    told = [*events, {"event": "reopened", "created_at": "never"}]
    ended = [Spell(60, 60, until_at=180), Spell(60, 180, reason="not_planned", until_at=240)]
    assert spells_from(told) == [*ended, Spell(360, 360)]
