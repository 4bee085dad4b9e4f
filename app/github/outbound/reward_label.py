"""The label that says what a fixer can win: `bugmark: 100`, in steps of 1, 2, 5, for repositories that want it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from app.base.clock import Clock
from app.github.api.client import GitHub
from app.github.api.errors import Gone, Unavailable
from app.market.terms.contract import UNIT_MILLS
from app.services.rules.config import ConfigSource
from app.services.views import market_views
from app.storage.engine.db import Database, Tx
from app.storage.people import places
from app.storage.queues import outbox
from app.storage.queues.outbox import Message

_OURS = re.compile(r"bugmark: [0-9]+", re.ASCII)


def step(reward_mills: int) -> int:
    """The highest of 1, 2, 5, 10, 20, 50, … tokens that the reward reaches; 0 below one token."""
    tokens = reward_mills // UNIT_MILLS
    scale = 10 ** (len(str(tokens)) - 1)
    return next((many * scale for many in (5, 2, 1) if tokens >= many * scale), 0)


@dataclass(frozen=True, slots=True)
class Rewards:
    db: Database
    github: GitHub
    clock: Clock
    configs: ConfigSource

    async def want(self, tx: Tx, message: Message, now: int) -> None:
        """After the market comment: have the label follow, where it is wanted or was once."""
        place = await places.place(tx, message.issue_id)
        key = f"label:{message.issue_id}"
        if place is None:
            return
        if (await self.configs.config(tx, place.repository)).label_rewards or await outbox.knows(tx, key):
            await outbox.put(tx, key=key, kind="label", place=place, body="", now=now)

    async def bring(self, message: Message) -> int:
        """Set the issue's label to the reward on offer now, in tokens; 0 is none. Raises GitHubError."""
        where = message.installation_id, message.repository_id
        reward = await self._reward(message.issue_id)
        name = f"bugmark: {reward}"
        issue = f"/issues/{message.issue_number:d}/labels"
        labels = [str(label.get("name")) async for label in self.github.repository_pages(*where, issue)]
        if reward and name not in labels:
            await self.github.add_label(*where, message.issue_number, name)
        for old in labels:
            if _OURS.fullmatch(old) and (old != name or not reward):
                await self._take_away(message, old)
        return reward

    async def _reward(self, issue_id: int) -> int:
        async with self.db.reading() as tx:
            place = await places.place(tx, issue_id)
            if place is None or not (await self.configs.config(tx, place.repository)).label_rewards:
                return 0
            return step(await market_views.best_reward(tx, issue_id, self.clock.now()))

    async def _take_away(self, message: Message, name: str) -> None:
        """From the repository, and so from the issue, if no other issue carries it; one call, which is done or not."""
        where = message.installation_id, message.repository_id
        params = {"labels": name, "state": "all", "per_page": "2"}
        listed = await self.github.repository_json(*where, "/issues", params)
        if not isinstance(listed, list):
            raise Unavailable(200, "the answer is not a list")
        others = [issue for issue in listed if issue.get("number") != message.issue_number]
        issue = f"/issues/{message.issue_number:d}" if others else ""
        with suppress(Gone):
            await self.github.delete(*where, f"{issue}/labels/{quote(name, safe='')}")
