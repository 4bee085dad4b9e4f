"""Text of users inside the bot's own sentences: it must not run, mention, link or break out of its place."""

import unicodedata

from app.language.text import fold

MAX_QUOTED = 60
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories never shown: control, format (bidirectional overrides too), surrogates, unassigned, separators."""


def code(text: str, limit: int = MAX_QUOTED) -> str:
    """The text as a Markdown code span of one line: nothing in it mentions, links or is a command.

    Backticks become apostrophes, so that no text can end its span wherever a reply is cut or joined; blanks are
    folded, hidden characters dropped, and more than `limit` characters cut.
    """
    shown = "".join(char for char in fold(text[: limit * 8]) if unicodedata.category(char) not in _HIDDEN).replace(
        "`", "'"
    )
    short = shown.strip() if len(shown) <= limit else f"{shown[: limit - 1].strip()}…"
    return f"`{short}`" if short else "an empty text"
