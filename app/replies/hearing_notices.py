"""Notices of a dispute, of those who join it, and of a maintainer's ruling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.language.escape import code
from app.market.terms.contract import Outcome
from app.market.terms.instants import format_instant
from app.market.terms.money import format_mills, format_price
from app.market.terms.statement import said, shown
from app.replies.reply import FOOTER, bounded
from app.services.views.state_words import once_set_aside
from app.storage.market.contracts import ContractRow

HEARINGS = frozenset({"dispute", "ruling"})
MAX_REASON = 300

MOST_SAID = 20
"""Number of joiners who are quoted; one ruling answers the others, too."""

MOST_MENTIONED = 50
"""GitHub tells no more people of one comment."""

Body = Mapping[str, Any]


def hearing(body: Body, row: ContractRow, names: Mapping[int, str]) -> str:
    """The comment that a dispute or a ruling makes. `names`: how users are named, the others by a mention."""
    paragraphs = _dispute(body, row, names) if body["notice"] == "dispute" else _ruling(body, row, names)
    return bounded("\n\n".join([*paragraphs, *_others(body, names), FOOTER]), "")


def _dispute(body: Body, row: ContractRow, names: Mapping[int, str]) -> list[str]:
    name, verdict = shown(row.kind, row.id), said(row.kind, Outcome(body["verdict"]))
    (first, reason), *joined = body["said"]
    decide = f"`/bugmark resolve (fixed|unfixed|void) on {name} REASON`"
    return [
        f"⚖️ **{name} is disputed.** {_name(names, first)} says that **{verdict}** is wrong: "
        f"{code(reason, MAX_REASON)}.",
        *_joined(joined, names),
        f"It does not settle before a maintainer who holds no units here decides: {decide}. If nobody decides by "
        f"{format_instant(body['answer_by_at'])}, {silence(body['unanswered'], verdict)}.",
        f"If you would lose by {verdict}, too, you can join until {format_instant(body['ends_at'])}, with a bond: "
        f"`/bugmark dispute on {name} REASON`.",
    ]


def _joined(joined: Sequence[tuple[int, str]], names: Mapping[int, str]) -> list[str]:
    """The first of those who joined, with what they say."""
    said = [f"{_name(names, user)}: {code(why, MAX_REASON)}" for user, why in joined[:MOST_SAID]]
    more = [f"and {len(joined) - MOST_SAID:,} more"] if len(joined) > MOST_SAID else []
    return [f"Joined by {'; '.join([*said, *more])}."] if said else []


def silence(unanswered: str, verdict: str) -> str:
    """Describe the end of a dispute that nobody decides."""
    return {
        "state": "the state of the issue decides, and every bond comes back",
        "void": "it is VOID, because the close is not backed, and every bond comes back",
        "void, forfeited": "it is VOID, because the close is not backed, and every bond goes to those whom "
        f"{verdict} would have paid",
    }[unanswered]


def _ruling(body: Body, row: ContractRow, names: Mapping[int, str]) -> list[str]:
    outcome = said(row.kind, Outcome(body["outcome"]))
    after = (
        f"This close is set aside, and {once_set_aside(row)}"
        if body["aside"]
        else f"It settles as {outcome} after {format_instant(body['due_at'])}"
    )
    price = f", at {format_price(body['price'])} for FIXED" if body["price"] is not None else ""
    listed = [f"{_name(names, user)} ({format_mills(mills)})" for user, mills in body["bonds"][:MOST_MENTIONED]]
    more = [f"{len(body['bonds']) - MOST_MENTIONED:,} more"] if len(body["bonds"]) > MOST_MENTIONED else []
    bonds = ", ".join([*listed, *more])
    return [
        f"⚖️ **The dispute of {shown(row.kind, row.id)} is decided: {outcome}{price}.** "
        f"{_name(names, body['by'])} says: {code(body['reason'], MAX_REASON)}.",
        f"{after}. {_fate(len(body['bonds']), bonds, body['upheld'])}",
    ]


def _fate(count: int, bonds: str, upheld: bool) -> str:
    if count == 1:
        return f"The bond of {bonds} {'goes back' if upheld else 'goes to fees'}."
    return f"The bonds of {bonds} {'go back' if upheld else 'go to fees'}."


def _others(body: Body, names: Mapping[int, str]) -> list[str]:
    """Everybody else who holds units is mentioned, once."""
    shown_ones, rest = body["heard"][:MOST_MENTIONED], len(body["heard"][MOST_MENTIONED:])
    more = f" and {rest:,} more" if rest else ""
    return [f"This concerns {', '.join(_name(names, user) for user in shown_ones)}{more}."] if shown_ones else []


def _name(names: Mapping[int, str], user: int) -> str:
    return names.get(user, "somebody")
