"""Badges: always an image, the same bytes for the same price, and nothing in them that a visitor chose."""

from __future__ import annotations

from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from app.market.prices.price import Price, Says
from app.services.views.badge import BadgeTold
from app.web.badge import COLORS, draw, price_text
from app.web.badge_drawing import GREY, LABEL_GREY, badge
from tests.clocks import FakeClock
from tests.web.conftest import Client, MemoryPrices

PATH = "/badge/ann/tool/5.svg"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str | bytes) -> list[str]:
    """The words in an image, after it was parsed as the XML it must be."""
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


async def test_a_badge_shows_the_price(client: Client) -> None:
    response = await client.get(PATH)
    assert response.status == 200
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert response.headers["Cache-Control"] == "no-cache, max-age=0"
    assert set(drawn(await response.read())) == {"bugmark", "fixed 0.40"}


@pytest.mark.parametrize(("mills", "text"), [(1, "0.001"), (10, "0.01"), (400, "0.40"), (405, "0.405"), (999, "0.999")])
def test_prices_are_written_with_two_digits_or_three(mills: int, text: str) -> None:
    assert price_text(mills) == text


def told(says: Says, low: int, high: int | None = None, traded: bool = True) -> BadgeTold:
    return BadgeTold(Price(says, low, low if high is None else high), traded)


@given(st.integers(1, 999))
def test_every_price_has_one_image(mills: int) -> None:
    image = draw(told(Says.MIDDLE, mills))
    assert drawn(image.svg)[-1] == f"fixed {price_text(mills)}"
    badge.cache_clear()
    assert draw(told(Says.MIDDLE, mills)) == image


def test_images_depend_on_nothing_but_what_is_told() -> None:
    one, other = draw(told(Says.MIDDLE, 400)), draw(told(Says.MIDDLE, 410))
    assert one.svg.replace(b"0.40", b"0.41") == other.svg
    mid = [told(Says.MIDDLE, mills) for mills in (100, 200, 400, 999)]
    states = [None, BadgeTold(), BadgeTold(state="halted"), BadgeTold(state="void")]
    assert len({draw(found).etag for found in [*mid, *states]}) == 8


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (told(Says.MIDDLE, 520), "fixed 0.52"),
        (told(Says.MIDDLE, 520, traded=False), "quoted 0.52"),
        (told(Says.BETWEEN, 300, 701), "fixed 0.30–0.701"),
        (told(Says.BETWEEN, 300, 701, traded=False), "quoted 0.30–0.701"),
        (told(Says.ENTERED, 200), "entered at 0.20"),
        (told(Says.AT_LEAST, 500), "fixed at least 0.50"),
        (told(Says.AT_MOST, 200, traded=False), "quoted at most 0.20"),
        (BadgeTold(), "no price"),
        (BadgeTold(state="halted"), "halted"),
        (BadgeTold(state="settled FIXED"), "settled FIXED"),
        (None, "no market"),
    ],
)
def test_a_badge_says_what_kind_of_price_it_shows(found: BadgeTold | None, shown: str) -> None:
    assert drawn(draw(found).svg) == ["bugmark", shown]


def test_a_badge_is_read_aloud_and_fits_its_words_in_any_font() -> None:
    image = ElementTree.fromstring(draw(told(Says.MIDDLE, 520)).svg)
    assert (image.get("role"), image.get("aria-label")) == ("img", "bugmark: fixed 0.52")
    assert [title.text for title in image.iter(f"{SVG}title")] == ["bugmark: fixed 0.52"]
    left, right = image.iter(f"{SVG}text")
    grounds = list(image.iter(f"{SVG}rect"))
    for text, ground in zip((left, right), grounds[1:], strict=True):
        start, length = int(text.get("x", "")), int(text.get("textLength", ""))
        begins, width = int(ground.get("x", "0")), int(ground.get("width", ""))
        assert begins + 6 == start and start + length + 6 == begins + width
    assert int(image.get("width", "")) == sum(int(ground.get("width", "")) for ground in grounds[1:])


def contrast_with_white(color: str) -> float:
    """As WCAG 2 reckons it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


@pytest.mark.parametrize("color", [GREY, LABEL_GREY, *(color for _, color in COLORS)])
def test_what_is_written_on_a_badge_can_be_read(color: str) -> None:
    assert contrast_with_white(color) >= 4.5


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_has_it_gets_a_304(client: Client, prices: MemoryPrices, method: str) -> None:
    etag = (await client.get(PATH)).headers["ETag"]
    assert etag.startswith('"')
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = await client.request(method, PATH, headers={"If-None-Match": sent})
        assert (response.status, await response.read()) == (304, b"")
        assert response.headers["ETag"] == etag
        assert response.headers["Cache-Control"] == "no-cache, max-age=0"
    assert len(prices.asked) == 1


@pytest.mark.parametrize("sent", ['"other"', "nonsense", '"', "W/", ""])
async def test_who_has_another_gets_the_image(client: Client, sent: str) -> None:
    response = await client.get(PATH, headers={"If-None-Match": sent})
    assert response.status == 200
    assert "fixed 0.40" in drawn(await response.read())


async def test_a_price_is_asked_for_every_few_seconds_at_most(
    client: Client, prices: MemoryPrices, clock: FakeClock
) -> None:
    etag = (await client.get(PATH)).headers["ETag"]
    prices.price_mills = 600
    clock.advance(4)
    assert (await client.get(PATH, headers={"If-None-Match": etag})).status == 304
    clock.advance(1)
    response = await client.get(PATH, headers={"If-None-Match": etag})
    assert response.status == 200
    assert "fixed 0.60" in drawn(await response.read())
    assert prices.asked == [("ann", "tool", 5)] * 2


async def test_an_issue_without_a_public_market_says_so(client: Client, prices: MemoryPrices) -> None:
    response = await client.get("/badge/ann/private/5.svg")
    assert response.status == 200
    assert set(drawn(await response.read())) == {"bugmark", "no market"}
    assert prices.asked == [("ann", "private", 5)]


NONSENSE = [
    "",
    "ann",
    "ann/tool",
    "ann/tool/5",
    "ann/tool/5.png",
    "ann/tool/0.svg",
    "ann/tool/-5.svg",
    "ann/tool/05.svg",
    "ann/tool/5e3.svg",
    "ann/tool/٥.svg",
    f"ann/tool/{'9' * 400}.svg",
    "ann/tool/5.svg/x",
    "ann//5.svg",
    f"{'a' * 200}/tool/5.svg",
    "ann/../../etc/passwd",
    "ann%2Ftool/x/5.svg",
    "ann/tool%00/5.svg",
    "ann/tool'; drop table users; --/5.svg",
    "ann/%ff%fe/5.svg",
    "ann/<script>alert(1)</script>/5.svg",
    "ann/{{ label }}/5.svg",
    "ann/\u202etool/5.svg",
    "ann/tool/5.svg\n",
    "ann/to\nol/5.svg",
    "ann/tool/5\r\n.svg",
    "\n",
    "ann/tool/\x00\x0b\x1f\x7f\x85\u2028.svg",
    "ann/tool/5.svg%0a",
    "ann/tool/5.svg%0D%0Ax: y",
    "ann/tool/%zz.svg",
    "ann/tool/%",
    "./../badge/ann",
    "//ann/tool//",
    "ann/tool/5.svg;x=1",
    "ann\\tool/5.svg",
]


@pytest.mark.parametrize("path", NONSENSE)
async def test_nonsense_is_an_image_too_and_costs_no_query(client: Client, prices: MemoryPrices, path: str) -> None:
    url = URL(f"{client.make_url('/badge/')}{quote(path, safe='/%.')}", encoded=True)
    response = await client.session.get(url)
    assert (response.status, response.headers["Content-Type"]) == (200, "image/svg+xml")
    assert set(drawn(await response.read())) == {"bugmark", "no market"}
    assert prices.asked == []


async def test_the_folder_itself_is_an_image_too(client: Client) -> None:
    for path in ("/badge", "/badge/"):
        response = await client.get(path)
        assert (response.status, response.headers["Content-Type"]) == (200, "image/svg+xml")
    assert (await client.get("/badges")).status == 404


@given(st.text())
def test_whatever_were_drawn_would_be_text(value: str) -> None:
    svg = badge("label", f"x{value}", GREY).svg
    assert drawn(svg)[-1] == "".join(letter for letter in f"x{value}" if letter.isprintable())
    plain = ElementTree.fromstring(draw(None).svg)
    assert len(list(ElementTree.fromstring(svg).iter())) == len(list(plain.iter()))


async def test_a_database_that_fails_is_an_image_too(client: Client, prices: MemoryPrices) -> None:
    prices.trouble = OSError("hush")
    response = await client.get(PATH)
    assert (response.status, response.headers["Content-Type"]) == (200, "image/svg+xml")
    body = await response.read()
    assert set(drawn(body)) == {"bugmark", "unavailable"}
    assert b"hush" not in body


async def test_a_query_string_changes_nothing(client: Client) -> None:
    response = await client.get(f"{PATH}?label=<script>")
    assert set(drawn(await response.read())) == {"bugmark", "fixed 0.40"}
