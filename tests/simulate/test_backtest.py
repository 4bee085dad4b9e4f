"""Back-tests on made-up histories: better than guessing, within the budget, and blind to what came later."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.__main__ import main
from app.simulate.backtest import Learning, backtest, brier, in_time, score_history, share
from app.simulate.flow import DAY
from app.simulate.histories import History
from tests.simulate.made_up import READ_AT, made_up


def test_a_maker_that_knows_the_labels_beats_the_share_and_one_half() -> None:
    found = score_history(made_up(1, 100), 30, 100, 1)
    maker, earlier, half = brier(found.scored)
    assert maker < min(earlier, half) - 0.03
    assert half == 0.25
    assert len(found.scored) + found.early + found.open == 100
    assert found.early > 0 < found.open


def test_no_contract_loses_more_than_its_budget() -> None:
    found = score_history(made_up(2, 60), 30, 100, 1).scored
    assert all(one.result_mills >= -one.budget_mills for one in found)
    assert any(one.result_mills for one in found)
    assert all(0 <= one.quoted <= 1 for one in found)


def test_the_same_file_and_seed_give_the_same_report() -> None:
    histories = [made_up(3, 40)]
    assert backtest(histories, 30, 100, 1).lines() == backtest(histories, 30, 100, 1).lines()
    assert backtest(histories, 30, 100, 1) != backtest(histories, 30, 100, 2)


def test_what_came_later_changes_no_earlier_chance() -> None:
    """Of two histories that part ways, contracts that ended before that are the same."""
    whole = made_up(4, 60)
    parted_at = READ_AT - 200 * DAY
    changed = tuple(
        replace(row, closed_at=None, reason=None) if row.closed_at is not None and row.closed_at > parted_at else row
        for row in whole.issues
    )
    other = History(whole.repository, whole.read_at, changed, whole.events)
    opened = [row.opened_at for row in whole.issues]
    first, second = score_history(whole, 30, 100, 1), score_history(other, 30, 100, 1)
    same = sum(at + 30 * DAY <= parted_at for at in opened) - first.early
    assert same > 5
    assert first.scored[:same] == second.scored[:same]
    assert first.scored != second.scored


def test_too_little_history_scores_nothing_and_says_why() -> None:
    few = made_up(5, 8)
    report = backtest([few], 30, 100, 1)
    assert not report.scored
    assert report.lines() == [
        f"ann/pump: nothing is scored. {sum(row.past.good for row in few.issues)} issues were closed as completed here;"
        " a chance is told from 10 on.",
        "backtest: 0 contracts of 1 repositories scored.",
    ]


def test_the_share_is_of_those_that_could_be_judged_then() -> None:
    past = [row.past for row in made_up(6).issues]
    now = past[60].opened_at
    judged = [issue for issue in past if issue.opened_at + 30 * DAY <= now]
    assert share(past, now, 30) == (sum(in_time(issue, 30) for issue in judged) + 1) / (len(judged) + 2)
    assert share(past, 0, 30) == 0.5


def test_rates_are_learnt_anew_once_a_week() -> None:
    learning = Learning([row.past for row in made_up(7).issues])
    first = learning.at(READ_AT - 100 * DAY)
    assert learning.at(READ_AT - 94 * DAY) is first
    assert learning.at(READ_AT - 93 * DAY) is not first


def test_the_command_scores_files_and_refuses_what_is_none(tmp_path: Path) -> None:
    good, bad, few = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "few.json"
    good.write_text(made_up(8, 40).text())
    few.write_text(made_up(8, 5).text())
    bad.write_text("{}")
    run = CliRunner().invoke
    done = run(main, ["backtest", str(good), str(good)])
    assert done.exit_code == 0
    assert "Brier: maker 0." in done.output
    assert "all: " in done.output
    assert done.output.splitlines()[-1].endswith("contracts of 2 repositories scored.")
    done = run(main, ["backtest", str(good), str(bad)])
    assert (done.exit_code, done.output) == (
        1,
        f"Error: {bad} is no history: `python -m app history` writes one.\n",
    )
    assert run(main, ["backtest", str(few)]).exit_code == 1
    assert run(main, ["backtest"]).exit_code == 2


@pytest.mark.parametrize("days", [1, 90])
def test_contracts_may_be_shorter_or_longer(days: int) -> None:
    found = score_history(made_up(9, 40), days, 50, 1)
    assert all(one.fixed in (True, False) and 0 < one.chance < 1 for one in found.scored)
    assert found.scored
