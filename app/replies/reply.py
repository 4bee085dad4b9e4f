"""The bot's replies in Markdown: what commands did, then where the user stands. Two lines for one command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.market.exchange.offer import Offer, OfferState
from app.market.terms.instants import command_date
from app.market.terms.money import format_mills, format_price
from app.replies.formats import folded, side, where
from app.services.accounts.accounts import Balance
from app.services.views.holdings import UserView
from app.storage.market.contracts import ContractRow
from app.storage.queues.commands import CommandRecord
from app.storage.queues.told import Batch, shown

MAX_BODY = 65_536
SPARE = 400
"""Left for the marker and for the words that say that something is left out."""

MOST_COMMANDS = 20
"""A comment may hold thousands; running them all would keep everybody else waiting."""

MOST_LINES = 12
"""Visible lines of a reply to many commands at once."""

FOOTER = "<sub>BugMark trades contracts on whether issues get fixed, in play tokens · `/bugmark help`</sub>"
QUOTED = (
    "From the line that begins with my name on, your comment is read as a quotation: no command below that line ran. "
    "Write yours above it, or in a comment of its own."
)
MOST_LISTED = 5
_RULE = re.compile(r"\|(?: ?:?-+:? ?\|)+")
_FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)


def marker(key: str) -> str:
    """The hidden first line by which the bot finds its own comment again."""
    return f"<!-- bugmark:{key} -->"


@dataclass(frozen=True, slots=True)
class Below:
    """Beside the newest answers: the user's standing now, and the money that the account was opened with."""

    standing: str = ""
    granted_mills: int = 0


NOTHING_BELOW = Below()


def reply(batches: Sequence[Batch], below: Below = NOTHING_BELOW, left_out: int = 0, quoted: bool = False) -> str:
    """The reply that answers one person's comments: the newest answers, then where the user stands; older ones fold.

    `quoted`: the newest comment quotes one of ours, with a command in it that was not there.
    """
    newest, *earlier = batches
    answers = drawn(newest.records, below.granted_mills)
    notes = [f"😕 {QUOTED}"] if quoted else []
    notes += [below.standing] if below.standing else []
    if left_out:
        notes.insert(0, f"😕 A comment runs at most {MOST_COMMANDS} commands; {left_out:,} more were left out.")
    older = _older([text for batch in earlier for text in drawn(batch.records)])
    room = MOST_LINES - len(notes) - bool(older)
    for parts in (_fitted(answers, room), [_first(answer) for answer in answers]):
        body = "\n\n".join(filter(None, [*parts, *notes, older]))
        if len(body) <= MAX_BODY - SPARE:
            return body
    return bounded("\n\n".join(filter(None, [*map(_first, answers), *notes])), older)


def _older(answers: Sequence[str]) -> str:
    count = len(answers)
    return folded(f"{count} earlier answer{'' if count == 1 else 's'}", "\n\n".join(answers))


def drawn(records: Sequence[CommandRecord], granted_mills: int = 0) -> list[str]:
    """A paragraph for each command; the last that was done says what the account was opened with."""
    said = [shown(record.done, record.answer) for record in records]
    if granted_mills:
        last = max(at for at, record in enumerate(records) if record.done)
        first, blank, rest = said[last].partition("\n\n")
        opened = f"Your account was opened with {format_mills(granted_mills)} play tokens."
        said[last] = f"{first} {opened}{blank}{rest}"
    return said


def _fitted(answers: Sequence[str], room: int) -> list[str]:
    """The answers in at most so many visible lines: tables fold first, then whole answers from the end."""
    shown = list(answers)
    if sum(visible_lines(answer) for answer in shown) > room:
        shown = [_folded_answer(answer) for answer in shown]
    kept = len(shown)
    while kept > 1 and sum(visible_lines(answer) for answer in shown[:kept]) + (kept < len(shown)) > room:
        kept -= 1
    if kept == len(shown):
        return shown
    done = sum(answer.startswith("🚀") for answer in shown[kept:])
    rest = f"{len(shown) - kept} more answers: {done} done, {len(shown) - kept - done} refused"
    return [*shown[:kept], folded(rest, "\n\n".join(shown[kept:]))]


def visible_lines(text: str) -> int:
    """Lines that a reader sees before unfolding anything; long ones may wrap."""
    lines = _FOLDED.sub("folded", text).splitlines()
    return sum(1 for line in lines if line.strip() and not line.startswith("```") and not _RULE.fullmatch(line))


def _first(answer: str) -> str:
    return answer.partition("\n\n")[0]


def _folded_answer(answer: str) -> str:
    """The first paragraph of an answer, with the rest at a click."""
    first, _, rest = answer.partition("\n\n")
    return f"{first}\n\n{folded('The rest of this answer', rest)}" if visible_lines(rest) > 1 else answer


def balance_words(user: UserView) -> str:
    """A user's money in a sentence."""
    own = _balance_words(user.balance, f"in the repositories of {user.owner_login}")
    return " ".join(
        [own, *(_balance_words(found, f"of {owner}, in which contracts here trade") for owner, found in user.older)]
    )


def _balance_words(found: Balance, where_good: str) -> str:
    total = format_mills(found.free_mills + found.reserve_mills)
    return (
        f"You have {total} play tokens {where_good}: {format_mills(found.free_mills)} free, "
        f"{format_mills(found.reserve_mills)} held for your open offers."
    )


def standing(user: UserView, with_money: bool = True) -> str:
    """One line: positions and open offers of a user in this thread, and the user's money."""
    held = [
        f"{position.units:,} {side(user.rows[contract], which)} {where(user.rows[contract])} "
        f"(cost {format_mills(position.cost_mills)}{_void_now(user.void_mills.get((contract, which)))})"
        for contract, which, position in user.positions
    ]
    waiting = [_waiting(user.rows[contract], offer) for contract, offer in user.offers]
    money = "; ".join([_money(user.balance), *(f"of {owner}: {_money(found)}" for owner, found in user.older)])
    marked = " (insider)" if user.insider and user.positions else ""
    line = f"{name(user.login)}{marked} here · positions: {some(held)} · open offers: {some(waiting)}"
    return f"{line} · tokens: {money}" if with_money else line


def _void_now(mills: int | None) -> str:
    return "" if mills is None else f", a VOID now would pay {format_mills(mills)}"


def _money(found: Balance) -> str:
    held = f", {format_mills(found.reserve_mills)} held for offers" if found.reserve_mills else ""
    return f"{format_mills(found.free_mills)} free{held}"


def _waiting(row: ContractRow, offer: Offer) -> str:
    """An offer with its own end, if that is not the contract's."""
    until = "" if offer.until_at == row.maturation_at else f" until {command_date(offer.until_at)}"
    suspended = " (suspended)" if offer.state is OfferState.SUSPENDED else ""
    return (
        f"o{offer.number} {offer.action.value.lower()} {offer.remaining:,} {side(row, offer.side)} "
        f"at {format_price(offer.price)} {where(row)}{until}{suspended}"
    )


def some(items: Sequence[str]) -> str:
    """The first few of a list, and how many more there are."""
    more = [f"and {len(items) - MOST_LISTED} more"] if len(items) > MOST_LISTED else []
    return "; ".join([*items[:MOST_LISTED], *more]) or "none"


def bounded(body: str, details: str) -> str:
    """The body with its details, without them if the comment would be too long, cut as a last resort."""
    whole = f"{body}\n\n{details}" if details else body
    if len(whole) <= MAX_BODY - SPARE:
        return whole
    return body if len(body) <= MAX_BODY - SPARE else _cut(body)


def _cut(body: str) -> str:
    """Up to the end of a line, with every folded block closed."""
    kept = body[: MAX_BODY - SPARE]
    kept = kept[: kept.rfind("\n")]
    fence = "\n```" if kept.count("```") % 2 else ""
    closing = "\n\n</details>" * (kept.count("<details>") - kept.count("</details>"))
    return f"{kept}{fence}{closing}\n\n(The rest is left out: a comment can be no longer.)"


def name(login: str) -> str:
    """A user's name that is no mention."""
    return f"**{login}**"
