"""What people write first, and what they are handed out: never against their words, never dearer, no other number.

`first_sentences.tsv` says of each sentence what its words say; where they say something in a language or a spelling
that nobody here reads, blanks and `help` are right answers too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.registry import understand
from app.language.dates import parse_instant
from app.language.extract import read_commands
from app.language.grammar import BadCommand
from app.language.requests import (
    ChangeRequest,
    DisputeRequest,
    DryRunRequest,
    FundRequest,
    GiveRequest,
    OfferRequest,
    Request,
    ResolveRequest,
    TakeRequest,
    WorkRequest,
)
from app.market.exchange.offer import Action
from app.market.exchange.spoken import MOST_HANDED_OUT, HandOut
from app.market.terms.contract import Side

NOW = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())
PATH = Path(__file__).with_name("first_sentences.tsv")
SPENDING = ("offer", "fund", "take", "give", "change")


@dataclass(frozen=True)
class Sentence:
    """What the words of a text say. `numbers` are in tokens, units or tokens a unit."""

    text: str
    side: str
    spends: bool
    numbers: frozenset[Fraction]
    dates: frozenset[int]


def sentences() -> list[Sentence]:
    lines = [line for line in PATH.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [sentence(*line.split("\t")) for line in lines]


def sentence(text: str, side: str, spends: str, numbers: str, dates: str) -> Sentence:
    assert side in ("fixed", "unfixed", "-") and spends in ("yes", "no"), text
    read = frozenset(Fraction(number) for number in numbers.split() if number != "-")
    return Sentence(
        text, side, spends == "yes", read, frozenset(parse_instant(day, NOW) for day in dates.split() if day != "-")
    )


SENTENCES = sentences()


def answered(text: str) -> tuple[Request | None, tuple[HandOut, ...]]:
    """What it asks for as it stands, or what is handed out instead."""
    (found,) = read_commands(f"/bugmark {text}")
    try:
        return understand(found.text, NOW)[1], ()
    except BadCommand as refusal:
        return None, refusal.instead


def asked(one: HandOut) -> Request | None:
    """None: it has a blank, and is refused as it is pasted."""
    request, _ = answered(one.text)
    assert (request is None) is one.blank, one.text
    return request


def inner(request: Request) -> Request:
    return request.request if isinstance(request, DryRunRequest) else request


def spends(name: str, request: Request | None) -> bool:
    """By its name where it has a blank: somebody may fill it in."""
    if isinstance(request, WorkRequest):
        return request.amount_mills is not None
    if request is None:
        return name in SPENDING
    buys = isinstance(request, OfferRequest) and request.action is Action.BUY
    return buys or isinstance(request, (FundRequest, TakeRequest, GiveRequest, ChangeRequest, DisputeRequest))


def side_of(parts: dict[str, Any]) -> Side | None:
    found = parts.get("side") or parts.get("truth")
    return found if isinstance(found, Side) else None


def numbers_of(request: Request) -> Iterator[Fraction]:
    for name in ("volume",):
        value = getattr(request, name, None)
        if value is not None:
            yield Fraction(value)
    for name in ("amount_mills", "deposit_mills", "profit_mills", "price"):
        value = getattr(request, name, None)
        if value is not None:
            yield Fraction(value, 1000)


def dates_of(request: Request) -> Iterator[int]:
    for name in ("from_at", "by_at", "until_at"):
        value = getattr(request, name, None)
        if value is not None:
            yield value


def check_request(said: Sentence, request: Request) -> None:
    assert set(numbers_of(request)) <= said.numbers, request
    assert set(dates_of(request)) <= said.dates, request
    side = getattr(request, "side", None)
    if isinstance(request, ResolveRequest):
        side = request.outcome
    if side is not None and said.side != "-":
        assert side.value == said.side.upper(), request


@pytest.mark.parametrize("said", SENTENCES, ids=lambda said: said.text)
def test_what_people_write_first_is_never_turned_against_them(said: Sentence) -> None:
    request, instead = answered(said.text)
    if request is not None:
        check_request(said, inner(request))
        assert said.spends or not spends("", inner(request)), request
        return
    assert 1 <= len(instead) <= MOST_HANDED_OUT
    for one in instead:
        found = asked(one)
        assert said.spends or not spends(one.name, found) or one.blank, one.text
        if found is not None:
            check_request(said, inner(found))
    check_sides(said, instead)


def check_sides(said: Sentence, instead: tuple[HandOut, ...]) -> None:
    """Where the words say no side both are handed out, each with what it means; else the one that they say."""
    sides = [side for one in instead if (side := side_of(dict(one.parts))) is not None]
    if sides and said.side == "-":
        assert {side.value for side in sides} == {"FIXED", "UNFIXED"}, instead
        assert all(one.means for one in instead), instead
    if sides and said.side != "-":
        assert {side.value for side in sides} == {said.side.upper()}, instead


def test_there_are_many_of_them_and_they_are_all_different() -> None:
    assert len(SENTENCES) >= 200
    assert len({said.text for said in SENTENCES}) == len(SENTENCES)


def test_most_of_what_says_enough_is_answered_with_something_that_runs() -> None:
    """What is careful must still be of use."""
    clear = [said for said in SENTENCES if said.spends and said.numbers]
    running = [said for said in clear if runs(said)]
    assert len(running) / len(clear) > 0.6


def runs(said: Sentence) -> bool:
    request, instead = answered(said.text)
    return request is not None or any(not one.blank and one.name != "help" for one in instead)


WORDS = sorted({word for said in SENTENCES for word in said.text.split(" ")})
DENYING = ["no", "not fixed", "wontfix", "never", "open", "won't fix", "not done"]
AFFIRMING = ["yes", "done", "fix", "fixed"]


@given(
    st.sampled_from(["offer", "buy", "sell", "bet"]),
    st.sampled_from(DENYING),
    st.lists(st.sampled_from(WORDS), max_size=5),
)
def test_whatever_else_is_said_a_denial_alone_is_never_handed_out_as_fixed(
    verb: str, denial: str, rest: list[str]
) -> None:
    _, instead = answered(" ".join([verb, denial, *rest]))
    sides = {side for one in instead if (side := side_of(dict(one.parts))) is not None}
    assert sides != {Side.FIXED}


@given(
    st.sampled_from(["offer", "buy", "sell"]), st.sampled_from(AFFIRMING), st.lists(st.sampled_from(WORDS), max_size=5)
)
def test_nor_an_affirmation_as_unfixed(verb: str, yes: str, rest: list[str]) -> None:
    _, instead = answered(" ".join([verb, yes, *rest]))
    sides = {side for one in instead if (side := side_of(dict(one.parts))) is not None}
    assert sides != {Side.UNFIXED}


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))
def test_any_of_their_words_in_any_order_are_answered_with_what_runs_or_has_a_blank(words: list[str]) -> None:
    _, instead = answered(" ".join(words))
    for one in instead:
        asked(one)
