"""The side that somebody's words say. Where they say none, or both, none is read."""

from __future__ import annotations

from collections.abc import Sequence

from app.language.likeness import distance
from app.market.terms.contract import Side

_SAYING_FIXED = ("fixed", "yes", "done", "true", "fix", "solved", "resolved", "completed")
_FOREIGN_FIXED = ("ja", "oui", "sim", "sí", "はい")
_FOREIGN_UNFIXED = ("nein", "non", "não", "nao", "いいえ", "against")
_SAYING_UNFIXED = ("unfixed", "no", "wontfix", "open", "false", "never", "notfixed", "unsolved", "unresolved")
SIDE_WORDS = {
    **dict.fromkeys((*_SAYING_FIXED, *_FOREIGN_FIXED), Side.FIXED),
    **dict.fromkeys((*_SAYING_UNFIXED, *_FOREIGN_UNFIXED), Side.UNFIXED),
    "won't-fix": Side.UNFIXED,
    "wont-fix": Side.UNFIXED,
    "not-fixed": Side.UNFIXED,
}
NEGATIONS = frozenset(
    {"not", "never", "no", "isnt", "isn't", "wont", "won't", "dont", "don't", "cannot", "cant", "can't"}
)
_BARE = ("be", "get", "been")
"""Words between a negation and what it denies: `won't be fixed`."""

_TYPED = {"fixed": Side.FIXED, "unfixed": Side.UNFIXED}
_CLEARLY = 3
"""Edits that must lie between a misspelt side and the other one."""


def side_phrase(words: Sequence[str]) -> tuple[Side | None, int]:
    """The side that the first of these lower-case words say, and how many they are; (None, n) if that is unclear.

    (None, 0): they do not speak of a side at all.
    """
    words = [word.replace("’", "'") for word in words[:3]]
    first = words[0] if words else ""
    if first in NEGATIONS:
        at = 2 if words[1:2] and words[1] in _BARE else 1
        denied = SIDE_WORDS.get(words[at]) if len(words) > at else None
        if denied is not None:  # to deny what denies says nothing for certain
            return (Side.UNFIXED if denied is Side.FIXED else None), at + 1
    if first in SIDE_WORDS:
        return SIDE_WORDS[first], 1
    return (None, 1) if first in NEGATIONS else (_misspelt(first), 1 if _misspelt(first) else 0)


def _misspelt(word: str) -> Side | None:
    """`unfixd`, `fixd`: one edit away from one side, and far from the other."""
    edits = {typed: distance(word, typed) for typed in _TYPED} if 4 <= len(word) <= 9 else {}
    for typed, side in _TYPED.items():
        if (
            word[0] == typed[0]
            and edits.get(typed) == 1
            and all(far >= _CLEARLY for other, far in edits.items() if other != typed)
        ):
            return side
    return None
