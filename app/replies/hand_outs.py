"""A refusal as it is answered: what is wrong, and the commands to copy instead."""

from __future__ import annotations

from collections.abc import Sequence

from app.market.exchange.spoken import HandOut, Unclear
from app.market.terms.errors import Refusal


def refused(refusal: Refusal) -> str:
    """Its sentence with what may be tried instead, each in a code span, where nothing runs."""
    if isinstance(refusal, Unclear) and len(refusal.instead) > 1:
        return f"{refusal.sentence} {tries(refusal.instead)}"
    again = f" Try `{refusal.correction}`." if refusal.correction else ""
    return f"{refusal.sentence}{again}"


def tries(instead: Sequence[HandOut]) -> str:
    """`Try A (it pays if this is fixed) or B (it pays if this is not fixed).`"""
    said = [f"`/bugmark {one.text}`{f' ({one.means})' if one.means else ''}" for one in instead]
    return f"Try {', '.join(said[:-1])} or {said[-1]}."
