"""What is drawn: replies, books, prices and the market comment, as GitHub would render them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.commands.registry import parse
from app.language.extract import read_commands
from app.market.exchange.fill import FillKind
from app.market.exchange.offer import Action
from app.market.exchange.position import Position
from app.market.prices.price import Paid
from app.market.prices.quotes import Day, Trade
from app.market.terms.contract import Outcome, Side
from app.market.terms.money import format_mills
from app.replies import book_table, formats, price_table, reply
from app.replies.holding_tables import worth
from app.replies.market_comment import board
from app.replies.reply import MAX_BODY, MOST_LINES, visible_lines
from app.replies.standing_line import WIDTH, stands, visible
from app.services.accounts.accounts import Balance
from app.services.views.contract_views import Holder
from app.services.views.holdings import Holding
from app.storage.market.market_data import Levels, Volume
from app.storage.queues.told import Batch
from tests.clocks import START_AT
from tests.replies.showing import (
    DAY,
    NOW,
    answered,
    book_view,
    day,
    forecast,
    halted,
    issue,
    marks,
    offer,
    record,
    row,
    settled,
    standing,
    traded,
    user,
    view,
)

NBSP = "\N{NO-BREAK SPACE}"
RISING = [200, 220, 300, 280, 350, 405]
LEVELS = Levels([(375, 100), (350, 40), (300, 1_000)], [(425, 80), (495, 250)])


def html(body: str) -> str:
    """As GitHub renders a comment: line ends break lines."""
    return str(MarkdownIt("commonmark", {"breaks": True, "html": True}).enable("table").render(body))


def check_sound(body: str) -> None:
    """Every table is one, every fold is closed, nothing in it runs, and GitHub takes it."""
    drawn = html(body)
    assert "| " not in re.sub("<[^>]*>", "", drawn), drawn
    assert drawn.count("<details>") == drawn.count("</details>")
    assert body.count("```") % 2 == 0
    assert len(body) < MAX_BODY


def commands_in(body: str) -> list[str]:
    return re.findall(r"^/bugmark (.*)$", body, re.MULTILINE)


def cells(body: str, start: str) -> list[str]:
    """The cells of the first table line that begins so."""
    line = next(line for line in body.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip().replace(NBSP, " ") for cell in line.strip("|").split("|")]


# -- the market comment -------------------------------------------------------------------------------------------


def test_a_line_tells_price_change_quotes_volume_interest_reward_and_time_left() -> None:
    body = board(issue(traded(row(1, 30), RISING)))
    check_sound(body)
    reward = "118.45"
    assert cells(body, f"31{NBSP}Jan") == [
        "31 Jan 2026",
        "**0.40** ▁▁▄▄▆█",
        "+0.205",
        "0.375 / 0.425",
        "1,234",
        "617",
        reward,
        "30 days",
    ]
    assert "Largest positions by 2026-01-31: **adam** 400 UNFIXED, **beth** 350 FIXED, **carl** 50 FIXED." in body
    assert "As of 1 Jan 2026 09:02:00 UTC." in body


def test_the_void_price_is_shown_of_contracts_that_have_one() -> None:
    body = board(issue(traded(row(1, 30), RISING)))
    assert cells(body, "c1 ") == ["c1", "31 Jan 2026 23:59:59 UTC", "0.405 × 50, 60 min ago", "123", "5", "0.20"]
    body = board(issue(replace(traded(row(1, 30), RISING), void_price=None)))
    assert cells(body, "c1 ") == ["c1", "31 Jan 2026 23:59:59 UTC", "0.405 × 50, 60 min ago", "123", "5"]
    assert "oid price" not in body


def test_a_contract_without_a_trade_shows_what_is_quoted() -> None:
    body = board(issue(view(row(1, 30), [(200, 100)])))
    assert cells(body, f"31{NBSP}Jan")[1:4] == ["**at least 0.20** quoted", "–", "0.20 / –"]
    both = board(issue(view(row(1, 30), [(200, 100)], [(300, 100)])))
    assert cells(both, f"31{NBSP}Jan")[1:4] == ["**0.25** quoted", "–", "0.20 / 0.30"]
    small = board(issue(view(row(1, 30), [(200, 5)])))
    assert cells(small, f"31{NBSP}Jan")[1:4] == ["–", "–", "0.20 / –"]
    assert cells(board(issue(view(row(1, 30)))), f"31{NBSP}Jan")[1:4] == ["–", "–", "– / –"]


def test_the_heading_says_how_likely_by_when_and_what_a_fixer_wins() -> None:
    one = traded(row(1, 30), RISING)
    assert board(issue(one, reward_mills=108_900)).startswith("BugMark · 40 % by 31 Jan 2026 · reward 108.90\n---\n")
    assert html(board(issue(one))).startswith("<h2>BugMark · 40 % by 31 Jan 2026 · reward 118.45</h2>")
    funded = board(issue(view(row(1, 30), [], [(200, 200)])))
    assert funded.startswith("BugMark · at most 20 % by 31 Jan 2026 · reward 160.00\n")
    entered = board(issue(view(row(1, 30, open_interest=200), paid=Paid(200, 40_000, 160_000))))
    assert entered.startswith("BugMark · entered at 20 % by 31 Jan 2026\n")
    apart = board(issue(view(row(1, 30), [(300, 50)], [(600, 50)])))
    assert apart.startswith("BugMark · 30 % to 60 % by 31 Jan 2026 · reward 20.00\n")
    assert board(issue(view(row(1, 30)))).startswith("BugMark · no price yet by 31 Jan 2026\n")
    assert board(issue(view(halted(row(1, 30))))).startswith("BugMark · halted until 2 Jan 2026 09:02:00 UTC\n")
    assert board(issue(done=[view(settled(row(1, -2)))])).startswith("BugMark · settled FIXED\n")
    assert board(issue(traded(forecast(12, 30), RISING))).startswith("BugMark · F12 40 %\n")


def test_the_two_next_steps_can_be_copied_one_by_one() -> None:
    found = issue(traded(row(1, 30), RISING), to_fixer=standing(17, "adam", Action.BUY, Side.UNFIXED, 80, 575))
    body = board(found)
    assert commands_in(body) == ["take o17", "fund 50"]
    assert html(body).count("<pre>") == 2
    assert commands_in(board(replace(found, to_fixer=None))) == ["fund 50"]


def test_money_for_a_date_that_fund_would_not_choose_by_itself_names_the_date() -> None:
    assert commands_in(board(issue(traded(row(1, 10), RISING)))) == ["fund 50 by 2026-01-11"]


def test_a_halted_contract_says_until_when_and_offers_no_trade() -> None:
    halt = replace(traded(row(1, 30), RISING), row=halted(row(1, 30)))
    body = board(issue(halt))
    check_sound(body)
    assert "c1 (fixed by 31 Jan 2026): halted until 2 Jan 2026 09:02:00 UTC." in body
    assert cells(body, f"31{NBSP}Jan")[-1] == "halted"
    assert commands_in(body) == []
    both = board(issue(halt, traded(row(2, 60), RISING)))
    assert commands_in(both) == ["fund 50"]
    assert "by 2 Mar 2026" in both.splitlines()[0]


def test_settled_contracts_fold_away() -> None:
    done = [
        view(settled(row(7, -2), Outcome.UNFIXED), marks=marks(300), volume=Volume(100, 0)),
        view(settled(row(3, -9), Outcome.FIXED, NOW - DAY), volume=Volume(1, 0)),
    ]
    body = board(issue(traded(row(9, 30), RISING), done=done))
    check_sound(body)
    assert "settled" not in re.sub("<details>.*?</details>", "", body, flags=re.DOTALL)
    assert cells(body, "c7 ") == [
        "c7",
        "fixed by 30 Dec 2025",
        "settled UNFIXED",
        "0.30",
        "100",
        "1 Jan 2026 09:02 UTC",
    ]
    alone = board(issue(done=done))
    assert "c7 (fixed by 30 Dec 2025): **settled UNFIXED** on 1 Jan 2026 09:02:00 UTC." in alone
    assert "<summary>2 settled contracts</summary>" in alone


def test_forecasts_read_true_and_false_and_go_by_their_number() -> None:
    body = board(issue(traded(forecast(12, 30), RISING)))
    check_sound(body)
    assert "### Forecasts" in body and "fund" not in body
    assert "- **F12**: an advisory of severity high or worse affecting `npm:left-pad` is published" in body
    assert "| forecast | TRUE |" in body
    assert "Largest positions on F12: **adam** 400 FALSE, **beth** 350 TRUE" in body
    assert commands_in(body) == ["offer true 50 at 0.40 on F12", "offer false 50 at 0.60 on F12"]
    taken = issue(
        traded(forecast(12, 30), RISING),
        to_fixer=standing(17, "adam", Action.BUY, Side.UNFIXED, 80, 575),
        to_doubter=standing(18, "beth", Action.BUY, Side.FIXED, 80, 375),
    )
    assert commands_in(board(taken)) == ["take o17", "take o18"]


def test_insiders_are_marked() -> None:
    marked = replace(traded(row(1, 30), RISING), top=[Holder("dana", Side.FIXED, 5, insider=True)])
    assert "**dana** 5 FIXED (insider)" in board(issue(marked))
    assert "**adam** (insider) here" in reply.standing(
        replace(user(positions=[(1, Side.FIXED, Position(5, 0, 100, 0))]), insider=True)
    )


def test_the_chance_of_a_fix_is_told_for_each_date() -> None:
    rising = issue(traded(row(1, 10), [400]), view(row(2, 60)), traded(row(3, 99), [700]))
    dates = "**39.5 %** by 11 Jan 2026 · **37 % to 72 %** by 2 Mar 2026 · **69.5 %** by 10 Apr 2026."
    assert f"Chance of a fix: {dates}" in board(rising)
    drawn = "Chance of a fix ▄▆: **39.5 %** by 11 Jan 2026 · **69.5 %** by 10 Apr 2026."
    assert drawn in board(issue(traded(row(1, 10), [400]), traded(row(3, 99), [700])))
    assert "Chance of a fix" not in board(issue(traded(row(1, 10), [600])))


def test_dates_that_contradict_each_other_keep_their_own_chances() -> None:
    falling = board(issue(traded(row(1, 10), [600]), traded(row(2, 60), [400]), traded(row(3, 99), [700])))
    assert "**59.5 %** by 11 Jan 2026 · **39.5 %** by 2 Mar 2026 · **69.5 %** by 10 Apr 2026." in falling
    assert "The quotes contradict each other." in falling


def test_contradicting_quotes_come_with_the_commands_that_take_them() -> None:
    body = board(issue(traded(row(1, 10), [610]), traded(row(2, 60), [280])))
    check_sound(body)
    assert (
        "140 units each, pays 104.60 and gets at least 140.00: **35.40** without risk, as long as both are judged alike"
        in body
    )
    assert commands_in(body)[:2] == [
        "offer fixed 140 at 0.35 by 2026-03-02 now-or-never",
        "offer unfixed 140 at 0.44 by 2026-01-11 now-or-never",
    ]
    agreeing = board(issue(traded(row(1, 10), [280]), traded(row(2, 60), [610])))
    assert "contradict" not in agreeing


def test_twelve_contracts_are_one_table_and_their_holders_fold_away() -> None:
    many = [traded(row(number, 10 * number), [100 + 50 * number]) for number in range(1, 13)]
    body = board(issue(*many, left_out=3))
    check_sound(body)
    outside = re.sub("<details>.*?</details>", "", body, flags=re.DOTALL)
    assert "Largest positions" not in outside
    assert "- c12: **adam** 400 UNFIXED" in body
    assert len([line for line in outside.splitlines() if line.startswith("- by **")]) == 12
    assert len([line for line in body.splitlines() if line.startswith("|")]) == 28
    assert outside.count(" %**") == 6
    assert "3 smaller or older contracts are left out here." in body


def test_long_numbers_stay_whole() -> None:
    large = traded(row(1, 300), [969], 999_999_999)
    body = board(issue(replace(large, levels=Levels([(900, 10**9)], [(1, 5 * 10**9)]))))
    assert cells(body, f"28{NBSP}Oct")[4:7] == ["999,999,999", "499,999,999", "99,900"]


@given(st.lists(st.tuples(st.integers(1, 900), st.lists(st.integers(1, 999), max_size=4)), max_size=5))
def test_every_command_on_the_market_comment_can_be_read(contracts: list[tuple[int, list[int]]]) -> None:
    views = [
        traded(row(at, days), prices) if prices and 70 < prices[-1] < 900 else view(row(at, days), marks=marks(*prices))
        for at, (days, prices) in enumerate(contracts, 1)
    ]
    body = board(issue(*views, traded(forecast(99, 30), [500])))
    for command in commands_in(body):
        parse(command, NOW)
    assert read_commands(body) == []


# -- replies ------------------------------------------------------------------------------------------------------

BOOKS = [
    book_view(
        row(3),
        LEVELS,
        [
            standing(11, "adam", Action.BUY, Side.FIXED, 100, 375),
            standing(12, "beth", Action.SELL, Side.UNFIXED, 40, 650, until_at=day(3)),
            standing(14, "carl", Action.BUY, Side.UNFIXED, 80, 575, all_or_none=True),
        ],
    )
]
WORDS = "**Bought 50 FIXED** for 10.00 (0.20 each), with @beth."
LONG_BOOK = Levels([(400 - at, 10) for at in range(9)], [(500 + at, 10) for at in range(9)])
DAYS = [Day(START_AT - at * DAY, 300, 350, 280, 310, 1_000 + at) for at in range(9)]
TRADES = [Trade(3, 40 - at, NOW - at * 4_000, 405 - at, 50, FillKind.EXPAND) for at in range(20)]
THREE = issue(traded(row(1, 10), [610]), traded(row(2, 60), [280]), traded(row(3, 99), [650]))
HELD = [Holding(row(at), Side.FIXED, Position(50, 0, 9_000, 0), 405, "mid") for at in range(6)]


@pytest.mark.parametrize(
    "answer",
    [
        WORDS,
        book_table.book(book_view(row(3), LONG_BOOK, BOOKS[0].offers)),
        price_table.prices(THREE),
        price_table.prices(issue(*[traded(row(at, at), [90 * at]) for at in range(1, 10)])),
        price_table.price_of(traded(row(3), RISING)),
        price_table.history(row(3), DAYS, TRADES),
        f"{reply.standing(user())}\n\n{worth(HELD)}",
    ],
    ids=["offer", "book", "price", "price of many", "price of one", "history", "positions"],
)
def test_an_answer_takes_at_most_twelve_lines_and_none_is_hidden_that_need_not_be(answer: str) -> None:
    body = answered(record(answer), below=reply.Below(stands(user(), [5], 9, "")))
    check_sound(body)
    assert visible_lines(body) <= MOST_LINES
    assert "The rest of this answer" not in body


def test_more_answers_than_have_room_fold() -> None:
    answers = [record(f"Answer {at}.", done=at % 3 > 0, number=at) for at in range(1, 21)]
    below = reply.Below(stands(user(), [1, 20], 9, ""), 1_000_000)
    body = reply.reply([Batch(1, answers)], below, left_out=4)
    check_sound(body)
    assert visible_lines(body) <= MOST_LINES
    assert "<summary>11 more answers: 8 done, 3 refused</summary>" in body
    assert all(f" Answer {at}." in body for at in range(1, 21))
    assert "🚀 Answer 20. Your account was opened with 1,000.00 play tokens." in body
    assert "4 more were left out." in body


def test_of_several_answers_tables_fold_first() -> None:
    books = [record(book_table.book(book_view(row(3), LONG_BOOK)), number=at) for at in (1, 2)]
    body = answered(*books, record(WORDS, number=3))
    check_sound(body)
    assert body.count("<summary>The rest of this answer</summary>") == 2
    assert f"🚀 {WORDS}" in re.sub("<details>.*?</details>", "", body, flags=re.DOTALL)


def test_a_reply_that_would_be_too_long_keeps_the_first_words_of_each_answer() -> None:
    long = "\n\n".join(["**Head**", *["word " * 400] * 10])
    records = [record(long, number=at) for at in range(20)]
    body = answered(*records, below=reply.Below(stands(user(), [0, 19], 9, "")))
    check_sound(body)
    assert body.count("**Head**") == 20
    assert body.endswith("**adam** · 940.00 free · r0 to r19")


def test_a_body_is_cut_with_its_folds_closed() -> None:
    cut = reply.bounded("<details>\n\n```\n" + "line\n" * MAX_BODY, "never mind")
    check_sound(cut)
    assert cut.endswith("(The rest is left out: a comment can be no longer.)")


def test_a_reply_has_two_lines() -> None:
    body = answered(record(WORDS), below=reply.Below(stands(user(), [5], 9, "https://bug.example")))
    assert body == f"🚀 {WORDS}\n\n**adam** · 940.00 free · [r5](https://bug.example/replies/9)"


def test_a_refusal_stands_alone() -> None:
    assert answered(record("That is none. Try `/bugmark help`.", done=False)) == "😕 That is none. Try `/bugmark help`."


def test_older_answers_fold_below_the_newest() -> None:
    batches = [
        Batch(3, [record("Third.", number=7)]),
        Batch(2, [record("Second.", done=False)]),
        Batch(1, [record("A.")]),
    ]
    body = reply.reply(batches, reply.Below("**adam** · 940.00 free · r7"))
    check_sound(body)
    assert body == (
        "🚀 Third.\n\n**adam** · 940.00 free · r7\n\n"
        "<details><summary>2 earlier answers</summary>\n\n😕 Second.\n\n🚀 A.\n\n</details>"
    )
    assert "<summary>1 earlier answer</summary>" in reply.reply(batches[:2])


def test_a_balance_is_told_in_a_sentence() -> None:
    assert reply.balance_words(user()) == (
        "You have 1,000.00 play tokens in the repositories of octo: 940.00 free, 60.00 held for your open offers."
    )


LOGINS = st.text("abcdefghij0123456789-", min_size=1, max_size=39)
UNITS = st.integers(1, 10**12)
MILLS = st.integers(0, 10**15)


@given(
    LOGINS,
    st.lists(UNITS, max_size=4),
    st.integers(0, 4),
    MILLS,
    st.lists(st.integers(1, 10**9), min_size=1),
    st.booleans(),
)
def test_the_second_line_is_short_whatever_is_in_it(
    login: str, units: list[int], offers: int, free: int, numbers: list[int], insider: bool
) -> None:
    held = [(at, Side.FIXED, Position(some, 0, 9_000, 0)) for at, some in enumerate(units, 1)]
    waiting = [(1, offer(17, Action.BUY, Side.FIXED, 100, 300))] * offers
    rows = [row(at, 30) for at in range(1, 6)]
    found = replace(
        user(held, waiting, rows, free),
        login=login,
        insider=insider,
        void_mills={(at, Side.FIXED): 10**14 for at in range(5)},
    )
    line = stands(found, numbers, 10**18, "https://a-long-name-of-a-server.example.com")
    assert visible(line) <= WIDTH, line
    assert f"{format_mills(free)} free" in line and f"r{min(numbers)}" in line
    assert "\n" not in line


def test_the_second_line_says_what_there_is_room_for() -> None:
    held = user(
        [(1, Side.UNFIXED, Position(50, 0, 40_000, 0))],
        [(1, offer(17, Action.BUY, Side.FIXED, 100, 300))],
        [row(1, 30), row(2, 60)],
    )
    held = replace(held, void_mills={(1, Side.UNFIXED): 25_000, (2, Side.FIXED): 5_000})
    assert stands(held, [5], 9, "") == (
        "**adam** · 50 UNFIXED by 2026-01-31 (25.00 if void) · 1 open offer · 940.00 free · r5"
    )
    long = replace(held, login="a-name-that-is-nearly-too-long-for-it")
    assert stands(long, [5], 9, "").startswith("**a-name-that-is-nearly-too-long-for-it** · 50 UNFIXED · 1 open offer")
    two = replace(held, positions=[*held.positions, (2, Side.FIXED, Position(5, 0, 900, 0))], insider=True)
    assert stands(two, [5, 6], 9, "") == (
        "**adam** (insider) · 2 positions (30.00 if void) · 1 open offer · 940.00 free · r5 to r6"
    )


def test_money_of_an_earlier_owner_is_told_beside_ones_own() -> None:
    found = replace(user(), older=[("hub", Balance("play:9", 25_000, 5_000)), ("old", Balance("play:8", 1_500, 0))])
    balance = reply.balance_words(found)
    assert balance.endswith(
        "60.00 held for your open offers. You have 30.00 play tokens of hub, in which contracts here trade: "
        "25.00 free, 5.00 held for your open offers. You have 1.50 play tokens of old, in which contracts here trade: "
        "1.50 free, 0.00 held for your open offers."
    )
    told = "tokens: 940.00 free, 60.00 held for offers; of hub: 25.00 free, 5.00 held for offers; of old: 1.50 free"
    assert reply.standing(found).endswith(told)


def test_an_offer_with_its_own_end_is_listed_with_it() -> None:
    own = offer(17, Action.BUY, Side.FIXED, 100, 300, day(3))
    with_contract = offer(18, Action.BUY, Side.FIXED, 100, 300)
    line = reply.standing(user(offers=[(1, own), (1, with_contract)]))
    assert "o17 buy 100 FIXED at 0.30 by 2026-01-31 until 2026-01-04; o18 buy 100 FIXED at 0.30 by 2026-01-31 ·" in line
    own.suspended = True
    assert "until 2026-01-04 (suspended)" in reply.standing(user(offers=[(1, own)]))


def test_positions_in_forecasts_read_true_and_false() -> None:
    held = user([(12, Side.UNFIXED, Position(50, 0, 9_000, 0))], rows=[forecast(12)])
    assert "positions: 50 FALSE on F12 (cost 9.00)" in reply.standing(held)


def test_what_a_void_now_would_pay_stands_with_every_position() -> None:
    positions = [(1, Side.FIXED, Position(50, 0, 9_000, 0)), (2, Side.UNFIXED, Position(5, 0, 3_000, 0))]
    void_mills = {(1, Side.FIXED): 25_000, (1, Side.UNFIXED): 0, (2, Side.FIXED): 0, (2, Side.UNFIXED): 2_500}
    line = reply.standing(replace(user(positions, rows=[row(1, 30), row(2, 60)]), void_mills=void_mills))
    assert "50 FIXED by 2026-01-31 (cost 9.00, a VOID now would pay 25.00)" in line
    assert "5 UNFIXED by 2026-03-02 (cost 3.00, a VOID now would pay 2.50)" in line


# -- books, prices, history ---------------------------------------------------------------------------------------


def test_a_book_shows_levels_side_by_side_and_offers_by_number() -> None:
    body = book_table.book(BOOKS[0])
    check_sound(body)
    assert "**c3 · fixed by 31 Jan 2026** · open, 30 days left" in body
    assert "| bids for FIXED | price | price | asks for FIXED |" in body
    assert "| ■ 100 | 0.375 | 0.425 | 80 ■ |" in body
    assert "| ■■■■■■ 1,000 | 0.30 |  |  |" in body
    assert "| o12 | **beth** | sell 40 UNFIXED at 0.65, until 4 Jan 2026 23:59:59 UTC | `/bugmark take o12` |" in body
    assert "buy 80 UNFIXED at 0.575, all-or-none" in body


def test_a_deep_book_says_how_much_is_not_drawn() -> None:
    body = book_table.book(book_view(row(3), LONG_BOOK))
    assert body.count("| ■■■■■■ 10 |") == 5
    assert "Deeper levels not drawn: 4 of bids, 4 of asks." in body


def test_an_empty_book_says_so() -> None:
    assert book_table.book(book_view(row(3))).endswith("No open offers.")
    whole = book_view(row(3), Levels(), [standing(14, "carl", Action.BUY, Side.FIXED, 80, 575, all_or_none=True)])
    assert "Only offers that fill wholly or not at all." in book_table.book(whole)


def test_one_contract_in_words() -> None:
    body = price_table.price_of(traded(row(3), RISING))
    assert (
        "Price of FIXED **0.40** · bid 0.375 · ask 0.425 · last 0.405 ▁▁▄▄▆█ (50 units, 60 min ago, +0.205 in 24 h)"
    ) in body
    assert (
        "Volume 1,234 (123 in 24 h) · open interest 617 · holders 5 · void price 0.20 · reward on offer 118.45 "
        "· moving the price by 0.10 takes 107.281"
    ) in body
    assert "Price of TRUE **–** · bid – · ask – · not traded yet" in price_table.price_of(view(forecast(12)))


def test_prices_by_date_say_what_lies_between() -> None:
    body = price_table.prices(issue(traded(row(1, 10), [200]), traded(row(2, 60), [350])))
    check_sound(body)
    assert "| 2 Mar 2026 | 0.345 | 34.5 % | 15 % |" in body


def test_a_history_has_days_and_the_tape() -> None:
    body = price_table.history(row(3), DAYS, TRADES)
    check_sound(body)
    assert "| 1 Jan 2026 | 0.30 | 0.35 | 0.28 | 0.31 | 1,000 |" in body
    assert "| c3-40 | 1 Jan 2026 09:02:00 UTC | 0.405 | 50 | expand |" in body
    assert "nothing was traded yet" in price_table.history(row(3), [], [])
    quiet = price_table.history(row(3), [Day(START_AT, None, None, None, None, 3)], TRADES[:1])
    assert "| 1 Jan 2026 | – | – | – | – | 3 |" in quiet


def test_positions_say_what_they_cost_and_by_what_they_are_valued() -> None:
    drawn = worth([*HELD[:1], Holding(row(4), Side.UNFIXED, Position(30, 3, 22_000, 0), None, "")])
    assert "| 50 FIXED by 2026-01-31 | 0.18 | 9.00 | 0.405 (mid) | 20.25 | +11.25 |" in drawn
    assert "| 33 UNFIXED by 2026-01-31 | 0.666 | 22.00 | – | – | – |" in drawn
    losing = replace(HELD[0], price=100, basis="last price")
    assert "| 0.10 (last price) | 5.00 | −4.00 |" in worth([losing])


# -- words --------------------------------------------------------------------------------------------------------


def test_time_left_is_in_the_largest_unit_of_which_there_are_two() -> None:
    spans = {2 * DAY: "2 days", 2 * DAY - 1: "47 hours", 7_200: "2 hours", 7_199: "119 min", 59: "0 min", -5: "0 min"}
    assert {span: formats.time_left(NOW + span, NOW) for span in spans} == spans


def test_a_date_with_a_clock_time_shows_it() -> None:
    assert formats.short_date(day(30)) == "31 Jan 2026"
    assert formats.short_date(NOW) == "1 Jan 2026 09:02 UTC"


def test_changes_carry_their_sign() -> None:
    assert [formats.change(mills) for mills in (5, -120, 0, None)] == ["+0.005", "−0.12", "±0.00", "–"]


def test_percents_have_a_decimal_only_where_it_says_something() -> None:
    assert [formats.percent(mills) for mills in (350, 355, 5)] == ["35 %", "35.5 %", "0.5 %"]


def test_large_amounts_are_in_whole_tokens() -> None:
    assert [formats.amount(mills) for mills in (9_999_999, 10_000_999)] == ["9,999.999", "10,000"]


@given(st.lists(st.integers(1, 999), min_size=2, max_size=30))
def test_a_spark_line_rises_where_prices_rise(prices: list[int]) -> None:
    drawn = formats.moves(prices)
    heights = [formats.SPARKS.index(mark) for mark in drawn]
    pairs = list(zip(prices, heights, strict=True))
    assert all(low <= high for price, low in pairs for other, high in pairs if price <= other)
