"""A change of reason is a close at that instant, and never moves a window that runs."""

from tests.stories.conftest import DAY, Thread


async def matched(thread: Thread, days: int) -> None:
    by = thread.day(days)
    await thread.say("adam", f"/bugmark offer unfixed 100 at 0.80 by {by}")
    await thread.say("beth", f"/bugmark offer fixed 100 at 0.20 by {by}")


async def test_not_planned_turned_into_completed_after_maturation_is_too_late(thread: Thread) -> None:
    await matched(thread, days=3)
    await thread.close("not_planned")
    thread.move(4 * DAY)
    assert "was not closed as completed" in await thread.bot("window:")
    await thread.close("completed")
    thread.move(DAY)
    assert "settled: UNFIXED" in await thread.settled()


async def test_not_planned_turned_into_completed_opens_the_window_then(thread: Thread) -> None:
    await matched(thread, days=30)
    await thread.close("not_planned")
    thread.move(5 * DAY)
    await thread.say("carl", "/bugmark book")
    await thread.close("completed")
    assert "settles as **FIXED**" in await thread.bot("window:")
    await thread.quiet()
    thread.move(DAY // 2)
    assert "halted until" in await thread.board("halted until")
    thread.move(DAY // 2 + 60)
    assert "settled: FIXED" in await thread.settled()
