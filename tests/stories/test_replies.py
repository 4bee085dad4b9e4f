"""The eight replies of docs/replies.md keep to 12 lines, and people are mentioned once for each thing."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.replies.standing_line import WIDTH as SECOND_LINE
from app.replies.standing_line import visible
from scripts.replies import Shown, conversation
from tests.stories.conftest import DAY
from tests.stories.stage import CORRECTION, Story, handed_out

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False
MOST_LINES = 12
WIDTH = 90
"""Characters in a line of a comment on a wide screen; GitHub's column holds 90 to 100 of them."""
DOCS = Path(__file__).parents[2] / "docs"
MENTION = re.compile(r"(?<![\w`/])@([a-z0-9-]+)")


@dataclass
class Played:
    """The conversation on the stories' stage."""

    story: Story

    async def says(self, person: str, text: str) -> str:
        return await self.story.say(person, text)

    async def closes(self) -> str:
        await self.story.close()
        return await self.story.bot("window:")

    async def settles(self) -> str:
        self.story.move(2 * DAY + 1)
        return await self.story.settled()

    async def market_comment(self, holds: str) -> str:
        return await self.story.board(holds)

    def waits(self, seconds: int) -> None:
        self.story.move(seconds)

    def day(self, days: int) -> str:
        return self.story.day(days)


def lines(body: str) -> list[str]:
    """As a reader sees them before unfolding anything: Markdown drawn, long lines wrapped."""
    text = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    text = re.sub(r"<details><summary>(.*?)</summary>.*?</details>", r"▶ \1", text, flags=re.DOTALL)
    text = re.sub(r"</?sub>|\*\*|`", "", text)
    drawn = [line for line in text.splitlines() if line.strip() and not re.fullmatch(r"\|[-: |]+\|", line)]
    return [part for line in drawn for part in ([line] if line.startswith("|") else textwrap.wrap(line, WIDTH))]


async def test_the_eight_replies_are_short_and_as_the_page_shows_them(story: Story) -> None:
    shown = await conversation(Played(story))
    long = {one.name: len(lines(one.reply)) for one in shown if len(lines(one.reply)) > MOST_LINES and not one.phone}
    assert long == {}
    page = (DOCS / "replies.md").read_text()
    wide = ["thread-390", "thread-1280", "market-comment-1280"]
    assert re.findall(r"\(replies/(.+?)\.png\)", page) == [*(one.name for one in shown), *wide]
    for one in shown:
        second = one.reply.partition("-->\n")[2].split("\n\n")[1:2] if one.person else []
        assert all(visible(line) <= SECOND_LINE for line in second), second
        assert one.title in page and one.about in page
        assert 1_000 < (DOCS / "replies" / f"{one.name}.png").stat().st_size <= 100_000
    assert_as_told({one.name: one for one in shown})


def assert_as_told(shown: dict[str, Shown]) -> None:
    """What the page says of each."""
    assert "Your account was opened with" in shown["first-offer"].reply
    assert "You put up 160.00" in shown["first-offer"].reply
    assert MENTION.findall(shown["match"].reply) == ["adam"]
    assert CORRECTION.search(shown["refusal"].reply)
    assert MENTION.findall(shown["resale"].reply) == ["beth"]
    assert "Whoever fixes it can take the other side" in shown["fund"].reply
    assert "/bugmark dispute on c" in shown["window"].reply
    assert "| @charles | 200.00 | 80.00 | +120.00 |" in shown["settlement"].reply
    assert re.search(r"\*\*F\d+\*\* is open for trading", shown["forecast"].reply)


async def test_each_is_mentioned_once_for_each_thing_and_nobody_else(story: Story) -> None:
    by = story.day(60)
    first, second = f"/bugmark offer unfixed 50 at 0.80 by {by}", "/bugmark offer unfixed 50 at 0.70"
    await story.say("adam", f"{first}\n{second} until {story.day(2)}")
    await story.say("beth", f"/bugmark offer fixed 50 at 0.20 by {by}\n/bugmark book\n/bugmark positions @adam")
    await story.say("carl", "/bugmark balance\n/bugmark history")
    story.move(3 * DAY)
    await story.bot("expired:")
    await story.close()
    await story.bot("window:")
    story.move(2 * DAY + 1)
    await story.settled()
    await story.board("settled FIXED")
    await story.calm()
    told = {body.split("<!-- bugmark:")[1].split(":")[0]: MENTION.findall(body) for body in story.bodies("")}
    said = [mention for body in story.bodies("") for mention in MENTION.findall(body)]
    assert (told["expired"], sorted(told["settlement"])) == (["adam"], ["adam", "beth"])
    assert (told["board"], told["window"]) == ([], [])
    assert sorted(said) == ["adam", "adam", "adam", "beth"], "adam: filled, expired, settled; beth: settled"


@pytest.mark.parametrize("word", ["deposit", "withdraw 50", "link", "wallet"])
async def test_there_is_no_wallet_and_nothing_like_it_is_guessed(story: Story, word: str) -> None:
    reply = await story.refused("adam", f"/bugmark {word}", "There is no wallet on this server")
    assert "Try `/bugmark balance`." in reply


async def test_a_forecast_that_is_not_named_is_asked_for_in_the_same_words(story: Story) -> None:
    numbers = []
    for package in ("left-pad", "right-pad"):
        reply = await story.say("dana", f"/bugmark forecast advisory npm:{package} by in 2 months")
        numbers += re.findall(r"\*\*F(\d+)\*\* is open", reply)
    first, second = sorted(numbers, key=int)
    reply = await story.refused("adam", "/bugmark offer true 50 at 0.30 all-or-none", "say which, as in `on F12`")
    said = [f"/bugmark offer true 50 at 0.30 on F{number} all-or-none" for number in (first, second)]
    assert handed_out(reply) == said
    assert f"Try `{said[0]}` (" in reply and "left-pad" in reply.partition(" Try ")[2]
    assert "🚀" in await story.say("adam", handed_out(reply)[0])
    reply = await story.refused("adam", "/bugmark sell false all", "say which, as in `on F12`")
    assert handed_out(reply)[0] == f"/bugmark sell false all on F{first}"
    reply = await story.refused("adam", "/bugmark dry-run offer false for 12.5 at 0.30", "This would be refused")
    assert handed_out(reply)[0] == f"/bugmark dry-run offer false for 12.50 at 0.30 on F{first}"


async def test_a_forecast_has_no_fixer(story: Story) -> None:
    reply = await story.say("dana", "/bugmark forecast advisory npm:left-pad by in 2 months")
    (number,) = re.findall(r"\*\*F(\d+)\*\* is open", reply)
    await story.say("dana", f"/bugmark offer false 50 at 0.70 on F{number}")
    board = await story.board("to win")
    assert "reward" not in board and "fixer" not in board
    assert "to win with TRUE 35.00" in await story.say("adam", "/bugmark price")
