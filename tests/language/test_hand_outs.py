"""What is handed out instead of a command that cannot be read: never the opposite, nothing made up, both readings."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.registry import parse
from app.language.grammar import BadCommand, Leaving
from app.language.guesses import near_number
from app.language.likeness import distance, nearest
from app.language.requests import FundRequest, OfferRequest, Request
from app.language.sides import side_phrase
from app.market.exchange.spoken import MOST_HANDED_OUT, Blank, HandOut
from app.market.terms.contract import Side
from app.replies.hand_outs import refused

NOW = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())


def handed_out(text: str) -> list[str]:
    with pytest.raises(BadCommand) as caught:
        parse(text, NOW)
    for one in caught.value.instead:
        if one.blank:
            with pytest.raises(BadCommand):
                parse(one.text, NOW)
        else:
            assert isinstance(parse(one.text, NOW), Request)
    return [one.text for one in caught.value.instead]


@pytest.mark.parametrize("word", ["fixed", "yes", "done", "true", "fix", "YES", "solved"])
def test_a_word_that_says_fixed(word: str) -> None:
    side = "true" if word == "true" else "fixed"
    assert handed_out(f"offer {word} 40 at 0,4") == [f"offer {side} 40 at 0.40"]


@pytest.mark.parametrize(
    "words",
    [
        "no",
        "not fixed",
        "wontfix",
        "nein",
        "não",
        "won't fix",
        "open",
        "never",
        "not done",
        "No",
        "won’t be fixed",
        "unfixed",
    ],
)
def test_a_word_that_says_unfixed_is_never_answered_with_the_opposite(words: str) -> None:
    assert handed_out(f"offer {words} 40 at 0,4 by 2027-01-01") == ["offer unfixed 40 at 0.40 by 2027-01-01"]


@pytest.mark.parametrize(
    "words", ["maybe", "40", "not", "not open", "never unfixed", "vielleicht", "fixed unfixed", "nixed"]
)
def test_where_no_side_can_be_read_both_are_handed_out_each_with_what_it_means(words: str) -> None:
    text = f"offer {words} 40 at 0,4" if words != "40" else "offer 40 at 0,4"
    assert handed_out(text) == ["offer fixed 40 at 0.40", "offer unfixed 40 at 0.40"]
    with pytest.raises(BadCommand) as caught:
        parse(text, NOW)
    assert refused(caught.value).endswith(
        "Try `/bugmark offer fixed 40 at 0.40` (it pays if this is fixed) or "
        "`/bugmark offer unfixed 40 at 0.40` (it pays if this is not fixed)."
    )


INTENTS = {
    "undo": ["cancel OFFER"],
    "revoke o3": ["cancel o3"],
    "undo all": ["cancel all"],
    "undo o3 o4": ["cancel OFFER"],
    "exit": ["sell fixed all", "sell unfixed all"],
    "leave unfixed": ["sell unfixed all"],
    "close 50": ["sell fixed 50", "sell unfixed 50"],
    "close it unless the price is good": ["help sell"],
    "tip @beth 20": ["give @beth 20"],
    "tip 20": ["give @USER 20"],
    "send 20 to @Beth": ["give @Beth 20"],
    "tip @beth 1.000": ["give @beth 1", "give @beth 1000"],
    "claim": ["work"],
    "claim 100": ["work"],
    "attempt #12": ["work"],
    "assign @me": ["work"],
    "unassign": ["work stop"],
    "status": ["price"],
    "odds by friday": ["price by 2026-12-04"],
    "market": ["price"],
    "portfolio": ["positions"],
    "portfolio @adam": ["positions @adam"],
    "bet no 50": ["offer unfixed 50"],
    "bet 50 on no": ["offer unfixed 50"],
    "pledge 100": ["fund 100"],
    "withdraw o17": ["cancel o17"],
    "deposit 50": ["balance"],
    "bounty": ["fund AMOUNT"],
    "bounty $100": ["fund 100"],
    "bounty 100 € by 31.12.2027": ["fund 100 by 2027-12-31"],
    "reward 100 for this issue": ["fund 100"],
    "reward 100 unless somebody fixed it": ["help fund"],
}


@pytest.mark.parametrize("text", INTENTS)
def test_words_of_other_bots_are_known_by_what_they_say(text: str) -> None:
    assert handed_out(text) == INTENTS[text]


def test_who_wants_out_is_told_so_by_a_kind_of_its_own() -> None:
    with pytest.raises(Leaving, match="that is `sell` here"):
        parse("exit", NOW)


LIKENESS = {
    "ofer fixed 50 by 2027-01-01": ["offer fixed 50 by 2027-01-01"],
    "ofer fixed 50 at 0,4": ["help offer"],
    "ofer no 50": ["help offer"],
    "offre fixed 50": ["help"],
    "fnud 50": ["help"],
    "funt 50 by friday": ["fund 50 by 2026-12-04"],
    "bonty 50": ["fund 50"],
    "positins": ["positions"],
    "histroy": ["history"],
    "find 50": ["help"],
    "live @beth 5": ["help"],
    "foo": ["help"],
    "word 25": ["help"],
}


@pytest.mark.parametrize("text", LIKENESS)
def test_likeness_is_two_edits_and_towards_what_spends_one_with_the_line_unchanged(text: str) -> None:
    assert handed_out(text) == LIKENESS[text]


UNREADABLE = {
    "offer fixed 1.000": ["offer fixed 1", "offer fixed 1000"],
    "offer fixed 0,500": ["offer fixed VOLUME"],
    "offer fixed 12.345": ["offer fixed VOLUME"],
    "fund 0,900": ["fund 0.90", "fund 900"],
    "fund 10.000 by 2027-01-01": ["fund 10 by 2027-01-01", "fund 10000 by 2027-01-01"],
    "fund 1.234": ["fund AMOUNT"],
    "fund 1.000,50": ["fund 1000.50"],
    "fund 2,5k": ["fund 2500"],
    "fund 1,00,000": ["fund 100000"],
    "fund 1'000": ["fund 1000"],
    "offer fixed 50 at .500": ["offer fixed 50 at 0.50"],
    "offer fixed 50 at 40¢": ["offer fixed 50 at 0.40"],
    "offer fixed 50 at 40": ["offer fixed 50 at PRICE"],
    "offer fixed ten": ["offer fixed 10"],
    "offer fixed some": ["offer fixed VOLUME"],
    "offer fixed -50": ["offer fixed VOLUME"],
    "offer fixed 10.5": ["offer fixed VOLUME"],
    "offer fixed 2\u212a": ["offer fixed VOLUME"],
    "offer fixed \uff15\uff10": ["offer fixed 50"],
    "offer fixed 50 100": ["offer fixed VOLUME"],
    "offer fixed 50 by 12/01/2027": ["offer fixed 50 by 2027-01-12", "offer fixed 50 by 2027-12-01"],
    "offer fixed 50 by 31.12.2027": ["offer fixed 50 by 2027-12-31"],
    "offer fixed 50 by 31/12/27": ["offer fixed 50 by DATE"],
    "offer fixed 50 by december": ["offer fixed 50 by DATE"],
    "offer fixed 50 by 18:00": ["offer fixed 50 by DATE"],
    "offer fixed 50 by 2027-12-01T18:00": ["offer fixed 50 by DATE"],
    "offer fixed 50 by midday": ["offer fixed 50 by DATE"],
    "offer fixed 50 by Dec 24": ["offer fixed 50 by 2026-12-24", "offer fixed 50 by 2027-12-24"],
    "offer fixed 50 by 1. Dezember 2027": ["offer fixed 50 by 2027-12-01"],
    "offer fixed 50 by 15 de março de 2027": ["offer fixed 50 by 2027-03-15"],
    "offer fixed 50 by 2027年12月1日": ["offer fixed 50 by 2027-12-01"],
    "offer fixed 50 by 1er décembre 2027": ["offer fixed 50 by 2027-12-01"],
    "offer fixed 50 by friday unless it rains": ["offer fixed 50 by DATE"],
    "offer fixed 50 unless it rains": ["help offer"],
    "offer fixed 50 post-only all-or-none": ["help offer"],
    "dispute": ["dispute REASON"],
    "dispute on c3": ["dispute on c3 REASON"],
    "resolve fixed": ["resolve fixed REASON"],
    "resolve": ["help resolve"],
    "market halt": ["market halt REASON"],
    "take": ["take OFFER"],
    "take #17": ["take OFFER"],
    "cancel": ["cancel OFFER"],
    "offer 1.000 at 0,4 by 12/01/2027": ["offer fixed VOLUME at 0.40 by DATE", "offer unfixed VOLUME at 0.40 by DATE"],
}


@pytest.mark.parametrize("text", UNREADABLE)
def test_nothing_is_made_up_and_what_may_be_two_things_is_handed_out_as_both(text: str) -> None:
    assert handed_out(text) == UNREADABLE[text]
    assert len(UNREADABLE[text]) <= MOST_HANDED_OUT


@pytest.mark.parametrize(
    "text",
    [
        "dispute REASON",
        "dispute on c3 REASON",
        "resolve fixed REASON",
        "market halt REASON",
        "give @USER 20",
        "forecast issue label NAME by friday",
        "forecast issue label bug title TEXT by friday",
        "forecast milestone NAME by friday",
        "forecast advisory PACKAGE by friday",
        "forecast pull NUMBER by friday",
        "forecast release TAG by friday",
        "work AMOUNT",
        "fund AMOUNT",
    ],
)
def test_a_blank_runs_in_no_command(text: str) -> None:
    with pytest.raises(BadCommand):
        parse(text, NOW)


def test_only_the_blank_itself_is_refused_in_somebodys_own_words() -> None:
    for text in ("dispute no REASON was given", 'forecast issue label "NAME" by friday', "give @user 20"):
        assert isinstance(parse(text, NOW), Request)


PARTS = st.fixed_dictionaries(
    {"side": st.sampled_from(Side), "volume": st.integers(1, 10**9)},
    optional={
        "at": st.integers(1, 999),
        "by_range": st.tuples(st.none(), st.integers(NOW, NOW + 10**8)),
        "until": st.integers(NOW, NOW + 10**8),
        "pool": st.just(True),
        "cancel_on_halt": st.just(True),
    },
)


@given(PARTS)
def test_what_is_printed_reads_as_the_same_parts(parts: dict[str, object]) -> None:
    found = parse(HandOut("offer", parts).text, NOW)
    assert isinstance(found, OfferRequest)
    assert (found.side, found.volume, found.price) == (parts["side"], parts["volume"], parts.get("at"))
    assert (found.from_at, found.by_at) == parts.get("by_range", (None, None))
    assert (found.until_at, found.pool) == (parts.get("until"), "pool" in parts)


@given(st.integers(1, 10**12), st.integers(NOW, NOW + 10**8) | st.none(), st.integers(1, 999) | st.none())
def test_an_amount_is_printed_exactly_or_left_blank(mills: int, by_at: int | None, price: int | None) -> None:
    given = {"amount": mills, "by": by_at, "at": price}
    text = HandOut("fund", {part: value for part, value in given.items() if value is not None}).text
    if mills % 10:
        assert Blank.AMOUNT in text
    else:
        assert parse(text, NOW) == FundRequest(mills, by_at, price)


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=8), st.text("abcdefghijklmnopqrstuvwxyz", max_size=8))
def test_the_distance_is_one_of_edits(one: str, other: str) -> None:
    edits = distance(one, other)
    assert edits == distance(other, one) <= max(len(one), len(other))
    assert (edits == 0) is (one == other)
    assert edits >= abs(len(one) - len(other))


def test_of_two_words_as_near_none_is_meant() -> None:
    assert (distance("kitten", "sitting"), distance("ofer", "offer"), distance("offre", "offer")) == (3, 1, 2)
    assert nearest("boot", ["book", "boat"]) is None
    assert nearest("bok", ["book", "give"]) == "book"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("unfixd", (Side.UNFIXED, 1)),
        ("fixd", (Side.FIXED, 1)),
        ("nfixed", (None, 0)),
        ("infixed", (None, 0)),
        ("mixed", (None, 0)),
        ("isn't fixed", (Side.UNFIXED, 2)),
        ("not", (None, 1)),
        ("50", (None, 0)),
    ],
)
def test_the_side_of_misspelt_and_denied_words(words: str, said: tuple[Side | None, int]) -> None:
    assert side_phrase(words.split()) == said


@given(st.text(max_size=20), st.sampled_from(["volume", "amount", "at"]))
def test_any_word_has_two_readings_at_most(word: str, part: str) -> None:
    assert len(near_number(part, word)) <= 2
