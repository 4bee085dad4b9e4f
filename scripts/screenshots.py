"""Pictures of the bot's replies for docs/replies.md, from a conversation with the running programs.

    python -m scripts.screenshots [FOLDER]

Starts the sandbox, web and worker as the demo does, plays `replies.py`, draws each reply as the sandbox's page does,
and has Chromium take the picture. BROWSER names it, if it is not `chromium`. Then docs/replies.md is written.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.run.demo import DAY, OWNER, Stage, stage
from sandbox.markdown import rendered
from scripts.replies import Shown, conversation

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
STYLE = ROOT / "sandbox" / "static" / "style.css"
WIDTH, PHONE_WIDTH, WIDE = 860, 390, 1280
IN_THREAD = ("first-offer", "match", "refusal")
"""Parts of the conversation in the picture of the thread."""

MOST_BYTES = 150_000
BEGIN = datetime(2027, 3, 1, 9, tzinfo=UTC)
"""When the conversation begins, so that a picture changes only when a reply does."""

INTRODUCTION = """\
# What the replies look like

Eight replies and the market comment from one conversation, drawn with GitHub's Markdown rules. `make screenshots` plays
it again and takes the pictures; a test keeps the second line of each reply to 90 characters. What stands behind a
triangle opens at a click.
"""

CLOSING = """\
## All of it on a phone and on a wide screen

The thread as its people see it, and the market comment.

![The thread, 390 pixels wide](replies/thread-390.png)

![The thread, 1280 pixels wide](replies/thread-1280.png)

![The market comment, 1280 pixels wide](replies/market-comment-1280.png)
"""


@dataclass(slots=True)
class Played:
    """The conversation in the demo's programs."""

    stage: Stage

    async def says(self, person: str, text: str) -> str:
        return await self.stage.say(person, text)

    async def closes(self) -> str:
        body = {"state": "closed", "state_reason": "completed"}
        await self.stage.call("PATCH", self.stage.issue, OWNER, body)
        return await self.stage.bot_comment("window:", "the announcement of the verdict")

    async def settles(self) -> str:
        self.waits(2 * DAY + 1)
        return await self.stage.bot_comment("settlement:", "the settlement")

    async def market_comment(self, holds: str) -> str:
        return await self.stage.bot_comment("board:", "the market comment", holds)

    def waits(self, seconds: int) -> None:
        self.stage.move_clock(seconds)

    def day(self, days: int) -> str:
        return datetime.fromtimestamp(BEGIN.timestamp() + days * DAY, UTC).strftime("%Y-%m-%d")


async def play(folder: Path) -> Sequence[Shown]:
    async with stage(folder) as found:
        found.move_clock(int(BEGIN.timestamp() - datetime.now(UTC).timestamp()))
        await found.open_issue("Notes are lost when the tab sleeps", "They are gone when I come back.")
        return await conversation(Played(found))


def article(login: str, body: str) -> str:
    bot = ' of-bot"' if login == "bugmark" else '"'
    tag = ' <span class="tag">bot</span>' if login == "bugmark" else ""
    head = f'<div class="head"><strong>{html.escape(login)}</strong>{tag}</div>'
    return f'<article class="comment{bot}>{head}<div class="body">{rendered(body)}</div></article>'


def document(*pictured: Shown) -> str:
    """Always in light colours; the script tells the height it needs."""
    style = re.sub(r"@media \(prefers-color-scheme: dark\) \{.*?\} \}", "", STYLE.read_text("utf-8"), flags=re.DOTALL)
    articles = []
    for shown in pictured:
        articles += [article(shown.person, shown.text)] if shown.person else []
        articles.append(article("bugmark", shown.reply))
    return (
        f'<!doctype html><meta charset="utf-8"><style>{style} :root {{ color-scheme: light }} '
        f"main {{ max-width: none; padding: 0 12px }}</style><main>{''.join(articles)}</main>"
        "<script>document.title = document.documentElement.offsetHeight</script>"
    )


def browse(*options: str) -> str:
    browser = os.environ.get("BROWSER", "chromium")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def take(picture: Path, width: int, *pictured: Shown) -> int:
    """The picture's size in bytes."""
    with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as file:
        file.write(document(*pictured))
        file.flush()
        page = f"file://{file.name}"
        height = re.search(r"<title>(\d+)</title>", browse(f"--window-size={width},400", "--dump-dom", page))
        if height is None:
            raise SystemExit("the browser did not draw the page")
        browse(f"--window-size={width},{height[1]}", f"--screenshot={picture}", page)
    return picture.stat().st_size


def write_page(pictures: Sequence[Shown]) -> None:
    parts = [f"## {one.title}\n\n{one.about}\n\n![{one.title}](replies/{one.name}.png)\n" for one in pictures]
    (DOCS / "replies.md").write_text("\n".join([INTRODUCTION, *parts, CLOSING]), encoding="utf-8")


def main(folder: Path) -> None:
    if shutil.which(os.environ.get("BROWSER", "chromium")) is None:
        raise SystemExit("no browser: install Chromium, or name one by BROWSER")
    with tempfile.TemporaryDirectory() as work:
        pictures = asyncio.run(play(Path(work) / "stage"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sizes = [take(folder / f"{one.name}.png", PHONE_WIDTH if one.phone else WIDTH, one) for one in pictures]
    thread = [one for one in pictures if one.name in IN_THREAD]
    board = [one for one in pictures if one.name == "market-comment"]
    for name, width, pictured in (
        ("thread-390", PHONE_WIDTH, thread),
        ("thread-1280", WIDE, thread),
        ("market-comment-1280", WIDE, board),
    ):
        sizes.append(take(folder / f"{name}.png", width, *pictured))
    write_page(pictures)
    print(f"screenshots: {len(sizes)} pictures, the largest of {max(sizes):,} bytes")
    if max(sizes) > MOST_BYTES:
        raise SystemExit(f"a picture is larger than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "replies")
