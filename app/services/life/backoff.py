"""Pauses after GitHub gave no answer, or after an attempt without effect."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.market.life.next_step import ASK_AGAIN_SECONDS


@dataclass(slots=True)
class Pauses:
    """Numbers of contracts or offers, each until an instant. Forgotten with the process: then it is tried once more."""

    _until: dict[int, int] = field(default_factory=dict)

    def begin(self, number: int, now: int) -> None:
        self._until[number] = now + ASK_AGAIN_SECONDS

    def going(self, now: int) -> set[int]:
        """List what is paused now."""
        self._until = {number: until for number, until in self._until.items() if until > now}
        return set(self._until)
