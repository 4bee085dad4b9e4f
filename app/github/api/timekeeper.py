"""Trust in our clock: every answer of GitHub's carries its time (docs/market.md §5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import structlog

from app.base.clock import Clock

log = structlog.get_logger()

TOLERANCE_SECONDS = 60
"""GitHub's clock may lie so far outside the time for which we waited for its answer."""

STRIKES = 2
"""So many answers in a row must say so: one may have lain in a cache, or somewhere on its way."""

LEAP_SECONDS = 60
"""A clock that moves by so much more or less than the time that really passed was set."""


ASK_SECONDS = 5
"""Interval of asking GitHub for the time while our clock is in doubt."""


@dataclass(slots=True)
class Timekeeper:
    """Judges our clock by GitHub's. `strikes`: how many answers in a row have disagreed; `elapsed`: real seconds.

    `uncertain`: the clock was set, or was never compared, and no answer has been heard since.
    """

    clock: Clock
    elapsed: Callable[[], float] = time.monotonic
    strikes: int = 0
    uncertain: bool = True
    _ahead: float | None = None
    _asked: float | None = None

    def note(self, before_at: int, after_at: int, headers: Mapping[str, str]) -> None:
        """An answer of GitHub's that we waited for from then to then. One from a cache (`Age`) says nothing."""
        names = {name.lower(): value for name, value in headers.items()}
        said_at = _instant(names.get("date"))
        if said_at is None or "age" in names:
            return
        self.uncertain = False
        if before_at - TOLERANCE_SECONDS <= said_at <= after_at + TOLERANCE_SECONDS:
            if self.doubted:
                log.warning("our clock agrees with GitHub's again", ours=after_at)
            self.strikes = 0
            return
        self.strikes += 1
        if self.strikes == STRIKES:
            log.error("our clock disagrees with GitHub's: nothing goes on", ours=after_at, githubs=said_at)

    @property
    def doubted(self) -> bool:
        """Nothing that carries an instant may go on."""
        return self.strikes >= STRIKES

    @property
    def suspected(self) -> bool:
        """One answer has disagreed; a second one decides."""
        return 0 < self.strikes < STRIKES

    @property
    def holds(self) -> bool:
        """Nothing speaks against our clock; one answer that did waits for a second."""
        return not self.strikes and not self.uncertain

    def watch(self) -> None:
        """Notice if our clock was set since this was called last."""
        ahead = self.clock.now() - self.elapsed()
        self.uncertain |= self._ahead is not None and abs(ahead - self._ahead) > LEAP_SECONDS
        self._ahead = ahead

    def may_ask(self) -> bool:
        """Tell if GitHub is to be asked once more now, and count it as done."""
        if self.holds:
            return False
        now = self.elapsed()
        if not self.uncertain and self._asked is not None and now - self._asked < ASK_SECONDS:
            return False
        self._asked = now
        return True


def _instant(told: str | None) -> int | None:
    """Read the time of GitHub's answer; None if it names none that can be read."""
    try:
        return int(parsedate_to_datetime(told).timestamp()) if told else None
    except (ValueError, OverflowError):
        return None
