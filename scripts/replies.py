"""The conversation of docs/replies.md: eight of the bot's replies, each to something that people really say.

It is played by `screenshots.py` against the running programs, and by a test that counts the replies' lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

WEEK = 7 * 86_400


class Talk(Protocol):
    """A thread in which one can speak."""

    async def says(self, person: str, text: str) -> str:
        """Comment, and the bot's reply to that comment."""
        ...

    async def closes(self) -> str:
        """The repository's owner closes the issue as completed; what the bot says then."""
        ...

    async def settles(self) -> str:
        """The window goes by; what the bot says then."""
        ...

    async def market_comment(self, holds: str) -> str:
        """The issue's market comment, once it holds these words."""
        ...

    def waits(self, seconds: int) -> None: ...

    def day(self, days: int) -> str:
        """The date so many days ahead, as a command takes it."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture: what somebody wrote, None where the bot speaks by itself, and what the bot wrote."""

    name: str
    title: str
    about: str
    reply: str
    person: str = ""
    text: str = ""
    phone: bool = False
    """The picture is as wide as a phone."""


async def conversation(talk: Talk) -> Sequence[Shown]:
    """Beth does half of the work and sells on; Charles finishes it. In the order in which it is said."""
    shown: list[Shown] = []

    async def say(name: str, title: str, about: str, person: str, text: str) -> str:
        reply = await talk.says(person, text)
        shown.append(Shown(name, title, about, reply, person, text))
        return reply

    by = talk.day(60)
    await say(
        "first-offer",
        "The first offer",
        "Adam wants the bug fixed. One line says what he put up, what he can win and how to take it back; the other "
        "says where he stands.",
        "adam",
        f"This eats my notes twice a day. I will pay for a fix.\n\n/bugmark offer unfixed 200 at 0.80 by {by}",
    )
    await say(
        "match",
        "A match",
        "Beth takes the other side. Adam is mentioned, once: his offer was filled.",
        "beth",
        f"I think I know where this comes from.\n\n/bugmark offer fixed 200 at 0.20 by {by}",
    )
    await say(
        "refusal",
        "A refusal",
        "Nothing is guessed and nothing half done. The reply says what is wrong and gives a command to copy.",
        "frank",
        "/bugmark offer fixed 50 at 1.40 by 12/24/2027",
    )
    talk.waits(WEEK)
    resale = await talk.says(
        "beth", "Found it: a shared buffer. I have no time to finish.\n\n/bugmark sell fixed 200 at 0.40"
    )
    offer = re.search(r"\*\*(o\d+)\*\* waits", resale)
    await say(
        "resale",
        "Half-done work, resold",
        "Beth has found the cause and sells what she holds; Charles, who will finish it, buys it.",
        "charles",
        f"I take over from here.\n\n/bugmark take {offer[1] if offer else resale}",
    )
    await say(
        "fund",
        "Money for whoever fixes it",
        "Erin adds to the reward without knowing any prices.",
        "erin",
        f"Us too.\n\n/bugmark fund 50 by {by}",
    )
    about = "One comment an issue, kept up to date: how likely a fix is, the reward, and what to say. Here on a phone."
    board = await talk.market_comment("take o")
    shown.append(Shown("market-comment", "The market comment", about, board, phone=True))
    await say(
        "forecast",
        "A forecast",
        "A question about something else than the issue: it gets a number and is traded by it.",
        "gwen",
        "/bugmark forecast advisory npm:left-pad severity high by in 2 months",
    )
    closed = await talk.closes()
    about = (
        "The owner closes the issue as completed. Trading halts, and the thread is told how to object and until when."
    )
    shown.append(Shown("window", "The verdict is announced", about, closed))
    paid = await talk.settles()
    about = "Nobody objected. The reply names the evidence and every payout, and mentions each holder once."
    shown.append(Shown("settlement", "The settlement", about, paid))
    return shown
