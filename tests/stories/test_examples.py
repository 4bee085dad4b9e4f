"""The worked examples of docs/market.md §6, through the public door: a comment goes in, the bot's answers come out."""

from tests.stories.conftest import DAY, Thread


async def matched(thread: Thread) -> str:
    """Example A up to the match: Adam UNFIXED 200 at 0.80, Beth FIXED 200 at 0.20. Returns the day."""
    by = thread.day(60)
    rests = await thread.say("adam", f"/bugmark offer unfixed 200 at 0.80 by {by}")
    assert "You put up 160.00." in rests
    fills = await thread.say("beth", f"/bugmark offer fixed 200 at 0.20 by {by}")
    assert "**Bought 200 FIXED** for 40.00 (0.20 each)" in fills
    assert "you get 200.00" in fills
    assert "@adam" in fills
    return by


async def settle_fixed(thread: Thread) -> str:
    await thread.close()
    await thread.bot("window:")
    thread.move(DAY + 1)
    return await thread.settled()


async def settle_unfixed(thread: Thread) -> str:
    """Told two days late of a window that would be over, people still have half a day."""
    thread.move(62 * DAY)
    await thread.bot("window:")
    await thread.quiet()
    thread.move(DAY // 2 + 60)
    return await thread.settled()


async def test_a_base_case_fixed(thread: Thread) -> None:
    await matched(thread)
    settled = await settle_fixed(thread)
    assert "settled: FIXED" in settled
    assert "| @beth | 200.00 | 40.00 | +160.00 | 0.00 |" in settled
    assert "| @adam | 0.00 | 160.00 | −160.00 | 0.00 |" in settled
    assert await thread.money("beth") == ("1,160.00", "0.00")
    assert await thread.money("adam") == ("840.00", "0.00")


async def test_a_base_case_not_fixed(thread: Thread) -> None:
    await matched(thread)
    settled = await settle_unfixed(thread)
    assert "settled: UNFIXED" in settled
    assert await thread.money("adam") == ("1,040.00", "0.00")
    assert await thread.money("beth") == ("960.00", "0.00")


async def test_b_partial_work_fixed(thread: Thread) -> None:
    by = await matched(thread)
    thread.move(7 * DAY)
    await thread.say("beth", "/bugmark sell fixed 200 at 0.40")
    taken = await thread.say("charles", f"/bugmark offer fixed 200 at 0.40 by {by}")
    assert "**Bought 200 FIXED** for 80.00 (0.40 each)" in taken
    assert await thread.money("beth") == ("1,040.00", "0.00")
    settled = await settle_fixed(thread)
    assert "Sold before: **beth** +40.00." in settled and "@beth" not in settled
    assert await thread.money("charles") == ("1,120.00", "0.00")
    assert await thread.money("adam") == ("840.00", "0.00")


async def test_b_partial_work_not_fixed(thread: Thread) -> None:
    by = await matched(thread)
    await thread.say("beth", "/bugmark sell fixed 200 at 0.40")
    await thread.say("charles", f"/bugmark offer fixed 200 at 0.40 by {by}")
    await settle_unfixed(thread)
    assert await thread.money("beth") == ("1,040.00", "0.00")
    assert await thread.money("charles") == ("920.00", "0.00")
    assert await thread.money("adam") == ("1,040.00", "0.00")


async def test_c_selling_the_other_side(thread: Thread) -> None:
    by = await matched(thread)
    thread.move(2 * DAY)
    await thread.say("adam", "/bugmark sell unfixed 200 at 0.70")
    await thread.say("bob", f"/bugmark offer unfixed 200 at 0.70 by {by}")
    assert await thread.money("adam") == ("980.00", "0.00")
    assert await thread.money("bob") == ("860.00", "0.00")
    assert await thread.money("beth") == ("960.00", "0.00")


async def test_d_getting_out_by_buying(thread: Thread) -> None:
    by = await matched(thread)
    rests = await thread.say("beth", f"/bugmark offer unfixed 200 at 0.60 by {by}")
    assert "200 FIXED units are held for it and bring 80.00" in rests
    assert await thread.money("beth") == ("960.00", "0.00")
    await thread.say("charles", f"/bugmark offer fixed 200 at 0.40 by {by}")
    assert await thread.money("beth") == ("1,040.00", "0.00")
    assert await thread.money("charles") == ("920.00", "0.00")


async def test_e_both_leave(thread: Thread) -> None:
    by = await matched(thread)
    await thread.say("beth", "/bugmark sell fixed 200 at 0.35")
    await thread.say("adam", "/bugmark sell unfixed 200 at 0.65")
    assert await thread.money("beth") == ("1,030.00", "0.00")
    assert await thread.money("adam") == ("970.00", "0.00")
    again = await thread.say("adam", f"/bugmark offer unfixed 10 at 0.80 by {by}")
    assert "You put up 8.00." in again


async def test_f_crowd(thread: Thread) -> None:
    """Four fans are too few for Dev's all-or-none; the fifth brings the rest. H and I: test_life_void, _insiders."""
    by = thread.day(30)
    for fan in ("ann", "bob", "cleo", "dave"):
        await thread.say(fan, f"/bugmark offer unfixed 20 at 0.90 by {by}")
    waits = await thread.say("dev", f"/bugmark offer fixed 100 at 0.10 by {by} all-or-none")
    assert "You put up 10.00." in waits
    fifth = await thread.say("eve", f"/bugmark offer unfixed 20 at 0.90 by {by}")
    assert "**Bought 20 UNFIXED** for 18.00 (0.90 each)" in fifth
    assert "@dev" in fifth
    for fan in ("ann", "bob", "cleo", "dave", "eve"):
        assert await thread.money(fan) == ("982.00", "0.00")
    assert await thread.money("dev") == ("990.00", "0.00")
    await thread.check()


async def test_g_improvement(thread: Thread) -> None:
    by = thread.day(30)
    await thread.say("ann", f"/bugmark offer unfixed 10 at 0.90 by {by}")
    await thread.say("bob", f"/bugmark offer unfixed 10 at 0.80 by {by}")
    taken = await thread.say("cleo", f"/bugmark offer fixed 15 at 0.30 by {by}")
    assert "**Bought 15 FIXED** for 2.00" in taken
    assert await thread.money("cleo") == ("998.00", "0.00")
