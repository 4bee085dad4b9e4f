"""What in a comment is a command, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.language.extract import CommandText, read_commands

COMMANDS = {
    "alone": "/bugmark help",
    "without words": "/bugmark",
    "any case": "/BugMARK help",
    "after blanks": "   /bugmark help",
    "after a no-break space": "\u00a0/bugmark help",
    "a tab follows": "/bugmark\thelp",
    "second line of a paragraph": "I want this fixed.\n/bugmark help",
    "deeply indented, but still in a paragraph": "I want this fixed.\n         /bugmark help",
    "after a quote and a blank line": "> said\n\n/bugmark help",
    "after a list and a blank line": "- one\n\n/bugmark help",
    "after a table and a blank line": "| a |\n|---|\n| b |\n\n/bugmark help",
    "after a heading": "# Title\n/bugmark help",
    "before a list": "/bugmark help\n- one",
    "before a list that looks like a table": "/bugmark help\n- |",
    "after a closed fence": "```\nx\n```\n/bugmark help",
    "after closed details": "<details>\n\nx\n\n</details>\n\n/bugmark help",
    "after a void tag": "<br>\n\n/bugmark help",
    "after a closed HTML comment": "<!-- x -->\n\n/bugmark help",
    "after something like a tag": "a List<String> of\n\n/bugmark help",
    "after a paragraph tag nobody closed": "<p align=center>\n\n/bugmark help",
    "between code spans that are closed": "`a`\n/bugmark help\n`b`",
    "after a lone backtick": "it`s\n/bugmark help",
    "after a line broken by a backslash": "now\\\n/bugmark help",
    "in emphasis": "*now\n/bugmark help\nplease*",
    "brackets that make no link": "[a](b\n/bugmark help",
    "after a footnote and a blank line": "[^1]: x\n\n/bugmark help",
    "after a footnote that holds a heading": "[^1]: # x\n/bugmark help",
    "a lone surrogate around": "\ud800\n/bugmark help\n\udfff",
    "NUL around": "\0\n/bugmark help\n\0",
    "tags closed within a list": "- <details>\n\n/bugmark help",
    "a comment closed later, in another piece of HTML": "<div><!--\n\nx\n\n<!-- y --></div>\n\n/bugmark help",
}

NO_COMMANDS = {
    "nothing": "",
    "in the middle of a line": "try /bugmark help",
    "escaped": "\\/bugmark help",
    "another word": "/bugmarks help",
    "a dot follows": "/bugmark.help",
    "a no-break space follows": "/bugmark\u00a0help",
    "Kelvin sign": "/bugmar\u212a help",
    "full-width": "\uff0fbugmark help",
    "as an entity": "&#47;bugmark help",
    "code span": "`/bugmark help`",
    "code span over lines": "a `\n/bugmark help\n` b",
    "code span of two backticks over lines": "``a ` b\n/bugmark help\n``",
    "fence": "```\n/bugmark help\n```",
    "fence never closed": "~~~\n/bugmark help",
    "indented code": "    /bugmark help",
    "indented code, by a tab": "\t/bugmark help",
    "quote": "> /bugmark help",
    "quote that goes on": "> said\n/bugmark help",
    "alert": "> [!NOTE]\n> /bugmark help",
    "quote of a link's definition that goes on": "> [a]: /b\n/bugmark help",
    "list": "- /bugmark help",
    "list that goes on": "- one\n/bugmark help",
    "paragraph of a list item": "1. one\n\n   /bugmark help",
    "task": "- [ ] /bugmark help",
    "table": "| a |\n|---|\n| /bugmark help |",
    "row of a table without pipes": "| a |\n|---|\n/bugmark help",
    "head of a table": "/bugmark | help\n--- | ---",
    "head of a table of one column": "/bugmark help\n:-",
    "row of a table of one column": "head\n:-:\n/bugmark help",
    "heading": "# /bugmark help",
    "underlined heading": "/bugmark help\n===",
    "heading underlined by dashes": "/bugmark help\n---",
    "footnote": "[^1]: /bugmark help",
    "footnote that goes on": "[^1]: said\n/bugmark help",
    "footnote in the middle of a paragraph": "a\n[^1]: said\n/bugmark help",
    "paragraph of a footnote": "[^1]: said\n\n    /bugmark help",
    "second paragraph of a footnote goes on": "[^1]: a\n\n    b\n/bugmark help",
    "text of a link": "[a\n/bugmark help\n](https://example.com)",
    "title of a link": "[a](<b>\n'\n/bugmark help\n')",
    "text of an image": "![a\n/bugmark help\n](b)",
    "title of a link's definition": "[a]: /b '\n/bugmark help\n'",
    "text of a link by name": "[a\n/bugmark help\n][b]\n\n[b]: /c",
    "HTML block": "<div>\n/bugmark help\n</div>",
    "HTML block in a paragraph": "a\n<div>\n/bugmark help",
    "details": "<details>\n\n/bugmark help\n\n</details>",
    "details with a summary": "<details><summary>log</summary>\n\n/bugmark help\n\n</details>",
    "details never closed": "<details>\n\n/bugmark help",
    "details opened within a paragraph": "log <details>\n\n/bugmark help",
    "any pair of tags on lines of their own": "<b>\n\n/bugmark help\n\n</b>",
    "a closed paragraph tag": "<p>\n\n/bugmark help\n\n</p>",
    "details that a list pretends to close": "<details>\n\n- </details>\n\n/bugmark help",
    "HTML comment": "<!--\n/bugmark help\n-->",
    "HTML comment with blank lines": "<!--\n\n/bugmark help\n\n-->",
    "HTML comment never closed": "<!--\n\n/bugmark help",
    "HTML comment within a paragraph": "a <!--\n/bugmark help\n-->",
    "HTML comment that Markdown does not see": "<div><!--\n\n/bugmark help\n\n--></div>",
    "attribute that Markdown does not see": '<div title="\n\n/bugmark help\n\n">',
    "attribute over lines": "a <br title='\n/bugmark help\n'>",
    "inline tags over lines": "a <kbd>\n/bugmark help\n</kbd>",
    "HTML link over lines": "a <a href=b>\n/bugmark help\n</a>",
    "after a line separator": "a\u2028/bugmark help",
    "after a paragraph separator": "a\u2029/bugmark help",
    "after a next line": "a\u0085/bugmark help",
    "after a vertical tab": "a\x0b/bugmark help",
    "after a form feed": "a\x0c/bugmark help",
}


@pytest.mark.parametrize("comment", COMMANDS.values(), ids=COMMANDS)
def test_this_is_a_command(comment: str) -> None:
    assert [command.key for command in read_commands(comment)] in (["help"], [""])


@pytest.mark.parametrize("comment", NO_COMMANDS.values(), ids=NO_COMMANDS)
def test_this_is_no_command(comment: str) -> None:
    assert read_commands(comment) == []


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("/bugmark offer  fixed\t50", "offer fixed 50"),
        ("/bugmark\u0020\u3000offer\u00a0fixed\u202850", "offer fixed 50"),
        ("/bugmark help.", "help"),
        ("/bugmark help ,", "help"),
        ("/bugmark help!", "help"),
        ("/bugmark help!!", "help!"),
        ("/bugmark .", ""),
        ("/bugmark positions @Adam  ", "positions @Adam"),
    ],
)
def test_words_are_separated_by_any_blank_and_one_mark_at_the_end_is_dropped(line: str, text: str) -> None:
    assert [command.text for command in read_commands(line)] == [text]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_end_as_they_like(end: str) -> None:
    comment = end.join(["/bugmark book", "/bugmark help", "", "```", "/bugmark balance", "```"])
    assert [command.text for command in read_commands(comment)] == ["book", "help"]


def test_the_same_command_is_counted_whatever_its_case_and_blanks() -> None:
    commands = read_commands("/bugmark cancel o1\n/bugmark help\n/bugmark CANCEL  o1.\n\n/Bugmark cancel o1")
    assert [(command.text, command.occurrence) for command in commands] == [
        ("cancel o1", 0),
        ("help", 0),
        ("CANCEL o1", 1),
        ("cancel o1", 2),
    ]


def test_an_edit_of_case_and_blanks_makes_no_new_command() -> None:
    before = set(read_commands("/bugmark offer fixed 50\n/bugmark offer fixed 50"))
    after = read_commands("Hello\n\n/bugmark OFFER fixed  50!\n/bugmark offer fixed 50\n/bugmark offer fixed 50")
    assert [command for command in after if command not in before] == [CommandText("offer fixed 50", 2)]


HOSTILE = {
    "brackets": "[" * 65_000,
    "images": "![" * 32_000,
    "links": "[a](" * 16_000,
    "quotes": ">" * 65_000,
    "lists": "- " * 32_000,
    "deeper lists": "".join(f"{'  ' * depth}- a\n" for depth in range(240)),
    "backticks": "".join("`" * length + " " for length in range(1, 350)),
    "tags": "a\n" + "<b>" * 20_000 + "</c>" * 1_000,
    "half tags": "a\n" + "<a " * 20_000,
    "comments": "a\n" + "<!--" * 16_000,
    "footnotes": "[^1]: " * 10_000,
    "wide table": "|a" * 1_000 + "|\n" + "|-" * 1_000 + "|\n" + "|x\n" * 20_000,
    "surrogates": "\ud800[a](\udfff)\n" * 3_000,
    "NULs": "\0" * 65_000,
    "a definition that never ends": "[" + "a\n" * 30_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_neither_breaks_nor_invents_commands(text: str) -> None:
    assert [command.text for command in read_commands(f"/bugmark help\n\n{text}")] == ["help"]
    assert len(read_commands(f"{text}\n/bugmark help")) <= 1


MARKDOWN = st.lists(
    st.sampled_from(
        [
            *[
                "/bugmark help",
                "/bugmark",
                "\n",
                "\n\n",
                "\r\n",
                " ",
                "    ",
                "\t",
                ">",
                "- ",
                "1. ",
                "`",
                "```",
                "~~~",
            ],
            *["[", "]", "(", ")", "![", "[^1]:", "|", "|-|", ":-", "---", "===", "# ", "\\", "<!--", "-->", "<div>"],
            *["</div>", "<details>", "</details>", "<b", "<", "'", '"', "a", "*", "\0", "\ud800", "\u2028", "&#47;"],
        ]
    ),
    max_size=40,
).map("".join)


@given(st.one_of(MARKDOWN, st.text()))
def test_any_comment_is_read(comment: str) -> None:
    lines = comment.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = [line for line in lines if line.strip().lower().startswith("/bugmark")]
    assert len(read_commands(comment)) <= len(starts)
    quoted = "\n".join(f"> {line}" for line in lines)
    assert read_commands(quoted) == []


@given(MARKDOWN)
def test_what_stands_in_a_fence_never_runs(comment: str) -> None:
    assert read_commands(f"`````````\n{comment.replace('`', '')}\n`````````") == []
