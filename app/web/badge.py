"""`GET /badge/{owner}/{repo}/{number}.svg`: what FIXED costs on an issue now, for a README.

GitHub shows badges through a cache of its own that keeps errors too: whatever is asked for, the answer is 200
and an image. Names are never drawn, and a repository that is not public looks like one without a market.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import anybadge
import structlog
from aiohttp import web
from cachetools import TTLCache

from app.clock import Clock

LABEL = "bugmark"
NO_MARKET = "no market"
UNAVAILABLE = "unavailable"
FRESH_SECONDS = 5
"""A badge may be this old; within it no request costs a query, whoever asks."""
MOST_BADGES = 4_096

_PATH = re.compile(r"([A-Za-z0-9-]{1,100})/([A-Za-z0-9._-]{1,100})/([1-9][0-9]{0,8})\.svg", re.ASCII)
_COLORS = ((250, "#c0392b"), (500, "#b8651b"), (750, "#7d8c12"), (1000, "#3c8a2e"))
_GREY = "#777"
_HEADERS = {"Cache-Control": "no-cache, max-age=0"}

log = structlog.get_logger(__name__)


class Prices(Protocol):
    async def badge_price(self, owner: str, repo: str, number: int) -> int | str | None:
        """FIXED's price in mills in the issue's nearest open contract; without one how its contracts stand.

        None without any, or if the repository is not public.

        GitHub's names are the same in any case.
        """
        ...


@dataclass(frozen=True, slots=True)
class Image:
    svg: bytes
    etag: str


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
            return draw(await self._prices.badge_price(owner, repo, number))
        except Exception:  # whatever it was: an error's page would stay in GitHub's cache
            log.exception("badge without a price", owner=owner, repo=repo, number=number)
            return _drawn(UNAVAILABLE, _GREY)


def draw(price_mills: int | str | None) -> Image:
    """The image for a price of 1..999, a state in words, or None. The same gives the same bytes in every process."""
    if price_mills is None:
        return _drawn(NO_MARKET, _GREY)
    if isinstance(price_mills, str):
        return _drawn(price_mills, _GREY)
    color = next(color for below, color in _COLORS if price_mills < below)
    return _drawn(f"fixed {price_text(price_mills)}", color)


def price_text(mills: int) -> str:
    """405 is 0.405 and 400 is 0.40: at least two digits, the third where it says something."""
    text = f"{mills // 1000}.{mills % 1000:03d}"
    return text.removesuffix("0")


@lru_cache(maxsize=1_024)
def _drawn(value: str, color: str) -> Image:
    badge = anybadge.Badge(LABEL, value, default_color=color)
    badge.mask_str = "bugmark-mask"  # anybadge counts its badges up in here, which would change every ETag
    svg = str(badge.badge_svg_text).encode()
    return Image(svg, hashlib.sha256(svg).hexdigest()[:32])


def _is_known(request: web.Request, etag: str) -> bool:
    """If-None-Match compares weakly (RFC 9110 §13.1.2), so W/ before a tag changes nothing."""
    return any(tag.value in (etag, "*") for tag in request.if_none_match or ())
