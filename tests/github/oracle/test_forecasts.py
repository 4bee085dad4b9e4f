"""How GitHub is asked about forecasts, and what is made of its answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

import pytest

from app.github.api.client import GitHub
from app.github.api.errors import Gone, Unavailable
from app.github.oracle import forecasts
from app.market.life.forecast_memory import Known
from app.market.terms.milestone import KnownMilestone
from app.market.terms.statement import Advisory, IssueForecast, Milestone
from app.storage.people.places import Repository
from tests.github.play import Play, reply

HERE = Repository(7, 1, 9, "ann", "tool", False)
AFTER, BY = 60, 3600
PACKAGE = Advisory(5, 1, AFTER, BY, "pip", "My.Package", "high")
LABEL = IssueForecast(5, 1, AFTER, BY, 7, "help wanted", "")
RELEASE = Milestone(5, 1, AFTER, BY, 7, 71, 3, "v1")
ADVISORIES = (
    "GET /advisories?per_page=100&type=reviewed&ecosystem=pip"
    "&affects=My.Package,my.package,my-package,my_package"
    "&published=1970-01-01T00:01:00Z..1970-01-01T01:00:00Z"
)
ISSUES = "GET /repos/ann/tool/issues?per_page=100&state=all&sort=created&direction=asc&since=1970-01-01T00:01:00Z"
OF_MILESTONE = "GET /repos/ann/tool/issues?per_page=100&milestone=3&state=all"
Json = dict[str, Any]
DANA: Json = {"id": 5, "login": "dana", "type": "User"}


def advisory(ghsa: str, published: str, severity: str = "high", name: str = "my_package") -> Json:
    return {
        "ghsa_id": ghsa,
        "severity": severity,
        "published_at": published,
        "updated_at": published,
        "withdrawn_at": None,
        "vulnerabilities": [{"package": {"ecosystem": "pip", "name": name}}],
    }


def issue(number: int, created: str, labels: tuple[str, ...] = ("Help wanted",), **more: Any) -> Json:
    listed = [{"name": name} for name in labels]
    shape = {"number": number, "title": "It", "state": "open", "created_at": created, "closed_at": None, "user": DANA}
    return {**shape, "labels": listed, **more}


def timeline(play: Play, number: int, *events: Json) -> None:
    play.on(f"GET /repos/ann/tool/issues/{number}/timeline?per_page=100", reply(list(events)))


def rights(play: Play, login: str, user: int, **held: bool) -> None:
    found = {"permission": "read", "user": {"id": user, "permissions": held}}
    play.on(f"GET /repos/ann/tool/collaborators/{login}/permission", reply(found))


async def test_advisories_are_asked_for_under_every_spelling_and_page_after_page(github: GitHub, play: Play) -> None:
    second = f"{play.url}/advisories?after=x"
    first_page = [advisory("GHSA-a", "1970-01-01T00:30:00Z", "low"), advisory("GHSA-b", "1970-01-01T00:40:00Z")]
    play.on(ADVISORIES, reply(first_page, link=f'<{second}>; rel="next"'))
    play.on("GET /advisories?after=x", reply([advisory("GHSA-c", "1970-01-01T00:20:00Z"), {"broken": True}]))
    facts = await forecasts.facts_of(github, HERE, PACKAGE, BY)
    assert (facts.closed_at, facts.evidence) == (1200, ("GHSA-c",))
    assert [unquote_plus(line) for line in play.lines()][:1] == [ADVISORIES]


async def test_no_answer_about_advisories_is_an_error(github: GitHub, play: Play) -> None:
    play.on(ADVISORIES, reply({"message": "no"}, 503))
    with pytest.raises(Unavailable):
        await forecasts.facts_of(github, HERE, PACKAGE, BY)


async def test_of_the_listed_issues_only_those_that_fit_are_looked_into(github: GitHub, play: Play) -> None:
    play.on(
        f"{ISSUES}&labels=help+wanted",
        reply(
            [
                issue(1, "1970-01-01T00:00:30Z"),
                issue(2, "1970-01-01T00:10:00Z", pull_request={"url": ""}),
                issue(3, "1970-01-01T00:11:00Z", ("other",)),
                issue(4, "1970-01-01T00:12:00Z"),
                issue(5, "1970-01-01T00:13:00Z"),
                issue(6, "1970-01-01T00:40:00Z"),
            ]
        ),
    )
    put_on = {"event": "labeled", "created_at": "1970-01-01T00:30:00Z", "actor": DANA, "label": {"name": "help wanted"}}
    timeline(play, 4, {**put_on, "created_at": "1970-01-01T02:00:00Z"})
    timeline(play, 5, put_on)
    rights(play, "dana", 5, triage=True)
    facts = await forecasts.facts_of(github, HERE, LABEL, BY)
    assert (facts.closed_at, facts.closed_by, facts.backers, facts.evidence) == (1800, 5, (5,), ("issue 5",))
    assert not any("/issues/6/" in line or "/issues/3/" in line for line in play.lines())


async def test_a_label_with_a_comma_is_looked_for_in_all_issues(github: GitHub, play: Play) -> None:
    play.on(ISSUES, reply([issue(4, "1970-01-01T00:12:00Z", ("a,b",))]))
    timeline(play, 4)
    rights(play, "dana", 5, pull=True)
    forecast = IssueForecast(5, 1, AFTER, BY, 7, "a,b", "")
    facts = await forecasts.facts_of(github, HERE, forecast, BY)
    assert (facts.closed_at, facts.backers) == (720, ())


@pytest.mark.parametrize("status", [403, 422])
async def test_rights_that_are_not_told_back_nothing(github: GitHub, play: Play, status: int) -> None:
    play.on(f"{ISSUES}&labels=help+wanted", reply([issue(4, "1970-01-01T00:12:00Z")]))
    timeline(play, 4)
    play.on("GET /repos/ann/tool/collaborators/dana/permission", reply({"message": "no"}, status))
    facts = await forecasts.facts_of(github, HERE, LABEL, BY)
    assert facts.closed and facts.backers == ()


async def test_a_bot_backs_nothing(github: GitHub, play: Play) -> None:
    bot = {"id": 6, "login": "triage[bot]", "type": "Bot"}
    play.on(f"{ISSUES}&labels=help+wanted", reply([issue(4, "1970-01-01T00:12:00Z", user=bot)]))
    timeline(play, 4)
    facts = await forecasts.facts_of(github, HERE, LABEL, BY)
    assert facts.closed_by == 6 and facts.backers == ()
    assert not any("permission" in line for line in play.lines())


async def test_a_milestones_last_close_is_told_by_its_timeline(github: GitHub, play: Play) -> None:
    shape = {"id": 71, "number": 3, "title": "v1", "state": "closed", "closed_at": "1970-01-01T00:50:00Z"}
    play.on("GET /repos/ann/tool/milestones/3", reply(shape))
    done: Json = {"state": "closed", "closed_at": "1970-01-01T00:40:00Z"}
    early: Json = {"state": "closed", "closed_at": "1970-01-01T00:20:00Z"}
    pull = issue(3, "1970-01-01T00:00:30Z", pull_request={"url": ""})
    play.on(
        OF_MILESTONE, reply([issue(1, "1970-01-01T00:00:30Z", **early), issue(2, "1970-01-01T00:00:30Z", **done), pull])
    )
    timeline(play, 2, {"event": "closed", "created_at": "1970-01-01T00:40:00Z", "actor": DANA})
    rights(play, "dana", 5, push=True, triage=True)
    facts = await forecasts.facts_of(github, HERE, RELEASE, 3000)
    assert (facts.closed_at, facts.closed_by, facts.backers, facts.evidence) == (3000, 5, (5,), ("milestone 3",))
    assert not any("/issues/1/" in line for line in play.lines())


async def test_what_was_added_to_a_milestone_after_the_end_does_not_hinder(github: GitHub, play: Play) -> None:
    play.on("GET /repos/ann/tool/milestones/3", reply({"id": 71, "number": 3, "state": "open", "closed_at": None}))
    done: Json = {"state": "closed", "closed_at": "1970-01-01T00:40:00Z"}
    play.on(OF_MILESTONE, reply([issue(1, "1970-01-01T00:00:30Z", **done), issue(2, "1970-01-01T00:00:30Z")]))
    timeline(play, 1)
    timeline(play, 2, {"event": "milestoned", "created_at": "1970-01-01T02:00:00Z", "actor": DANA})
    facts = await forecasts.facts_of(github, HERE, RELEASE, BY + 60)
    assert facts.good_close_at(BY) == BY


async def test_a_deleted_milestone_is_gone_but_a_lost_repository_is_no_answer(github: GitHub, play: Play) -> None:
    facts = await forecasts.facts_of(github, HERE, RELEASE, 3000)
    assert (facts.gone, facts.gone_at) == ("deleted", 3000)
    play.on("GET /repositories/7", reply({"message": "Not Found"}, 404))
    elsewhere = Repository(8, 1, 9, "ann", "other", False)
    with pytest.raises(Gone):
        await forecasts.facts_of(github, elsewhere, RELEASE, 3000)


DONE: Json = {"state": "closed", "closed_at": "1970-01-01T00:40:00Z"}
OPEN_MILESTONE: Json = {"id": 71, "number": 3, "state": "open", "closed_at": None}


async def first_answer(github: GitHub, play: Play, at: int, *listed: Json) -> Known:
    """What is remembered of the milestone with these issues in it."""
    play.on("GET /repos/ann/tool/milestones/3", reply(OPEN_MILESTONE))
    play.on(OF_MILESTONE, reply(list(listed)))
    for one in listed:
        timeline(play, one["number"])
    return Known(at, (await forecasts.facts_of(github, HERE, RELEASE, at)).told)


@pytest.mark.parametrize("listed_again", [False, True])
async def test_an_open_issue_taken_out_of_the_milestone_after_its_end_still_hinders(
    github: GitHub, play: Play, listed_again: bool
) -> None:
    """Nor does it help to put it in again: then it was added after the end."""
    done, hinders = issue(1, "1970-01-01T00:00:30Z", **DONE), issue(2, "1970-01-01T00:00:30Z")
    known = await first_answer(github, play, BY, done, hinders)
    play.on(OF_MILESTONE, reply([done, hinders] if listed_again else [done]))
    timeline(play, 2, {"event": "milestoned", "created_at": "1970-01-01T02:00:00Z", "actor": DANA})
    assert (await forecasts.facts_of(github, HERE, RELEASE, BY + 60)).closed, "who remembers nothing is taken in"
    facts = await forecasts.facts_of(github, HERE, RELEASE, BY + 60, known)
    assert not facts.closed and facts.told == known.told


async def test_when_an_issue_of_the_milestone_was_closed_is_told_by_github_as_long_as_it_is_in_it(
    github: GitHub, play: Play
) -> None:
    """The first answer was behind by a minute."""
    done = issue(1, "1970-01-01T00:00:30Z", **DONE)
    known = await first_answer(github, play, BY, {**done, "state": "open", "closed_at": None})
    play.on(OF_MILESTONE, reply([done]))
    facts = await forecasts.facts_of(github, HERE, RELEASE, BY + 60, known)
    assert facts.good_close_at(BY) == BY


async def test_a_milestone_deleted_after_its_end_counts_as_it_was_last_known(github: GitHub, play: Play) -> None:
    for listed, true in (([issue(1, "1970-01-01T00:00:30Z", **DONE)], True), ([], False)):
        known = await first_answer(github, play, BY, *listed)
        play.on("GET /repos/ann/tool/milestones/3", reply({"message": "Not Found"}, 404))
        for at in (BY + 60, BY + 3600):
            facts = await forecasts.facts_of(github, HERE, RELEASE, at, known)
            assert (facts.gone, facts.closed, facts.told) == (None, true, known.told)
        assert (await forecasts.facts_of(github, HERE, RELEASE, BY, known)).gone == "deleted"


@pytest.mark.parametrize(
    ("status", "still"),
    [(410, True), (404, True), (301, True), (200, False)],
    ids=["deleted", "hidden", "moved", "here"],
)
async def test_of_an_issue_that_vanished_after_the_end_the_last_known_state_counts(
    github: GitHub, play: Play, status: int, still: bool
) -> None:
    """If it is there and has lost its label it counts no more."""
    fitting = issue(4, "1970-01-01T00:12:00Z")
    play.on(f"{ISSUES}&labels=help+wanted", reply([fitting]))
    timeline(play, 4)
    rights(play, "dana", 5, triage=True)
    first = await forecasts.facts_of(github, HERE, LABEL, BY - 60)
    play.on(f"{ISSUES}&labels=help+wanted", reply([]))
    play.on("GET /repos/ann/tool/issues/4", reply({**fitting, "url": f"{play.url}/elsewhere"}, status))
    known = Known(BY - 60, first.told)
    assert not (await forecasts.facts_of(github, HERE, LABEL, BY, known)).closed
    facts = await forecasts.facts_of(github, HERE, LABEL, BY + 60, known)
    assert facts.closed is still
    if still:
        assert (facts.closed_at, facts.backers, facts.evidence, facts.told) == (720, (5,), ("issue 4",), first.told)
    assert not (await forecasts.facts_of(github, HERE, LABEL, BY + 60, Known(BY - 60, first.told, 720))).closed


async def test_milestones_are_named_with_their_ids(github: GitHub, play: Play) -> None:
    listed = [
        {"id": 71, "number": 3, "title": "v1", "state": "open"},
        {"id": 72, "number": 4, "title": None, "state": "closed"},
    ]
    play.on("GET /repos/ann/tool/milestones?per_page=100&state=all", reply([*listed, {"id": "x"}]))
    assert await forecasts.milestones_of(github, HERE) == [
        KnownMilestone(71, 3, "v1", closed=False),
        KnownMilestone(72, 4, "", closed=True),
    ]
