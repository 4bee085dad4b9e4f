"""Forecasts in the database: made once, traded apart from the issue's own contracts, judged by their facts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import get_args

import pytest
from sqlalchemy import String

from app.market.life.facts import IssueFacts
from app.market.life.forecast_memory import Act, Known, MilestoneFacts, MilestoneIssue, known_milestone
from app.market.life.forecast_verdict import (
    NOT_TRUE,
    AdvisoryFacts,
    judge_advisories,
    judge_milestone,
    judge_pull,
    judge_release,
)
from app.market.life.next_step import NO_ANSWER_DAYS
from app.market.terms.contract import Outcome, Side, Status, digest
from app.market.terms.errors import InsufficientFunds, InvalidOffer, NotTrading, Refusal
from app.market.terms.milestone import KnownMilestone
from app.market.terms.pull import PullState
from app.market.terms.statement import (
    Advisory,
    AnyForecast,
    IssueForecast,
    Milestone,
    PullMerged,
    ReleasePublished,
    Statement,
    read_forecast,
)
from app.services.forecasts import making
from app.services.forecasts import news as forecast_news
from app.services.forecasts.making import Made
from app.services.forecasts.news import IssueNews, PullNews, ReleaseNews
from app.services.life import issue_checks
from app.services.trading import forecasting, offers
from app.services.trading.forecasting import MOST_FORECASTS
from app.storage.engine import tables
from app.storage.engine.db import Database
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.people.places import Place
from tests.clocks import FakeClock
from tests.services.desk import BY, DAY, ISSUE, REPOSITORY, Desk, new_offer
from tests.services.lives import dispute, halt, resolve

OTHER = 102
V1, V2, OLD = (
    KnownMilestone(71, 1, "v1.0", False),
    KnownMilestone(72, 2, "v2.0 @all", False),
    KnownMilestone(73, 3, "v0", True),
)


@dataclass
class Facts:
    """What GitHub knows. `answers` False: it gives no answer."""

    advisories: list[AdvisoryFacts] = field(default_factory=list)
    milestone: MilestoneFacts = field(default_factory=lambda: MilestoneFacts(None, []))
    act: Act | None = None
    answers: bool = True
    asked: list[Known] = field(default_factory=list)

    async def issue_facts(self, place: Place) -> IssueFacts | None:
        return IssueFacts(closed=False, completed=False)

    async def forecast_facts(self, place: Place, forecast: AnyForecast, now: int, known: Known) -> IssueFacts | None:
        self.asked.append(known)
        if not self.answers:
            return None
        if isinstance(forecast, Advisory):
            return judge_advisories(forecast, self.advisories, known.aside_at)
        if isinstance(forecast, PullMerged):
            return judge_pull(forecast, self.act)
        if isinstance(forecast, ReleasePublished):
            return judge_release(forecast, self.act)
        return judge_milestone(forecast, self.milestone, now) if isinstance(forecast, Milestone) else NOT_TRUE


@dataclass
class Forecasts(Desk):
    facts: Facts = field(default_factory=Facts)

    async def advisory(
        self, user: int = 1, package: str = "left-pad", severity: str = "high", by_at: int = BY, issue: int = ISSUE
    ) -> Made:
        context = self.context(user, issue)
        return await self.run(lambda tx: making.forecast_advisory(tx, context, "npm", package, severity, by_at))

    async def issue(self, label: str = "bug", title: str = "") -> Made:
        context = self.context(1)
        return await self.run(lambda tx: making.forecast_issue(tx, context, label, title, BY))

    async def milestone(self, name: str = "V1.0", known: tuple[KnownMilestone, ...] = (V1, V2, OLD)) -> Made:
        context = self.context(1)
        return await self.run(lambda tx: making.forecast_milestone(tx, context, name, known, BY))

    async def pull(self, number: int = 12, state: PullState = PullState.OPEN) -> Made:
        context = self.context(1)
        return await self.run(lambda tx: making.forecast_pull(tx, context, number, state, BY))

    async def release(self, tag: str = "v2.0", published: bool = False) -> Made:
        context = self.context(1)
        return await self.run(lambda tx: making.forecast_release(tx, context, tag, published, BY))

    async def offer_on(
        self, user: int, line: str, number: int, issue: int = ISSUE, closed: bool = False
    ) -> offers.Traded:
        context = self.context(user, issue, closed=closed)
        return await self.run(lambda tx: offers.offer(tx, context, new_offer(line), None, contract=number))

    async def matched(self, number: int) -> None:
        """User 1 has 100 FALSE at 0.70, user 2 100 TRUE at 0.30."""
        await self.offer_on(1, "buy unfixed 100 at 700", number)
        assert (await self.offer_on(2, "buy fixed 100 at 300", number)).changes.fills

    async def looked(self, number: int) -> ContractRow:
        """Look as often as it is due now."""
        for _ in range(5):
            row = await self.contract(number)
            if row.status is Status.SETTLED or row.next_look_at is None or row.next_look_at > self.clock.now():
                break
            await issue_checks.look_at(self.db, self.facts, number, self.clock)
            await self.announce()
        await self.check()
        return await self.contract(number)

    async def published(self, at: int, severity: str = "high", withdrawn: bool = False) -> None:
        """GitHub's database holds this one advisory, and says so."""
        packages = frozenset({("npm", "left-pad"), ("pip", "other")})
        self.facts.advisories = [AdvisoryFacts("GHSA-1", severity, packages, at, at, withdrawn)]
        await forecast_news.note_advisory(self.db, self.facts.advisories[0], self.clock.now())


@pytest.fixture
async def desk(db: Database, clock: FakeClock) -> Forecasts:
    found = Forecasts(db, clock)
    await found.furnish((ISSUE, OTHER))
    return found


# -- made once ----------------------------------------------------------------------------------------------------


async def test_a_forecast_stores_its_exact_predicate_and_its_hash(desk: Forecasts) -> None:
    made = await desk.advisory()
    row = made.contract
    assert made.new and row.kind == "advisory" and row.status is Status.OPEN
    assert read_forecast(row.statement_text) == Advisory(ISSUE, 1, desk.clock.now(), BY, "npm", "left-pad", "high")
    assert row.statement_hash == digest(row.statement_text)
    assert (row.maturation_at, row.next_look_at) == (BY, BY)


async def test_asking_again_gives_the_same_contract(desk: Forecasts) -> None:
    first = await desk.advisory()
    desk.clock.advance(60)
    again = await desk.advisory(user=2, package="Left-Pad")
    assert (again.new, again.contract.id) == (False, first.contract.id)
    for other in (
        await desk.advisory(severity="low"),
        await desk.advisory(issue=OTHER),
        await desk.advisory(by_at=BY + DAY),
    ):
        assert other.new


async def test_issues_and_milestones_are_known_by_githubs_ids(desk: Forecasts) -> None:
    issue, milestone = await desk.issue("Bug", "safe mode"), await desk.milestone()
    now = desk.clock.now()
    assert read_forecast(issue.contract.statement_text) == IssueForecast(
        ISSUE, 1, now, BY, REPOSITORY, "Bug", "safe mode"
    )
    assert read_forecast(milestone.contract.statement_text) == Milestone(ISSUE, 1, now, BY, REPOSITORY, 71, 1, "v1.0")
    renamed = KnownMilestone(71, 1, "Version 1", False)
    assert not (await desk.milestone("version 1", (renamed,))).new


@pytest.mark.parametrize(
    ("name", "known", "holds", "again"),
    [
        (
            "v3",
            (V1, V2),
            "There is no milestone of that name",
            "/bugmark forecast milestone NAME closed by 2026-01-31",
        ),
        (
            "v0",
            (V1, OLD),
            "That milestone is closed already",
            "/bugmark forecast milestone NAME closed by 2026-01-31",
        ),
        ("v0", (OLD,), "no other is open", "/bugmark help forecast"),
    ],
)
async def test_only_an_open_milestone_can_be_forecast(
    desk: Forecasts, name: str, known: tuple[KnownMilestone, ...], holds: str, again: str
) -> None:
    async with desk.refused(match=holds):
        await desk.milestone(name, known)
    with pytest.raises(Refusal) as caught:
        await desk.milestone(name, known)
    assert caught.value.correction is not None and caught.value.correction.startswith(again[:40])


@pytest.mark.parametrize(("span", "why"), [(-5, "in the past"), (60, "too near"), (4000 * DAY, "too far")])
async def test_a_forecast_runs_within_the_repositorys_bounds(desk: Forecasts, span: int, why: str) -> None:
    async with desk.refused(InvalidOffer, match=why):
        await desk.advisory(by_at=desk.clock.now() + span)


async def test_a_thread_has_a_bounded_number_of_forecasts(desk: Forecasts) -> None:
    for number in range(MOST_FORECASTS):
        await desk.advisory(package=f"p{number}")
    async with desk.refused(match="live in this thread already"):
        await desk.advisory(package="one-more")
    assert (await desk.advisory(package="one-more", issue=OTHER)).new
    assert not (await desk.advisory(package="p3")).new


# -- traded apart from the issue ----------------------------------------------------------------------------------


async def test_while_a_maintainer_has_halted_the_market_no_new_forecast_is_made(desk: Forecasts) -> None:
    made = await desk.advisory()
    await halt(desk)
    async with desk.refused(Refusal):
        await desk.issue()
    assert (await desk.advisory()).contract.id == made.contract.id


async def test_the_issues_contracts_and_its_forecasts_are_not_mixed_up(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    own = await desk.offer(1, "buy unfixed 10 at 500", BY)
    assert own.contract.id != number and own.made
    async with desk.db.reading() as tx:
        assert [row.id for row in await contracts.of_issue(tx, ISSUE)] == [own.contract.id]
        assert {row.id for row in await contracts.of_thread(tx, ISSUE)} == {own.contract.id, number}
    await desk.matched(number)
    assert await desk.reserve(1) == 5_000
    waiting = await desk.offer_on(3, "buy fixed 10 at 100", number)
    assert [offer.number for offer in await desk.cancel(3)] == [waiting.offer.number]


async def test_a_forecast_is_only_known_in_its_own_thread(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    own = (await desk.offer(1, "buy unfixed 10 at 500", BY)).contract.id
    async with desk.refused(match="no forecast is open here"):
        await desk.offer_on(1, "buy fixed 10 at 500", number, issue=OTHER)
    async with desk.refused(match=f"There is no forecast F{own} in this thread; here live F{number}"):
        await desk.offer_on(1, "buy fixed 10 at 500", own)
    async with desk.refused(match="There is no forecast F999"):
        await desk.offer_on(1, "buy fixed 10 at 500", 999)


async def test_true_without_a_number_is_the_threads_only_forecast(desk: Forecasts) -> None:
    async with desk.db.reading() as tx:
        with pytest.raises(Refusal, match="say which"):
            await forecasting.number_meant(tx, desk.context(1), None, truth=True)
        assert await forecasting.number_meant(tx, desk.context(1), None, truth=False) is None
    number = (await desk.advisory()).contract.id
    async with desk.db.reading() as tx:
        assert await forecasting.number_meant(tx, desk.context(1), None, truth=True) == number
        assert await forecasting.number_meant(tx, desk.context(1), 7, truth=True) == 7
    other = (await desk.issue()).contract.id
    async with desk.db.reading() as tx:
        with pytest.raises(Refusal, match=f"here live F{number} .*; F{other} ") as caught:
            await forecasting.number_meant(tx, desk.context(1), None, truth=True)
    assert caught.value.correction == f"/bugmark book F{number}"


async def test_refusals_speak_the_words_of_the_forecast(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    with pytest.raises(InsufficientFunds) as caught:
        await desk.offer_on(1, "buy unfixed 100000 at 700", number)
    again = caught.value.correction or ""
    assert again.startswith("/bugmark offer false ") and again.endswith(f" on F{number}") and " by " not in again
    context = desk.context(1)
    with pytest.raises(Refusal, match="no free TRUE units"):
        await desk.run(lambda tx: offers.sell(tx, context, Side.FIXED, None, None, contract=number))


async def test_a_closed_issue_does_not_stop_the_forecasts_of_its_thread(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    await desk.note(IssueFacts(closed=True, completed=True, closed_at=desk.clock.now()))
    assert (await desk.contract(number)).open
    assert (await desk.offer_on(1, "buy unfixed 10 at 500", number, closed=True)).offer.remaining == 10


# -- judged -------------------------------------------------------------------------------------------------------


async def test_a_published_advisory_halts_at_once_and_pays_true_after_the_window(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    await desk.matched(number)
    at = desk.clock.advance(DAY)
    await desk.published(at - 60)
    assert (await desk.contract(number)).status is Status.HALTED
    async with desk.refused(NotTrading):
        await desk.offer_on(3, "buy fixed 10 at 300", number)
    row = await desk.looked(number)
    assert (row.window_opened_at, row.window_ends_at) == (at - 60, at - 60 + DAY)
    desk.clock.advance(DAY)
    row = await desk.looked(number)
    assert row.outcome is Outcome.FIXED
    assert await desk.free(2) == 1_000_000 + 70_000
    assert await desk.free(1) == 1_000_000 - 70_000


async def test_an_advisory_withdrawn_inside_the_window_lets_trading_go_on(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    await desk.matched(number)
    await desk.published(desk.clock.advance(DAY))
    assert (await desk.looked(number)).window_ends_at is not None
    desk.clock.advance(3_600)
    await desk.published(desk.clock.now() - 3_600, withdrawn=True)
    assert (await desk.looked(number)).open
    desk.clock.set(BY + DAY + 3_600)
    await desk.looked(number)
    desk.clock.advance(DAY)
    assert (await desk.looked(number)).outcome is Outcome.UNFIXED


async def test_an_advisory_after_the_one_that_was_set_aside_counts(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    await desk.matched(number)
    first_at = desk.clock.advance(DAY)
    await desk.published(first_at)
    await desk.looked(number)
    await dispute(desk, 1, number)
    await resolve(desk, Outcome.UNFIXED, number)
    assert (await desk.looked(number)).open
    first = desk.facts.advisories[0]
    await forecast_news.note_advisory(desk.db, first, desk.clock.now())
    assert (await desk.looked(number)).open, "news of what was set aside stops nothing"
    second_at = desk.clock.advance(DAY)
    await desk.published(second_at)
    desk.facts.advisories = [first, replace(desk.facts.advisories[0], ghsa="GHSA-2")]
    assert (await desk.looked(number)).window_opened_at == second_at
    desk.clock.advance(DAY)
    assert (await desk.looked(number)).outcome is Outcome.FIXED


async def test_a_withdrawal_after_maturation_makes_it_false(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    await desk.matched(number)
    desk.clock.set(BY - 60)
    await desk.published(BY - 60)
    await desk.looked(number)
    desk.clock.set(BY + 60)
    await desk.published(BY - 60, withdrawn=True)
    desk.clock.set(BY + DAY)
    assert (await desk.looked(number)).outcome is Outcome.UNFIXED


@pytest.mark.parametrize("severity", ["low", "medium", "unknown"])
async def test_an_advisory_of_less_severity_stops_nothing(desk: Forecasts, severity: str) -> None:
    number = (await desk.advisory()).contract.id
    await desk.published(desk.clock.advance(DAY), severity)
    assert (await desk.looked(number)).open


async def test_news_that_the_api_does_not_confirm_decides_nothing(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    await desk.published(desk.clock.advance(DAY))
    desk.facts.advisories = []
    assert (await desk.looked(number)).open


async def test_without_an_answer_for_thirty_days_it_is_void(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    await desk.matched(number)
    desk.facts.answers = False
    desk.clock.set(BY)
    await desk.looked(number)
    for _ in range(NO_ANSWER_DAYS - 1):
        desk.clock.advance(DAY)
        assert (await desk.looked(number)).status is Status.HALTED
    desk.clock.advance(DAY)
    assert (await desk.looked(number)).outcome is Outcome.VOID
    assert (await desk.free(1), await desk.free(2)) == (1_000_000, 1_000_000)


async def test_a_settled_question_can_be_asked_again_in_the_next_round(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    at = desk.clock.advance(DAY)
    await desk.published(at)
    await desk.looked(number)
    desk.clock.advance(DAY)
    assert (await desk.looked(number)).status is Status.SETTLED
    again = await desk.advisory()
    assert again.new and again.contract.round == 2 and again.contract.id != number
    assert json.loads(again.contract.statement_text)["after"] == desk.clock.now()
    await desk.published(at)
    assert (await desk.looked(again.contract.id)).open


def issue_news(desk: Forecasts) -> Callable[..., IssueNews]:
    def news(labels: tuple[str, ...] = ("Bug",), title: str = "It crashes", repository: int = REPOSITORY) -> IssueNews:
        now = desk.clock.now()
        return IssueNews(repository, title, labels, created_at=now, at=now)

    return news


async def test_news_of_a_fitting_issue_stops_trade(desk: Forecasts) -> None:
    number = (await desk.issue("bug", "crash")).contract.id
    desk.clock.advance(60)
    news = issue_news(desk)
    for other in (news(("ui",)), news(title="It hangs"), news(repository=999)):
        await forecast_news.note_issue(desk.db, other, desk.clock.now())
        assert (await desk.contract(number)).open
    await forecast_news.note_issue(desk.db, news(), desk.clock.now())
    assert (await desk.contract(number)).status is Status.HALTED
    assert (await desk.looked(number)).open  # the API knows of no such issue


async def test_a_milestone_is_looked_at_when_something_happens_to_it(desk: Forecasts) -> None:
    number = (await desk.milestone()).contract.id
    await desk.matched(number)
    now = desk.clock.advance(DAY)
    await forecast_news.note_issue(desk.db, IssueNews(REPOSITORY, milestone=2), now)
    assert (await desk.contract(number)).next_look_at == BY
    desk.facts.milestone = MilestoneFacts(now, [MilestoneIssue(5, now - 10 * DAY, Act(now - 60, 9, "user9"))])
    await forecast_news.note_issue(desk.db, IssueNews(REPOSITORY, milestone=1), now)
    row = await desk.looked(number)
    assert (row.status, row.window_opened_at) == (Status.HALTED, now)
    desk.clock.advance(2 * DAY)
    assert (await desk.looked(number)).outcome is Outcome.FIXED


async def test_an_open_milestone_is_judged_at_maturation(desk: Forecasts) -> None:
    number = (await desk.milestone()).contract.id
    await desk.matched(number)
    closed = MilestoneIssue(5, 1_000, Act(desk.clock.advance(DAY), 9, "user9"))
    desk.facts.milestone = MilestoneFacts(None, [closed])
    await forecast_news.note_issue(desk.db, IssueNews(REPOSITORY, milestone=1), desk.clock.now())
    assert (await desk.looked(number)).open
    desk.clock.set(BY)
    row = await desk.looked(number)
    assert (row.status, row.window_opened_at) == (Status.HALTED, BY)
    desk.clock.advance(2 * DAY)
    assert (await desk.looked(number)).outcome is Outcome.FIXED


async def test_an_issue_reopened_after_the_end_leaves_the_milestone_undone(desk: Forecasts) -> None:
    number = (await desk.milestone()).contract.id
    await desk.matched(number)
    closed = MilestoneIssue(5, 1_000, Act(desk.clock.advance(DAY), 9, "user9"))
    desk.facts.milestone = MilestoneFacts(None, [closed])
    desk.clock.set(BY)
    await desk.looked(number)
    desk.facts.milestone = MilestoneFacts(None, [MilestoneIssue(5, 1_000, None)])
    desk.clock.advance(2 * DAY)
    assert (await desk.looked(number)).outcome is Outcome.UNFIXED


async def test_what_an_answer_told_is_at_hand_at_the_next_look(desk: Forecasts) -> None:
    """A look without an answer tells nothing."""
    number = (await desk.milestone()).contract.id
    await desk.matched(number)
    closed = MilestoneIssue(5, 1_000, Act(desk.clock.now(), 9, "user9"))
    desk.facts.milestone = MilestoneFacts(None, [closed])
    desk.clock.set(BY)
    await desk.looked(number)
    desk.facts.answers = False
    for later in (60, 120):
        desk.clock.set(BY + 2 * DAY + later)
        await desk.looked(number)
    assert desk.facts.asked[0] == Known()
    (then,) = set(desk.facts.asked[1:])
    assert (then.at, known_milestone(then)) == (BY, MilestoneFacts(None, [replace(closed, created_at=0)]))


async def test_while_a_window_runs_its_statement_is_looked_at_when_it_matures(desk: Forecasts) -> None:
    number = (await desk.advisory()).contract.id
    await desk.matched(number)
    desk.clock.set(BY - 3_600)
    await desk.published(BY - 3_600)
    assert (await desk.looked(number)).next_look_at == BY
    await dispute(desk, 1, number)
    assert (await desk.looked(number)).next_look_at == BY
    desk.clock.set(BY)
    assert (await desk.looked(number)).next_look_at == BY - 3_600 + 7 * DAY


# -- pull requests and releases -----------------------------------------------------------------------------------


async def test_a_merge_and_a_release_are_asked_about_in_the_threads_repository(desk: Forecasts) -> None:
    pull, release, now = await desk.pull(), await desk.release(), desk.clock.now()
    assert read_forecast(pull.contract.statement_text) == PullMerged(ISSUE, 1, now, BY, REPOSITORY, 12)
    assert read_forecast(release.contract.statement_text) == ReleasePublished(ISSUE, 1, now, BY, REPOSITORY, "v2.0")
    for same, other in (
        (await desk.pull(), await desk.pull(13)),
        (await desk.release(), await desk.release("V2.0")),
    ):
        assert not same.new and other.new


def test_every_kind_of_statement_fits_its_column() -> None:
    """SQLite would not mind."""
    kinds = [one.kind for one in get_args(Statement)]
    width = tables.contracts.c.kind.type
    assert len(kinds) == 6 and isinstance(width, String) and width.length is not None
    assert max(map(len, kinds)) <= width.length


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (PullState.ABSENT, "There is no pull request 12 in this repository."),
        (PullState.CLOSED, "Pull request 12 is closed; a forecast needs one that is open."),
        (PullState.MERGED, "Pull request 12 is merged already."),
    ],
)
async def test_only_an_open_pull_request_can_be_forecast(desk: Forecasts, state: PullState, why: str) -> None:
    async with desk.refused(match=why):
        await desk.pull(12, state)
    with pytest.raises(Refusal) as caught:
        await desk.pull(12, state)
    assert caught.value.correction == "/bugmark forecast pull NUMBER merged by 2026-01-31T00:00:00Z"


async def test_a_release_that_is_published_cannot_be_forecast(desk: Forecasts) -> None:
    async with desk.refused(match="The release `v2.0` is published already."):
        await desk.release(published=True)


async def test_news_of_a_merge_stops_trade_and_the_api_decides(desk: Forecasts) -> None:
    number = (await desk.pull()).contract.id
    await desk.matched(number)
    now = desk.clock.advance(DAY)
    elsewhere, other, closed = PullNews(999, 12, now), PullNews(REPOSITORY, 2, now), PullNews(REPOSITORY, 12, None)
    for news in (elsewhere, other, closed):
        await forecast_news.note_pull(desk.db, news, now)
        assert (await desk.contract(number)).next_look_at == BY
    await forecast_news.note_pull(desk.db, PullNews(REPOSITORY, 12, now), now)
    assert (await desk.contract(number)).status is Status.HALTED
    assert (await desk.looked(number)).open  # the API knows of no merge
    desk.facts.act = Act(now, 9, "user9")
    await forecast_news.note_pull(desk.db, PullNews(REPOSITORY, 12, now), now)
    assert (await desk.looked(number)).window_opened_at == now
    desk.clock.advance(2 * DAY)
    assert (await desk.looked(number)).outcome is Outcome.FIXED


async def test_news_of_a_release_stops_trade_and_its_end_has_github_asked(desk: Forecasts) -> None:
    number = (await desk.release()).contract.id
    await desk.matched(number)
    now = desk.clock.advance(DAY)
    out = ReleaseNews(REPOSITORY, frozenset({"v2.0"}), now)
    for news in (replace(out, repository=999), replace(out, tags=frozenset({"V2.0", "v2.0-rc1"}))):
        await forecast_news.note_release(desk.db, news, now)
        assert (await desk.contract(number)).next_look_at == BY
    desk.facts.act = Act(now, 9, "user9")
    await forecast_news.note_release(desk.db, out, now)
    assert (await desk.contract(number)).status is Status.HALTED
    assert (await desk.looked(number)).window_opened_at == now
    desk.facts.act = None
    await forecast_news.note_release(desk.db, replace(out, published_at=None), now)
    assert (await desk.looked(number)).open


@pytest.mark.parametrize("late", [False, True])
async def test_news_of_what_was_done_before_the_contract_or_after_its_end_stops_nothing(
    desk: Forecasts, late: bool
) -> None:
    """GitHub is asked all the same."""
    pull, release = (await desk.pull()).contract.id, (await desk.release()).contract.id
    now = desk.clock.now()
    at = BY + 1 if late else now
    await forecast_news.note_pull(desk.db, PullNews(REPOSITORY, 12, at), now)
    await forecast_news.note_release(desk.db, ReleaseNews(REPOSITORY, frozenset({"v2.0"}), at), now)
    for number in (pull, release):
        row = await desk.contract(number)
        assert row.open and row.next_look_at == now
