"""Badges: always an image, the same bytes for the same price, and nothing in them that a visitor chose."""

from __future__ import annotations

from urllib.parse import quote
from xml.etree import ElementTree

import anybadge
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from app.web.badge import draw, price_text
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


@given(st.integers(1, 999))
def test_every_price_has_one_image(mills: int) -> None:
    image = draw(mills)
    assert drawn(image.svg)[-1] == f"fixed {price_text(mills)}"
    assert draw(mills) == image


def test_images_depend_on_nothing_but_the_price() -> None:
    assert draw(400).svg.replace(b"0.40", b"0.41") == draw(410).svg
    assert len({draw(mills).etag for mills in (None, 100, 200, 400, 999)}) == 5


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
]


@pytest.mark.parametrize("path", NONSENSE)
async def test_nonsense_is_an_image_too_and_costs_no_query(client: Client, prices: MemoryPrices, path: str) -> None:
    url = URL(f"{client.make_url('/badge/')}{quote(path, safe='/%.')}", encoded=True)
    response = await client.session.get(url)
    assert (response.status, response.headers["Content-Type"]) == (200, "image/svg+xml")
    assert set(drawn(await response.read())) == {"bugmark", "no market"}
    assert prices.asked == []


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")))
def test_whatever_were_drawn_would_be_text(value: str) -> None:
    svg = anybadge.Badge("label", f"x{value}", default_color="#777").badge_svg_text
    assert drawn(svg)[-1] == f"x{value}"
    assert len(list(ElementTree.fromstring(svg).iter())) == len(list(ElementTree.fromstring(draw(1).svg).iter()))


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
