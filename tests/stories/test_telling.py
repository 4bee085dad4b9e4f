"""What the market tells in the thread: prices, history, dates beside each other, holdings (docs/market.md §8)."""

from __future__ import annotations

import re

import pytest

from tests.stories.conftest import DAY
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


async def traded(story: Story, volume: int, price: str, by: str) -> None:
    """Adam and beth trade FIXED at a price."""
    unfixed = f"{1 - float(price):.3f}"
    await story.say("adam", f"/bugmark offer unfixed {volume} at {unfixed} by {by}")
    assert "**Bought" in await story.say("beth", f"/bugmark offer fixed {volume} at {price} by {by}")


def steps(body: str) -> list[str]:
    return re.findall(r"^/bugmark .*$", body, re.MULTILINE)


async def test_a_price_is_told_with_quotes_volume_and_reward(story: Story) -> None:
    by = story.day(60)
    await traded(story, 40, "0.25", by)
    await story.say("adam", f"/bugmark offer unfixed 100 at 0.70 by {by}")
    await story.say("beth", f"/bugmark offer fixed 60 at 0.20 by {by}")
    reply = await story.say("carl", "/bugmark price")
    assert "Price of FIXED **0.25** · bid 0.20 · ask 0.30 · last 0.25 (40 units, 0 min ago)" in reply
    assert "Volume 40 (40 in 24 h) · open interest 40 · holders 2 · reward on offer 70.00" in reply
    assert "open, 60 days left" in reply
    board = await story.board("| **0.25** |")
    assert "| 40 | 40 | 70.00 |" in board


async def test_the_price_of_a_day_ago_is_the_measure_of_change(story: Story) -> None:
    by = story.day(60)
    await traded(story, 10, "0.25", by)
    story.move(DAY)
    await traded(story, 10, "0.40", by)
    reply = await story.say("carl", f"/bugmark price by {by}")
    assert "Price of FIXED **entered at 0.325** · bid – · ask – · last 0.40 ▂█ (10 units, 0 min ago, +0.15 in" in reply


async def test_the_market_comment_cannot_be_made_to_hand_out_a_dear_trade(story: Story) -> None:
    """A contract one second nearer is none; one an hour nearer, with one offer in it, says nothing about the market."""
    by = story.day(60)
    await traded(story, 50, "0.25", by)
    reply = await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    best = re.findall(r"\*\*(o\d+)\*\*", reply)[0]
    reply = await story.say("carl", f"/bugmark offer unfixed 50 at 0.05 by {by}T23:59:58Z")
    assert "runs here already, within an hour of" in reply
    await story.say("carl", f"/bugmark offer unfixed 50 at 0.05 by {by}T22:59:58Z")
    board = await story.board("0.95")
    assert steps(board) == [f"/bugmark take {best}", "/bugmark fund 50"]
    assert re.search(r"^BugMark · at most 20 % by \d+ \w+ \d+ · reward 40\.00$", board, re.MULTILINE)
    assert "**Bought 50 FIXED** for 10.00" in await story.say("dana", steps(board)[0])


async def test_a_history_has_days_and_fills_with_ids(story: Story) -> None:
    by = story.day(60)
    await traded(story, 10, "0.25", by)
    await traded(story, 20, "0.40", by)
    story.move(DAY)
    await traded(story, 30, "0.35", by)
    reply = await story.say("carl", "/bugmark history")
    assert "| day | open | high | low | close | volume |" in reply
    assert " | 0.25 | 0.40 | 0.25 | 0.40 | 30 |" in reply
    assert " | 0.35 | 0.35 | 0.35 | 0.35 | 30 |" in reply
    assert len(re.findall(r"\| c\d+-\d+ \| \d+ \w+ \d+ [\d:]+ UTC \| 0\.\d\d \| \d0 \| expand \|", reply)) == 3
    assert "adam" not in reply and "beth" not in reply


async def test_dates_that_contradict_each_other_can_be_traded_to_agreement(story: Story) -> None:
    near, far = story.day(30), story.day(90)
    await story.say("adam", f"/bugmark offer fixed 50 at 0.60 by {near}")
    await story.say("beth", f"/bugmark offer unfixed 80 at 0.70 by {far}")
    board = await story.board("The quotes contradict each other.")
    assert "50 units each, pays 35.00 and gets at least 50.00: **15.00** without risk" in board
    both = steps(board)[:2]
    reply = await story.say("carl", "\n".join(both))
    assert "**Bought 50 FIXED** for 15.00" in reply
    assert "**Bought 50 UNFIXED** for 20.00" in reply
    await story.calm()
    assert "contradict" not in story.bodies("board:")[0]
    told = await story.say("carl", "/bugmark price")
    assert "Chance of a fix: **at most 30 %** by" in told
    assert "| 50 | 50 |" in told


async def test_a_fix_by_the_nearer_date_pays_both_legs_no_less_than_promised(story: Story) -> None:
    near, far = story.day(30), story.day(90)
    await story.say("adam", f"/bugmark offer fixed 50 at 0.60 by {near}")
    await story.say("beth", f"/bugmark offer unfixed 80 at 0.70 by {far}")
    await story.say("carl", "\n".join(steps(await story.board("contradict"))[:2]))
    assert (await story.money("carl"))[0] == "965.00"
    await story.close()
    await story.bot("window:")
    story.move(2 * DAY + 60)
    await story.settled()
    await story.calm()
    assert (await story.money("carl"))[0] == "1,015.00"


async def test_positions_say_what_they_cost_and_what_they_are_worth(story: Story) -> None:
    by = story.day(60)
    await traded(story, 40, "0.25", by)
    reply = await story.say("beth", "/bugmark positions")
    assert f"| 40 FIXED by {by} | 0.25 | 10.00 | 0.25 (entry price) | 10.00 | 0.00 | 10.00 |" in reply
    await story.say("adam", f"/bugmark offer unfixed 30 at 0.50 by {by}")
    await story.say("carl", f"/bugmark offer fixed 30 at 0.40 by {by}")
    reply = await story.say("adam", "/bugmark positions @beth")
    assert f"| 40 FIXED by {by} | 0.25 | 10.00 | 0.45 (mid) | 18.00 | +8.00 | 10.00 |" in reply
    assert "**adam** here" not in reply and "tokens: " not in reply


async def test_money_is_told_once(story: Story) -> None:
    reply = await story.say("adam", "/bugmark balance")
    assert reply.count("free") == 1
    assert "**adam**" not in reply, "the answer is all there is to say"


async def test_an_offer_that_ends_before_its_contract_says_so(story: Story) -> None:
    by, until = story.day(60), story.day(3)
    reply = await story.say("adam", f"/bugmark offer fixed 10 at 0.40 by {by} until {until}")
    assert "It expires " in reply
    assert f"buy 10 FIXED at 0.40 by {by} until {until}" in await story.say("adam", "/bugmark positions")
    assert ", until " in await story.say("adam", "/bugmark book")


async def test_what_bought_nothing_says_so(story: Story) -> None:
    by = story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 10 at 0.40 by {by}")
    reply = await story.say("beth", f"/bugmark offer fixed 10 at 0.40 by {by} now-or-never")
    assert "🚀 **Nothing was bought**: no offer can be taken at that price now" in reply


async def test_halted_contracts_are_not_said_to_be_open(story: Story) -> None:
    near, far = story.day(5), story.day(60)
    await traded(story, 10, "0.25", near)
    await traded(story, 10, "0.35", far)
    story.move(6 * DAY)
    board = await story.board("halted until ")
    assert steps(board) == ["/bugmark fund 50"]
    await story.refused("carl", "/bugmark history", "UTC (halted); c")
    assert "halted until" in await story.say("carl", f"/bugmark book by {near}")


async def test_what_is_settled_folds_away_and_keeps_its_history(story: Story) -> None:
    by = story.day(60)
    await traded(story, 10, "0.25", by)
    await story.close()
    await story.bot("window:")
    story.move(2 * DAY + 60)
    await story.settled()
    board = await story.board("**settled FIXED**")
    assert "<summary>1 settled contract</summary>" in board
    assert steps(board) == []
    assert "| 0.25 | 0.25 | 0.25 | 0.25 | 10 |" in await story.say("carl", f"/bugmark history by {by}")
