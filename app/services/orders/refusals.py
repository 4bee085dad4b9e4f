"""Refusals of the gate itself: questions to GitHub that stayed without an answer."""

from __future__ import annotations

from app.market.terms.errors import Refusal


def rights_not_told() -> Refusal:
    return Refusal("GitHub did not tell what you may do here, so nothing was done; please comment again.")


def issue_not_told() -> Refusal:
    return Refusal("GitHub gave no answer about this issue, so nothing was done; please comment again.")


def others_not_told() -> Refusal:
    return Refusal(
        "GitHub gave no answer about another issue whose offers share a pool with offers here, so nothing was done; "
        "please comment again."
    )


def subject_not_told() -> Refusal:
    return Refusal("GitHub gave no answer, so nothing was done; please comment again.")
