"""Result of an audit."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_PROBLEMS = 200


@dataclass(slots=True)
class Report:
    """Counts and faults. `problems` names each place; at most 200 are kept."""

    entries: int = 0
    postings: int = 0
    seals: int = 0
    unsealed: int = 0
    accounts: int = 0
    contracts: int = 0
    positions: int = 0
    offers: int = 0
    told: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        self.wrong += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)

    def check(self, good: bool, problem: str) -> None:
        if not good:
            self.add(problem)
