"""Books drawn as text, and a scene to play them in: one contract of the core and the purses of those who trade.

`ann bid 7 @ 700` buys FIXED, `bob ask 5 @ 650` buys UNFIXED at 350; both prices are of FIXED. `carol sell fixed 5
@ 400` and `dave buy unfixed 5 @ 600` say it in the words of the law, with the price of the side named. Any of them
may end in `until 2000` or `now-or-never`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field

from app.market.contract import UNIT_MILLS, Outcome, Side, Terms
from app.market.fill import Amendment, Fill
from app.market.journal import AccountKey, Entry, Kind, Posting, unit_currency
from app.market.matching import cancel, expire, place
from app.market.offer import Action, NewOffer, Offer
from app.market.position import Position
from app.market.settlement import Payout, VoidPrice, halt, resume, settle
from app.market.state import Changes, ContractState

FIXED, UNFIXED = Side.FIXED, Side.UNFIXED
CURRENCY = "play:1"
CONTRACT = 3
PURSE_MILLS = 10_000_000
MATURATION_AT = 10_000_000
NOW = 1_000
NAMES = ("ann", "bob", "carol", "dave", "eve", "fay", "adam", "beth", "charles", "bobby", "crowd")
IDS = {name: number for number, name in enumerate(NAMES, start=1)}
NAME_OF = {number: name for name, number in IDS.items()}

LINE = re.compile(
    r"(?P<who>\w+) (?:(?P<stance>bid|ask)|(?P<action>buy|sell) (?P<side>fixed|unfixed)) (?P<volume>\d+)"
    r" @ (?P<price>\d+)(?: until (?P<until>\d+))?(?P<instant> now-or-never)?"
)
HOLDING = re.compile(r"(?P<who>\w+) (?P<volume>\d+) (?P<side>fixed|unfixed) @ (?P<price>\d+)")


def terms(fee_bps: int = 0) -> Terms:
    return Terms(CURRENCY, fee_bps, 86_400, "unfixed", "unfixed", "disclose", "1")


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
    return IDS[found["who"]], NewOffer(action, side, int(found["volume"]), price, until, bool(found["instant"]))


@dataclass
class Scene:
    """A contract, what a store that is told its changes holds, and a clock that the test moves."""

    state: ContractState
    now: int = NOW
    numbers: int = 0
    balances: dict[AccountKey, int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    offers: dict[int, Offer] = field(default_factory=dict)
    positions: dict[tuple[int, Side], Position] = field(default_factory=dict)

    def post(self, entries: Iterable[Entry]) -> None:
        for item in entries:
            self.entries.append(item)
            for kind, owner, currency, amount in item.postings:
                key = AccountKey(kind, owner, currency)
                self.balances[key] = self.balances.get(key, 0) + amount

    def grant(self, user: int, mills: int) -> None:
        purse = Posting(Kind.FREE, user, CURRENCY, mills)
        issuance = Posting(Kind.ISSUANCE, 0, CURRENCY, -mills)
        self.post([Entry(f"grant:{user}", "grant", self.now, (purse, issuance))])

    def place(self, user: int, new: NewOffer) -> Changes:
        """Let an offer arrive; a refused one leaves no number behind."""
        self.expire()
        number = self.numbers + 1
        free = self.balances.get(AccountKey(Kind.FREE, user, CURRENCY), 0)
        changes = place(
            self.state,
            new,
            number=number,
            user=user,
            free_mills=free,
            cause=f"command:{number}",
            now=self.now,
        )
        self.numbers = number
        return self._done(changes)

    def add(self, line: str) -> Changes:
        return self.place(*offer(line))

    def cancel(self, user: int, number: int) -> Changes:
        self.expire()
        return self._done(cancel(self.state, number, user=user, cause="command", now=self.now))

    def expire(self) -> Changes:
        return self._done(expire(self.state, self.now))

    def halt(self) -> Changes:
        return self._done(halt(self.state, "halt", self.now))

    def resume(self) -> Changes:
        return self._done(resume(self.state, "resume", self.now))

    def settle(self, outcome: Outcome, void: VoidPrice | None = None) -> tuple[Changes, list[Payout]]:
        changes, payouts = settle(self.state, outcome, "settlement", self.now, void)
        return self._done(changes), payouts

    def _done(self, changes: Changes) -> Changes:
        """Store what the changes name, as it is now, and nothing else."""
        self.post(changes.entries)
        self.fills += changes.fills
        self.amendments += changes.amendments
        self.offers |= {number: copy.copy(changed) for number, changed in changes.offers.items()}
        self.positions |= {key: copy.copy(self.state.positions[key]) for key in changes.positions}
        return changes

    def picture(self) -> tuple[object, ...]:
        """Everything there is to see of the contract and the purses, to compare before and after."""
        state = self.state
        book = state.book
        levels = [(price, list(level)) for half in (book.bids, book.asks) for price, level in half.levels.items()]
        return (
            (state.status, state.open_interest, state.minted_mills, state.amendment),
            {number: astuple(standing) for number, standing in book.offers.items()},
            (levels, book.bids.best, book.asks.best),
            {key: astuple(position) for key, position in state.positions.items()},
            dict(self.balances),
            len(self.entries),
        )

    def mills(self, kind: Kind, owner: int = 0) -> int:
        return self.balances.get(AccountKey(kind, owner, CURRENCY), 0)

    def free(self, name: str) -> int:
        return self.mills(Kind.FREE, IDS[name])

    def reserve(self, name: str) -> int:
        return self.mills(Kind.RESERVE, IDS[name])

    @property
    def escrow(self) -> int:
        return self.mills(Kind.ESCROW, CONTRACT)

    @property
    def fees(self) -> int:
        return self.mills(Kind.FEES)

    def units(self, name: str, side: Side) -> tuple[int, int]:
        """Free and reserved units, as the journal has them."""
        currency = unit_currency(CONTRACT, side)
        free = self.balances.get(AccountKey(Kind.UNITS_FREE, IDS[name], currency), 0)
        return free, self.balances.get(AccountKey(Kind.UNITS_RESERVED, IDS[name], currency), 0)

    def cost(self, name: str, side: Side) -> int:
        return self.state.position(IDS[name], side).cost_mills


def scene(fee_bps: int = 0, purse_mills: int = PURSE_MILLS) -> Scene:
    """An empty book and full purses."""
    made = Scene(ContractState(CONTRACT, terms(fee_bps), MATURATION_AT))
    for user in NAME_OF:
        made.grant(user, purse_mills)
    return made


def book(*lines: str, holding: Iterable[str] = (), fee_bps: int = 0) -> Scene:
    """These offers, oldest first. A holding `bob 5 fixed @ 200` is bought of the crowd before them."""
    drawn = scene(fee_bps)
    for line in holding:
        give(drawn, line)
    for line in lines:
        drawn.add(line)
    return drawn


def give(drawn: Scene, line: str) -> None:
    """Let somebody hold units, as `bob 5 fixed @ 200` says; nobody else's offer may be in reach."""
    found = HOLDING.fullmatch(line)
    assert found, f"not a holding: {line}"
    side, volume, price = Side(found["side"].upper()), int(found["volume"]), int(found["price"])
    other = NewOffer(Action.BUY, side.other, max(volume, 5), UNIT_MILLS - price)
    drawn.place(IDS["crowd"], other)
    standing = drawn.numbers
    drawn.place(IDS[found["who"]], NewOffer(Action.BUY, side, volume, price))
    if standing in drawn.state.book.offers:
        drawn.cancel(IDS["crowd"], standing)


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


def drawing(drawn: Scene) -> list[str]:
    """The live offers: asks from the cheapest, then bids from the highest; prices of FIXED."""
    both = (drawn.state.book.asks, drawn.state.book.bids)
    return [_line(standing) for half in both for standing in half.all()]


def _line(standing: Offer) -> str:
    stance = "bid" if standing.bid else "ask"
    return f"{NAME_OF.get(standing.user, standing.user)} {stance} {standing.remaining} @ {standing.fixed_price}"


def earned(before: Scene, after: Scene, name: str) -> int:
    """By how much somebody's money, free and reserved, has grown."""
    return after.free(name) + after.reserve(name) - before.free(name) - before.reserve(name)
