"""Names that people give: labels, titles, milestones."""

from __future__ import annotations

from unicodedata import normalize


def folded(name: str) -> str:
    """Return the one spelling under which names are compared: NFC, letter case ignored, blanks around it dropped."""
    return normalize("NFC", normalize("NFC", name).casefold()).strip()
