"""What ends in VOID, through a window from the event, and at which price (docs/market.md §5)."""

from __future__ import annotations

import pytest

from app.market.terms.contract import Status
from app.storage.engine.tables import contracts
from tests.stories.conftest import DAY
from tests.stories.market_life import contract, give_right, matched, set_rules, settled_row, window_end
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALIDATED = False


def issue_path(story: Story) -> str:
    return f"/_sandbox/issues/{story.owner}/{story.name}/{story.number}"


async def free(story: Story) -> list[int]:
    return sorted(amount for kind, _, _, amount in (await story.ledger())["balances"] if kind == "free")


async def test_converted_to_a_discussion_it_is_void(story: Story) -> None:
    await matched(story)
    await story.call("POST", f"{issue_path(story)}/discussion")
    row = await story.until(lambda row: row.window_ends_at is not None)
    assert (row.halt_reason, (row.window_ends_at or 0) - (row.window_opened_at or 0)) == ("gone", DAY)
    story.move(DAY + 1)
    assert (await settled_row(story, row.id)).outcome == "VOID"
    assert await free(story) == [1_000_000, 1_000_000]


async def test_deleted_it_is_void(story: Story) -> None:
    await matched(story)
    await story.call("DELETE", issue_path(story))
    row = await story.until(lambda row: row.window_ends_at is not None)
    assert row.halt_reason == "gone"
    story.move(DAY + 1)
    assert (await settled_row(story, row.id)).outcome == "VOID"
    assert await free(story) == [1_000_000, 1_000_000]


async def test_deleted_after_maturation_the_last_known_state_counts(story: Story) -> None:
    await matched(story, days=10)
    story.move((await contract(story)).maturation_at - story.now() - 3600)
    await story.close()
    await story.bot("window:")
    story.move(7200)
    await story.calm()
    await story.call("DELETE", issue_path(story))
    await story.quiet()
    row = await contract(story)
    story.move(DAY)
    assert (await settled_row(story, row.id)).outcome == "FIXED"


async def test_transferred_to_where_the_app_is_not_installed_it_is_void(story: Story) -> None:
    """The App is in one of the owner's repositories only."""
    await matched(story)
    found = story.stage.sandbox.state.installations.values()
    installed = next(one.id for one in found if one.covers(story.repository))
    await story.call("POST", "/_sandbox/repositories", body={"owner": story.owner, "name": "elsewhere"})
    await story.call("DELETE", f"/_sandbox/installations/{installed}/repositories/elsewhere")
    await story.call("POST", f"{issue_path(story)}/transfer", body={"to": f"{story.owner}/elsewhere"})
    row = await story.until(lambda row: row.window_ends_at is not None)
    assert row.halt_reason == "gone"
    story.move(DAY + 1)
    assert (await settled_row(story, row.id)).outcome == "VOID"


async def test_transferred_to_where_it_is_installed_the_contract_follows(story: Story) -> None:
    by = await matched(story)
    await story.board("adam")
    row = await contract(story)
    await story.call("POST", "/_sandbox/repositories", body={"owner": story.owner, "name": "there"})
    made = await story.call("POST", f"{issue_path(story)}/transfer", body={"to": f"{story.owner}/there"})
    story.name, story.number = "there", made["number"]
    story.path = f"/repos/{story.owner}/there/issues/{story.number}"
    followed = await story.until(lambda row: row.open)
    assert (followed.id, followed.terms_hash) == (row.id, row.terms_hash)
    assert "**Bought 50 FIXED**" in await story.say("carl", f"/bugmark offer fixed 50 at 0.20 by {by}")
    await story.board("**carl** 50 FIXED")
    comments = await story.call("GET", f"{story.path}/comments")
    assert sum("<!-- bugmark:board:" in comment["body"] for comment in comments) == 1, "it came along and goes on"
    await story.close()
    await story.bot("window:")
    story.move(DAY + 1)
    assert "settled: FIXED" in await story.settled()


@pytest.mark.parametrize("reason", ["not_planned", "duplicate"])
async def test_where_the_terms_say_void_a_rejection_is_void(story: Story, reason: str) -> None:
    await set_rules(story, "not_planned: void\nduplicate: void\n")
    await matched(story)
    await story.close(reason)
    notice = await story.bot("window:")
    assert f"closed as {'a duplicate' if reason == 'duplicate' else 'not planned'}" in notice
    assert "for which the contract's terms say VOID: it settles as **VOID** after" in notice
    assert window_end(notice) == (story.issue.closed_at or 0) + DAY
    story.move(DAY + 1)
    settled = await story.settled()
    assert "is settled: VOID.**" in settled and "everybody gets their money back as far as it goes." in settled
    assert await free(story) == [1_000_000, 1_000_000]


async def test_where_the_terms_say_void_nothing_new_is_offered_on_a_rejected_issue(story: Story) -> None:
    await set_rules(story, "not_planned: void\n")
    await story.close("not_planned")
    await story.calm()
    await story.mended(
        "adam",
        f"/bugmark offer fixed 50 by {story.day(30)}",
        "This issue is closed as not planned, which makes contracts void here; no new one is made unless",
    )
    assert await story.count(contracts) == 0


async def test_reopened_in_time_a_rejection_voids_nothing(story: Story) -> None:
    await set_rules(story, "not_planned: void\n")
    await matched(story)
    await story.close("not_planned")
    await story.bot("window:")
    await story.reopen()
    await story.bot("resume:")
    assert (await contract(story)).status is Status.OPEN


async def test_a_duplicate_is_unfixed_and_its_canonical_issue_is_named(story: Story) -> None:
    first = story.number
    await story.open_issue("It crashes again")
    await matched(story, days=10)
    path = f"{issue_path(story)}/close"
    await story.call("POST", path, body={"duplicate_of": first})
    await story.calm()
    row = await contract(story)
    assert row.open
    story.move(row.maturation_at - story.now())
    await story.bot("window:")
    story.move(DAY + 1)
    settled = await story.settled()
    assert "is settled: UNFIXED.**" in settled
    assert f"It was closed as a duplicate of `{story.owner}/{story.name}#{first}`." in settled


async def test_void_pays_what_was_paid_and_a_wash_moves_nothing(story: Story) -> None:
    """As A, then B, and 8 days later the issue is gone; an hour before two friends trade at 0.99.

    The 40 tokens that Beth took along come from those who claim more than half a token a unit, by what is above it: 60
    of Adam and 49 of Wanda.
    """
    by = story.day(60)
    await story.say("adam", f"/bugmark offer unfixed 200 at 0.80 by {by}")
    await story.say("beth", f"/bugmark offer fixed 200 at 0.20 by {by}")
    await story.say("beth", f"/bugmark sell fixed 200 at 0.40 by {by}")
    await story.say("charles", f"/bugmark offer fixed 200 at 0.40 by {by}")
    await story.calm()
    story.move(8 * DAY)
    await story.say("wanda", f"/bugmark offer fixed 100 at 0.99 by {by}")
    await story.say("walt", f"/bugmark offer unfixed 100 at 0.01 by {by}")
    story.move(3600)
    await story.call("POST", f"{issue_path(story)}/discussion")
    row = await story.until(lambda row: row.window_ends_at is not None)
    story.move(DAY + 1)
    await settled_row(story, row.id)
    adam, wanda, charles, walt, beth = await free(story)
    assert (adam, beth, charles) == (1_000_000 - 22_018, 1_040_000, 1_000_000)
    assert (wanda, walt) == (1_000_000 - 17_982, 1_000_000)


async def test_a_void_can_be_disputed_too(story: Story) -> None:
    await set_rules(story, "not_planned: void\n")
    await give_right(story, "mary")
    await matched(story)
    await story.close("not_planned")
    await story.bot("window:")
    await story.say("beth", "/bugmark dispute it was fixed before")
    reply = await story.say("mary", "/bugmark resolve fixed it was fixed in the last release")
    assert "goes back to **beth**" in reply
    story.move(DAY + 1)
    assert "is settled: FIXED.** So **mary** has ruled" in await story.settled()
