"""Comments that quote ours: from the line that begins with our name on nothing runs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.help import help_text
from app.commands.registry import commands
from app.language.extract import read_comment
from app.language.quotation import OPENING, foreign, opened, written
from app.replies import notices, reply
from app.replies.market_comment import board
from app.replies.reply import Below
from app.storage.market.workers import Worker
from app.storage.queues.told import Batch
from app.thread.answering import FOREIGN_EDIT
from tests.replies.showing import NOW, answered, forecast, halted, issue, record, row, settled, traded

WINDOW = {"notice": "window", "contract": 1, "ends_at": NOW + 9, "cause": "closed", "backed": True, "closed_at": NOW}
BODIES = {
    "a reply": answered(record("**o17** waits; `/bugmark cancel o17` takes it back."), below=Below("**adam** · r1")),
    "a refusal": answered(record("It is none. Try `/bugmark offer fixed 50`.", done=False)),
    "a shared reply": reply.reply(
        [
            Batch(2, [record("**o17** waits; `/bugmark cancel o17` takes it back.")]),
            Batch(1, [record("It is none. Try `/bugmark offer fixed 50` or `/bugmark fund 50`.", done=False)]),
        ],
        Below("**adam** · 940.00 free · r1"),
    ),
    "a welcome": reply.reply([Batch(1, [record("Fine.")])], Below("**adam** · r1", 1_000_000), 3, True),
    "the overview": answered(record(help_text(None))),
    **{f"help {one.name}": answered(record(help_text(one.name))) for one in commands()},
    "somebody else's edit": FOREIGN_EDIT,
    "a quotation": reply.QUOTED,
    "a market comment": board(issue(traded(row(), [400, 425]), traded(row(2, 90), [500, 525]))),
    "one with forecasts": board(issue(traded(forecast(12), [400]), done=[traded(settled(row(3)), [400])])),
    "one that is halted": board(issue(traded(halted(row()), [400]))),
    "one with nothing open": board(issue(done=[traded(settled(row()), [400])])),
    "a window": notices.notice(WINDOW, row(), {}),
    "a matured window": notices.notice({**WINDOW, "cause": "matured"}, row(), {}),
    "a verdict": notices.notice({"notice": "verdict", "verdict": "FIXED", "ends_at": NOW}, row(), {}),
    "no verdict": notices.notice({"notice": "verdict", "verdict": None, "ends_at": NOW}, row(), {}),
    "a resumption": notices.notice({"notice": "resumed", "why": "lifted"}, row(), {}),
    "news": notices.notice({"notice": "news", "expired": [[3, 1, "BUY", "FIXED", 5, 400]], "fills": []}, row(), {}),
}


def mailed(body: str) -> str:
    """The text of a comment as a mail client quotes it without a mark: what it looked like, blank lines between."""
    text = re.sub(r"</?(?:details|summary|sub)>|```(?:text)?|`|\*\*|^#+ ", "", body, flags=re.MULTILINE)
    return re.sub(r" (?=/bugmark )", "\n", text)  # broken at the worst place


@pytest.mark.parametrize("kind", BODIES)
def test_every_comment_of_ours_says_first_whose_it_is(kind: str) -> None:
    body = opened(BODIES[kind])
    assert re.match(r"BugMark · \S", body)
    assert opened(body) == body
    assert body in (BODIES[kind], f"{OPENING} {BODIES[kind]}")


@pytest.mark.parametrize("kind", BODIES)
def test_nothing_runs_of_a_comment_of_ours_that_is_quoted(kind: str) -> None:
    text = mailed(opened(BODIES[kind]))
    for said in (text, f"I see.\n\n{text}", f"I see.\n> {text}", f"On Monday BugMark wrote:\n\n \t{text}"):
        found = read_comment(said)
        assert found.commands == []
        ours = written([BODIES[kind], *notices.COMMANDS_SHOWN, *(f"/bugmark {text}" for text in shown())])
        assert foreign(found.quoted, ours) == [], found.quoted


def shown() -> list[str]:
    return [text for one in commands() for text in (*one.examples, one.usage)]


def test_some_of_them_would_have_run() -> None:
    for kind in ("a market comment", "help offer", "a reply"):
        body = BODIES[kind].removeprefix(f"{OPENING} ")
        assert read_comment(mailed(body)).commands, kind


def test_a_command_above_the_quotation_runs_and_one_below_it_is_noticed() -> None:
    quoted = mailed(opened(BODIES["a market comment"]))
    found = read_comment(f"/bugmark fund 50\n\n{quoted}\n\n/bugmark offer fixed 7 by 2w\n\n/bugmark help")
    assert [one.text for one in found.commands] == ["fund 50"]
    ours = written([BODIES["a market comment"], "Try `/bugmark help`."])
    assert [one.key for one in foreign(found.quoted, ours)] == ["offer fixed 7 by 2w", "help"]


def test_where_the_end_of_ours_is_cut_off_only_what_we_wrote_is_ours() -> None:
    found = read_comment("BugMark · take it back: \n\n/bugmark cancel o17\n\n/bugmark cancel o18")
    assert [one.key for one in foreign(found.quoted, {"cancel o17"})] == ["cancel o18"]


def test_prices_of_our_own_lines_may_have_changed_but_below_our_last_line_nothing_is_ours() -> None:
    older = mailed(opened(BODIES["a market comment"]))
    ours = written([board(issue(traded(row(days=31), [700, 725])))])
    assert foreign(read_comment(older).quoted, ours) == []
    line = next(one.key for one in read_comment(older).quoted if one.key.startswith("fund"))
    below = read_comment(f"{older}\n\n/bugmark {line}").quoted
    assert [one.key for one in foreign(below, ours)] == [line]


def test_a_heading_begins_with_our_name_too() -> None:
    assert opened("### Forecasts") == "### BugMark · Forecasts"
    assert read_comment("### BugMark · Forecasts\n\n/bugmark help").commands == []


def test_what_in_code_or_behind_a_mark_would_not_run_is_no_command_in_a_quotation() -> None:
    text = "BugMark · said\n\n> /bugmark cancel all\n\n```\n/bugmark cancel all\n```"
    assert read_comment(text).quoted == []


@pytest.mark.parametrize(
    "line",
    [
        "BugMark · x",
        "  BugMark · x",
        "> BugMark · x",
        "> > BugMark · x",
        "\u00a0BugMark · x",
        "### BugMark · x",
        "|BugMark · x",
    ],
)
def test_the_line_that_begins_a_quotation(line: str) -> None:
    assert read_comment(f"{line}\n\n/bugmark help").commands == []


@pytest.mark.parametrize("line", ["BugMark: x", "BugMark x", "I like BugMark · x", "`BugMark · x`", "BugMarks · x"])
def test_other_lines_begin_none(line: str) -> None:
    assert [one.text for one in read_comment(f"{line}\n\n/bugmark help").commands] == ["help"]


@given(st.lists(st.sampled_from(["/bugmark help", "BugMark · x", "> BugMark · y", "", "text", "- a"]), max_size=12))
def test_commands_come_before_the_quotation_only(lines: list[str]) -> None:
    found = read_comment("\n".join(lines))
    start = next((at for at, line in enumerate(lines) if "BugMark ·" in line), len(lines))
    assert found.commands == read_comment("\n".join(lines[:start])).commands or start < len(lines)
    assert len(found.commands) <= lines[:start].count("/bugmark help")
    assert len(found.quoted) <= lines[start:].count("/bugmark help")


def test_who_works_on_it_is_shown() -> None:
    at = NOW + 14 * 86_400
    view = issue(traded(row(), [400]))
    shown = replace(view, working=[Worker("adam", at, 5), Worker("beth", at)], all_working=9)
    assert "🛠️ Working on it: **adam** until 14 Jan 2026, **beth** until 14 Jan 2026 and 7 more." in board(shown)
    assert "Working on it" not in board(view)
