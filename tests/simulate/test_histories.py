"""Histories as files: the same bytes again, and a sentence for whatever is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.simulate.histories import BadHistory, History, read_history
from tests.simulate.made_up import made_up


def written(folder: Path, change: dict[str, Any]) -> Path:
    """A sound file with some of its fields changed."""
    path = folder / "pump.json"
    data = json.loads(made_up(1, 2).text())
    path.write_text(json.dumps({**data, **change}))
    return path


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    path, history = tmp_path / "pump.json", made_up(1, 20)
    path.write_text(history.text())
    assert read_history(path) == history
    assert read_history(path).text() == history.text()
    assert json.loads(history.text())["version"] == 1


def test_an_empty_history_is_one_too(tmp_path: Path) -> None:
    path, nothing = tmp_path / "none.json", History("ann/pump", 5, (), ())
    path.write_text(nothing.text())
    assert read_history(path) == nothing


ISSUE = json.loads(made_up(1, 1).text())["issues"][0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "x"}, "is no history: `python -m app history` writes one."),
        ({"version": 2}, "is of version 2; this program reads version 1."),
        ({"issues": {}}, "has no list of issues."),
        ({"events": None}, "has no list of events."),
        ({"repository": 3}, "does not say of which repository it is and when it was read."),
        ({"read_at": -1}, "does not say of which repository it is and when it was read."),
        ({"issues": [ISSUE, 7]}, ": issue 2 of the list is no object."),
        ({"issues": [{**ISSUE, "opened_at": "x"}]}, ": issue 1 of the list has no sound `opened_at`."),
        ({"issues": [{**ISSUE, "opened_at": 1.5}]}, ": issue 1 of the list has no sound `opened_at`."),
        ({"issues": [{**ISSUE, "reactions": True}]}, ": issue 1 of the list has no sound `reactions`."),
        ({"issues": [{**ISSUE, "labels": [1]}]}, ": issue 1 of the list has no sound `labels`."),
        ({"issues": [{**ISSUE, "number": 7, "closed_at": 1}]}, ": issue 7 was closed before it was opened."),
        ({"events": [{}]}, ": event 1 of the list has no sound `issue`."),
    ],
)
def test_a_file_that_is_no_history_is_refused_with_the_place(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    path = written(tmp_path, change)
    with pytest.raises(BadHistory) as refused:
        read_history(path)
    assert str(refused.value).startswith(str(path))
    assert str(refused.value).endswith(sentence)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "is not JSON (line 1)."),
        (b'{\n"a": ]', "is not JSON (line 2)."),
        (b"[" * 100_000, "is not JSON."),
        (b"\xff", "cannot be read: it is no text."),
        (b"[]", "is no history: `python -m app history` writes one."),
    ],
)
def test_rubbish_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "pump.json"
    path.write_bytes(content)
    with pytest.raises(BadHistory) as refused:
        read_history(path)
    assert str(refused.value) == f"{path} {sentence}"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadHistory, match="cannot be read: No such file or directory"):
        read_history(tmp_path / "nothing.json")


def test_a_close_as_not_planned_is_no_good_one() -> None:
    for row in made_up(1).issues:
        assert row.past.good is (row.closed_at is not None and row.reason == "completed")
