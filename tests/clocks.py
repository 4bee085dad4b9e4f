"""A clock that stands still until a test moves it."""

from dataclasses import dataclass

START_AT = 1_767_225_600
"""1 January 2026, 00:00:00 UTC, a Thursday: where every test begins."""


@dataclass
class FakeClock:
    """Counts whole seconds since the epoch, UTC, and only when told to."""

    at: int = START_AT

    def now(self) -> int:
        """The instant at which the clock stands."""
        return self.at

    def advance(self, seconds: int) -> int:
        """Moves the clock on and returns where it then stands. Time does not run backwards."""
        if seconds < 0:
            raise ValueError("a clock does not run backwards")
        self.at += seconds
        return self.at

    def set(self, at: int) -> None:
        """Puts the clock to an instant, also an earlier one."""
        self.at = at
