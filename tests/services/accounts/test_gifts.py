"""Giving money away: granted play tokens have to be traded first, and nobody gets what was meant for another."""

from __future__ import annotations

import pytest

from app.market.ledger.entry_detail import detail_text, grant_row
from app.market.ledger.journal import entry
from app.market.terms.contract import Side
from app.market.terms.errors import InsufficientFunds, Refusal
from app.services.accounts import gifts
from app.services.accounts.gifts import Gift
from app.services.trading.limits import NOT_TOLD
from app.storage.market import grants, journal
from app.storage.people import places
from tests.services.desk import CURRENCY, GRANT_MILLS, Desk

ADAM, BETH, CARL = 1, 2, 3


async def give(desk: Desk, user: int, login: str, mills: int, holder: int | None = None) -> Gift:
    """On GitHub user1 is user 1, unless another holder of the name is given."""
    context, number = desk.context(user), login[-1]
    holder = int(number) if holder is None and number.isdecimal() else holder
    return await desk.run(lambda tx: gifts.give(tx, context, login, mills, holder))


async def givable(desk: Desk, user: int) -> int:
    async with desk.db.reading() as tx:
        return await gifts.givable(tx, user, CURRENCY)


async def trade(desk: Desk) -> None:
    """Adam pays 40 for UNFIXED, Beth 10 for FIXED."""
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    await desk.offer(BETH, "buy fixed 50 at 200")


async def test_granted_tokens_cannot_be_given_before_they_were_traded(desk: Desk) -> None:
    async with desk.refused(InsufficientFunds, "granted tokens have to be traded"):
        await give(desk, ADAM, "user2", 1)
    await desk.offer(ADAM, "buy unfixed 50 at 800")
    assert await givable(desk, ADAM) == 0, "an offer that waits has not traded"


async def test_what_was_paid_in_fills_makes_as_much_of_the_rest_givable(desk: Desk) -> None:
    await trade(desk)
    assert (await givable(desk, ADAM), await givable(desk, BETH)) == (0, 0)
    await desk.sell(ADAM, Side.UNFIXED, 50, 700)
    await desk.offer(CARL, "buy unfixed 50 at 700")
    assert await givable(desk, ADAM) == 35_000, "40 paid, 35 came back"
    assert await givable(desk, CARL) == 0


async def test_a_gift_moves_free_money_and_is_an_entry_of_its_command(desk: Desk) -> None:
    await _receive(desk, ADAM, 30_000)
    gift = await give(desk, ADAM, "USER2", 20_000)
    assert (gift.receiver, gift.giver_login, gift.free_mills) == (BETH, "user1", GRANT_MILLS + 10_000)
    assert await desk.free(BETH) == GRANT_MILLS + 20_000
    async with desk.db.reading() as tx:
        assert await journal.cause_of(tx, f"give:command:{desk.commands}") == f"command:{desk.commands}"


async def has_traded_all(desk: Desk, user: int) -> None:
    """Without trading."""
    async with desk.db.transaction() as tx:
        left = await grants.traded(tx, CURRENCY, {user: GRANT_MILLS})
        assert left == [(user, 0)]
        told = detail_text([grant_row(user, CURRENCY, 0)])
        await journal.append(tx, [entry(f"traded:{user}", "test", desk.clock.now(), {}, told)])


async def _receive(desk: Desk, user: int, mills: int) -> None:
    """Traded money, without trading."""
    await has_traded_all(desk, 4)
    await give(desk, 4, f"user{user}", mills)


async def test_what_was_given_may_be_given_on(desk: Desk) -> None:
    await _receive(desk, ADAM, 30_000)
    await give(desk, ADAM, "user2", 30_000)
    await give(desk, BETH, "user3", 30_000)
    assert await desk.free(CARL) == GRANT_MILLS + 30_000


async def test_not_more_than_is_givable(desk: Desk) -> None:
    await _receive(desk, ADAM, 30_000)
    async with desk.refused(InsufficientFunds, r"You can give 30\.00"):
        await give(desk, ADAM, "user2", 30_001)
    async with desk.refused(InsufficientFunds, r"You have 1,030\.00 free"):
        await give(desk, ADAM, "user2", 2 * GRANT_MILLS)


async def test_the_correction_gives_what_can_be_given(desk: Desk) -> None:
    await _receive(desk, ADAM, 1_230_500 - GRANT_MILLS)
    for mills in (GRANT_MILLS, 2 * GRANT_MILLS):
        with pytest.raises(InsufficientFunds) as caught:
            await give(desk, ADAM, "user2", mills)
        assert caught.value.correction == "/bugmark give @user2 230.50"


async def test_reserved_money_cannot_be_given(desk: Desk) -> None:
    await has_traded_all(desk, ADAM)
    await desk.offer(ADAM, "buy unfixed 1000 at 900")
    assert await givable(desk, ADAM) == GRANT_MILLS - 900_000


async def test_not_to_oneself_nor_to_somebody_unknown(desk: Desk) -> None:
    await _receive(desk, ADAM, 30_000)
    async with desk.refused(Refusal, "That is you"):
        await give(desk, ADAM, "User1", 1_000)
    async with desk.refused(Refusal, "Nobody called `nobody` has an account here"):
        await give(desk, ADAM, "nobody", 1_000)


@pytest.mark.parametrize("holder", [99, NOT_TOLD])
async def test_a_name_that_passed_on_gets_nothing(desk: Desk, holder: int) -> None:
    """User 2 has another name on GitHub by now, and has not acted here under it."""
    await _receive(desk, ADAM, 30_000)
    async with desk.refused(Refusal, "does not have that name on GitHub any more"):
        await give(desk, ADAM, "user2", 1_000, holder)


async def test_of_two_who_had_a_name_here_its_owner_on_github_gets_it(desk: Desk) -> None:
    await _receive(desk, ADAM, 30_000)
    async with desk.db.transaction() as tx:
        await places.open_user(tx, 99, "User2", desk.clock.now())
    assert (await give(desk, ADAM, "user2", 1_000, 99)).receiver == 99
    assert (await give(desk, ADAM, "user2", 1_000, BETH)).receiver == BETH


async def test_the_same_command_gives_once(desk: Desk) -> None:
    await _receive(desk, ADAM, 30_000)
    context = desk.context(ADAM)
    await desk.run(lambda tx: gifts.give(tx, context, "user2", 1_000, BETH))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await desk.run(lambda tx: gifts.give(tx, context, "user2", 1_000, BETH))
    assert await desk.free(BETH) == GRANT_MILLS + 1_000
