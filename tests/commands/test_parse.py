"""From a command's text to what it asks for, or to a refusal. The comment is made on Tuesday, 28 November 2017."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands import registry
from app.commands.grammar import Command
from app.commands.reader import read_commands
from app.commands.registry import parse
from app.commands.requests import (
    BalanceRequest,
    BookRequest,
    CancelRequest,
    HelpRequest,
    OfferRequest,
    PositionsRequest,
    Request,
    TakeRequest,
)
from app.market.contract import Side
from app.market.errors import Refusal
from app.market.offer import Action

NOW = int(datetime(2017, 11, 28, 11, 53, 20, tzinfo=UTC).timestamp())
DEC_1 = int(datetime(2017, 12, 1, 23, 59, 59, tzinfo=UTC).timestamp())
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
) -> OfferRequest:
    return OfferRequest(action, side, volume, amount, price, deposit, profit, by, until, now)


def sell(side: Side, volume: int | None = None, price: int | None = None, **more: int) -> OfferRequest:
    return offer(side, volume, action=Action.SELL, price=price, by=more.get("by"))


FIXED, UNFIXED = Side.FIXED, Side.UNFIXED
READ: dict[str, Request] = {
    "offer fixed 50 by 2017-12-01": offer(FIXED, 50, by=DEC_1),
    "offer fixed 50": offer(FIXED, 50),
    "OFFER Unfixed 1,000 AT 40% BY Friday": offer(UNFIXED, 1000, price=400, by=DEC_1),
    "buy unfixed 2k at .4 by 1 Dec 2017": offer(UNFIXED, 2000, price=400, by=DEC_1),
    "offer fixed 50 @ 0.4": offer(FIXED, 50, price=400),
    "offer fixed 50 @0.40 by in 2 weeks": offer(FIXED, 50, price=400, by=DEC_12),
    "offer fixed 50 @.405": offer(FIXED, 50, price=405),
    "offer fixed for 25 at 0.60 now-or-never": offer(FIXED, amount=25_000, price=600, now=True),
    "offer fixed for 12.50": offer(FIXED, amount=12_500),
    "offer fixed 100 deposit 40": offer(FIXED, 100, deposit=40_000),
    "offer fixed 100 profit 12.5 by 2w": offer(FIXED, 100, profit=12_500, by=DEC_12),
    "offer fixed 50 until friday by in 2 weeks at 0.5": offer(FIXED, 50, price=500, by=DEC_12, until=DEC_1),
    "offer fixed 50 now-or-never by 1 Dec 2017 at 0.5": offer(FIXED, 50, price=500, by=DEC_1, now=True),
    "offer --fixed 50 --at 0.4 --by 2017-12-01 --now-or-never": offer(FIXED, 50, price=400, by=DEC_1, now=True),
    "sell fixed 20 at 0.40": sell(FIXED, 20, 400),
    "sell fixed all at 0.40": sell(FIXED, None, 400),
    "sell unfixed all": sell(UNFIXED),
    "sell unfixed 5 by friday": sell(UNFIXED, 5, by=DEC_1),
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
    # what is typed: (what the sentence says, the command to copy)
    "offer": ("missing: `fixed` or `unfixed`", "offer fixed 50"),
    "offer fixed": ("missing: a volume such as `50` or `for AMOUNT`", "offer fixed 50"),
    "offer fixed by friday": ("missing before `by`: a volume", "offer fixed 50 by friday"),
    "offer 50": ("`50` is not understood: here may stand `fixed` or `unfixed`", "offer fixed 50"),
    "offer 50 unfixed 0.4": ("`50` is not understood", "offer unfixed 50 at 0.4"),
    "offer unfixd 20 by friday": ("did you mean `unfixed`?", "offer unfixed 20 by friday"),
    "offer fixed fifty": ("`fifty` is no volume", "offer fixed 50"),
    "offer fixed 0": ("`0` is no volume", "offer fixed 50"),
    "offer fixed 2.5": ("`2.5` is no volume", "offer fixed 50"),
    "offer fixed 2\u212a": ("`2\u212a` is no volume", "offer fixed 50"),
    "offer fixed \uff15\uff10 at 0.4": ("is no volume", "offer fixed 50 at 0.4"),
    "offer fixed 1000000001": ("is no volume", "offer fixed 50"),
    "offer fixed for": ("missing: an amount", "offer fixed 50"),
    "offer fixed for 0 at 0.4": ("`0` is no amount", "offer fixed 50 at 0.4"),
    "offer fixed for 1.2345 at 0.4": ("`1.2345` is no amount", "offer fixed 50 at 0.4"),
    "offer fixed 50 at": ("missing: a price", "offer fixed 50 at 0.50"),
    "offer fixed 50 at 1": ("`1` is no price", "offer fixed 50 at 0.50"),
    "offer fixed 50 at 0": ("`0` is no price", "offer fixed 50 at 0.50"),
    "offer fixed 50 at 0.4005 by friday": ("`0.4005` is no price", "offer fixed 50 at 0.400 by friday"),
    "offer fixed 50 at 0,4": ("`0,4` is no price", "offer fixed 50 at 0.4"),
    "offer fixed 50 @1.5": ("`1.5` is no price", "offer fixed 50 at 0.50"),
    "offer fixed 50 @": ("missing: a price", "offer fixed 50 at 0.50"),
    "offer fixed 50 0.4": ("`0.4` is not understood", "offer fixed 50 at 0.4"),
    "offer fixed 50 at by friday": ("missing before `by`: a price", "offer fixed 50 at 0.50 by friday"),
    "offer fixed 50 at 0.4 at 0.5": ("`at` is given twice", "offer fixed 50 at 0.4"),
    "offer fixed 50 by friday by 2w": ("`by` is given twice", "offer fixed 50 by friday"),
    "offer fixed 50 until friday until 2w": ("`until` is given twice", "offer fixed 50 until friday"),
    "offer fixed 50 now-or-never now-or-never": ("`now-or-never` is given twice", "offer fixed 50 now-or-never"),
    "offer fixed 50 at 0.4 deposit 20": ("`at` and `deposit` exclude each other", "offer fixed 50 at 0.4"),
    "offer fixed 50 deposit 20 at 0.4": ("`deposit` and `at` exclude each other", "offer fixed 50 deposit 20"),
    "offer fixed 50 profit 9 deposit 20": ("`profit` and `deposit` exclude", "offer fixed 50 profit 9"),
    "offer fixed for 25 deposit 20": ("need a volume", "offer fixed for 25 at 0.50"),
    "offer fixed 50 by": ("missing: a date", "offer fixed 50 by 2018-02-26"),
    "offer fixed 50 by 18:00": ("needs its zone", "offer fixed 50 by 2018-02-26"),
    "offer fixed 50 by 7": ("a bare number is no date", "offer fixed 50 by 2018-02-26"),
    "offer fixed 50 by may": ("a bare month is no date", "offer fixed 50 by 2018-02-26"),
    "offer fixed 50 by 1 Dec": ("needs its year", "offer fixed 50 by 2018-02-26"),
    "offer fixed 50 by 2017-12-01..2017-12-31": ("not a range", "offer fixed 50 by 2018-02-26"),
    "offer fixed 50 by friday nowornever": ("did you mean `now-or-never`?", "offer fixed 50 by friday now-or-never"),
    "offer fixed 50 by friday please": ("After `offer fixed 50 by friday`, `please`", "offer fixed 50 by friday"),
    "offer fixed 50 bye friday": ("did you mean `by`?", "offer fixed 50 by friday"),
    "offer fixed 50 until someday": ("`someday` is no date", "offer fixed 50"),
    "offer fixed 50 post-only": ("`post-only` is not understood", "offer fixed 50"),
    "offer fixed all": ("missing before `all`", "offer fixed 50"),
    "offer fixed 50by friday": ("`50by` is no volume", "offer fixed 50 by friday"),
    "offer true 50": ("`true` is not understood", "offer fixed 50"),
    "sell": ("missing: `fixed` or `unfixed`", "sell fixed all"),
    "sell fixed": ("missing: a volume such as `50` or `all`", "sell fixed all"),
    "sell all": ("missing before `all`", "sell fixed all"),
    "sell fixed for 5": ("missing before `for`", "sell fixed 5"),
    "sell fixed 5 deposit 4": ("`deposit` is not understood", "sell fixed 5"),
    "take": ("missing: the number of an offer", "book"),
    "take it": ("`it` is no offer", "book"),
    "take o17 0": ("`0` is no volume", "take o17"),
    "take o17 5 now": ("`now` is not understood: nothing may follow", "take o17 5"),
    "take o0": ("`o0` is no offer", "book"),
    "take #17": ("`#17` is no offer", "book"),
    "cancel": ("missing: the number of an offer such as `o17` or `all`", "positions"),
    "cancel everything": ("`everything` is no offer", "positions"),
    "cancel all o17": ("nothing may follow", "cancel o17"),
    "book friday": ("`friday` is not understood", "book by friday"),
    "book by": ("missing: a date", "book"),
    "positions @adam @beth": ("nothing may follow", "positions @adam"),
    "positions @a@b": ("`@a@b` is no user", "positions"),
    "balance please": ("nothing may follow", "balance"),
    "help ofer": ("There is no command `ofer`", "help offer"),
    "help me out": ("`out` is not understood", "help"),
    "ofer fixed 50 by friday": ("did you mean `offer`?", "offer fixed 50 by friday"),
    "ofer fixd": ("did you mean `offer`?", "offer fixed 50"),
    "postions": ("did you mean `positions`?", "positions"),
    "frobnicate": ("There is no command `frobnicate`; there are `offer`", "help"),
    "fund 50 by friday": ("There is no command `fund`", "help"),
    "@everyone": ("There is no command `@everyone`", "help"),
    "offer " + "x" * 1000: ("at most 500 characters", "help"),
}


@pytest.mark.parametrize("text", READ)
def test_a_command_asks_for_something(text: str) -> None:
    assert parse(text, NOW) == READ[text]


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_says_what_is_wrong_and_gives_a_command_to_copy(text: str) -> None:
    sentence, correction = REFUSED[text]
    with pytest.raises(Refusal) as refused:
        parse(text, NOW)
    assert sentence in refused.value.sentence
    assert refused.value.correction == f"/bugmark {correction}"
    assert_is_one_sentence(refused.value.sentence)
    assert isinstance(parse(correction, NOW), Request)


@pytest.mark.parametrize("command", registry.commands(), ids=lambda command: command.name)
def test_every_example_is_a_command_of_its_kind_and_reads_back_from_a_comment(command: Command) -> None:
    kinds = set()
    for example in command.examples:
        (found,) = read_commands(f"/bugmark {example}")
        kinds.add(type(parse(found.text, NOW)))
    assert len(kinds) == 1


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
    ["offer", "buy", "sell", "take", "cancel", "book", "positions", "balance", "help", "ofer", "/bugmark"],
    ["fixed", "unfixed", "fixd", "50", "0", "1,000", "2k", "0.4", "40%", "1", "@", "@0.4", "o17", "@adam", "#7"],
    ["at", "by", "--by", "until", "for", "all", "deposit", "profit", "now-or-never"],
    ["friday", "2w", "in", "2", "weeks", "1", "Dec", "2026", "2026-12-01", "18:00", ".."],
    ["--", "`", "```", "<!--", "\u202e", "\0", "\ud800", "\u212a", "x" * 70],
)
WORDS = st.sampled_from([*VERBS, *VALUES, *KEYWORDS, *DATES, *ODD])
TYPED = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(), st.text().map("offer fixed 50 by {}".format))


@given(TYPED)
def test_any_text_asks_for_something_or_is_refused_with_a_command_that_parses(text: str) -> None:
    try:
        parse(text, NOW)
    except Refusal as refusal:
        assert_is_one_sentence(refusal.sentence)
        assert refusal.correction is not None
        (again,) = read_commands(refusal.correction)
        assert isinstance(parse(again.text, NOW), Request)


@given(TYPED)
def test_a_refusal_quotes_users_only_in_code_on_one_line(text: str) -> None:
    try:
        parse(text, NOW)
    except Refusal as refusal:
        plain = re.sub(r"`[^`\n]*`", "", refusal.sentence)
        assert not re.search(r"[@#<>\[\]\n\r\0\u202e\ud800]", plain)
        assert read_commands(f"{refusal.sentence}\n{refusal.sentence}") == []
