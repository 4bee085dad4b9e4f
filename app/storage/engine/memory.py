"""Values remembered between transactions, each under the version that its row had when it was last committed.

A transaction takes a value out of the memory and puts it back after its commit, and never before: a value that a failed
transaction has changed is gone with it. Whoever takes one names the version that the locked row shows, and gets nothing
if it is not the remembered one: another process may have written meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

MOST_WEIGHT = 100_000
"""Offers and positions remembered in one process, some 50 MB of them."""


class Value(Protocol):
    """Something that is worth remembering."""

    @property
    def weight(self) -> int: ...

    def part(self) -> None:
        """Share nothing that may change with whoever worked on it until now."""


class Memory:
    """Values by key, the least recently used of which give way when all together weigh too much."""

    def __init__(self, most_weight: int = MOST_WEIGHT) -> None:
        self.most_weight = most_weight
        self.weight = 0
        self._values: OrderedDict[int, tuple[int, Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def take(self, key: int, version: int) -> Value | None:
        """Take the value of this version out. One of another version is of no use any more, and goes."""
        found = self._values.pop(key, None)
        if found is None:
            return None
        remembered, value, weight = found
        self.weight -= weight
        return value if remembered == version else None

    def keep(self, key: int, version: int, value: Value) -> None:
        """Put a value in, unless a later version of it came meanwhile."""
        known = self._values.get(key)
        if known is not None and known[0] > version:
            return
        self.take(key, version)
        weight = value.weight
        self._values[key] = version, value, weight
        self.weight += weight
        while self.weight > self.most_weight:
            _, (_, _, gone) = self._values.popitem(last=False)
            self.weight -= gone

    def clear(self) -> None:
        self._values.clear()
        self.weight = 0

    def shown(self) -> dict[int, tuple[int, Value]]:
        """Show what is remembered, as (version, value) by key."""
        return {key: (version, value) for key, (version, value, _) in self._values.items()}


class Loan:
    """Values that one transaction works with, out of the memory until it is committed.

    `committing`: its work is done, and the database was told to keep it.
    """

    def __init__(self, memory: Memory) -> None:
        self.committing = False
        self._memory = memory
        self._values: dict[int, tuple[int, Value]] = {}

    def take(self, key: int, version: int) -> Value | None:
        """The value of this version, which this transaction may have worked on before."""
        mine = self._values.pop(key, None)
        if mine is not None:
            return mine[1] if mine[0] == version else None
        return self._memory.take(key, version)

    def hold(self, key: int, version: int, value: Value) -> None:
        """Remember this after the commit; `version` is that of what the transaction has written so far."""
        self._values[key] = version, value

    def held(self, key: int) -> Value | None:
        found = self._values.get(key)
        return found[1] if found else None

    def drop(self, key: int) -> None:
        """Forget a value that may differ from what is stored."""
        self._values.pop(key, None)

    def drop_all(self) -> None:
        """Forget all of them: what the transaction wrote was taken back."""
        self._values.clear()

    def give_back(self) -> None:
        """The transaction is committed."""
        for key, (version, value) in self._values.items():
            value.part()
            self._memory.keep(key, version, value)
        self._values.clear()
