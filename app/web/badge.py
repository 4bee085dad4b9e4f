"""`GET /badge/{owner}/{repo}/{number}.svg`: what FIXED costs on an issue now, for a README.

GitHub shows badges through a cache of its own that keeps errors too: whatever is asked for, the answer is 200
and an image. Names are never drawn, and a repository that is not public looks like one without a market.
"""

from __future__ import annotations

import re
from typing import Protocol

import structlog
from aiohttp import web
from cachetools import TTLCache

from app.base.clock import Clock
from app.market.prices.price import Price, Says
from app.services.views.badge import BadgeTold
from app.web.badge_drawing import GREY, Image, badge

ROUTE = r"/badge{path:(?:/[\s\S]*)?}"
"""Every path below, whatever is in it: a line feed, too."""

LABEL = "bugmark"
NO_MARKET = "no market"
NO_PRICE = "no price"
UNAVAILABLE = "unavailable"
FRESH_SECONDS = 5
"""A badge may be this old; within it no request costs a query, whoever asks."""
MOST_BADGES = 4_096

COLORS = ((250, "#c0392b"), (500, "#a3540f"), (750, "#626e0c"), (1000, "#2f7d24"))
"""By the price of FIXED, each below its number; on all of them white can be read."""

_PATH = re.compile(r"/([A-Za-z0-9-]{1,100})/([A-Za-z0-9._-]{1,100})/([1-9][0-9]{0,8})\.svg", re.ASCII)
_HEADERS = {"Cache-Control": "no-cache, max-age=0"}

log = structlog.get_logger(__name__)


class Prices(Protocol):
    async def badge(self, owner: str, repo: str, number: int) -> BadgeTold | None:
        """Find the price of the issue under this name; None if there is nothing, or nothing for strangers.

        GitHub's names are the same in any case.
        """
        ...


class Badges:
    """The handler, with the badges of the last seconds."""

    def __init__(self, prices: Prices, clock: Clock) -> None:
        self._prices = prices
        self._fresh: TTLCache[str, Image] = TTLCache(MOST_BADGES, ttl=FRESH_SECONDS, timer=clock.now)

    async def get(self, request: web.Request) -> web.Response:
        image = await self._image(request.match_info["path"])
        if _is_known(request, image.etag):
            return web.Response(status=304, headers={**_HEADERS, "ETag": f'"{image.etag}"'})
        response = web.Response(body=image.svg, content_type="image/svg+xml", headers=_HEADERS)
        response.etag = image.etag
        return response

    async def _image(self, path: str) -> Image:
        wanted = _PATH.fullmatch(path)
        if wanted is None:
            return draw(None)
        image = self._fresh.get(path.lower())
        if image is None:
            owner, repo, number = wanted.groups()
            image = await self._ask(owner, repo, int(number))
            self._fresh[path.lower()] = image
        return image

    async def _ask(self, owner: str, repo: str, number: int) -> Image:
        try:
            return draw(await self._prices.badge(owner, repo, number))
        except Exception:  # whatever it was: an error's page would stay in GitHub's cache
            log.exception("badge without a price", owner=owner, repo=repo, number=number)
            return badge(LABEL, UNAVAILABLE, GREY)


def draw(told: BadgeTold | None) -> Image:
    """The image of what is told. The same gives the same bytes in every process."""
    if told is None:
        return badge(LABEL, NO_MARKET, GREY)
    if told.price is None:
        return badge(LABEL, told.state or NO_PRICE, GREY)
    return badge(LABEL, words(told.price, told.traded), _color(told.price))


def words(price: Price, traded: bool) -> str:
    """`fixed 0.52`; `quoted 0.52` where nothing was traded yet, so that a wish does not look like a price."""
    if price.says is Says.ENTERED:
        return f"entered at {price_text(price.low)}"
    bound = "" if price.says in (Says.MIDDLE, Says.BETWEEN) else f"{price.says.value} "
    upto = f"–{price_text(price.high)}" if price.says is Says.BETWEEN else ""
    return f"{'fixed' if traded else 'quoted'} {bound}{price_text(price.low)}{upto}"


def _color(price: Price) -> str:
    """Grey where there is no one price."""
    mills = price.mills
    return GREY if mills is None else next(color for below, color in COLORS if mills < below)


def price_text(mills: int) -> str:
    """405 is 0.405 and 400 is 0.40: at least two digits, the third where it says something."""
    text = f"{mills // 1000}.{mills % 1000:03d}"
    return text.removesuffix("0")


def _is_known(request: web.Request, etag: str) -> bool:
    """If-None-Match compares weakly (RFC 9110 §13.1.2), so W/ before a tag changes nothing."""
    return any(tag.value in (etag, "*") for tag in request.if_none_match or ())
