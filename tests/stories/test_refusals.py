"""Refusals: one sentence, nothing changed, and a corrected command that works when it is pasted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from app.storage.engine.tables import offers
from tests.stories.conftest import DAY
from tests.stories.stage import Story, blank, handed_out

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


def instant(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def number(story: Story, person: str, text: str) -> int:
    """Say an offer that rests; its number."""
    reply = await story.say(person, text)
    assert "waits in the book" in reply, reply
    return int(reply.partition("🚀 **o")[2].partition("**")[0])


# -- dates --------------------------------------------------------------------------------------------------------


async def test_dates_out_of_bounds(story: Story) -> None:
    past = "1 Jan 2020 23:59:59 UTC is in the past"
    assert "`DATE` is no date" in await story.mended("adam", "/bugmark offer fixed 50 at 0.40 by 2020-01-01", past)
    near, far = instant(story.now() + 1800), story.day(800)
    said = f"/bugmark offer unfixed 7 by {near}"
    assert "`DATE` is no date" in await story.mended("adam", said, "is too near: a contract runs at least 60 minutes.")
    said = f"/bugmark offer fixed 9 by {far}"
    assert "`DATE` is no date" in await story.mended("adam", said, "is too far: a contract runs at most 732 days.")


async def test_an_expiry_out_of_bounds(story: Story) -> None:
    by = story.day(30)
    for until in ("2020-01-01", story.day(31)):
        mended = await story.mended(
            "adam", f"/bugmark offer fixed 50 by {by} until {until}", "`until` must be later than now"
        )
        assert "`DATE` is no date" in mended


PEOPLE = "adam", "beth", "carl", "dana", "mona"
"""One user may not make so many contracts in which nobody holds anything."""

AT_ONCE = 15
"""A comment runs no more than 20 commands."""

NO_DATES = [
    ("offer fixed 50 by someday", "`someday` is no date"),
    ("offer fixed 50 by 12", "`12` is no date"),
    ("offer fixed 50 by 1 Dec", "`1 Dec` is no date"),
    ("offer fixed 50 by 2099-12-01T18:00", "is no date"),
    ("offer fixed 50 by {year}-12-01T18:00", "a clock time needs its zone"),
    ("offer fixed 50 by 18:00", "a clock time needs its zone"),
    ("offer fixed 50 by 31.12.{year}", "a date in digits begins with its year"),
    ("offer fixed 50 by 12/31/{year}", "a date in digits begins with its year"),
    ("offer fixed 50 by 1/2/{year}", "is ambiguous: 1 February or January 2?"),
    ("offer fixed 50 by next friday", "a weekday alone is the next one"),
    ("offer fixed 50 by may", "a bare month is no date"),
    ("offer fixed 50 by Dec {year}", "a date needs its day"),
    ("offer fixed 50 by a few weeks", "is no date"),
    ("offer fixed 50 by 2w..friday", "the range ends before it begins"),
    ("offer fixed 50 by ..2w", "a range has a date on both sides"),
    ("fund 50 by 2w..3w", "one date is asked for, not a range"),
    ("offer fixed 50 by 2099-02-30", "is no date"),
]


async def test_dates_that_cannot_be_read(story: Story) -> None:
    year = datetime.fromtimestamp(story.now() + 365 * DAY, UTC).year
    said = [(text.format(year=year), holds) for text, holds in NO_DATES]
    for start in range(0, len(said), AT_ONCE):
        await all_mended(story, said[start : start + AT_ONCE], PEOPLE)


async def all_mended(story: Story, refused: list[tuple[str, str]], people: Sequence[str] = ("adam",)) -> None:
    """Say all of these in one comment, then what each refusal hands out last: it works, or is refused for its blank.

    `people` take turns at the latter.
    """
    await story.say("adam", "/bugmark balance")
    before = await story.ledger()
    reply = await story.say("adam", "\n".join(f"/bugmark {text}" for text, _ in refused))
    assert await story.ledger() == before
    answers = [line for line in reply.replace("BugMark · ", "").splitlines() if line.startswith(("😕", "🚀"))]
    for (text, holds), answer in zip(refused, answers, strict=True):
        assert answer.startswith("😕 ") and holds in answer and handed_out(answer), (text, answer)
    found = [command for answer in answers for command in handed_out(answer)[-1:]]
    left = [command for command in found if blank(command)]
    if left:
        before = await story.ledger()
        again = await story.say("adam", "\n".join(dict.fromkeys(left)))
        assert again.count("😕") == len(dict.fromkeys(left)) and "🚀" not in again, again
        assert await story.ledger() == before
    for at, command in enumerate(dict.fromkeys(command for command in found if not blank(command))):
        again = await story.say(people[at % len(people)], command)
        assert again.count("🚀") == 1 and "😕" not in again, (command, again)


# -- numbers and words --------------------------------------------------------------------------------------------


UNREADABLE = [
    ("offer fixed 0 by {by}", "`0` is no volume"),
    ("offer fixed -5 by {by}", "`-5` is no volume"),
    ("offer fixed 1.5 by {by}", "`1.5` is no volume"),
    ("offer fixed 10.5 by {by}", "`10.5` is no volume"),
    ("offer fixed 1e3 at 0.01 by {by}", "`1e3` is no volume"),
    ("offer fixed 1.000 at 0.01 by {by}", "is unclear: it may be `1` or `1000`"),
    ("offer fixed 1 000 at 0.01 by {by}", "`000` is not understood"),
    ("offer fixed $10 by {by}", "`$10` is no volume"),
    ("offer fixed for 1.2345 at 0.10 by {by}", "`1.2345` is no amount"),
    ("offer fixed 10 at 40 by {by}", "`40` is no price"),
    ("offer fixed 10 at 0,4 by {by}", "`0,4` is no price"),
    ("offer fixed 10 at 0.05 by {by} post-only all-or-none", "exclude each other"),
    ("offer fixed 10 at 0.05 by {by} now-or-never post-only", "exclude each other"),
    ("offer fixed 10 at 0.05 by {by} allornone", "did you mean `all-or-none`?"),
    ("offer fixed for 5 deposit 4 by {by}", "need a volume"),
    ("fund 1e1 by {by}", "`1e1` is no amount"),
    ("fund by {by}", "something is missing before `by`: an amount"),
    ("change", "something is missing: the number of an offer"),
    ("offers all", "nothing may follow"),
    ("give 20", "something is missing"),
    ("dry-run", "something is missing: a command"),
    ("offer fixed 2000000000 by {by}", "is no volume"),
    ("offer fixed 50 at 1.5 by {by}", "`1.5` is no price"),
    ("offer fixed 50 at 0 by {by}", "`0` is no price"),
    ("offer fixed 50 at 0.4005 by {by}", "`0.4005` is no price"),
    ("offer fixed 50 0.40 by {by}", "`0.40` is not understood"),
    ("offer 50 fixed by {by}", "`50` is not understood"),
    ("offer fixed by {by}", "something is missing"),
    ("offer fixed 50 buy {by}", "did you mean `by`?"),
    ("offer fixed 50 at 0.40 at 0.50 by {by}", "`at` is given twice"),
    ("offer fixed 50 at 0.40 deposit 10 by {by}", "exclude each other"),
    ("offr fixed 50 by {by}", "did you mean `offer`?"),
    ("ofer", "did you mean `offer`?"),
    ("banana split", "There is no command `banana`"),
    ("exit", "There is no command `exit`; that is `sell` here."),
    ("undo", "There is no command `undo`; that is `cancel` here."),
    ("claim 100", "there is nothing to claim"),
    ("offer no 10 at 0.01 by {by}", "`no` is not understood"),
    ("offer maybe 10 at 0.01 by {by}", "`maybe` is not understood"),
    ("help bananas", "There is no command `bananas`"),
    ("take", "something is missing"),
    ("take it", "`it` is no offer"),
    ("cancel", "something is missing"),
    ("cancel everything", "is no offer"),
    ("positions @ada$", "is no user"),
    ("positions @nobody-at-all", "Nobody called `nobody-at-all` has traded here"),
    ("balance please", "nothing may follow"),
    ("offer fixed 50 deposit 0.01 by {by}", "outside 0.001 to 0.999"),
    ("offer fixed 50 deposit 90 by {by}", "outside 0.001 to 0.999"),
    ("offer fixed 50 profit 60 by {by}", "outside 0.001 to 0.999"),
    ("offer fixed for 0.1 at 0.40 by {by}", "does not buy a single unit"),
    ("offer fixed " + "5" * 600, "A command has at most 500 characters"),
]


async def test_what_cannot_be_read_is_refused_with_what_works(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer fixed 10 at 0.10 by {by}")
    said = [(text.format(by=by), holds) for text, holds in UNREADABLE]
    for start in range(0, len(said), AT_ONCE):
        await all_mended(story, said[start : start + AT_ONCE])


async def test_dust(story: Story) -> None:
    by = story.day(30)
    reply = await story.mended("adam", f"/bugmark offer fixed 4 by {by}", "must be for at least 5 units")
    assert "**Nothing was bought**: no offer can be taken at that price now" in reply
    await story.say("adam", f"/bugmark offer fixed 5 by {by}")
    assert "**Bought 3 UNFIXED**" in await story.say("beth", f"/bugmark offer unfixed 3 by {by}")


# -- money and units ----------------------------------------------------------------------------------------------


async def test_too_little_money(each_story: Story) -> None:
    story = each_story
    by = story.day(30)
    needs = "This needs 2,500.00 and you have 1,000.00 free."
    assert "You put up 1,000.00." in await story.mended("adam", f"/bugmark offer fixed 5000 by {by}", needs)
    await story.refused("adam", f"/bugmark offer fixed 10 by {by}", "This needs 5.00 and you have 0.00 free.")


async def test_money_for_less_than_dust(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer fixed 1996 by {by}")
    needs = "This needs 5.00 and you have 2.00 free."
    await story.mended("adam", f"/bugmark offer fixed 10 by {by}", needs)


async def test_no_money_at_all(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer fixed 2000 by {by}")
    await story.mended("adam", f"/bugmark offer fixed 10 by {by}", "you have 0.00 free.")


async def test_taking_with_too_little_money(story: Story) -> None:
    by = story.day(30)
    for person in ("adam", "carl"):
        await story.say(person, f"/bugmark offer unfixed 5000 at 0.20 by {by}")
    resting = await number(story, "dora", f"/bugmark offer unfixed 900 at 0.20 by {by}")
    await story.say("beth", f"/bugmark offer unfixed 4990 at 0.20 by {by}")
    needs = "This needs 720.00 and you have 2.00 free."
    await story.mended("beth", f"/bugmark take o{resting}", needs)


async def test_units_that_one_does_not_have(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 20 at 0.80 by {by}")
    await story.mended("beth", "/bugmark sell fixed 10 at 0.40", "You have no free FIXED units in this thread")
    await story.mended("beth", "/bugmark sell fixed 10", "You have no free FIXED units")
    await story.mended("beth", "/bugmark sell fixed all", "You have no free FIXED units")
    await story.say("beth", f"/bugmark offer fixed 20 at 0.20 by {by}")
    too_many = "You have 20 free FIXED units here, not 30."
    sold = await story.mended("beth", "/bugmark sell fixed 30 at 0.40", too_many)
    assert "sell 20 FIXED at 0.40" in sold


async def test_selling_where_nobody_buys(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 20 at 0.80 by {by}")
    await story.say("beth", f"/bugmark offer fixed 3 at 0.20 by {by}")
    await story.mended("beth", "/bugmark sell fixed all", "Nobody buys here now")
    await story.mended("beth", "/bugmark sell fixed 5 at 0.40", "You have 3 free FIXED units here, not 5.")
    await story.say("beth", f"/bugmark offer fixed 17 at 0.20 by {by}")
    assert "`PRICE` is no price" in await story.mended("beth", "/bugmark sell fixed all", "Nobody buys here now")


# -- offers of others ---------------------------------------------------------------------------------------------


async def test_offers_that_are_not_ones_own_or_not_there(story: Story) -> None:
    by = story.day(30)
    for text in ("take o999999", "cancel o999999", "cancel all"):
        await story.mended(
            "adam", f"/bugmark {text}", "o999999" if "all" not in text else "You have no open offer in this thread"
        )
    resting = await number(story, "adam", f"/bugmark offer fixed 50 by {by}")
    await story.mended("beth", f"/bugmark cancel o{resting}", f"You have no open offer o{resting} in this thread")
    await story.mended("beth", f"/bugmark take o{resting} 60", f"Only 50 units of o{resting} are open")
    await story.mended("beth", f"/bugmark take o{resting}", f"Offer o{resting} is not open any more")
    resting = await number(story, "adam", f"/bugmark offer fixed 50 by {by}")
    await story.mended("adam", f"/bugmark take o{resting}", f"Offer o{resting} is your own")
    assert await story.count(offers) == 3


async def test_an_offer_of_another_thread_is_not_there(story: Story) -> None:
    elsewhere = await story.stage.story()
    resting = await number(elsewhere, "adam", f"/bugmark offer fixed 50 by {elsewhere.day(30)}")
    before = await elsewhere.ledger()
    await story.say("beth", "/bugmark balance")
    await story.mended("beth", f"/bugmark take o{resting}", f"There is no offer o{resting} in this thread")
    await story.mended("adam", f"/bugmark cancel o{resting}", f"You have no open offer o{resting} in this thread")
    assert await elsewhere.ledger() == before


# -- which contract -----------------------------------------------------------------------------------------------


async def test_no_contract_yet(story: Story) -> None:
    mended = await story.mended("beth", "/bugmark offer unfixed 30 at 0.70", "No contract is open on this issue")
    assert "`DATE` is no date" in mended


async def test_no_book_yet(story: Story) -> None:
    await story.mended("adam", "/bugmark book", "No contract is open on this issue")


async def test_several_contracts_without_by(story: Story) -> None:
    near, far = story.day(30), story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {near}")
    second = await story.say("adam", f"/bugmark offer unfixed 50 at 0.70 by {far}")
    assert f"open here already: by {near}" in second
    several = "Several contracts run here: by "
    assert "**Bought 20 FIXED**" in await story.mended("beth", "/bugmark offer fixed 20 at 0.30", several)
    assert "**c" in await story.mended("beth", "/bugmark book", "There are several contracts here: c")
    await story.mended("carl", "/bugmark take o999999", "There is no offer o999999 in this thread")
    assert "sell 20 FIXED" in await story.say("beth", "/bugmark sell fixed 20 at 0.90")
    await story.say("beth", "/bugmark cancel all")
    await story.say("beth", f"/bugmark offer fixed 20 at 0.30 by {far}")
    sold = await story.mended("beth", "/bugmark sell fixed 10 at 0.90", several)
    assert "sell 10 FIXED at 0.90" in sold
    await story.mended("carl", "/bugmark sell fixed 10", "You have no free FIXED units")
    other = story.day(45)
    await story.mended("beth", f"/bugmark book by {other}", "No contract here matures at")
    await story.mended("beth", f"/bugmark sell fixed all by {other}", "No contract here matures at")


# -- halted, closed, settled --------------------------------------------------------------------------------------


async def test_nothing_new_while_closed(story: Story) -> None:
    by = story.day(30)
    resting = await number(story, "adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    await story.say("beth", f"/bugmark offer fixed 10 at 0.20 by {by}")
    await story.close()
    await story.bot("window:")
    closed = "This issue is closed as completed; nothing is traded unless it is reopened."
    for text in (
        f"offer fixed 50 by {by}",
        "offer fixed 50",
        f"take o{resting}",
        "sell fixed 5 at 0.50",
        f"offer fixed 50 by {story.day(40)}",
    ):
        await story.mended("beth", f"/bugmark {text}", closed)


async def test_a_closed_issue_that_never_had_a_market(story: Story) -> None:
    await story.close()
    await story.calm()
    await story.mended("adam", f"/bugmark offer fixed 50 by {story.day(30)}", "This issue is closed as completed")
    await story.mended("adam", "/bugmark book", "No contract is open on this issue")


async def test_after_unfixed_the_date_is_over(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    story.move(32 * DAY)
    await story.board("settled UNFIXED")
    assert story.bodies("window:") == story.bodies("settlement:") == [], "nobody held anything"
    await story.mended(
        "beth", f"/bugmark offer fixed 50 by {by}", "That contract is settled (UNFIXED); settled is final."
    )


# -- quotations, leaving, working -----------------------------------------------------------------------------------


async def test_a_quoted_market_comment_runs_nothing_and_needs_no_answer(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    board = await story.board("/bugmark fund 50")
    await story.calm()
    before, count = await story.ledger(), len(await story.comments())
    rendered = board.split("-->\n")[1].replace("```", "").replace("### ", "").replace("`", "")
    comment = await story.comment("beth", f"Interesting!\n\nOn Monday somebody wrote:\n{rendered}")
    await story.calm()
    assert await story.ledger() == before
    assert len(await story.comments()) == count + 1
    assert await story.reactions(comment) == []


async def test_a_command_below_a_quotation_does_not_run_and_a_line_says_so(story: Story) -> None:
    by = story.day(30)
    reply = await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    quoted = reply.split("-->\n")[1].replace("`", "")
    before = await story.ledger()
    comment = await story.comment("adam", f"> {quoted}\n\n/bugmark cancel all")
    noted = await story.bot(f"quote:{comment}")
    assert "no command below that line ran" in noted
    assert await story.ledger() == before
    assert await story.reactions(comment) == ["confused"]
    answer = await story.say("adam", f"/bugmark balance\n\n{quoted}\n\n/bugmark cancel all")
    assert "You have 1,000.00 play tokens" in answer and "no command below that line ran" in answer
    assert await story.ledger() == before


async def test_who_leaves_and_who_works(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 50 at 0.80 by {by}")
    await story.mended("beth", "/bugmark exit", "that is `sell` here")
    assert "**Bought 20 FIXED** for 4.00" in await story.say("beth", "/bugmark work 10")
    assert f"/bugmark sell fixed all by {by}" in handed_out(await story.refused("beth", "/bugmark exit", "`sell`"))
    assert "🛠️ Working on it: **beth** until" in await story.board("Working on it")
    assert "You are listed" in await story.mended("carl", "/bugmark claim 100", "there is nothing to claim")
    await story.close()
    await story.bot("window:")
    await story.calm()
    assert "Working on it" not in await story.board()
    assert "the defaults" in await story.say("carl", "/bugmark settings")
