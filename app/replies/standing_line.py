"""The second line of a reply: where a user stands in the thread, in few words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.market.terms.money import format_mills
from app.replies.formats import side, where
from app.replies.unposted import page
from app.services.views.holdings import UserView

WIDTH = 90
"""Visible characters of the line; on a phone it wraps once."""

BETWEEN = " · "
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


def stands(user: UserView, numbers: Sequence[int], comment_id: int, public_url: str) -> str:
    """Position, offers, free money and the receipts of the commands, the details only where there is room for them.

    The receipts link to the page of the comment's answers, if there are pages.
    """
    named = receipts(numbers)
    receipt = f"[{named}]({page(public_url, comment_id)})" if public_url else named
    lines = [BETWEEN.join([*parts, receipt]) for parts in _candidates(user)]
    return next((line for line in lines if visible(line) <= WIDTH), lines[-1])


def visible(line: str) -> int:
    """Characters of a line of Markdown that a reader sees."""
    return len(_LINK.sub(r"\1", line).replace("**", "").replace("`", ""))


def _candidates(user: UserView) -> Iterator[list[str]]:
    """From all details to the least that is said."""
    free = f"{format_mills(user.balance.free_mills)} free"
    who = f"**{user.login}**{' (insider)' if user.insider and user.positions else ''}"
    for held in _held(user):
        yield [who, *held, *_offers(user), free]
    yield [who, *_count(len(user.positions), "position"), free]
    yield [who, free]
    yield [f"**{user.login[:30]}…**", free]


def _held(user: UserView) -> Iterator[list[str]]:
    """The one position in words, or how many there are; and what a VOID would pay."""
    if not user.positions:
        yield []
        return
    void_mills = sum(user.void_mills.get((contract, which), 0) for contract, which, _ in user.positions)
    if_void = f" ({format_mills(void_mills)} if void)" if user.void_mills else ""
    if len(user.positions) == 1:
        ((contract, which, position),) = user.positions
        row = user.rows[contract]
        units = f"{position.units:,} {side(row, which)}"
        yield [f"{units} {where(row)}{if_void}"]
        yield [f"{units}{if_void}"]
        yield [units]
    else:
        (count,) = _count(len(user.positions), "position")
        yield [f"{count}{if_void}"]
        yield [count]


def _offers(user: UserView) -> list[str]:
    return _count(len(user.offers), "open offer")


def _count(count: int, word: str) -> list[str]:
    return [f"{count:,} {word}{'' if count == 1 else 's'}"] if count else []


def receipts(numbers: Sequence[int]) -> str:
    """`r17`; of several commands `r17 to r19`."""
    first, last = min(numbers), max(numbers)
    return f"r{first}" if first == last else f"r{first} to r{last}"
