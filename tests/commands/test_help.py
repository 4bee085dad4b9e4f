"""Help and the docs page come from the table of commands."""

import pytest

from app.commands import docs, registry
from app.commands.command import Command
from app.commands.help import MOST_LINES, help_text
from app.language.extract import read_commands
from app.market.terms.errors import Refusal
from app.replies.reply import visible_lines


@pytest.mark.parametrize("command", registry.commands(), ids=lambda command: command.name)
def test_help_explains_each_command(command: Command) -> None:
    text = help_text(command.name)
    assert command.summary in text
    assert f"/bugmark {command.usage}" in text
    assert command.who in text
    assert all(f"/bugmark {example}" in text for example in command.examples)
    assert all(help_text(alias) == text for alias in command.aliases)


def test_the_overview_names_every_command() -> None:
    assert all(f"`{command.name}`" in help_text(None) for command in registry.commands())


def test_help_keeps_to_the_lines_of_a_reply() -> None:
    texts = [help_text(name) for name in (None, *(command.name for command in registry.commands()))]
    assert max(visible_lines(text) for text in texts) <= MOST_LINES


def test_nothing_in_a_help_text_can_run() -> None:
    names = [None, *(command.name for command in registry.commands())]
    texts = [help_text(name) for name in names]
    assert [read_commands(text) for text in texts] == [[] for _ in names]
    assert all("/bugmark" in text for text in texts)


def test_there_is_no_help_for_what_there_is_not() -> None:
    with pytest.raises(Refusal, match="no command `frob`"):
        help_text("frob")


def test_the_page_is_the_one_that_the_table_prints() -> None:
    assert docs.PAGE.read_text(encoding="utf-8") == docs.render(), "run `python -m app.commands.docs`"


def test_every_command_of_the_page_stands_in_code() -> None:
    assert read_commands(docs.render()) == []
