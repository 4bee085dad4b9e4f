"""The docs page of all commands, printed from the table that also makes the parser and the help.

`python -m app.commands.docs` writes it.
"""

from __future__ import annotations

from pathlib import Path

from app.commands import registry
from app.commands.help import block, describe

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

_INTRODUCTION = """\
# Commands

This page is written by `python -m app.commands.docs`; change the commands, not the page.

Everything can be done from a comment on an issue. Several commands in one comment run in order, each on its own:
one that is refused changes nothing and does not keep the others from running.

## What is a command

A line of the comment that begins with `/bugmark` (in any case, after blanks) followed by a space, a tab or the end of
the line, and that stands in a plain paragraph of the comment as GitHub shows it. Not a command is what stands

- in code: in a fenced or indented block, or between backticks, also if they span lines,
- in a quote, list, table, heading or footnote, also where such a block swallows the line after it,
- in a link or an image, in HTML or an HTML comment, or between HTML tags such as `<details>` and `</details>`,
- after a backslash: `\\/bugmark`,
- below a line that begins with `BugMark ·`, as every comment of BugMark does: from there on a comment is a quotation,
  since mail programs quote without a mark. If it holds a command that was not in BugMark's comment, a line says so.

Any blank separates words; case does not matter; one `.`, `,` or `!` at the end is dropped. Options may be written as
bare words or with dashes: `by friday` and `--by friday` are the same. The words after the volume may come in any
order, each at most once.

A comment runs each command once. If you edit it, only commands run that it did not have before; a change of case or
blanks alone makes no new command. Deleting a comment undoes nothing.
"""

_NOTATIONS = """\
## Numbers

| what | how it is written |
|---|---|
| volume | whole units, 1 to 1,000,000,000: `50`, `1_000`, `1,000`, `2k` |
| amount | tokens with at most three decimals: `50`, `12.50`, `1,000`, `2k` |
| price | of one unit of the side named, 0.001 to 0.999: `0.40`, `.4`, `40%` |
| offer | its number: `o17` or `17` |

Nothing is rounded: a number with more decimals than that is refused. One rule for all numbers, since a point and a
comma mean one thing here and another there: with one of them and exactly three digits behind it a number is ambiguous,
unless it begins with `0.` or is `N,NNN` with N from 1 to 999. `1,000` is a thousand and `0.500` half a token; `1.000`,
`12.345`, `0,900` and `000,100` are refused with both readings. Digits are ASCII.

## Dates

| written | means |
|---|---|
| `2026-12-01`, `1 Dec 2026`, `15 Sept 2027`, `Dec. 1, 2028`, `1st of December 2026` | the last second of that day |
| `2026-12-01T18:00Z`, `2026-12-01T18Z`, `2026-12-01T18:00:30+0200`, `2026-12-01 18:00 UTC` | that second |
| `today`, `tomorrow` | the last second of that day |
| `friday` (or `fri`; `tues`, `weds`, `thurs`) | the last second of the next Friday after the day of the comment |
| `3d`, `2w`, `in 3 days`, `within 2 weeks`, `two weeks` | the last second of the day so many days after the comment's |
| `in 2 months` | the same day of that month, or its last one if it has no such day |
| `end of month` | the last second of the comment's month |
| `36h`, `in 36 hours` | exactly so many hours after the comment was made |
| `2026-12-01..2026-12-31` | a range, for `offer`: from the first second of the one day to the last of the other |

Days are those of UTC, counted from when the comment was made, and the reply repeats the exact instant. Refused are a
clock time without its zone, a bare number or month, a date without its year, and whatever could mean two things:
`12/01/2027` may be 12 January or December 1.

## What a refusal hands out

A refusal ends with a command to copy that keeps what was said. What can be read in two ways is handed out as both,
each with what it means. What cannot be read stays a word in capitals, such as `VOLUME`, `DATE` or `REASON`: such a
command is refused until you have written something else there. A side is taken only from words that say it (`yes`,
`done`, `fix`; `no`, `not fixed`, `wontfix`, `open`, `never`); where they say none, both lines are handed out. Words of
other bots are known: `undo` is `cancel`, `exit` sells what you hold, `tip` is `give`, `claim` is `work`, `odds` is
`price`.
"""


def render() -> str:
    """The page."""
    table = [_INTRODUCTION, "## All commands\n", block([one.usage for one in registry.commands()]), ""]
    single = [f"### {one.name}\n\n{describe(one)}\n" for one in registry.commands()]
    return "\n".join([*table, *single, _NOTATIONS])


def main() -> None:
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
