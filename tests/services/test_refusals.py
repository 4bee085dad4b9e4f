"""Every kind of refusal: one sentence, a corrected command that can be read, nothing changed in the database."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

import app.commands
import app.github
import app.language
import app.market
import app.services
from app.commands.registry import parse
from app.language.dates import AmbiguousDate, BadDate
from app.language.forecast_names import BadName, BadPackage, BadPull, BadSeverity, BadTag
from app.language.grammar import BadCommand, Leaving
from app.language.requests import GiveRequest
from app.language.values import BadLogin, BadOfferNumber
from app.market.exchange.spoken import Blank, Unclear
from app.market.terms.errors import (
    InsufficientFunds,
    InsufficientUnits,
    InvalidOffer,
    NotTrading,
    Refusal,
    UnknownOffer,
)
from app.market.terms.instants import command_date
from app.market.terms.money import AmbiguousNumber, BadAmount, BadPrice, BadVolume, Unreadable
from app.replies.hand_outs import refused
from app.services.rules.config import Config, Limits
from app.services.trading.forecasting import UnclearForecast
from app.services.trading.limits import OverLimit
from app.services.trading.room import NoRoom
from tests.runners import answer
from tests.services.desk import BY, Desk
from tests.services.lives import ADAM, BETH, CHARLES, DEV, closed_now, halt

DEFAULTS = Config()


@dataclass(frozen=True)
class Case:
    """What is said, by whom, and what it is refused as. `{by}` is the date of the contract that is there."""

    kind: type[Refusal]
    text: str
    user: int = CHARLES
    closed: bool = False
    may_triage: bool = False
    insider: bool = False
    config: Config = DEFAULTS


FEW = Config(limits=Limits(open_offers=0))
POOR = Config(limits=Limits(stake_mills=1_000))
NARROW = Config(limits=Limits(position_units=5))
OLD = Config(limits=Limits(account_age_days=30))

CASES = [
    Case(BadCommand, "offr fixed 50 by {by}"),
    Case(BadCommand, "offer fixed by {by}"),
    Case(BadCommand, "balance please"),
    Case(BadCommand, "resolve maybe"),
    Case(BadDate, "offer fixed 50 by someday"),
    Case(BadDate, "offer fixed 50 by {by} until 31.12.2026"),
    Case(BadVolume, "offer fixed 0 by {by}"),
    Case(BadPrice, "offer fixed 10 at 40 by {by}"),
    Case(BadAmount, "give @user2 1e3"),
    Case(AmbiguousNumber, "offer fixed 1.000 at 0.01 by {by}"),
    Case(AmbiguousNumber, "fund 0,900"),
    Case(AmbiguousDate, "offer fixed 50 by 12/01/2026"),
    Case(Leaving, "exit"),
    Case(Unclear, "offer true 10 at 0.30"),
    Case(BadOfferNumber, "take it"),
    Case(BadLogin, "positions @ada$"),
    Case(BadPackage, "forecast advisory left-pad by {by}"),
    Case(BadSeverity, "forecast advisory npm:left-pad severity horrid by {by}"),
    Case(BadName, "forecast issue label {long} by {by}"),
    Case(BadPull, "forecast pull seven merged by {by}"),
    Case(BadTag, "forecast release ..v2 published by {by}"),
    Case(InvalidOffer, "offer fixed 50 by 2020-01-01"),
    Case(InvalidOffer, "offer fixed 50 by 2099-01-01"),
    Case(InvalidOffer, "offer fixed 4 at 0.10 by {by}"),
    Case(InvalidOffer, "offer fixed 50 at 0.90 by {by} post-only"),
    Case(InvalidOffer, "take o1 60"),
    Case(InvalidOffer, "change o1 2", ADAM),
    Case(NotTrading, "offer fixed 50 by {by}", closed=True),
    Case(NotTrading, "take o1", closed=True),
    Case(NotTrading, "sell fixed all", BETH, closed=True),
    Case(InsufficientFunds, "offer fixed 5000 by {by}"),
    Case(InsufficientFunds, "give @user2 5"),
    Case(InsufficientUnits, "sell fixed 30 at 0.90", BETH),
    Case(InsufficientUnits, "sell fixed all"),
    Case(UnknownOffer, "cancel o999"),
    Case(UnknownOffer, "cancel all", DEV),
    Case(UnknownOffer, "take o999"),
    Case(UnknownOffer, "take o1", ADAM),
    Case(UnknownOffer, "change o1 10"),
    Case(OverLimit, "offer fixed 10 at 0.10 by {by}", config=FEW),
    Case(OverLimit, "offer fixed 10 at 0.50 by {by}", config=POOR),
    Case(OverLimit, "offer fixed 10 at 0.10 by {by}", config=NARROW),
    Case(OverLimit, "offer fixed 10 at 0.10 by {by}", config=OLD),
    Case(UnclearForecast, "offer true 10 at 0.30"),
    Case(UnclearForecast, "offer true 10 at 0.30 on F1"),
    Case(UnclearForecast, "book F1"),
    Case(NoRoom, "offer fixed 50 by 2026-03-04 now-or-never", DEV),
    Case(Refusal, "offer fixed 50 by 2026-01-30T23:30Z"),
    Case(Refusal, "book by 2026-09-09"),
    Case(Refusal, "sell fixed 5 at 0.90 by 2026-09-09", BETH),
    Case(Refusal, "positions @nobody"),
    Case(Refusal, "give @nobody 5"),
    Case(Refusal, "give @user3 5"),
    Case(Refusal, "dispute it crashes", ADAM),
    Case(Refusal, "resolve fixed so it is"),
    Case(Refusal, "resolve fixed so it is", may_triage=True),
    Case(Refusal, "resolve fixed so it is", ADAM, may_triage=True),
    Case(Refusal, "resolve fixed on c9 so it is", may_triage=True),
    Case(Refusal, "market halt a leak"),
    Case(Refusal, "market halt a leak", ADAM, may_triage=True),
    Case(Refusal, "market resume over", may_triage=True),
    Case(Refusal, "dry-run offer fixed 5000 by {by}"),
    Case(Refusal, "dry-run cancel o999"),
]


def kinds(base: type[Refusal] = Refusal) -> set[type[Refusal]]:
    """Every kind of refusal that the app has; those that only others are made from do not count."""
    beneath = set().union(*(kinds(each) for each in base.__subclasses__()))
    return beneath | ({base} - {Unreadable})


def test_every_kind_of_refusal_is_tried() -> None:
    for package in (app.market, app.language, app.services, app.commands, app.github):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    assert kinds() == {case.kind for case in CASES}


HOLDERS = {"user2": 2, "user3": 3}
"""Whose these names are on GitHub."""


async def said(desk: Desk, case: Case) -> str:
    context = replace(
        desk.context(case.user, closed=case.closed),
        may_triage=case.may_triage,
        insider=case.insider,
        config=case.config,
    )
    text = case.text.format(by=command_date(BY), long="x" * 101)
    async with desk.db.transaction() as tx:
        request = parse(text, desk.clock.now())
        if isinstance(request, GiveRequest):
            request = replace(request, holder=HOLDERS.get(request.login))
        return await answer(tx, context, request)


def behind(error: BaseException) -> Iterator[type[BaseException]]:
    """What it was made from: of a command that cannot be read, the word that cannot."""
    if error.__context__ is not None:
        yield type(error.__context__)
        yield from behind(error.__context__)


async def check(desk: Desk, case: Case) -> None:
    with pytest.raises(Refusal) as caught:
        pytest.fail(f"{case.text}: {await said(desk, case)}")
    refusal, what = caught.value, (case.text, caught.value.sentence, caught.value.correction)
    assert case.kind is type(refusal) or case.kind in set(behind(refusal)), what
    assert refusal.sentence.endswith((".", "?")) and "\n" not in refusal.sentence, what
    instead = [one.text for one in refusal.instead] if isinstance(refusal, Unclear) else []
    if refusal.correction:
        assert refusal.correction.startswith("/bugmark "), what
        instead = [refusal.correction.removeprefix("/bugmark ")]
    assert instead and all(f"`/bugmark {text}`" in refused(refusal) for text in instead), what
    for text in instead:
        check_hand_out(text, desk.clock.now())


def check_hand_out(text: str, now: int) -> None:
    """It can be read, or something is left to be filled in, and it is refused until then."""
    if not set(text.split(" ")) & set(Blank):
        parse(text, now)
        return
    with pytest.raises(Refusal):
        parse(text, now)


async def test_a_refusal_is_a_sentence_with_a_command_and_changes_nothing(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 30 at 800")
    await desk.offer(BETH, "buy fixed 10 at 200")
    for package in ("left-pad", "right-pad"):
        await said(desk, Case(Refusal, f"forecast advisory npm:{package} by {{by}}"))
    for day in (1, 2, 3):
        await said(desk, Case(Refusal, f"offer fixed 5 at 0.50 by 2026-03-0{day} now-or-never", DEV))
    before = await desk.dump()
    for case in CASES:
        await check(desk, case)
    assert await desk.dump() == before


async def test_the_same_while_halted_and_once_settled(desk: Desk) -> None:
    await desk.offer(ADAM, "buy unfixed 30 at 800")
    number = (await desk.offer(BETH, "buy fixed 10 at 200")).contract.id
    halted = [Case(NotTrading, text, user) for text, user in WHILE_HALTED]
    at = await closed_now(desk, number)
    for case in halted:
        await check(desk, case)
    await halt(desk)
    for case in [*halted, Case(Refusal, "market halt again", may_triage=True), Case(NotTrading, NEXT_DAY)]:
        await check(desk, case)
    desk.clock.set(at + desk.config.dispute_window_seconds)
    assert (await desk.look(number)).outcome is not None
    for case in (Case(UnknownOffer, "take o1"), Case(UnknownOffer, "cancel o1", ADAM)):
        await check(desk, case)
    assert (await desk.check()).problems == []


NEXT_DAY = "offer fixed 50 by 2026-02-20"
WHILE_HALTED = [("offer fixed 50 by {by}", CHARLES), ("take o1", CHARLES), ("sell fixed 10 at 0.90", BETH)]
