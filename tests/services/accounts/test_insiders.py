"""Insiders: allowed, disclosed or forbidden, as a contract's terms say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from app.market.terms.errors import Refusal
from app.services.accounts import insiders
from app.services.accounts.insiders import FRESH_SECONDS
from app.services.orders.standing import Actor, Standing, note, remembered, standing_of
from app.services.rules.config import Config
from app.services.trading import offers
from app.storage.people.places import Place
from tests.services.desk import BY, ISSUE, Desk, new_offer, place_of
from tests.services.lives import ADAM, BETH, base_case


@dataclass
class FakeRights:
    """What GitHub says of everybody; None: it gives no answer."""

    answer: bool | None
    asked: int = 0

    async def may_triage(self, place: Place, user_id: int, login: str) -> bool | None:
        self.asked += 1
        return self.answer


async def standing(
    desk: Desk, rights: FakeRights, user: int = ADAM, author: int = 9, needed: bool = False
) -> Standing | None:
    who = Actor(place_of(ISSUE), user, f"user{user}", author)
    async with desk.db.transaction() as tx:
        known = await remembered(tx, who, desk.config.insiders, desk.clock.now())
        found = await standing_of(rights, who, needed, known)
        if found is not None:
            await note(tx, who, found, desk.clock.now())
    return found


async def disclosed(desk: Desk) -> frozenset[int]:
    async with desk.db.reading() as tx:
        return await insiders.disclosed(tx, ISSUE)


def test_disclosure_is_the_default() -> None:
    assert Config().insiders == insiders.DISCLOSE


async def test_forbidden_insiders_cannot_offer(desk: Desk) -> None:
    desk.config = Config(insiders="forbid")
    number = await base_case(desk)
    context = replace(desk.context(ADAM), insider=True)
    for work in (
        lambda tx: offers.offer(tx, context, new_offer("buy fixed 10 at 300"), BY),
        lambda tx: offers.offer(tx, context, new_offer("buy fixed 10 at 300"), BY, contract=None, from_at=BY - 1),
    ):
        async with desk.refused(Refusal, "terms forbid it"):
            await desk.run(work)
    assert (await desk.contract(number)).terms.insiders == "forbid"


@pytest.mark.parametrize("rule", ["allow", "disclose"])
async def test_allowed_and_disclosed_insiders_trade(desk: Desk, rule: str) -> None:
    desk.config = Config(insiders=rule)
    await base_case(desk)
    context = replace(desk.context(ADAM), insider=True)
    await desk.run(lambda tx: offers.offer(tx, context, new_offer("buy fixed 10 at 300"), BY))


async def test_the_author_and_those_with_triage_rights_are_disclosed(desk: Desk) -> None:
    await base_case(desk)
    assert await standing(desk, FakeRights(True), ADAM) == Standing(True, True)
    assert await standing(desk, FakeRights(False), BETH, author=BETH) == Standing(False, True)
    assert await standing(desk, FakeRights(False), 3) == Standing(False, False)
    assert await disclosed(desk) == {ADAM, BETH}


async def test_where_insiders_are_allowed_nobody_is_asked_about_or_marked(desk: Desk) -> None:
    desk.config = Config(insiders="allow")
    await base_case(desk)
    rights = FakeRights(True)
    assert await standing(desk, rights) == Standing(False, False)
    assert rights.asked == 0
    assert await disclosed(desk) == frozenset()


async def test_it_is_asked_once_a_day_but_each_time_where_insiders_are_forbidden(desk: Desk) -> None:
    await base_case(desk)
    rights = FakeRights(True)
    for _ in range(3):
        assert (await standing(desk, rights) or Standing(False, False)).insider
    assert rights.asked == 1
    desk.clock.advance(FRESH_SECONDS)
    await standing(desk, rights)
    assert rights.asked == 2
    desk.config = Config(insiders="forbid")
    await standing(desk, rights)
    assert rights.asked == 3


async def test_a_command_that_needs_rights_asks_for_them_each_time(desk: Desk) -> None:
    await base_case(desk)
    rights = FakeRights(True)
    for _ in range(2):
        assert await standing(desk, rights, needed=True) == Standing(True, True)
    assert rights.asked == 2


async def test_without_an_answer_only_what_hangs_on_it_waits(desk: Desk) -> None:
    await base_case(desk)
    silent = FakeRights(None)
    assert await standing(desk, silent) == Standing(False, False)
    assert await standing(desk, silent, author=ADAM) == Standing(False, True)
    assert await standing(desk, silent, needed=True) is None
    desk.config = Config(insiders="forbid")
    assert await standing(desk, silent) is None
