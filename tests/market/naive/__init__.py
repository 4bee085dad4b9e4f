"""A naive market: the definition of right.

Written from docs/market.md alone, slow and without a clever thought: a book is a list that is searched from the front,
what may fail is tried on a copy, nothing is kept that can be counted again. It shares no code with the core. Sides and
kinds are plain words, prices of offers are of the side named, prices of fills are of FIXED, money is in mills.
"""

from tests.market.naive.market import Market
from tests.market.naive.things import Contract, Refused, Wanted, Wish

__all__ = ["Contract", "Market", "Refused", "Wanted", "Wish"]
