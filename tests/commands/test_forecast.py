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
    AboutPull,
    AboutRelease,
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

READ: dict[str, AboutAdvisory | AboutIssue | AboutMilestone | AboutPull | AboutRelease] = {
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
    "forecast milestone pull 7 merged by friday": AboutMilestone("pull 7 merged"),
    "forecast milestone next release closed by friday": AboutMilestone("next release"),
    "forecast pull 7 merged by friday": AboutPull(7),
    "Forecast Pull #123456789 Merged By friday": AboutPull(123456789),
    "forecast pull 7 by friday": AboutPull(7),
    "forecast release v2.0 published by friday": AboutRelease("v2.0"),
    "forecast release V2.0-RC1 by friday": AboutRelease("V2.0-RC1"),
    "forecast release app/v1@2 published by friday": AboutRelease("app/v1@2"),
    'forecast release "published" published by friday': AboutRelease("published"),
    "forecast release 2026 published by friday": AboutRelease("2026"),
    "forecast release ausgabe-für-alle published by friday": AboutRelease("ausgabe-für-alle"),
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
    "forecast pull seven merged by friday": ("is no pull request", "forecast pull NUMBER by 2026-01-02"),
    "forecast pull 0 merged by friday": ("is no pull request", "forecast pull NUMBER by 2026-01-02"),
    "forecast pull 1234567890 merged by friday": ("is no pull request", "forecast pull NUMBER by 2026-01-02"),
    "forecast pull merged by friday": ("the number of a pull request", "forecast pull NUMBER by 2026-01-02"),
    "forecast pull request #7 is merged by friday": ("is no pull request", "forecast pull 7 merged by 2026-01-02"),
    "forecast pr 7 merged by friday": ("not understood", "forecast pull 7 merged by 2026-01-02"),
    "forecast pull 7 merged": ("something is missing", "forecast pull 7 merged by DATE"),
    "forecast pull 7 closed by friday": ("not understood", "forecast pull NUMBER by 2026-01-02"),
    "forecast release published by friday": ("a tag such as", "forecast release TAG by 2026-01-02"),
    "forecast release v1..2 published by friday": ("is no tag", "forecast release TAG by 2026-01-02"),
    "forecast release v1 final published by friday": ("not understood", "forecast release TAG by 2026-01-02"),
    "forecast release v1.0": ("something is missing", "forecast release v1.0 published by DATE"),
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
        "pull",
        "merged",
        "release",
        "published",
        "NUMBER",
        "TAG",
        "v1",
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


NO_TAGS = [
    "-v",
    ".v",
    "v.",
    "/v",
    "v/",
    "a//b",
    "a/.b",
    "a..b",
    "a.lock",
    "a.lock/b",
    "a~",
    "a^",
    "a:",
    "a?",
    "a*",
    "a[",
    "a\\",
    "@",
    "a@{b",
    "a`b",
    "../../issues",
    "TAG",
]


@pytest.mark.parametrize("tag", [*NO_TAGS, "a\u200bb", "v" * 101, '""'])
def test_what_git_takes_for_no_tag_is_none(tag: str) -> None:
    with pytest.raises(BadCommand):
        parse(f"forecast release {tag} published by friday", START_AT)
