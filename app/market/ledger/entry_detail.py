"""Detail of a command's last journal entry: every row as the command left it (docs/market.md §4).

A detail is a JSON list of rows as they stand after the command, each headed by the name of its kind. The last row told
of a thing is how it stands, so the journal alone tells every row of the market, and its seals close over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.market.exchange.fill import Amendment, Fill
from app.market.exchange.offer import Offer
from app.market.exchange.position import Position
from app.market.terms.contract import Outcome, Side, Status, canonical

Value = int | str | None
"""Flags are true and false in the text; they compare as 1 and 0."""

Row = list[Value]


class RowKind:
    """One kind of row: the table it is stored in and its columns as they are told; the first `keys` name the row."""

    def __init__(self, table: str, keys: int, columns: str) -> None:
        self.table = table
        self.keys = keys
        self.columns = tuple(columns.split())


KINDS = {
    "offer": RowKind(
        "offers",
        1,
        """id contract_id user_id action side price volume until_at now_or_never all_or_none post_only cancel_on_halt
        pooled rank units_left cash_left filled cancelled state created_at""",
    ),
    "position": RowKind("positions", 3, "contract_id user_id side free reserved cost_mills pool_units"),
    "fill": RowKind("fills", 2, "contract_id amendment bid ask buyer seller newcomer volume price kind at"),
    "amendment": RowKind("amendments", 2, "contract_id number kind open_interest minted_mills at"),
    "contract": RowKind(
        "contracts",
        1,
        "id status outcome open_interest minted_mills amendment maturation_at round terms_hash statement_hash",
    ),
    "net_paid": RowKind("net_paid", 2, "contract_id user_id mills"),
    "pool": RowKind("pools", 2, "user_id currency left_mills"),
    "made": RowKind("contracts", 1, "id issue_id created_at"),
    "grant": RowKind("grants", 2, "user_id currency untraded_mills"),
    "joiner": RowKind("joiners", 2, "dispute_id user_id bond_mills reason_hash at"),
}
"""Every kind of row by its name. Instants in seconds; amounts and prices in mills."""


def offer_row(offer: Offer, created_at: int) -> Row:
    """`created_at`: the instant of the command that made the offer, not of this one."""
    return [
        "offer",
        offer.number,
        offer.contract,
        offer.user,
        offer.action,
        offer.side,
        offer.price,
        offer.volume,
        offer.until_at,
        offer.now_or_never,
        offer.all_or_none,
        offer.post_only,
        offer.cancel_on_halt,
        offer.pooled,
        offer.rank,
        offer.units_left,
        offer.cash_left,
        offer.filled,
        offer.cancelled,
        offer.state,
        created_at,
    ]


def position_row(contract: int, user: int, side: Side, held: Position) -> Row:
    return ["position", contract, user, side, held.free, held.reserved, held.cost_mills, held.pool_units]


def net_paid_row(contract: int, user: int, mills: int) -> Row:
    return ["net_paid", contract, user, mills]


def fill_row(fill: Fill, at: int) -> Row:
    return [
        "fill",
        fill.contract,
        fill.amendment,
        fill.bid,
        fill.ask,
        fill.buyer,
        fill.seller,
        fill.newcomer,
        fill.volume,
        fill.price,
        fill.kind,
        at,
    ]


def amendment_row(amendment: Amendment, at: int) -> Row:
    return [
        "amendment",
        amendment.contract,
        amendment.number,
        amendment.kind,
        amendment.open_interest,
        amendment.minted_mills,
        at,
    ]


def contract_row(
    contract: int,
    status: Status,
    outcome: Outcome | None,
    *,
    open_interest: int,
    minted_mills: int,
    amendment: int,
    maturation_at: int,
    round_number: int,
    terms_hash: str,
    statement_hash: str,
) -> Row:
    """`amendment`: the number of the last one."""
    return [
        "contract",
        contract,
        status,
        outcome,
        open_interest,
        minted_mills,
        amendment,
        maturation_at,
        round_number,
        terms_hash,
        statement_hash,
    ]


def pool_row(user: int, currency: str, left_mills: int) -> Row:
    return ["pool", user, currency, left_mills]


def made_row(contract: int, issue: int, created_at: int) -> Row:
    """`issue`: where the contract lives; one that is transferred takes it along."""
    return ["made", contract, issue, created_at]


def grant_row(user: int, currency: str, untraded_mills: int) -> Row:
    return ["grant", user, currency, untraded_mills]


def joiner_row(dispute: int, user: int, bond_mills: int, reason_hash: str, at: int) -> Row:
    """A reason is free text, and a detail tells none: its hash stands for it."""
    return ["joiner", dispute, user, bond_mills, reason_hash, at]


def detail_text(rows: Iterable[Row]) -> str:
    """The rows as an entry carries them; "" if there are none."""
    told = list(rows)
    return canonical(told) if told else ""


Key = tuple[int | str, ...]
Told = tuple[str, Key, str]
"""The kind of a row, its key, and what is told of it: JSON without its brackets. Names in a key are quoted."""


def read_detail(text: str) -> list[Told]:
    """The rows of a detail, not parsed further than their keys. Raises ValueError where it is not one."""
    if not text.startswith('[["') or not text.endswith("]]"):
        raise ValueError("this is no list of rows")
    told: list[Told] = []
    for text_of_row in text[2:-2].split("],["):
        kind, _, row = text_of_row.partition(",")
        name, keys, worded = _HEADS.get(kind, _UNKNOWN)
        words = row.split(",", keys)
        if len(words) <= keys:
            raise ValueError("this is no row of a detail")
        if worded:
            told.append((name, (*map(int, words[: keys - 1]), words[keys - 1]), row))
        elif keys == 1:
            told.append((name, (int(words[0]),), row))
        else:
            told.append((name, (int(words[0]), int(words[1])), row))
    return told


_WORDED = frozenset({"position", "pool", "grant"})
_HEADS = {f'"{name}"': (name, kind.keys, name in _WORDED) for name, kind in KINDS.items()}
_UNKNOWN = ("", 10**9, False)
"""By how a row begins: its kind, how many columns name it, and whether the last of them is a word."""
