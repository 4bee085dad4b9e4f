"""Writes what forge's tests hold the escrow to: VOID pay-outs by the market core, hashes of what wallets sign.

    python -m scripts.escrow_vectors [void | eip712]

`void` needs the market core alone; `eip712` needs eth-account in the environment, which nothing else here does.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.market.exchange.voiding import Stake, void_payouts
from app.market.terms.contract import UNIT_MILLS, Terms

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "contracts" / "vectors"
CASES = 400
SEED = 20_261_130
SCALE = 10**12
TERMS = Terms("play", 0, 86_400, "UNFIXED", "UNFIXED", "forbid", "2")


class Players:
    """Random trades of a few users in one contract, as lines of the escrow: user, cash, FIXED, UNFIXED."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.users = source.randint(2, 7)
        self.lines: list[tuple[int, int, int, int]] = []
        self.units = {user: [0, 0] for user in range(self.users)}
        self.paid = dict.fromkeys(range(self.users), 0)

    def line(self, user: int, cash: int, fixed: int, unfixed: int) -> None:
        self.lines.append((user, cash, fixed, unfixed))
        self.units[user][0] += fixed
        self.units[user][1] += unfixed
        self.paid[user] -= cash

    def trade(self) -> None:
        """A mint of new units, a sale of some that somebody holds, or a pair that is redeemed."""
        yes, no = self.source.sample(range(self.users), 2)
        price, units = self.source.randint(1, 999), self.source.choice((1, 2, 3, 7, 50, 1_000, 33_333))
        side = self.source.randint(0, 1)
        held = min(units, self.units[yes][side])
        if held and self.source.random() < 0.6:
            value = held * (price if side == 0 else UNIT_MILLS - price)
            change = (held, 0) if side == 0 else (0, held)
            self.line(yes, value, -change[0], -change[1])
            self.line(no, -value, *change)
        else:
            self.line(yes, -units * price, units, 0)
            self.line(no, -units * (UNIT_MILLS - price), 0, units)
        if self.source.random() < 0.3:
            self.net(self.source.randrange(self.users))

    def net(self, user: int) -> None:
        pairs = min(self.units[user])
        if pairs:
            self.line(user, UNIT_MILLS * pairs, -pairs, -pairs)

    def stakes(self) -> dict[int, Stake]:
        return {user: Stake(self.units[user][0], self.units[user][1], self.paid[user]) for user in range(self.users)}


def floored(stakes: Mapping[int, Stake], payouts: Mapping[int, int]) -> tuple[dict[int, int], int]:
    """Each pay-out without its odd mill, and the dust: the sum of those mills.

    Who has an odd mill is found by the market core alone: with the same stakes many times over the same share has more
    digits, and its whole part is the floor.
    """
    scaled = {
        user: Stake(stake.fixed * SCALE, stake.unfixed * SCALE, stake.net_paid_mills * SCALE)
        for user, stake in stakes.items()
    }
    fine = void_payouts(TERMS, scaled)
    found = {user: min(mills, fine[user] // SCALE) for user, mills in payouts.items()}
    return found, sum(payouts.values()) - sum(found.values())


def void_case(seed: int) -> dict[str, Any]:
    players = Players(random.Random(seed))  # noqa: S311 - stories, no secrets
    for _ in range(players.source.randint(1, 12)):
        players.trade()
    stakes = players.stakes()
    payouts = void_payouts(TERMS, stakes)
    whole, dust = floored(stakes, payouts)
    holders = range(players.users)
    return {
        "lines": [number for line in players.lines for number in line],
        "journal": [payouts.get(user, 0) for user in holders],
        "floored": [whole.get(user, 0) for user in holders],
        "dust": dust,
    }


def write(name: str, found: Any) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text(json.dumps(found, separators=(",", ":")).replace('},{"', '},\n{"') + "\n")
    print(f"vectors: {name} written")


def void() -> None:
    cases = [void_case(SEED + number) for number in range(CASES)]
    write("void.json", {"cases": cases, "count": len(cases)})


def eip712() -> None:
    account = importlib.import_module("eth_account.messages")
    keccak = importlib.import_module("eth_utils").keccak
    message: dict[str, Any] = {
        "account": "0x1111111111111111111111111111111111111111",
        "to": "0x2222222222222222222222222222222222222222",
        "mills": 123_456_789,
        "nonce": str(2**200 + 7),
        "deadline": 1_800_000_600,
    }
    names = {"account": "address", "to": "address", "mills": "uint64", "nonce": "uint256", "deadline": "uint256"}
    types = {"ExitNow": [{"name": name, "type": kind} for name, kind in names.items()]}
    chain, escrow = 84_532, "0x3333333333333333333333333333333333333333"
    domain = {"name": "BugMarkEscrow", "version": "1", "chainId": chain, "verifyingContract": escrow}
    signable = account.encode_typed_data(domain, types, message | {"nonce": int(message["nonce"])})
    whole = keccak(b"\x19" + signable.version + signable.header + signable.body)
    hashes = {"hash": f"0x{whole.hex()}", "domain": f"0x{signable.header.hex()}"}
    write("eip712.json", {"chainId": chain, "escrow": escrow, **message, **hashes})


if __name__ == "__main__":
    for asked in sys.argv[1:] or ["void"]:
        {"void": void, "eip712": eip712}[asked]()
