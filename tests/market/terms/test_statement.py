"""Statements: predicates to the letter, what they say to people, and what facts make of them (docs/market.md §7)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.life.forecast_memory import (
    Act,
    MilestoneFacts,
    MilestoneIssue,
    told_of_act,
    told_of_issue,
    told_of_milestone,
)
from app.market.life.forecast_verdict import (
    NOBODY,
    AdvisoryFacts,
    OpenedIssue,
    judge_advisories,
    judge_issues,
    judge_milestone,
    judge_pull,
    judge_release,
    true_by_issue,
)
from app.market.terms.statement import (
    SEVERITIES,
    Advisory,
    AnyForecast,
    IssueFixed,
    IssueForecast,
    Milestone,
    PullMerged,
    ReleasePublished,
    at_least,
    folded_package,
    quoted,
    read_forecast,
    read_statement,
    said,
    short_words,
    shown,
    subject,
    text_of,
    words,
)

AFTER, BY = 1_000, 2_000
DJANGO = Advisory(7, 1, AFTER, BY, "pip", "Django", "high")
BUG = IssueForecast(7, 1, AFTER, BY, 41, "Bug", "Safe mode")
RELEASE = Milestone(7, 1, AFTER, BY, 41, 4317517, 3, "v1.0")
MERGE = PullMerged(7, 1, AFTER, BY, 41, 12)
V2 = ReleasePublished(7, 1, AFTER, BY, 41, "v2.0")


def advisory(
    at: int = 1_500, severity: str = "high", *packages: tuple[str, str], withdrawn: bool = False
) -> AdvisoryFacts:
    return AdvisoryFacts(f"GHSA-{at}", severity, frozenset(packages or [("pip", "django")]), at, at, withdrawn)


# -- predicates ---------------------------------------------------------------------------------------------------


def test_the_predicate_is_canonical_json() -> None:
    assert text_of(DJANGO) == (
        '{"after":1000,"by":2000,"ecosystem":"pip","kind":"advisory","package":"Django","round":1,"severity":"high",'
        '"thread":7}'
    )
    assert text_of(BUG) == (
        '{"after":1000,"by":2000,"kind":"issue_forecast","label":"Bug","repository":41,"round":1,"thread":7,'
        '"title":"Safe mode"}'
    )
    assert text_of(RELEASE) == (
        '{"after":1000,"by":2000,"kind":"milestone","milestone":4317517,"name":"v1.0","number":3,"repository":41,'
        '"round":1,"thread":7}'
    )
    assert text_of(MERGE) == '{"after":1000,"by":2000,"kind":"pull","number":12,"repository":41,"round":1,"thread":7}'
    assert text_of(V2) == (
        '{"after":1000,"by":2000,"kind":"release","repository":41,"round":1,"tag":"v2.0","thread":7}'
    )
    assert text_of(IssueFixed(7, 2)) == '{"issue":7,"kind":"issue_fixed","round":2}'


@pytest.mark.parametrize("statement", [DJANGO, BUG, RELEASE, MERGE, V2])
def test_a_predicate_is_read_back_as_it_was(statement: AnyForecast) -> None:
    assert read_statement(text_of(statement)) == statement == read_forecast(text_of(statement))


def test_an_issues_own_statement_is_no_forecast() -> None:
    assert read_forecast(text_of(IssueFixed(7, 1))) is None


@given(st.text(max_size=60))
def test_a_predicate_can_be_shown_exactly_in_a_code_span(name: str) -> None:
    text = text_of(replace(RELEASE, name=name))
    assert "`" not in text and "\n" not in text and text.isascii()
    assert read_statement(text) == replace(RELEASE, name=name)
    assert json.loads(text)["name"] == name


@given(st.text(max_size=60))
def test_names_of_users_stay_in_their_code_spans(name: str) -> None:
    for text in (words(text_of(replace(RELEASE, name=name))), short_words(text_of(replace(BUG, label=name)))):
        assert text.count("`") % 2 == 0 and "\n" not in text
        outside = "".join(text.split("`")[::2])
        assert "@" not in outside and "#" not in outside


def test_what_the_statements_say() -> None:
    assert words(text_of(DJANGO)) == (
        "an advisory of severity high or worse affecting `pip:Django` is published in GitHub's advisory database after "
        "1 Jan 1970 00:16:40 UTC and by 1 Jan 1970 00:33:20 UTC"
    )
    assert words(text_of(BUG)) == (
        "an issue with label `Bug` and `Safe mode` in its title is opened in this repository after "
        "1 Jan 1970 00:16:40 UTC and by 1 Jan 1970 00:33:20 UTC"
    )
    assert words(text_of(RELEASE)) == "every issue of milestone `v1.0` is closed by 1 Jan 1970 00:33:20 UTC"
    assert words(text_of(MERGE)) == "pull request 12 is merged by 1 Jan 1970 00:33:20 UTC"
    assert words(text_of(V2)) == "a release on the tag `v2.0` is published by 1 Jan 1970 00:33:20 UTC"
    assert words(text_of(IssueFixed(7, 1))) == "this issue is closed as completed"
    assert short_words(text_of(replace(DJANGO, severity="unknown"))) == "advisory for `pip:Django`"
    assert (
        short_words(text_of(replace(DJANGO, severity="critical"))) == "advisory for `pip:Django` of severity critical"
    )
    assert short_words(text_of(replace(BUG, title=""))) == "issue with label `Bug`"
    assert short_words(text_of(BUG)) == "issue with label `Bug` and `Safe mode` in its title"
    assert short_words(text_of(RELEASE)) == "milestone `v1.0` closed"
    assert short_words(text_of(MERGE)) == "pull request 12 merged"
    assert short_words(text_of(V2)) == "release `v2.0` published"
    assert short_words(text_of(IssueFixed(7, 1))) == "fixed"


def test_text_of_users_stands_in_a_span_of_its_own() -> None:
    assert [quoted(text) for text in ("a`b", " v1 ", "x\ny", "", "``", "\u200b")] == [
        "`a'b`",
        "`v1`",
        "`xy`",
        "`?`",
        "`''`",
        "`?`",
    ]
    assert '"name":"a\\u0060b"' in text_of(replace(RELEASE, name="a`b"))


def test_names_of_packages_are_compared_in_one_spelling() -> None:
    assert folded_package("pip", "A_b..-C") == "a-b-c"
    assert folded_package("npm", "A_b.C") == "a_b.c"


def test_forecasts_come_true_or_false_and_issues_fixed_or_unfixed() -> None:
    assert [said("advisory", word) for word in ("FIXED", "UNFIXED", "VOID")] == ["TRUE", "FALSE", "VOID"]
    assert [said("issue_fixed", word) for word in ("FIXED", "UNFIXED", "VOID")] == ["FIXED", "UNFIXED", "VOID"]
    assert (shown("milestone", 12), shown("issue_fixed", 12)) == ("F12", "c12")


def test_the_same_question_is_known_again() -> None:
    assert subject(DJANGO) == subject(replace(DJANGO, package="django", after=5, round=2))
    assert subject(BUG) == subject(replace(BUG, label="bug", title="SAFE MODE"))
    assert subject(RELEASE) == subject(replace(RELEASE, name="renamed"))
    assert subject(MERGE) == subject(replace(MERGE, after=5, round=2)) != subject(replace(MERGE, number=13))
    assert subject(V2) == subject(replace(V2, after=5, round=2)) != subject(replace(V2, tag="V2.0"))
    assert subject(replace(DJANGO, package="a_b.c")) == subject(replace(DJANGO, package="A-B-C"))
    for other in (replace(DJANGO, severity="low"), replace(DJANGO, by=3), replace(DJANGO, thread=8)):
        assert subject(other) != subject(DJANGO)
    assert subject(replace(DJANGO, ecosystem="npm", package="a_b")) != subject(
        replace(DJANGO, ecosystem="npm", package="a-b")
    )


# -- advisories ---------------------------------------------------------------------------------------------------


def test_an_advisory_makes_it_true_from_its_publication() -> None:
    facts = judge_advisories(DJANGO, [advisory(1_700), advisory(1_500)])
    assert facts.closed and facts.completed
    assert (facts.closed_at, facts.backers, facts.evidence) == (1_500, (NOBODY,), ("GHSA-1500",))


@pytest.mark.parametrize(
    "other",
    [
        advisory(AFTER),
        advisory(BY + 1),
        advisory(1_500, "medium"),
        advisory(1_500, "horrible"),
        advisory(1_500, "high", withdrawn=True),
        advisory(1_500, "high", ("npm", "django")),
        advisory(1_500, "high", ("pip", "django-filter"), ("pip", "flask")),
    ],
)
def test_other_advisories_do_not(other: AdvisoryFacts) -> None:
    assert not judge_advisories(DJANGO, [other]).closed


def test_an_advisory_may_affect_several_packages() -> None:
    several = advisory(BY, "critical", ("npm", "django"), ("pip", "flask"), ("pip", "DJANGO"))
    assert judge_advisories(DJANGO, [several]).closed_at == BY


@pytest.mark.parametrize(("asked", "named"), [("ruamel.yaml", "Ruamel_YAML"), ("Ruamel_YAML", "ruamel.yaml")])
def test_a_package_of_pip_is_the_same_in_any_of_its_spellings(asked: str, named: str) -> None:
    assert judge_advisories(replace(DJANGO, package=asked), [advisory(1_500, "high", ("pip", named))]).closed
    other = replace(DJANGO, package=asked, ecosystem="npm")
    assert not judge_advisories(other, [advisory(1_500, "high", ("npm", named))]).closed


def test_a_correction_opens_the_window_but_is_no_second_publication() -> None:
    corrected = judge_advisories(DJANGO, [replace(advisory(1_500), changed_at=1_800)])
    assert (corrected.closed_at, corrected.closed_since) == (1_800, 1_500)
    late = judge_advisories(DJANGO, [replace(advisory(1_500), changed_at=BY + 9)])
    assert late.good_close_at(BY) == BY


def test_what_made_a_forecast_true_until_it_was_set_aside_does_not_count() -> None:
    assert not judge_advisories(DJANGO, [advisory(1_500)], 1_500).closed
    assert judge_advisories(DJANGO, [advisory(1_500), advisory(1_501)], 1_500).closed_at == 1_501
    assert not judge_issues(BUG, [opened(1_500)], 1_500).closed
    assert judge_issues(BUG, [opened(1_500), opened(1_501)], 1_500).closed_at == 1_501


def test_severities_are_ordered() -> None:
    assert [at_least(severity, "medium") for severity in SEVERITIES] == [False, False, True, True, True]
    assert all(at_least(severity, "unknown") for severity in (*SEVERITIES, "new"))
    assert not at_least("new", "low")


# -- issues -------------------------------------------------------------------------------------------------------


def opened(
    at: int = 1_500,
    label: Act | None = None,
    title: str = "In SAFE MODE it crashes",
    renames: tuple[tuple[str, Act], ...] = (),
) -> OpenedIssue:
    return OpenedIssue(12, title, Act(at, 5, "dana"), {"bug": label, "ui": None}, renames)


def test_an_issue_makes_it_true_when_it_is_opened_so() -> None:
    facts = judge_issues(BUG, [opened(1_600), opened(1_500)])
    assert facts.closed and facts.completed
    assert (facts.closed_at, facts.closed_by, facts.closer, facts.evidence) == (1_500, 5, "dana", ("issue 12",))


def test_a_label_put_on_later_counts_from_then_on() -> None:
    facts = judge_issues(BUG, [opened(1_500, Act(1_800, 6, "tess"))])
    assert (facts.closed_at, facts.closed_by) == (1_800, 6)
    assert not judge_issues(BUG, [opened(1_500, Act(BY + 1, 6, "tess"))]).closed


def test_an_issue_fits_no_earlier_than_it_was_opened() -> None:
    """Whatever clocks say: an issue that was moved keeps labels from before."""
    early = (("Crash", Act(1_300)),)
    assert judge_issues(BUG, [opened(1_500, Act(1_400, 6), renames=early)]).closed_at == 1_500


def test_a_title_counts_since_it_holds_the_text_without_a_break() -> None:
    renamed = opened(1_500, renames=(("Crash", Act(1_600)), ("In safe mode", Act(1_700)), ("no", Act(1_900, 8))))
    assert judge_issues(BUG, [renamed]).closed_at == 1_900
    ever_since = opened(1_500, renames=(("Crash", Act(1_600)), ("in safe mode", Act(1_700))))
    assert judge_issues(BUG, [ever_since]).closed_at == 1_600
    assert not judge_issues(BUG, [opened(1_500, renames=(("Crash", Act(BY + 1)),))]).closed
    assert not judge_issues(BUG, [opened(title="It crashes")]).closed


def test_only_issues_opened_in_time_count() -> None:
    assert not judge_issues(BUG, [opened(AFTER), opened(BY + 1)]).closed
    assert judge_issues(BUG, [opened(BY)]).closed_at == BY
    assert not judge_issues(replace(BUG, label="other"), [opened()]).closed
    assert judge_issues(replace(BUG, title=""), [opened(title="anything")]).closed


# -- milestones ---------------------------------------------------------------------------------------------------


def member(
    number: int, closed_at: int | None = None, created_at: int = 500, added_at: int | None = None
) -> MilestoneIssue:
    return MilestoneIssue(number, created_at, None if closed_at is None else Act(closed_at, number, "x"), added_at)


def test_a_closed_milestone_with_all_its_issues_closed_is_true_at_once() -> None:
    facts = judge_milestone(RELEASE, MilestoneFacts(1_300, [member(1, 1_200), member(2, 1_400)]), 1_500)
    assert facts.closed and facts.completed
    assert (facts.closed_at, facts.closed_by, facts.evidence) == (1_400, 2, ("milestone 3",))
    assert judge_milestone(RELEASE, MilestoneFacts(1_600, [member(1, 1_200)]), 1_700).closed_at == 1_600


def test_an_open_milestone_may_still_grow() -> None:
    done = MilestoneFacts(None, [member(1, 1_200)])
    assert not judge_milestone(RELEASE, done, BY - 1).closed
    assert judge_milestone(RELEASE, done, BY).closed_at == BY


def test_an_issue_that_is_open_or_was_closed_late_makes_it_untrue() -> None:
    assert not judge_milestone(RELEASE, MilestoneFacts(1_300, [member(1, 1_200), member(2)]), BY).closed
    late = judge_milestone(RELEASE, MilestoneFacts(None, [member(1, BY + 5)]), BY + 9)
    assert late.good_close_at(BY) is None


def test_a_milestone_closed_after_the_end_is_judged_by_its_issues() -> None:
    assert judge_milestone(RELEASE, MilestoneFacts(BY + 5, [member(1, 1_200)]), BY + 9).closed_at == BY


def test_a_milestone_done_in_the_last_second_is_true_then_though_our_clock_is_behind() -> None:
    assert judge_milestone(RELEASE, MilestoneFacts(BY, [member(1, 1_200)]), BY - 1).closed_at == BY


def test_what_made_it_true_is_told_to_be_remembered() -> None:
    """Of a milestone what counted, true or not; of issues the one that fitted first, with the act."""
    counted, late = [member(1, 1_200), member(2)], member(3, created_at=BY + 1)
    assert judge_milestone(RELEASE, MilestoneFacts(1_300, [*counted, late]), BY).told == told_of_milestone(
        1_300, counted
    )
    assert true_by_issue(12, Act(600, 5, "dana")).told == told_of_issue(12, Act(600, 5, "dana"))


def test_a_milestone_without_issues_is_not_done() -> None:
    assert not judge_milestone(RELEASE, MilestoneFacts(1_300, []), BY).closed


def test_what_was_opened_or_added_after_the_end_does_not_count() -> None:
    fresh, added = member(2, created_at=BY + 1), member(3, added_at=BY + 1)
    assert judge_milestone(RELEASE, MilestoneFacts(None, [member(1, 1_200), fresh, added]), BY + 9).closed_at == BY
    assert not judge_milestone(RELEASE, MilestoneFacts(None, [member(1, 1_200), member(3, added_at=BY)]), BY).closed
    assert not judge_milestone(RELEASE, MilestoneFacts(None, [fresh]), BY + 9).closed


# -- pull requests and releases -----------------------------------------------------------------------------------


def test_a_merge_and_a_publication_in_time_are_true_since_then() -> None:
    for facts, evidence in (
        (judge_pull(MERGE, Act(1_200, 5, "dana")), "pull request 12"),
        (judge_release(V2, Act(1_200, 5, "dana")), "release v2.0"),
    ):
        assert facts.closed and facts.completed
        assert (facts.closed_at, facts.closed_by, facts.closer, facts.evidence) == (1_200, 5, "dana", (evidence,))
        assert facts.told == told_of_act(Act(1_200, 5, "dana"))


@pytest.mark.parametrize(("at", "true"), [(BY, True), (BY + 1, False)])
def test_the_last_instant_counts_and_the_next_does_not(at: int, true: bool) -> None:
    assert judge_pull(MERGE, Act(at)).closed is true
    assert judge_release(V2, Act(at)).closed is true
    assert judge_release(V2, Act(at)).told == told_of_act(Act(at)), "what came too late is known all the same"


def test_what_was_not_merged_or_published_is_not_true() -> None:
    for facts in (judge_pull(MERGE, None), judge_release(V2, None)):
        assert not facts.closed and facts.gone is None and facts.told == told_of_act(None)


def test_what_is_older_than_the_contract_came_to_be_so_later_and_is_backed_by_nobody() -> None:
    """There was no release on the tag when the contract was made: it had another one."""
    facts = judge_release(V2, Act(AFTER, 5, "dana"))
    assert facts.closed and (facts.closed_at, facts.closed_by) == (AFTER, None)
