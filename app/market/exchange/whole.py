"""The places of all-or-none offers at rest: few on each side of a contract, and few of one user (docs/market.md §2)."""

from __future__ import annotations

from typing import Final

from app.market.exchange.book import Book
from app.market.exchange.offer import Offer

MAX_WHOLE: Final = 50
"""All-or-none bids at rest in one contract, and as many asks."""

MAX_WHOLE_OF_USER: Final = 5
"""All-or-none offers of one user at rest in one contract, bids and asks together."""


def worst(book: Book, bid: bool) -> Offer | None:
    """The one that has to go if a better one comes, of equals the youngest; None while its side has room."""
    there = [offer for offer in book.whole.values() if offer.bid == bid]
    if len(there) < MAX_WHOLE:
        return None
    return max(there, key=_badness)


def _badness(offer: Offer) -> tuple[int, int]:
    return -offer.fixed_price if offer.bid else offer.fixed_price, offer.rank


def beats(bid: bool, fixed_price: int, other: Offer) -> bool:
    """Tell if a newcomer with this limit takes the other's place: its price must be better; equal is not enough."""
    return fixed_price > other.fixed_price if bid else fixed_price < other.fixed_price


def many_of(book: Book, user: int) -> bool:
    """Tell if this user has as many at rest as one may."""
    return sum(offer.user == user for offer in book.whole.values()) >= MAX_WHOLE_OF_USER


def no_place(book: Book, bid: bool, fixed_price: int, user: int) -> bool:
    """Tell if this user may rest no more of them here."""
    if many_of(book, user):
        return True
    last = worst(book, bid)
    return last is not None and not beats(bid, fixed_price, last)


def displaced_by(book: Book, offer: Offer) -> Offer | None:
    """The one whose place an offer takes that comes to rest."""
    last = worst(book, offer.bid)
    return last if last is not None and beats(offer.bid, offer.fixed_price, last) else None
