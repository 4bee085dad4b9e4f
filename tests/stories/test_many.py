"""A comment with more commands than one may hold."""

from app.replies.reply import MOST_COMMANDS
from tests.stories.conftest import Thread


async def test_a_comment_runs_a_bounded_number_of_commands_and_says_so(thread: Thread) -> None:
    reply = await thread.say("adam", "\n\n".join(["/bugmark balance"] * (MOST_COMMANDS + 3)))
    assert reply.count("🚀") == MOST_COMMANDS
    assert "at most 20 commands; 3 more were left out" in reply
