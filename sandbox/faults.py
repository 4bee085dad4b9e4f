"""Faults on demand: deliveries lost, repeated, late or out of order; answers late, broken or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sandbox.chance import Chance

FAULT_BODY = b'{"message": "A fault of the sandbox", "documentation_url": "https://docs.github.com/rest"}'
DELIVERY_KINDS = ("lose", "repeat", "delay", "reorder")
ENDPOINT_KINDS = ("timeout", "reset", "truncate", "status")


@dataclass
class DeliveryFault:
    """Strikes the next `times` deliveries, or each with `probability` while `times` is None."""

    kind: str
    times: int | None = None
    probability: float = 0.0
    delay_seconds: float = 0.0


@dataclass(frozen=True)
class Fate:
    lost: bool = False
    times: int = 1
    delay_seconds: float = 0.0


@dataclass
class DeliveryFaults:
    chance: Chance
    planned: list[DeliveryFault] = field(default_factory=list)

    def struck(self, kind: str) -> DeliveryFault | None:
        for fault in [fault for fault in self.planned if fault.kind == kind]:
            if fault.times is None:
                if self.chance.happens(fault.probability):
                    return fault
            else:
                fault.times -= 1
                if not fault.times:
                    self.planned.remove(fault)
                return fault
        return None

    def holds_back(self) -> bool:
        return self.struck("reorder") is not None

    def fate(self) -> Fate:
        """Fate of the next delivery: at most one kind of loss, repetition and delay each."""
        late = self.struck("delay")
        return Fate(
            lost=self.struck("lose") is not None,
            times=2 if self.struck("repeat") else 1,
            delay_seconds=late.delay_seconds if late else 0.0,
        )


@dataclass
class EndpointFault:
    """Strikes the next `times` requests whose `METHOD /path` the pattern matches, or each with `probability`
    while `times` is None.

    `after`: the request is carried out first, so that only its answer is lost. `body`: of a `status`, sent as it is.
    `caller`: strikes this one alone, named as in the budgets, say `installation:7`.
    """

    kind: str
    pattern: re.Pattern[str]
    times: int | None = 1
    probability: float = 0.0
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = FAULT_BODY
    seconds: float = 30.0
    after: bool = False
    caller: str | None = None


@dataclass
class EndpointFaults:
    chance: Chance
    planned: list[EndpointFault] = field(default_factory=list)

    def struck(self, method: str, path: str, caller: str) -> EndpointFault | None:
        for fault in self.planned:
            if fault.caller in (None, caller) and fault.pattern.search(f"{method} {path}"):
                if fault.times is None:
                    if self.chance.happens(fault.probability):
                        return fault
                    continue
                fault.times -= 1
                if not fault.times:
                    self.planned.remove(fault)
                return fault
        return None
