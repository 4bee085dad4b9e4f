"""What the thread is told of a contract's life: windows, verdicts, resumptions, settlements (docs/market.md §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.commands.escape import code
from app.commands.replies import FOOTER, bounded, name
from app.market.contract import Outcome
from app.market.facts import Cause
from app.market.instants import format_instant
from app.market.money import format_mills, format_price
from app.market.statement import ISSUE_FIXED, said, shown, words
from app.market.whole import MAX_WHOLE
from app.storage.contracts import ContractRow

MAX_REASON = 300

GONE = {
    "deleted": "The issue was deleted",
    "transferred": "The issue was transferred to a repository where BugMark is not installed",
    "discussion": "The issue was converted to a discussion",
}

COMMANDS_SHOWN = ("/bugmark dispute on c1 REASON", "/bugmark resolve (fixed|unfixed|void) REASON")
"""What notices say may be written."""

Body = Mapping[str, Any]


def notice(body: Body, row: ContractRow, names: Mapping[int, str]) -> str:
    """The comment that a notice makes. `names` is how the users in its payouts are named, most by a mention."""
    draw = {"window": _window, "verdict": _verdict, "resumed": _resumed}
    if body["notice"] == "settled":
        return _settled(body, row, names)
    if body["notice"] == "news":
        return bounded(f"{_news(body, row, names)}\n\n{FOOTER}", "")
    return f"{draw[body['notice']](body, row)}\n\n{FOOTER}"


def _news(body: Body, row: ContractRow, names: Mapping[int, str]) -> str:
    """Offers that ended by themselves, and fills that no reply tells of. Each party is named by a mention once."""
    named: dict[int, str] = dict(names)

    def name_once(user: int) -> str:
        found = named.get(user, "somebody")
        named[user] = found.replace("@", "**", 1) + "**" if found.startswith("@") else found
        return found

    def offers(found: Sequence[Sequence[Any]]) -> str:
        wishes = [
            (
                f"o{number} of {name_once(user)}",
                f"{action.lower()} {units:,} {said(row.kind, side)}",
                format_price(price),
            )
            for number, user, action, side, units, price in found
        ]
        return "; ".join(f"{whose}: {wish} at {price}" for whose, wish, price in wishes)

    parts = [f"⌛ **Expired in {_title(row)}:** {offers(body['expired'])}."] if body["expired"] else []
    if gone := body.get("displaced"):
        parts.append(
            f"↪️ **Cancelled in {_title(row)}:** {offers(gone)}. An all-or-none offer at a better price took its place: "
            f"at most {MAX_WHOLE} wait on each side of a book."
        )
    met = [
        f"{name_once(buyer)} and {name_once(seller)}: {volume:,} units at {format_price(price)} (c{row.id}-{amendment})"
        for buyer, seller, volume, price, amendment in body["fills"]
    ]
    if met:
        why = "" if body.get("commanded") else ", since offers that waited could be met"
        parts.append(f"🤝 **Filled in {_title(row)}**{why}: {'; '.join(met)}.")
    return "\n\n".join(parts)


def _title(row: ContractRow) -> str:
    return f"contract {shown(row.kind, row.id)} (by {format_instant(row.maturation_at)})"


def _head(row: ContractRow) -> str:
    """At the beginning of a sentence."""
    return _title(row).replace("c", "C", 1)


def _outcome(row: ContractRow, outcome: Outcome) -> str:
    return said(row.kind, outcome)


def _window(body: Body, row: ContractRow) -> str:
    cause, ends = Cause(body["cause"]), format_instant(body["ends_at"])
    verdict = f"it settles as **{_outcome(row, cause.verdict)}** after {ends}"
    if cause is Cause.CLOSED:
        what = f"{_close_words(body, row)} {_unless_undone(row)}{verdict}.{_longer(body)}"
    elif cause is Cause.MATURED:
        what = f"Its date has come and {_never(row)}: {verdict}, unless it comes to light that {_other_fact(row)}."
    else:
        what = f"{_void_words(body, row)}: {verdict}, at the void price."
    return f"⏸️ **{_head(row)} is halted.** {what}\n\n{_to_dispute(row, ends)}"


def _unless_undone(row: ContractRow) -> str:
    return "Unless it is reopened, " if row.kind == ISSUE_FIXED else "If that stands, "


def _never(row: ContractRow) -> str:
    return "the issue was not closed as completed" if row.kind == ISSUE_FIXED else "its statement has not come true"


def _other_fact(row: ContractRow) -> str:
    return "it was closed before" if row.kind == ISSUE_FIXED else "it had"


def _longer(body: Body) -> str:
    if body["backed"]:
        return ""
    return (
        " The window is longer, since the close is not backed: nobody without a position and with rights here stands"
        " behind it."
    )


def _close_words(body: Body, row: ContractRow) -> str:
    """Who closed the issue and by what, as GitHub tells it."""
    if row.kind != ISSUE_FIXED:
        return f"It has come true that {words(row.statement_text)}{_evidence(body)}."
    who = f" by {name(body['closer'])}" if body.get("closer") else ""
    when = f" on {format_instant(body['closed_at'])}" if body.get("closed_at") else ""
    return f"The issue was closed as completed{who}{when}{_evidence(body)}."


def _evidence(body: Body) -> str:
    found = body.get("evidence") or []
    return f" ({', '.join(code(text, MAX_REASON) for text in found)})" if found else ""


def _void_words(body: Body, row: ContractRow) -> str:
    if row.kind != ISSUE_FIXED:
        return "What it is about was deleted"
    if body.get("gone"):
        return GONE.get(body["gone"], "The issue is gone")
    if body.get("reason") == "duplicate":
        return f"The issue was closed as a duplicate{_canonical(body)}, for which the contract's terms say VOID"
    return "The issue was closed as not planned, for which the contract's terms say VOID"


def _canonical(body: Body) -> str:
    return f" of {code(body['duplicate_of'])}" if body.get("duplicate_of") else ""


def _to_dispute(row: ContractRow, ends: str) -> str:
    return (
        f"Whoever would lose by this can dispute it until {ends}: "
        f"`/bugmark dispute on {shown(row.kind, row.id)} REASON`, with a bond."
    )


def _verdict(body: Body, row: ContractRow) -> str:
    ends = format_instant(body["ends_at"])
    if body["verdict"] is None:
        then = "trading resumes" if row.maintainer_halt is None else "the window is over, without a verdict,"
        return f"⏸️ **{_head(row)}**: as things stand now, {then} after {ends}."
    outcome = _outcome(row, Outcome(body["verdict"]))
    now = f"as things stand now, it settles as **{outcome}** after {ends}"
    return f"⏸️ **{_head(row)}**: {now}.\n\n{_to_dispute(row, ends)}"


RESUMED = {
    "not closed": "the issue is not closed as completed.",
    "set aside": "the close was set aside by a maintainer.",
    "lifted": "the halt was lifted.",
    "returned": "BugMark is installed here again.",
}


def _resumed(body: Body, row: ContractRow) -> str:
    why = RESUMED[body.get("why", "not closed")]
    if row.kind != ISSUE_FIXED and body.get("why", "not closed") == "not closed":
        why = "its statement is not true as things stand."
    return f"▶️ **{_head(row)} trades again:** {why}"


def _settled(body: Body, row: ContractRow, names: Mapping[int, str]) -> str:
    """Outcome, evidence, every payout. Each holder is mentioned once."""
    outcome = Outcome(body["outcome"])
    head = f"🏁 **{_head(row)} is settled: {_outcome(row, outcome)}.** {_why(body, row, outcome)}"
    rows = ["| holder | paid out | had cost | result | fee |", "|---|---:|---:|---:|---:|"]
    rows += [_payout_row(payout, names) for payout in body["payouts"]]
    table = "\n".join(rows) if body["payouts"] else "Nobody held a position."
    return bounded(f"{head}\n\n{table}\n\n{_final(body, row)}\n\n{FOOTER}", "")


def _payout_row(payout: Sequence[int], names: Mapping[int, str]) -> str:
    user, paid, cost, fee = payout
    result = paid - cost
    sign = "+" if result > 0 else "−" if result < 0 else ""
    return (
        f"| {names.get(user, 'somebody')} | {format_mills(paid)} | {format_mills(cost)} "
        f"| {sign}{format_mills(abs(result))} | {format_mills(fee)} |"
    )


def _why(body: Body, row: ContractRow, outcome: Outcome) -> str:
    ruling = body.get("ruling")
    if ruling is not None:
        price = f", at {format_price(ruling['price'])} for FIXED" if ruling["price"] is not None else ""
        return f"So {name(ruling['by'])} has ruled{price}: {code(ruling['reason'], MAX_REASON)}."
    if outcome is Outcome.FIXED:
        return _close_words(body, row)
    if outcome is Outcome.UNFIXED:
        return _unfixed_words(body, row)
    return f"{_void_reason(body, row)}: everybody gets the void price."


def _unfixed_words(body: Body, row: ContractRow) -> str:
    if row.kind != ISSUE_FIXED:
        return "Its statement did not come true in time."
    duplicate = body.get("reason") == "duplicate" and body.get("duplicate_of")
    other = f" It was closed as a duplicate{_canonical(body)}." if duplicate else ""
    return f"The issue was not closed as completed by {format_instant(row.maturation_at)}.{other}"


def _void_reason(body: Body, row: ContractRow) -> str:
    reasons = {
        "away": "BugMark was not installed here for 30 days",
        "no answer": "GitHub gave no answer for 30 days",
        "unanswered, not backed": "The close was disputed, nobody decided for 7 days, and the close is not backed",
    }
    return reasons.get(body.get("why", "no answer")) or _void_words(body, row)


def _final(body: Body, row: ContractRow) -> str:
    until = body.get("disputable_until")
    could = (
        f" It could be disputed with `/bugmark dispute on {shown(row.kind, row.id)} REASON` until "
        f"{format_instant(until)}."
        if until
        else ""
    )
    later = ""
    if row.kind == ISSUE_FIXED and row.ended_round:
        later = " If the issue is reopened, the next contract begins the next round."
    return f"Settled is final.{could}{later}"
