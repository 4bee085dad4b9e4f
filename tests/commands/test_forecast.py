"""`forecast`, and the sides, numbers and names of forecasts in other commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.registry import parse
from app.language.grammar import BadCommand
from app.language.requests import (
    AboutAdvisory,
    AboutIssue,
    AboutMilestone,
    BookRequest,
    ForecastRequest,
    OfferRequest,
    Request,
)
from app.market.exchange.spoken import HandOut
from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.market.terms.statement import ECOSYSTEMS
from tests.clocks import START_AT

FRIDAY = START_AT + 2 * 86_400 - 1

READ: dict[str, AboutAdvisory | AboutIssue | AboutMilestone] = {
    "forecast advisory npm:left-pad by friday": AboutAdvisory("npm", "left-pad", "unknown"),
    "forecast advisory npm:@scope/Name severity high by friday": AboutAdvisory("npm", "@scope/Name", "high"),
    "forecast advisory PyPI:Requests severity Moderate by friday": AboutAdvisory("pip", "Requests", "medium"),
    "forecast advisory maven:org.apache:commons-io by friday": AboutAdvisory(
        "maven", "org.apache:commons-io", "unknown"
    ),
    "forecast advisory go:example.com/a/b --by friday": AboutAdvisory("go", "example.com/a/b", "unknown"),
    "forecast issue label bug by friday": AboutIssue("bug", ""),
    'forecast issue label "Help wanted" title "Safe Mode" by friday': AboutIssue("Help wanted", "Safe Mode"),
    "forecast issue label Help wanted title safe mode by friday": AboutIssue("Help wanted", "safe mode"),
    "forecast issue label “by the way” by friday": AboutIssue("by the way", ""),
    'forecast issue label "title" title title by friday': AboutIssue("title", "title"),
    "forecast milestone v2.0 closed by friday": AboutMilestone("v2.0"),
    "forecast milestone Release 2 by friday": AboutMilestone("Release 2"),
}

REFUSED = {
    # what is typed: (what the sentence says, the commands to copy)
    "forecast advisory requests by friday": ("ecosystems are actions", "forecast advisory PACKAGE by 2026-01-02"),
    "forecast advisory npm/left-pad by friday": ("ecosystems are", "forecast advisory npm:left-pad by 2026-01-02"),
    "forecast advisory nmp:left-pad by friday": ("ecosystems are", "forecast advisory PACKAGE by 2026-01-02"),
    "forecast advisory org.x:y by friday": ("ecosystems are", "forecast advisory PACKAGE by 2026-01-02"),
    "forecast advisory npm:a,b by friday": ("is no package", "forecast advisory PACKAGE by 2026-01-02"),
    "forecast advisory npm:x severity hihg by friday": (
        "no severity",
        "forecast advisory npm:x severity SEVERITY by 2026-01-02",
    ),
    "forecast advisory npm:x": ("something is missing", "forecast advisory npm:x by DATE"),
    "forecast issue bug by friday": ("`label NAME`", 'forecast issue label "bug" by 2026-01-02'),
    'forecast issue label "a" b" by friday': ("is no name", 'forecast issue label "a b" by 2026-01-02'),
    "forecast mileston v1 by friday": ("not understood", "help forecast"),
    "forecast left-pad": ("not understood", "help forecast"),
    "forecast": ("something is missing", "help forecast"),
    "offer true 50 by friday on F12": ("leave out `by`", "help offer"),
    "offer false 50 at 2 on f12": ("is no price", "offer false 50 at PRICE on F12"),
    "sell true all on 12": ("the number of a forecast", "sell true all on F12"),
    "book on F12": ("not understood", "book F12"),
}


@pytest.mark.parametrize("text", READ)
def test_what_is_asked(text: str) -> None:
    assert parse(text, START_AT) == ForecastRequest(READ[text], FRIDAY)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_and_handed_out_instead(text: str) -> None:
    sentence, *corrections = REFUSED[text]
    with pytest.raises(BadCommand) as refused:
        parse(text, START_AT)
    assert sentence in refused.value.sentence
    assert [one.text for one in refused.value.instead] == corrections
    for one in refused.value.instead:
        assert_runs_or_has_a_blank(one)


def assert_runs_or_has_a_blank(one: HandOut) -> None:
    if one.blank:
        with pytest.raises(Refusal):
            parse(one.text, START_AT)
    else:
        assert isinstance(parse(one.text, START_AT), Request)


def test_every_ecosystem_can_be_named() -> None:
    for ecosystem in ECOSYSTEMS:
        about = AboutAdvisory(ecosystem, "x", "unknown")
        assert parse(f"forecast advisory {ecosystem}:x by friday", START_AT) == ForecastRequest(about, FRIDAY)


@pytest.mark.parametrize(("word", "side"), [("true", Side.FIXED), ("FALSE", Side.UNFIXED)])
def test_true_and_false_are_the_sides_of_forecasts(word: str, side: Side) -> None:
    for verb in ("offer", "sell"):
        found = parse(f"{verb} {word} 50 at 0.30 on F12 now-or-never", START_AT)
        assert isinstance(found, OfferRequest)
        assert (found.side, found.contract, found.truth, found.volume, found.price) == (side, 12, True, 50, 300)
    alone = parse(f"offer {word} 50", START_AT)
    assert isinstance(alone, OfferRequest) and alone.contract is None and alone.truth


def test_the_issues_own_sides_mean_its_own_contracts() -> None:
    found = parse("offer fixed 50", START_AT)
    assert isinstance(found, OfferRequest) and found.contract is None and not found.truth


def test_a_book_is_shown_by_number() -> None:
    assert parse("book f12", START_AT) == BookRequest(None, 12)


WORDS = st.sampled_from(
    [
        "forecast",
        "advisory",
        "issue",
        "milestone",
        "label",
        "title",
        "severity",
        "closed",
        "by",
        "friday",
        "npm:x",
        "pip:",
        '"a',
        'b"',
        '"c d"',
        "“",
        "bug",
        "high",
        "on",
        "F12",
        "f0",
        "true",
        "offer",
        "50",
        "`",
        "@x",
        "#7",
        ":",
        '""',
    ]
)


@given(st.lists(WORDS, max_size=9))
def test_any_words_are_read_or_refused_with_a_command_that_reads(words: list[str]) -> None:
    for text in (" ".join(words), " ".join(["forecast", *words])):
        try:
            parse(text, START_AT)
        except BadCommand as refusal:
            assert refusal.instead
            for one in refusal.instead:
                assert "`" not in one.text
                assert_runs_or_has_a_blank(one)
