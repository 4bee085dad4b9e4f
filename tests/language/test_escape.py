"""Users' text in the bot's own sentences."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from app.language.escape import code
from app.language.extract import read_commands


def test_ordinary_words_stand_in_code() -> None:
    assert code("offer fixed 50") == "`offer fixed 50`"


def test_nothing_ends_the_span_or_hides_in_it() -> None:
    assert code("a`` b") == "`a'' b`"
    assert code("a\n\n/bugmark help") == "`a /bugmark help`"
    assert code("a\u202eb\u2066c\u200bd\0e\ud800f") == "`abcdef`"


def test_long_text_is_cut() -> None:
    assert code("x" * 61) == "`" + "x" * 59 + "…`"
    assert code("x" * 60) == "`" + "x" * 60 + "`"
    assert code("abc def", limit=5) == "`abc…`"


def test_nothing_is_said_in_words() -> None:
    assert code(" \n\u200b") == "an empty text"


@given(st.text())
def test_any_text_is_one_span_of_visible_characters(text: str) -> None:
    span = code(text)
    if span != "an empty text":
        assert span[0] == span[-1] == "`"
        assert "`" not in span[1:-1]
        assert span[1:-1].strip() == span[1:-1] != ""
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in span)
    assert read_commands(span) == []
