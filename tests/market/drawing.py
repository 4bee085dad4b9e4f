"""Books drawn as text, and a scene to play them in: contracts of the core and the purses of those who trade.

`ann bid 7 @ 700` buys FIXED, `bob ask 5 @ 650` buys UNFIXED at 350; both prices are of FIXED. `carol sell fixed 5
@ 400` and `dave buy unfixed 5 @ 600` say it in the words of the law, with the price of the side named. Any of them
may go on with `until 2000`, `now-or-never`, `all-or-none`, `post-only`, `pool` or `cancel-on-halt`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable

from app.market.exchange.arrival import MAX_LIVE_OFFERS_OF_USER
from app.market.exchange.offer import Action, NewOffer, Offer
from app.market.exchange.state import Changes, ContractState, Market
from app.market.ledger.journal import Kind
from app.market.terms.contract import UNIT_MILLS, Side, Terms
from tests.market.venue import CONTRACT, CURRENCY, Venue

FIXED, UNFIXED = Side.FIXED, Side.UNFIXED
PURSE_MILLS = 10_000_000
MATURATION_AT = 10_000_000
NOW = 1_000
NAMES = ("ann", "bob", "carol", "dave", "eve", "fay", "adam", "beth", "charles", "bobby", "crowd")
IDS = {name: number for number, name in enumerate(NAMES, start=1)}
NAME_OF = {number: name for name, number in IDS.items()}

LINE = re.compile(
    r"(?P<who>\w+) (?:(?P<stance>bid|ask)|(?P<action>buy|sell) (?P<side>fixed|unfixed)) (?P<volume>\d+)"
    r" @ (?P<price>\d+)(?: until (?P<until>\d+))?"
    r"(?P<conditions>(?: (?:now-or-never|all-or-none|post-only|pool|cancel-on-halt))*)"
)
HOLDING = re.compile(r"(?P<who>\w+) (?P<volume>\d+) (?P<side>fixed|unfixed) @ (?P<price>\d+)(?P<pool> pool)?")


def terms(fee_bps: int = 0, law: str = "2") -> Terms:
    return Terms(CURRENCY, fee_bps, 86_400, "unfixed", "unfixed", "disclose", law)


def offer(line: str) -> tuple[int, NewOffer]:
    """The user and the offer that a drawn line means."""
    found = LINE.fullmatch(line)
    assert found, f"not an offer: {line}"
    price = int(found["price"])
    if found["stance"]:
        action, side = Action.BUY, FIXED if found["stance"] == "bid" else UNFIXED
        price = price if side is FIXED else UNIT_MILLS - price
    else:
        action, side = Action(found["action"].upper()), Side(found["side"].upper())
    until = int(found["until"]) if found["until"] else None
    flags = {word.replace("-", "_"): True for word in found["conditions"].split()}
    return IDS[found["who"]], NewOffer(action, side, int(found["volume"]), price, until, **flags)


class Scene(Venue):
    """A venue that knows people by name and reads lines."""

    def add(self, line: str, contract: int = CONTRACT) -> Changes:
        user, new = offer(line)
        return self.place(user, new, contract)

    def spread(self, line: str, contracts: Iterable[int]) -> Changes:
        """Let an offer arrive in a range of contracts."""
        user, new = offer(line)
        return self.place_range(user, new, sorted(contracts))

    def free(self, name: str) -> int:
        return self.mills(Kind.FREE, IDS[name])

    def reserve(self, name: str) -> int:
        return self.mills(Kind.RESERVE, IDS[name])

    def left(self, name: str) -> int:
        """What is left of somebody's pool."""
        pool = self.market.pools.get(IDS[name])
        return pool.left_mills if pool else 0

    @property
    def escrow(self) -> int:
        return self.mills(Kind.ESCROW, CONTRACT)

    @property
    def fees(self) -> int:
        return self.mills(Kind.FEES)

    def units(self, name: str, side: Side, contract: int = CONTRACT) -> tuple[int, int]:
        """Free and reserved units, as the journal has them."""
        return self.units_of(contract, IDS[name], side)

    def cost(self, name: str, side: Side, contract: int = CONTRACT) -> int:
        return self.market.contracts[contract].position(IDS[name], side).cost_mills


def scene(
    fee_bps: int = 0,
    purse_mills: int = PURSE_MILLS,
    maturations: Iterable[tuple[int, int]] = ((CONTRACT, MATURATION_AT),),
    law: str = "2",
) -> Scene:
    """Empty books and full purses. `maturations`: (contract, instant) of each contract."""
    market = Market()
    for contract, at in maturations:
        market.add(ContractState(contract, terms(fee_bps, law), at))
    made = Scene(market, NOW)
    for user in NAME_OF:
        made.grant(user, purse_mills)
    return made


def book(*lines: str, holding: Iterable[str] = (), fee_bps: int = 0, law: str = "2") -> Scene:
    """These offers, oldest first. A holding `bob 5 fixed @ 200` is bought of the crowd before them."""
    drawn = scene(fee_bps, law=law)
    for line in holding:
        give(drawn, line)
    for line in lines:
        drawn.add(line)
    return drawn


def give(drawn: Scene, line: str, contract: int = CONTRACT) -> None:
    """Let somebody hold units, as `bob 5 fixed @ 200` says; nobody else's offer may be in reach."""
    found = HOLDING.fullmatch(line)
    assert found, f"not a holding: {line}"
    side, volume, price = Side(found["side"].upper()), int(found["volume"]), int(found["price"])
    other = NewOffer(Action.BUY, side.other, max(volume, 5), UNIT_MILLS - price)
    drawn.place(IDS["crowd"], other, contract)
    standing = drawn.numbers
    drawn.place(IDS[found["who"]], NewOffer(Action.BUY, side, volume, price, pool=bool(found["pool"])), contract)
    if drawn.market.find(standing):
        drawn.cancel(IDS["crowd"], standing)


def crowded(count: int, made: Scene | None = None) -> Scene:
    """`count` asks of 5 units at 500, of as many users as it takes."""
    made = made or scene()
    for number in range(count):
        user = 1_000 + number // MAX_LIVE_OFFERS_OF_USER
        if number % MAX_LIVE_OFFERS_OF_USER == 0:
            made.grant(user, 10**6)
        made.place(user, NewOffer(Action.BUY, UNFIXED, 5, 500))
    return made


def match(before: Scene, arriving: tuple[int, NewOffer]) -> tuple[Changes, Scene]:
    """What an offer does to a book, which itself stays as drawn."""
    after = copy.deepcopy(before)
    return after.place(*arriving), after


def trades(changes: Changes) -> list[tuple[str, int, int]]:
    """Fills as (whom the newcomer met, volume, FIXED price)."""
    return [
        (NAME_OF[fill.seller if fill.newcomer == fill.bid else fill.buyer], fill.volume, fill.price)
        for fill in changes.fills
    ]


def kinds(changes: Changes) -> list[str]:
    return [fill.kind.value for fill in changes.fills]


def drawing(drawn: Scene, contract: int = CONTRACT) -> list[str]:
    """The live offers: asks from the cheapest, then bids from the highest; prices of FIXED."""
    standing = drawn.market.contracts[contract].book
    return [_line(found) for half in (standing.asks, standing.bids) for found in half.all()]


def suspended(drawn: Scene) -> list[int]:
    """The numbers of the suspended offers."""
    return sorted(number for state in drawn.market.contracts.values() for number in state.book.suspended)


def _line(standing: Offer) -> str:
    stance = "bid" if standing.bid else "ask"
    return f"{NAME_OF.get(standing.user, standing.user)} {stance} {standing.remaining} @ {standing.fixed_price}"


def earned(before: Scene, after: Scene, name: str) -> int:
    """By how much somebody's money, free and reserved, has grown."""
    return after.free(name) + after.reserve(name) - before.free(name) - before.reserve(name)
