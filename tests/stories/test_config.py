"""`.github/bugmark.yml` as people meet it: in a pull request, after a merge, in the owner's repository, in commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.services.rules.config import Config
from app.services.rules.in_force import REFRESH_SECONDS, RETRY_SECONDS, StoredConfigs
from app.storage.market.contracts import ContractRow, of_issue
from app.storage.people import configs
from app.storage.people.places import Repository
from app.web.badge import FRESH_SECONDS
from sandbox.state import CheckRun
from tests.stories.conftest import DAY, wait_for
from tests.stories.stage import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = ".github/bugmark.yml"


async def write(story: Story, text: str | None, name: str = "") -> None:
    """Push the file to the default branch, or remove it, and wait until the app knows."""
    where = f"{story.owner}/{name or story.name}"
    await story.call("PUT", "/_sandbox/files", body={"repository": where, "path": PATH, "content": text})
    await story.quiet()
    await story.calm()


async def propose(story: Story, files: dict[str, str | None]) -> int:
    """A pull request's number."""
    body = {"repository": f"{story.owner}/{story.name}", "title": "Other rules", "files": files}
    return int((await story.call("POST", "/_sandbox/pulls", body=body))["number"])


async def merge(story: Story, pull: int) -> None:
    await story.call("PUT", f"/_sandbox/pulls/{story.owner}/{story.name}/{pull}/merge")
    await story.calm()


async def checked(story: Story, count: int = 1) -> CheckRun:
    """The newest of so many check runs."""
    runs: dict[int, CheckRun] = story.repository.check_runs

    async def look() -> str | None:
        return "there" if len(runs) >= count else None

    await wait_for(look, lambda: f"there are {len(runs)} check runs, not {count}")
    assert len(runs) == count
    return list(runs.values())[-1]


async def rules(story: Story, holds: Callable[[Config], bool]) -> None:
    """Until the rules in force are such."""
    here = Repository(story.repository.id, 0, story.repository.owner.id, story.owner, story.name, False)

    async def look() -> str | None:
        async with story.db.reading() as tx:
            return "so they are" if holds(await StoredConfigs().config(tx, here)) else None

    await wait_for(look, lambda: "the rules stay as they are")


async def contracts(story: Story) -> list[ContractRow]:
    async with story.db.reading() as tx:
        return await of_issue(tx, story.issue.id)


def labels(story: Story) -> list[str]:
    return [label.name for label in story.issue.labels]


async def labelled(story: Story, *names: str) -> None:
    async def look() -> str | None:
        return "so it is" if labels(story) == list(names) else None

    await wait_for(look, lambda: f"the labels are {labels(story)}")


async def gone_from_the_repository(story: Story, name: str) -> None:
    known = story.repository.labels

    async def look() -> str | None:
        return None if name in {label.name for label in known.values()} else "gone"

    await wait_for(look, lambda: f"{name} is still there")


async def set_labels(story: Story, *names: str) -> None:
    await story.call("PATCH", story.path, story.owner, {"labels": list(names)})
    await story.calm()


# -- pull requests ------------------------------------------------------------------------------------------------


async def test_a_pull_request_that_breaks_the_file_fails_in_the_line(story: Story) -> None:
    pull = await propose(story, {PATH: "enabled: true\n\ndefault_prise: 0.40\n", "README.md": "hello"})
    run = await checked(story)
    assert (run.name, run.status, run.conclusion, run.external_id) == ("bugmark.yml", "completed", "failure", str(pull))
    proposed = story.repository.issues[pull].pull
    assert proposed is not None and run.head_sha == proposed.head
    (note,) = run.annotations
    assert (note["path"], note["start_line"], note["end_line"]) == (PATH, 3, 3)
    assert note["message"] == "`default_prise` is no key of this file; did you mean `default_price`?"
    assert run.summary and note["message"] in run.summary and "nothing changes" in run.summary


async def test_a_pull_request_is_looked_at_again_when_it_changes(story: Story) -> None:
    pull = await propose(story, {PATH: "fee_bps: 1001\n"})
    assert (await checked(story)).conclusion == "failure"
    about = f"/_sandbox/pulls/{story.owner}/{story.name}/{pull}/files"
    await story.call("PUT", about, body={"files": {PATH: "fee_bps: 1000\n"}})
    run = await checked(story, 2)
    assert (run.conclusion, run.title, run.annotations) == ("success", "The file is right", [])


async def test_somebody_presses_the_button_to_run_it_again(story: Story) -> None:
    await propose(story, {PATH: "fee_bps: 1001\n"})
    first = await checked(story)
    path = f"/repos/{story.owner}/{story.name}/check-runs/{first.id}/rerequest"
    await story.call("POST", path, story.owner)
    again = await checked(story, 2)
    assert (again.head_sha, again.conclusion) == (first.head_sha, "failure")


async def test_a_pull_request_about_something_else_gets_no_check(story: Story) -> None:
    await propose(story, {"README.md": "hello", "bugmark.yml": "x: 1"})
    await propose(story, {PATH: "enabled: true\n"})
    assert (await checked(story)).conclusion == "success"


async def test_a_right_file_is_told_what_it_changes(story: Story) -> None:
    await set_labels(story, "bounty")
    text = "dispute_window: 0\nfee_bps: 250\nreplies: full\nlabels:\n  allow: [Bounty, bunty]\n"
    await propose(story, {PATH: text})
    run = await checked(story)
    assert (run.conclusion, run.annotations) == ("success", [])
    assert run.summary is not None
    assert run.summary.splitlines()[:4] == [
        "This file changes:",
        "- `labels.allow` is `Bounty`, `bunty` (default an empty list)",
        "- `dispute_window` is `0` (default `24h`)",
        "- `fee_bps` is `250` (default `0`)",
    ]
    assert "nobody can dispute" in run.summary
    assert "No issue has the label `bunty`." in run.summary
    assert "`Bounty`." not in run.summary


@pytest.mark.parametrize("name", [".github/bugmark.yaml", ".github/BugMark.yml"])
async def test_a_file_of_a_wrong_name_is_told_that_it_is_not_read(story: Story, name: str) -> None:
    await propose(story, {name: "enabled: false\n"})
    run = await checked(story)
    assert (run.conclusion, run.title) == ("failure", "This file is not read")
    assert [note["path"] for note in run.annotations] == [name]
    assert run.summary is not None and f"`{PATH}`" in run.summary


async def test_a_file_that_breaks_the_yaml_library_is_told_and_stops_nobody(story: Story) -> None:
    """An escape beyond Unicode makes the library raise an error of another kind."""
    bad = 'labels:\n  deny: ["\\UFFFFFFFF"]\n'
    await propose(story, {PATH: bad})
    run = await checked(story)
    assert (run.conclusion, [note["start_line"] for note in run.annotations]) == ("failure", [2])
    await story.say("adam", "/bugmark balance")
    await write(story, bad)
    assert "🚀" in await story.say("adam", f"/bugmark offer fixed 10 by {story.day(30)}")
    await story.call("POST", "/_sandbox/repositories", body={"owner": story.owner, "name": ".github"})
    story.move(REFRESH_SECONDS)
    await write(story, "default_price: 0.20\n")
    await rules(story, lambda config: config.default_price == 200)


async def test_a_bad_file_that_is_merged_changes_nothing_until_it_is_right(story: Story) -> None:
    by = story.day(30)
    await write(story, "default_price: 0.40\n")
    assert "put up 4.00" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")
    pull = await propose(story, {PATH: "default_price: 40\nwelcome_grant: 1\n"})
    assert (await checked(story)).conclusion == "failure"
    await merge(story, pull)
    assert "put up 4.00" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")
    await write(story, "default_price: 30%\n")
    assert "put up 3.00" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")


# -- where the rules come from ------------------------------------------------------------------------------------


async def test_a_change_acts_on_the_next_command(story: Story) -> None:
    by = story.day(30)
    assert "put up 5.00" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")
    await write(story, "default_price: 0.40\n")
    assert "put up 4.00" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")
    assert "put up 6.00" in await story.say("beth", f"/bugmark offer unfixed 10 by {story.day(40)}")
    await write(story, None)
    assert "put up 5.00" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")


async def test_terms_are_copied_when_a_contract_is_made_and_never_change(story: Story) -> None:
    near, far = story.day(30), story.day(60)
    await write(story, "fee_bps: 250\ndispute_window: 3d\nnot_planned: void\ninsiders: forbid\n")
    await story.say("adam", f"/bugmark offer fixed 10 at 0.40 by {near}")
    (made,) = await contracts(story)
    assert (made.terms.fee_bps, made.terms.dispute_window_seconds) == (250, 3 * DAY)
    assert (made.terms.not_planned, made.terms.duplicate, made.terms.insiders) == ("VOID", "UNFIXED", "forbid")
    await write(story, "fee_bps: 0\ndispute_window: 0\n")
    await story.say("beth", f"/bugmark offer unfixed 10 at 0.60 by {near}")
    await story.say("adam", f"/bugmark offer fixed 10 at 0.40 by {far}")
    old, new = await contracts(story)
    assert (old.terms, old.terms_hash) == (made.terms, made.terms_hash)
    assert (new.terms.fee_bps, new.terms.dispute_window_seconds, new.terms.insiders) == (0, 0, "disclose")


async def test_an_owners_file_counts_where_a_repository_has_none(story: Story) -> None:
    by = story.day(30)
    await story.call("POST", "/_sandbox/repositories", body={"owner": story.owner, "name": ".github"})
    await write(story, "default_price: 0.20\n", ".github")
    assert "put up 2.00" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")
    await write(story, "default_price: 0.10\n", ".github")
    await rules(story, lambda config: config.default_price == 100)
    await write(story, "fee_bps: 5\n")
    assert "put up 5.00" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")
    await write(story, None)
    assert "put up 1.00" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")


async def test_an_owners_file_of_which_no_event_tells_is_read_within_the_hour(story: Story) -> None:
    installation = next(
        found.id for found in story.stage.sandbox.state.installations.values() if found.covers(story.repository)
    )
    await story.call("POST", "/_sandbox/repositories", body={"owner": story.owner, "name": ".github"})
    await story.call("DELETE", f"/_sandbox/installations/{installation}/repositories/.github")
    await write(story, "default_price: 0.20\n", ".github")
    assert "put up 2.00" in await story.say("adam", f"/bugmark offer fixed 10 by {story.day(30)}")
    await write(story, "default_price: 0.10\n", ".github")
    story.move(REFRESH_SECONDS)
    await rules(story, lambda config: config.default_price == 100)


async def test_github_gives_no_answer_about_the_file_and_nobody_waits_for_it(story: Story) -> None:
    where = {"repository": f"{story.owner}/{story.name}", "path": PATH, "content": "default_price: 0.40\n"}
    await story.call("PUT", "/_sandbox/files", body=where)
    await story.fault(
        endpoints={"kind": "status", "status": 502, "match": f"^GET /repos/{story.owner}/blocked/contents/", "times": 1}
    )
    assert "put up 5.00" in await story.say("adam", f"/bugmark offer fixed 10 by {story.day(30)}")
    story.move(RETRY_SECONDS)
    await rules(story, lambda config: config.default_price == 400)


async def test_a_repository_without_commands_is_not_asked_about(story: Story) -> None:
    await write(story, "default_price: 0.40\n")
    await story.comment("adam", "Nothing to trade here.")
    await story.calm()
    async with story.db.reading() as tx:
        assert await configs.get(tx, story.repository.id) is None


# -- what the keys do ---------------------------------------------------------------------------------------------


async def test_switched_off_everything_is_refused_once_but_nobodys_money_is_locked(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer fixed 10 at 0.40 by {by}")
    await write(story, "enabled: false\n")
    reply = await story.refused(
        "adam", f"/bugmark offer fixed 10 by {by}\n\n/bugmark balance\n\n/bugmark nonsense", "off"
    )
    assert "switched off in this repository" in reply
    assert "Cancelled" in await story.say("adam", "/bugmark cancel all")
    assert await story.ledger() and (await story.ledger())["positions"] == []
    reply = await story.say("newcomer", f"/bugmark offer fixed 10 by {by}")
    assert "😕" in reply and "Your account was opened" not in reply
    await write(story, "enabled: true\n")
    assert "Your account was opened" in await story.say("newcomer", f"/bugmark offer fixed 10 by {by}")


async def test_labels_say_which_issues_are_traded(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", "/bugmark balance")
    await write(story, "labels:\n  allow: [Bounty]\n  deny: [question]\n")
    await story.refused("adam", f"/bugmark offer fixed 10 by {by}", "Only issues labelled `bounty` are traded here")
    await set_labels(story, "bounty")
    assert "🚀" in await story.say("adam", f"/bugmark offer fixed 10 by {by}")
    await set_labels(story, "bounty", "Question")
    await story.refused("adam", f"/bugmark offer fixed 10 by {by}", "Issues labelled `question` are not traded here")
    assert "Cancelled" in await story.say("adam", "/bugmark cancel all")


async def test_a_label_is_the_same_however_its_accents_are_written(story: Story) -> None:
    await story.say("adam", "/bugmark balance")
    await write(story, "labels:\n  deny: [' priorite\u0301 ']\n")
    await set_labels(story, "Priorit\u00e9")
    await story.refused("adam", f"/bugmark offer fixed 10 by {story.day(30)}", "labelled `Priorit\u00e9`")


async def test_how_near_and_how_far_a_contract_may_mature(story: Story) -> None:
    await write(story, "maturation:\n  min: 7d\n  max: 30d\n")
    await story.refused("adam", f"/bugmark offer fixed 10 by {story.day(3)}", "is too near")
    await story.refused("adam", f"/bugmark offer fixed 10 by {story.day(40)}", "is too far")
    assert "🚀" in await story.say("adam", f"/bugmark offer fixed 10 by {story.day(20)}")


async def test_the_grant_is_what_the_file_says(story: Story) -> None:
    await write(story, "welcome_grant: 12.5\n")
    assert "12.50 play tokens" in await story.say("adam", "/bugmark balance")


async def test_replies_may_be_reactions_and_the_market_comment(story: Story) -> None:
    await write(story, "replies: reactions\n")
    done = await story.comment("adam", f"/bugmark offer fixed 10 at 0.40 by {story.day(30)}")
    refused = await story.comment("adam", "/bugmark nonsense")
    await story.board("0.40")
    await story.calm()
    assert [await story.verdict(comment) for comment in (done, refused)] == [["rocket"], ["confused"]]
    assert story.bodies("reply:") == []


async def test_where_replies_are_reactions_a_page_explains_every_refusal(story: Story) -> None:
    await write(story, "replies: reactions\n")
    await story.comment("adam", f"/bugmark offer fixed 10 at 0.40 by {story.day(30)}")
    refused = await story.comment("beth", "/bugmark <b>nonsense</b>")
    await story.comment("beth", "/bugmark balance")
    board = await story.board("why a command was refused")
    page = f"{story.app_url}/replies/issue/{story.issue.id}"
    assert f"are on [this page]({page})." in board
    await story.calm()
    async with story.session.get(page) as answer:
        text = await answer.text()
    assert answer.status == 200 and "<b>nonsense" not in text
    assert text.index("You have") < text.index("There is no command") < text.index("waits in the book")
    async with story.session.get(f"{story.app_url}/replies/{refused}") as answer:
        assert "There is no command" in await answer.text()
    await story.call("PATCH", f"/_sandbox/repositories/{story.owner}/blocked", body={"private": True})
    await story.calm()
    async with story.session.get(page) as answer:
        assert answer.status == 404


async def test_a_badge_that_is_not_wanted_looks_like_one_without_a_market(story: Story) -> None:
    await story.say("adam", f"/bugmark offer fixed 10 at 0.40 by {story.day(30)}")
    await write(story, "badges: false\n")
    story.move(FRESH_SECONDS + 1)
    async with story.session.get(f"{story.app_url}/badge/{story.owner}/{story.name}/{story.number}.svg") as answer:
        assert (answer.status, ">no market</text>" in await answer.text()) == (200, True)


async def test_the_reward_on_offer_is_a_label_if_that_is_wanted(story: Story) -> None:
    by = story.day(30)
    await write(story, "label_rewards: true\n")
    await set_labels(story, "bug")
    await story.say("adam", f"/bugmark offer unfixed 200 at 0.90 by {by}")
    await labelled(story, "bug", "bugmark: 100")
    await story.say("beth", f"/bugmark offer unfixed 200 at 0.90 by {by}")
    await story.board("360.00")
    assert labels(story) == ["bug", "bugmark: 100"]
    story.move(DAY)
    await labelled(story, "bug", "bugmark: 200")
    await gone_from_the_repository(story, "bugmark: 100")
    await story.say("adam", "/bugmark cancel all")
    await story.say("beth", "/bugmark cancel all")
    story.move(DAY)
    await labelled(story, "bug")


async def test_no_label_unless_it_is_wanted(story: Story) -> None:
    by = story.day(30)
    await story.say("adam", f"/bugmark offer unfixed 200 at 0.90 by {by}")
    await story.calm()
    assert labels(story) == []
    await write(story, "label_rewards: true\n")
    await story.say("beth", f"/bugmark offer unfixed 200 at 0.90 by {by}")
    await labelled(story, "bugmark: 200")
    await write(story, None)
    story.move(DAY)
    await story.say("beth", "/bugmark cancel all")
    await labelled(story)
