"""Notices of a contract's life: windows, verdicts, resumptions, settlements (docs/market.md §5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.language.escape import code
from app.market.exchange.voiding import LAW_1
from app.market.exchange.whole import MAX_WHOLE
from app.market.life.facts import Cause
from app.market.terms.contract import Outcome
from app.market.terms.instants import format_instant
from app.market.terms.money import format_mills, format_price
from app.market.terms.statement import ISSUE_FIXED, said, shown, words
from app.replies.formats import folded, signed
from app.replies.reply import FOOTER, bounded, name
from app.services.views.state_words import without_verdict
from app.storage.market.contracts import ContractRow

MAX_REASON = 300

MOST_MENTIONED = 50
"""GitHub tells no more people of one comment."""

GONE = {
    "deleted": "The issue was deleted",
    "transferred": "The issue was transferred to a repository where BugMark is not installed",
    "discussion": "The issue was converted to a discussion",
}

COMMANDS_SHOWN = ("/bugmark dispute on c1 REASON", "/bugmark resolve (fixed|unfixed|void) REASON")
"""Values that a notice may hold."""

Body = Mapping[str, Any]
Told = Sequence[tuple[Body, ContractRow]]
"""Lines about each contract."""


ORDER = ("settled", "window", "verdict", "resumed")
"""Kinds of notices in a comment that tells of several events."""


def told_together(told: Told, names: Mapping[int, str]) -> str:
    """The one comment in which an event tells of the contracts that it concerns, or several events that waited."""
    if len(told) == 1:
        return notice(*told[0], names)
    return bounded("\n\n".join([*(_group(group, names) for group in _groups(told)), FOOTER]), "")


def _groups(told: Told) -> list[Told]:
    """Notices that are told in one sentence: of one kind and, but for verdicts and settlements, of one event."""
    found: dict[object, list[tuple[Body, ContractRow]]] = {}
    for body, row in sorted(told, key=lambda each: (each[1].maturation_at, each[1].id)):
        found.setdefault(_event(body), []).append((body, row))
    return sorted(found.values(), key=lambda group: _rank(group[0][0]["notice"]))


def _rank(kind: str) -> int:
    return ORDER.index(kind) if kind in ORDER else len(ORDER)


def _event(body: Body) -> object:
    if body["notice"] == "window":
        return "window", *(str(body.get(part)) for part in ("cause", "backed", "closer", "closed_at", "gone", "reason"))
    return body["notice"], body.get("why") if body["notice"] == "resumed" else ""


def _group(told: Told, names: Mapping[int, str]) -> str:
    draw = {"window": _windows, "verdict": _verdicts, "resumed": _resumptions}
    kind = told[0][0]["notice"]
    if len(told) > 1 and kind in draw:
        return draw[kind](told)
    return "\n\n".join(notice(body, row, names).removesuffix(f"\n\n{FOOTER}") for body, row in told)


def notice(body: Body, row: ContractRow, names: Mapping[int, str]) -> str:
    """The comment that a notice makes. `names` is how the users in its payouts are named, most by a mention."""
    draw = {"window": _window, "verdict": _verdict, "resumed": _resumed}
    if body["notice"] == "settled":
        return _settled(body, row, names)
    if body["notice"] == "news":
        return bounded(f"{_news(body, row, names)}\n\n{FOOTER}", "")
    if body["notice"] == "room":
        return bounded(f"{_room(body, row, names)}\n\n{FOOTER}", "")
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


def _room(body: Body, row: ContractRow, names: Mapping[int, str]) -> str:
    """Offers that were cancelled with their contract, for another one. Each owner is named by a mention once."""
    mine: dict[int, list[str]] = {}
    for number, user, action, side, units, price in body["cancelled"]:
        wish = f"o{number}, {action.lower()} {units:,} {said(row.kind, side)} at {format_price(price)}"
        mine.setdefault(user, []).append(wish)
    lines = "\n".join(f"- {names.get(user, 'somebody')}: {'; '.join(wishes)}" for user, wishes in mine.items())
    return (
        f"💤 **{_head(row)} has made room for another date.** Nobody held anything in it, and its offers put up less "
        f"than the new one. They are cancelled, and their money is free again:\n\n{lines}\n\n"
        "An offer for its date brings it back, if there is room."
    )


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
        what = f"{_void_words(body, row)}: {verdict}, {_back(row)}."
    return f"⏸️ **{_head(row)} is halted.** {what}\n\n{_to_dispute(row, ends)}"


def _back(row: ContractRow) -> str:
    return "at the void price" if row.terms.law == LAW_1 else "and everybody gets their money back as far as it goes"


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
    """Describe the close as GitHub tells it: its author, its commit or pull request."""
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


def _windows(told: Told) -> str:
    """One event has halted several contracts; each has an end of its own."""
    body, first = told[0]
    cause = Cause(body["cause"])
    if cause is Cause.CLOSED:
        what = f"{_close_words(body, first)} {_unless_undone(first)}they settle as follows.{_longer(body)}"
    elif cause is Cause.MATURED:
        what = f"Their date has come and {_never(first)}."
    else:
        what = f"{_void_words(body, first)}."
    lines = [
        f"- {_title(row)}: **{_outcome(row, cause.verdict)}** after {format_instant(item['ends_at'])}"
        for item, row in told
    ]
    return "\n\n".join([f"⏸️ **{len(told)} contracts are halted.** {what}", "\n".join(lines), _any_dispute(first)])


def _verdicts(told: Told) -> str:
    lines = []
    for body, row in told:
        outcome = f"**{_outcome(row, Outcome(body['verdict']))}**" if body["verdict"] else without_verdict(row)
        lines.append(f"- {_title(row)}: {outcome} after {format_instant(body['ends_at'])}")
    return "\n\n".join(["⏸️ As things stand now:", "\n".join(lines), _any_dispute(told[0][1])])


def _resumptions(told: Told) -> str:
    body, first = told[0]
    named = ", ".join(_title(row) for _, row in told)
    return f"▶️ **{len(told)} contracts trade again:** {_resumed_why(body, first)}\n\n{named[:1].upper()}{named[1:]}."


def _any_dispute(row: ContractRow) -> str:
    return (
        "Disagree? If you would lose by one of these, dispute it by then: "
        f"`/bugmark dispute on {shown(row.kind, row.id)} REASON` for the first, with a bond."
    )


def _to_dispute(row: ContractRow, ends: str) -> str:
    return (
        f"Disagree? If you would lose by this, dispute it by {ends}: "
        f"`/bugmark dispute on {shown(row.kind, row.id)} REASON`, with a bond."
    )


def _verdict(body: Body, row: ContractRow) -> str:
    ends = format_instant(body["ends_at"])
    if body["verdict"] is None:
        return f"⏸️ **{_head(row)}**: as things stand now, {without_verdict(row)} after {ends}."
    outcome = _outcome(row, Outcome(body["verdict"]))
    now = f"as things stand now, it settles as **{outcome}** after {ends}"
    return f"⏸️ **{_head(row)}**: {now}.\n\n{_to_dispute(row, ends)}"


RESUMED = {
    "not closed": "the issue is not closed as completed.",
    "set aside": "the close was set aside by a maintainer.",
    "lifted": "the halt was lifted.",
    "returned": "BugMark is installed here again.",
}


def _resumed_why(body: Body, row: ContractRow) -> str:
    why = RESUMED[body.get("why", "not closed")]
    if row.kind != ISSUE_FIXED and body.get("why", "not closed") == "not closed":
        why = "its statement is not true as things stand."
    return why


def _resumed(body: Body, row: ContractRow) -> str:
    return f"▶️ **{_head(row)} trades again:** {_resumed_why(body, row)}"


def _settled(body: Body, row: ContractRow, names: Mapping[int, str]) -> str:
    """Outcome, evidence, every payout. Each holder is mentioned once."""
    outcome = Outcome(body["outcome"])
    head = f"🏁 **{_head(row)} is settled: {_outcome(row, outcome)}.** {_why(body, row, outcome)}"
    first, rest = body["payouts"][:MOST_MENTIONED], body["payouts"][MOST_MENTIONED:]
    paid = _payout_table(first, names) if first else "Nobody held a position."
    more = folded(f"{len(rest):,} more", _payout_table(rest, names)) if rest else ""
    parts = [f"{head}{_forfeited(body)}", paid, more, _sold(body, names), _final(body, row), FOOTER]
    return bounded("\n\n".join(filter(None, parts)), "")


def most_paid(told: Sequence[Body]) -> set[int]:
    """Users whom settlements told together mention: those who get most."""
    paid: Counter[int] = Counter()
    for user, mills, *_ in (payout for body in told for payout in body.get("payouts", ())):
        paid[user] += mills
    return {user for user, _ in sorted(paid.items(), key=lambda each: (-each[1], each[0]))[:MOST_MENTIONED]}


def _sold(body: Body, names: Mapping[int, str]) -> str:
    """Users who sold what they held before the settlement. A settlement of before does not tell of them."""
    gone = body.get("sold", ())
    named = [f"{names.get(user, 'somebody')} {signed(mills)}" for user, mills in gone[:MOST_MENTIONED]]
    more = [f"and {len(gone) - MOST_MENTIONED:,} more"] if len(gone) > MOST_MENTIONED else []
    return f"Sold before: {', '.join([*named, *more])}." if named else ""


def _payout_table(payouts: Sequence[Sequence[int]], names: Mapping[int, str]) -> str:
    rows = ["| holder | paid out | had cost | result | fee |", "|---|---:|---:|---:|---:|"]
    return "\n".join([*rows, *(_payout_row(payout, names) for payout in payouts)])


def _forfeited(body: Body) -> str:
    """Silence about a dispute brought a VOID: what its bonds came to went to the other side."""
    mills = body.get("forfeited")
    return f" The bonds of the dispute, {format_mills(mills)}, went to the other side by units." if mills else ""


def _payout_row(payout: Sequence[int], names: Mapping[int, str]) -> str:
    user, paid, cost, fee = payout
    return (
        f"| {names.get(user, 'somebody')} | {format_mills(paid)} | {format_mills(cost)} "
        f"| {signed(paid - cost)} | {format_mills(fee)} |"
    )


def _why(body: Body, row: ContractRow, outcome: Outcome) -> str:
    ruling = body.get("ruling")
    if ruling is not None:
        price = _named_price(row, ruling["price"]) if ruling["price"] is not None else ""
        return f"So {name(ruling['by'])} has ruled{price}: {code(ruling['reason'], MAX_REASON)}."
    if outcome is Outcome.FIXED:
        return _close_words(body, row)
    if outcome is Outcome.UNFIXED:
        return _unfixed_words(body, row)
    what = "gets the void price" if row.terms.law == LAW_1 else "gets their money back as far as it goes"
    return f"{_void_reason(body, row)}: everybody {what}."


def _named_price(row: ContractRow, price: int) -> str:
    if row.terms.law == LAW_1:
        return f", at {format_price(price)} for FIXED"
    return f", counting a unit of FIXED as {format_price(price)}"


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
    return f"This is final.{could}{later}"
