"""Words that look alike: an edit distance of two at most."""

from __future__ import annotations

from collections.abc import Iterable

MOST_LETTERS = 40
LETTERS_PER_EDIT = 3
"""Wrong letters that are allowed: one in a word of three, two in a word of six."""


def distance(one: str, other: str) -> int:
    """Letters to insert, delete or replace (Levenshtein)."""
    before = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        row = [at]
        for column, wanted in enumerate(other, 1):
            row.append(min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != wanted)))
        before = row
    return before[-1]


def nearest(word: str, known: Iterable[str], most: int = 2) -> str | None:
    """The known word that is nearest to a lower-case one, within `most` edits; None if none is or several are."""
    if len(word) > MOST_LETTERS:
        return None
    far = {one: distance(word, one) for one in known}
    least = min(far.values(), default=most + 1)
    found = [one for one, edits in far.items() if edits == least]
    allowed = min(most, len(word) // LETTERS_PER_EDIT)
    return found[0] if least <= allowed and len(found) == 1 else None
