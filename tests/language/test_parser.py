"""From a command's text to what it asks for, or to a refusal. The comment is made on Tuesday, 28 November 2017."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands import registry
from app.commands.command import Command
from app.commands.registry import parse, understand
from app.language.extract import read_commands
from app.language.grammar import BadCommand
from app.language.requests import (
    BalanceRequest,
    BookRequest,
    CancelRequest,
    ChangeRequest,
    DryRunRequest,
    FundRequest,
    GiveRequest,
    HelpRequest,
    MuteRequest,
    OfferRequest,
    OffersRequest,
    PositionsRequest,
    Request,
    TakeRequest,
)
from app.market.exchange.offer import Action
from app.market.exchange.spoken import MOST_HANDED_OUT, HandOut
from app.market.terms.contract import Side
from app.market.terms.errors import Refusal
from app.market.terms.mention import Mode
from app.replies.hand_outs import refused

NOW = int(datetime(2017, 11, 28, 11, 53, 20, tzinfo=UTC).timestamp())
DEC_1 = int(datetime(2017, 12, 1, 23, 59, 59, tzinfo=UTC).timestamp())
DEC_1_BEGINS = DEC_1 - 86_399
DEC_12 = int(datetime(2017, 12, 12, 23, 59, 59, tzinfo=UTC).timestamp())


def offer(
    side: Side,
    volume: int | None = None,
    *,
    action: Action = Action.BUY,
    amount: int | None = None,
    price: int | None = None,
    deposit: int | None = None,
    profit: int | None = None,
    by: int | None = None,
    until: int | None = None,
    now: bool = False,
    **more: Any,
) -> OfferRequest:
    return OfferRequest(action, side, volume, amount, price, deposit, profit, by, until, now, **more)


def sell(side: Side, volume: int | None = None, price: int | None = None, **more: Any) -> OfferRequest:
    return offer(side, volume, action=Action.SELL, price=price, **more)


FIXED, UNFIXED = Side.FIXED, Side.UNFIXED
READ: dict[str, Request] = {
    "offer fixed 50 by 2017-12-01": offer(FIXED, 50, by=DEC_1),
    "offer fixed 50": offer(FIXED, 50),
    "OFFER Unfixed 1,000 AT 40% BY Friday": offer(UNFIXED, 1000, price=400, by=DEC_1),
    "buy unfixed 2k at .4 by 1 Dec 2017": offer(UNFIXED, 2000, price=400, by=DEC_1),
    "offer fixed 50 @ 0.4": offer(FIXED, 50, price=400),
    "offer fixed 50 @0.40 by in 2 weeks": offer(FIXED, 50, price=400, by=DEC_12),
    "offer fixed 50 @0.405": offer(FIXED, 50, price=405),
    "offer fixed for 25 at 0.60 now-or-never": offer(FIXED, amount=25_000, price=600, now=True),
    "offer fixed for 12.50": offer(FIXED, amount=12_500),
    "offer fixed 100 deposit 40": offer(FIXED, 100, deposit=40_000),
    "offer fixed 100 profit 12.5 by 2w": offer(FIXED, 100, profit=12_500, by=DEC_12),
    "offer fixed 50 until friday by in 2 weeks at 0.5": offer(FIXED, 50, price=500, by=DEC_12, until=DEC_1),
    "offer fixed 50 now-or-never by 1 Dec 2017 at 0.5": offer(FIXED, 50, price=500, by=DEC_1, now=True),
    "offer fixed 50 @ 40% by 2017-12-01..2017-12-12": offer(FIXED, 50, price=400, by=DEC_12, from_at=DEC_1_BEGINS),
    "offer fixed 50 by friday .. in 2 weeks until 36h": offer(
        FIXED, 50, by=DEC_12, from_at=DEC_1_BEGINS, until=NOW + 36 * 3600
    ),
    "offer fixed 50 by 2017-12-01T00:00Z..2017-12-12": offer(FIXED, 50, by=DEC_12, from_at=DEC_1_BEGINS),
    "offer fixed 50 all-or-none": offer(FIXED, 50, all_or_none=True),
    "offer fixed 50 all-or-none now-or-never": offer(FIXED, 50, all_or_none=True, now=True),
    "offer fixed 50 post-only": offer(FIXED, 50, post_only=True, cancel_on_halt=True),
    "offer fixed 50 pool cancel-on-halt": offer(FIXED, 50, pool=True, cancel_on_halt=True),
    "offer fixed 50 --pool --all-or-none --until friday": offer(FIXED, 50, pool=True, all_or_none=True, until=DEC_1),
    "offer --fixed 50 --at 0.4 --by 2017-12-01 --now-or-never": offer(FIXED, 50, price=400, by=DEC_1, now=True),
    "sell fixed 20 at 0.40": sell(FIXED, 20, 400),
    "sell fixed all at 0.40": sell(FIXED, None, 400),
    "sell unfixed all": sell(UNFIXED),
    "sell unfixed 5 by friday": sell(UNFIXED, 5, by=DEC_1),
    "sell fixed 20 at 0.40 until friday all-or-none": sell(FIXED, 20, 400, until=DEC_1, all_or_none=True),
    "sell fixed 20 @ 0.40 post-only": sell(FIXED, 20, 400, post_only=True, cancel_on_halt=True),
    "sell fixed 20 at .4 cancel-on-halt": sell(FIXED, 20, 400, cancel_on_halt=True),
    "sell fixed all now-or-never at 0.4": sell(FIXED, None, 400, now=True),
    "sell fixed 20 by 2017-12-01..2017-12-12": sell(FIXED, 20, by=DEC_12, from_at=DEC_1_BEGINS),
    "fund 50 by friday": FundRequest(50_000, DEC_1, None),
    "fund 1,000.50 by 1 Dec 2017 at 80%": FundRequest(1_000_500, DEC_1, 800),
    "fund 2k @ 0.8 by 2w": FundRequest(2_000_000, DEC_12, 800),
    "change o17 20": ChangeRequest(17, 20, None, None),
    "change o17 at 0.45": ChangeRequest(17, None, 450, None),
    "change 17 1k @.45 until friday": ChangeRequest(17, 1000, 450, DEC_1),
    "change o17 until friday at 0.45": ChangeRequest(17, None, 450, DEC_1),
    "offers": OffersRequest(),
    "give @beth 20": GiveRequest("beth", 20_000),
    "give Beth-2 .5": GiveRequest("Beth-2", 500),
    "mute": MuteRequest(Mode.NEVER),
    "mute daily": MuteRequest(Mode.DAILY),
    "mute --daily": MuteRequest(Mode.DAILY),
    "unmute": MuteRequest(Mode.EVERY),
    "offer fixed 50 by 2018-12-01 18:00 UTC": offer(FIXED, 50, by=DEC_1 + 365 * 86_400 - 21_599),
    "offer fixed 50 by a week": offer(FIXED, 50, by=DEC_12 - 7 * 86_400),
    "offer fixed 50 by 2 weeks": offer(FIXED, 50, by=DEC_12),
    "fund 50": FundRequest(50_000, None, None),
    "fund 50 within 2 weeks": FundRequest(50_000, DEC_12, None),
    "fund 50 in two weeks": FundRequest(50_000, DEC_12, None),
    "fund 50 in 2w at 0.80": FundRequest(50_000, DEC_12, 800),
    "fund 50 at 80% within 2 weeks": FundRequest(50_000, DEC_12, 800),
    "fund 50 by within 2 weeks": FundRequest(50_000, DEC_12, None),
    "fund 50 @ 0.80": FundRequest(50_000, None, 800),
    "bounty 50": FundRequest(50_000, None, None),
    "Reward 1,000 by friday": FundRequest(1_000_000, DEC_1, None),
    "sponsor 2k within 2 weeks": FundRequest(2_000_000, DEC_12, None),
    "dry-run balance": DryRunRequest("balance", BalanceRequest()),
    "dry-run buy fixed 50 by friday": DryRunRequest("offer", offer(FIXED, 50, by=DEC_1)),
    "Dry-Run GIVE @Beth 2k": DryRunRequest("give", GiveRequest("Beth", 2_000_000)),
    "take o17": TakeRequest(17, None),
    "take O17 20": TakeRequest(17, 20),
    "take 17 1_000": TakeRequest(17, 1000),
    "cancel o17": CancelRequest(17),
    "cancel all": CancelRequest(None),
    "cancel --all": CancelRequest(None),
    "book": BookRequest(None),
    "book by 2017-12-01": BookRequest(DEC_1),
    "positions": PositionsRequest(None),
    "positions @adam": PositionsRequest("adam"),
    "positions Adam-2": PositionsRequest("Adam-2"),
    "positions @42": PositionsRequest("42"),
    "positions @by": PositionsRequest("by"),
    "balance": BalanceRequest(),
    "": HelpRequest(None),
    "help": HelpRequest(None),
    "help offer": HelpRequest("offer"),
    "help buy": HelpRequest("offer"),
    "HELP Sell": HelpRequest("sell"),
}

REFUSED = {
    # what is typed: (what the sentence says, the commands to copy)
    "offer": ("missing: `fixed`, `unfixed`", "offer fixed VOLUME", "offer unfixed VOLUME"),
    "offer fixed": ("missing: a volume such as `50` or `for AMOUNT`", "offer fixed VOLUME"),
    "offer fixed by friday": ("missing before `by`: a volume", "offer fixed VOLUME by 2017-12-01"),
    "offer 50": ("`50` is not understood: here may stand `fixed`, `unfixed`", "offer fixed 50", "offer unfixed 50"),
    "offer 50 unfixed 0.4": ("`50` is not understood", "offer unfixed 50 at 0.40"),
    "offer unfixd 20 by friday": ("did you mean `unfixed`?", "offer unfixed 20 by 2017-12-01"),
    "offer fixed fifty": ("`fifty` is no volume", "offer fixed 50"),
    "offer fixed 0": ("`0` is no volume", "offer fixed VOLUME"),
    "offer fixed 2.5": ("`2.5` is no volume", "offer fixed VOLUME"),
    "offer fixed 10.5": ("`10.5` is no volume", "offer fixed VOLUME"),
    "offer fixed 1e3": ("`1e3` is no volume", "offer fixed 1000"),
    "offer fixed 1.000": (
        "After `offer fixed`, `1.000` is unclear: it may be `1` or `1000`.",
        "offer fixed 1",
        "offer fixed 1000",
    ),
    "offer fixed 10'000": ("`10'000` is no volume", "offer fixed 10000"),
    "offer fixed 1 000 at 40%": ("`000` is not understood", "offer fixed 1000 at 0.40"),
    "offer fixed $50 at $0.40": ("`$50` is no volume", "offer fixed 50 at 0.40"),
    "offer fixed -50": ("`-50` is no volume", "offer fixed VOLUME"),
    "offer fixed 2\u212a": ("`2\u212a` is no volume", "offer fixed VOLUME"),
    "offer fixed \uff15\uff10 at 0.4": ("is no volume", "offer fixed 50 at 0.40"),
    "offer fixed 1000000001": ("is no volume", "offer fixed VOLUME"),
    "offer fixed for": ("missing: an amount", "offer fixed for AMOUNT"),
    "offer fixed for 0 at 0.4": ("`0` is no amount", "offer fixed for AMOUNT at 0.40"),
    "offer fixed for 1.2345 at 0.4": ("`1.2345` is no amount", "offer fixed for AMOUNT at 0.40"),
    "offer fixed 50 at": ("missing: a price", "offer fixed 50 at PRICE"),
    "offer fixed 50 at 1": ("`1` is no price", "offer fixed 50 at PRICE"),
    "offer fixed 50 at 0": ("`0` is no price", "offer fixed 50 at PRICE"),
    "offer fixed 50 at 0.4005 by friday": ("`0.4005` is no price", "offer fixed 50 at PRICE by 2017-12-01"),
    "offer fixed 50 at 40": ("`40` is no price", "offer fixed 50 at PRICE"),
    "offer fixed 50 at 40 %": ("`40` is no price", "offer fixed 50 at 0.40"),
    "offer fixed 50 at 0,4": ("`0,4` is no price", "offer fixed 50 at 0.40"),
    "offer fixed 50 @1.5": ("`1.5` is no price", "offer fixed 50 at PRICE"),
    "offer fixed 50 @": ("missing: a price", "offer fixed 50 at PRICE"),
    "offer fixed 50 0.4": ("`0.4` is not understood", "offer fixed 50 at 0.40"),
    "offer fixed 50 at by friday": ("missing before `by`: a price", "offer fixed 50 at PRICE by 2017-12-01"),
    "offer fixed 50 at 0.4 at 0.5": ("`at` is given twice", "offer fixed 50 at PRICE"),
    "offer fixed 50 by friday by 2w": ("`by` is given twice", "offer fixed 50 by DATE"),
    "offer fixed 50 until friday until 2w": ("`until` is given twice", "offer fixed 50 until DATE"),
    "offer fixed 50 now-or-never now-or-never": ("`now-or-never` is given twice", "offer fixed 50 now-or-never"),
    "offer fixed 50 at 0.4 deposit 20": ("`at` and `deposit` exclude each other", "offer fixed 50 at PRICE"),
    "offer fixed 50 deposit 20 at 0.4": ("`deposit` and `at` exclude each other", "offer fixed 50 at PRICE"),
    "offer fixed 50 profit 9 deposit 20": ("`profit` and `deposit` exclude", "offer fixed 50 at PRICE"),
    "offer fixed for 25 deposit 20": ("need a volume", "offer fixed for 25 at PRICE"),
    "offer fixed 50 by": ("missing: a date", "offer fixed 50 by DATE"),
    "offer fixed 50 by 18:00": ("needs its zone", "offer fixed 50 by DATE"),
    "offer fixed 50 by 9:30": ("needs its zone", "offer fixed 50 by DATE"),
    "offer fixed 50 by 2018-12-01T18:00": ("needs its zone", "offer fixed 50 by DATE"),
    "offer fixed 50 by 31.12.2018": ("begins with its year", "offer fixed 50 by 2018-12-31"),
    "offer fixed 50 by 12/31/2018": ("begins with its year", "offer fixed 50 by 2018-12-31"),
    "offer fixed 50 by 1/2/2018": (
        "After `offer fixed 50 by`, `1/2/2018` is ambiguous: 1 February or January 2?",
        "offer fixed 50 by 2018-02-01",
        "offer fixed 50 by 2018-01-02",
    ),
    "offer fixed 50 by 2018/12/31": ("begins with its year", "offer fixed 50 by 2018-12-31"),
    "offer fixed 50 by 31.02.2018": ("begins with its year", "offer fixed 50 by DATE"),
    "offer fixed 50 by next friday": (
        "a weekday alone is the next one",
        "offer fixed 50 by 2017-12-01",
        "offer fixed 50 by 2017-12-08",
    ),
    "offer fixed 50 by next month": ("is no date", "offer fixed 50 by DATE"),
    "offer fixed 50 by end of the month": ("is no date", "offer fixed 50 by 2017-11-30"),
    "offer fixed 50 by end of year": ("is no date", "offer fixed 50 by 2017-12-31"),
    "offer fixed 50 by firday": ("`firday` is no date", "offer fixed 50 by 2017-12-01"),
    "offer fixed 50 by 7": ("a bare number is no date", "offer fixed 50 by DATE"),
    "offer fixed 50 by 2018": ("a bare number is no date", "offer fixed 50 by DATE"),
    "offer fixed 50 by may": ("a bare month is no date", "offer fixed 50 by DATE"),
    "offer fixed 50 by Dec 2018": ("a date needs its day", "offer fixed 50 by DATE"),
    "offer fixed 50 by 1 Dec": ("needs its year", "offer fixed 50 by 2017-12-01", "offer fixed 50 by 2018-12-01"),
    "offer fixed 50 by 1 Nov": ("needs its year", "offer fixed 50 by 2018-11-01", "offer fixed 50 by 2019-11-01"),
    "offer fixed 50 by the 1st of December 2018": ("is no date", "offer fixed 50 by 2018-12-01"),
    "offer fixed 50 by 2w..friday": ("the range ends before it begins", "offer fixed 50 by 2017-12-01..2017-12-12"),
    "offer fixed 50 by friday to 2w": ("`to` is not understood", "offer fixed 50 by 2017-12-01..2017-12-12"),
    "offer fixed 50 for 0.4": ("`for` is not understood", "help offer"),
    "offer fixed 50 by friday..": ("a range has a date on both sides", "offer fixed 50 by DATE"),
    "offer fixed 50 by ..friday": ("a range has a date on both sides", "offer fixed 50 by DATE"),
    "offer fixed 50 until friday..2w": ("not a range", "offer fixed 50 until DATE"),
    "offer fixed 50 post-only all-or-none": ("`post-only` and `all-or-none` exclude", "help offer"),
    "offer fixed 50 now-or-never post-only": ("`now-or-never` and `post-only` exclude", "help offer"),
    "offer fixed 50 allornone": ("did you mean `all-or-none`?", "offer fixed 50 all-or-none"),
    "offer fixed 50 post only": ("`post` is not understood", "offer fixed 50 post-only"),
    "sell fixed 20 pool": ("`pool` is for offers that buy", "sell fixed 20"),
    "sell fixed 20 post-only": ("`post-only` needs a price", "sell fixed 20 at PRICE post-only"),
    "offer fixed 50 by friday nowornever": (
        "did you mean `now-or-never`?",
        "offer fixed 50 by 2017-12-01 now-or-never",
    ),
    "offer fixed 50 by friday please": ("After `offer fixed 50 by friday`, `please`", "offer fixed 50 by 2017-12-01"),
    "offer fixed 50 bye friday": ("did you mean `by`?", "help offer"),
    "offer fixed 50 until someday": ("`someday` is no date", "offer fixed 50 until DATE"),
    "offer fixed all": ("missing before `all`", "help offer"),
    "offer fixed 50by friday": ("`50by` is no volume", "help offer"),
    "sell": ("missing: `fixed`, `unfixed`", "sell fixed VOLUME", "sell unfixed VOLUME"),
    "sell fixed": ("missing: a volume such as `50` or `all`", "sell fixed VOLUME"),
    "sell all": ("missing before `all`", "sell fixed all", "sell unfixed all"),
    "sell fixed for 5": ("missing before `for`", "help sell"),
    "sell fixed 5 deposit 4": ("`deposit` is not understood", "help sell"),
    "take": ("missing: the number of an offer", "take OFFER"),
    "take it": ("`it` is no offer", "take OFFER"),
    "take o17 0": ("`0` is no volume", "take o17 VOLUME"),
    "take o17 5 now": ("`now` is not understood: nothing may follow", "help take"),
    "take o0": ("`o0` is no offer", "take OFFER"),
    "take #17": ("`#17` is no offer", "take OFFER"),
    "cancel": ("missing: the number of an offer such as `o17` or `all`", "cancel OFFER"),
    "cancel everything": ("`everything` is no offer", "cancel all"),
    "cancel all o17": ("nothing may follow", "cancel OFFER"),
    "book friday": ("`friday` is not understood", "book by 2017-12-01"),
    "book by": ("missing: a date", "book"),
    "positions @adam @beth": ("nothing may follow", "positions @adam"),
    "positions @a@b": ("`@a@b` is no user", "positions"),
    "book by friday..2w": ("not a range", "book"),
    "fund": ("missing: an amount", "fund AMOUNT"),
    "fund by friday 25": ("missing before `by`: an amount", "fund AMOUNT by DATE"),
    "fund 1e3 at 0,8 by 31.12.2018": ("`1e3` is no amount", "fund 1000 at 0.80 by 2018-12-31"),
    "fund 25 by friday..2w": ("not a range", "fund 25 by DATE"),
    "fund 25 units by friday": ("`units` is not understood", "fund 25 by 2017-12-01"),
    "change": ("missing: the number of an offer", "change OFFER VOLUME"),
    "change o17": ("missing: a volume such as `50`, `at PRICE` or `until DATE`", "change o17 VOLUME"),
    "change o17 20.5": ("`20.5` is no volume", "change o17 VOLUME"),
    "change o17 at 45": ("`45` is no price", "change o17 at PRICE"),
    "change o17 by friday": ("missing before `by`", "help change"),
    "offers all": ("nothing may follow", "offers"),
    "give": ("missing: a user", "give @USER AMOUNT"),
    "give 20": ("missing: an amount", "give @USER 20"),
    "give 20 to @beth": ("`to` is no amount", "give @beth 20"),
    "give @beth 1e3": ("`1e3` is no amount", "give @beth 1000"),
    "give @a@b 20": ("`@a@b` is no user", "help give"),
    "mute weekly": ("here may stand `daily`", "mute"),
    "unmute daily": ("nothing may follow", "unmute"),
    "dry-run": ("missing: a command", "dry-run help"),
    "dry-run offr fixed 50 by next friday": ("did you mean `offer`?", "dry-run help offer"),
    "dry-run dry-run balance": ("does nothing twice", "dry-run balance"),
    "dry-run offer fixed 50 at 1": ("`1` is no price", "dry-run offer fixed 50 at PRICE"),
    "balance please": ("nothing may follow", "balance"),
    "help ofer": ("There is no command `ofer`", "help offer"),
    "help me out": ("`out` is not understood", "help"),
    "ofer fixed 50 by friday": ("did you mean `offer`?", "offer fixed 50 by 2017-12-01"),
    "ofer fixd": ("did you mean `offer`?", "help offer"),
    "postions": ("did you mean `positions`?", "positions"),
    "frobnicate": ("There is no command `frobnicate`; there are `offer`", "help"),
    "@everyone": ("There is no command `@everyone`", "help"),
    "offer " + "x" * 1000: ("at most 500 characters", "help"),
}


@pytest.mark.parametrize("text", READ)
def test_a_command_asks_for_something(text: str) -> None:
    assert parse(text, NOW) == READ[text]


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_says_what_is_wrong_and_gives_a_command_to_copy(text: str) -> None:
    sentence, *corrections = REFUSED[text]
    with pytest.raises(BadCommand) as refused:
        parse(text, NOW)
    assert sentence in refused.value.sentence
    assert [one.text for one in refused.value.instead] == corrections
    assert_is_one_sentence(refused.value.sentence)
    for one in refused.value.instead:
        assert_runs_or_has_a_blank(one)


def assert_runs_or_has_a_blank(one: HandOut) -> None:
    """As it is read from a comment into which it is pasted."""
    (pasted,) = read_commands(f"/bugmark {one.text}")
    if one.blank:
        with pytest.raises(Refusal):
            parse(pasted.text, NOW)
    else:
        assert isinstance(parse(pasted.text, NOW), Request)


@pytest.mark.parametrize("command", registry.commands(), ids=lambda command: command.name)
def test_every_example_is_a_command_of_its_kind_and_reads_back_from_a_comment(command: Command) -> None:
    for example in command.examples:
        (found,) = read_commands(f"/bugmark {example}")
        assert understand(found.text, NOW)[0] is command


def test_names_and_aliases_are_unique() -> None:
    names = [name for command in registry.commands() for name in (command.name, *command.aliases)]
    assert sorted(names) == sorted(set(names))
    assert {"offer", "buy", "sell", "take", "cancel", "book", "positions", "balance", "help"} <= set(names)


def assert_is_one_sentence(sentence: str) -> None:
    plain = re.sub(r"`[^`]*`", "CODE", sentence)
    assert "`" not in plain
    assert plain.endswith((".", "?"))
    assert not re.search(r"[.?!]\s", plain)


VERBS, VALUES, KEYWORDS, DATES, ODD = (
    ["offer", "buy", "sell", "fund", "take", "change", "cancel", "book", "give", "mute", "dry-run", "ofer", "/bugmark"],
    ["fixed", "unfixed", "fixd", "50", "0", "1,000", "2k", "0.4", "40%", "1", "@", "@0.4", "o17", "@adam", "#7"],
    ["at", "by", "--by", "until", "for", "all", "deposit", "profit", "now-or-never", "post-only", "pool", "daily"],
    ["friday", "2w", "in", "2", "weeks", "1", "Dec", "2026", "2026-12-01", "18:00", "..", "31.12.2026", "next"],
    ["--", "`", "```", "<!--", "\u202e", "\0", "\ud800", "\u212a", "x" * 70],
)
WORDS = st.sampled_from([*VERBS, *VALUES, *KEYWORDS, *DATES, *ODD])
TYPED = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(), st.text().map("offer fixed 50 by {}".format))


@given(TYPED)
def test_any_text_asks_for_something_or_is_refused_with_a_command_that_parses(text: str) -> None:
    try:
        parse(text, NOW)
    except Refusal as refusal:
        assert isinstance(refusal, BadCommand)
        assert_is_one_sentence(refusal.sentence)
        assert 1 <= len(refusal.instead) <= MOST_HANDED_OUT
        for one in refusal.instead:
            assert_runs_or_has_a_blank(one)


@given(TYPED)
def test_a_refusal_quotes_users_only_in_code_on_one_line(text: str) -> None:
    try:
        parse(text, NOW)
    except BadCommand as refusal:
        plain = re.sub(r"`[^`\n]*`", "", refusal.sentence)
        assert not re.search(r"[@#<>\[\]\n\r\0\u202e\ud800]", plain)
        assert read_commands(f"{refusal.sentence}\n{refused(refusal)}\n{refusal.sentence}") == []
