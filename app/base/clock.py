"""The one clock, passed in. Instants are whole seconds since the epoch, UTC."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    def now(self) -> int: ...


class ClockDoubted(Exception):
    """Others say that it is another time: whatever carries an instant waits until they agree."""


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1_000_000_000


class FileOffsetClock:
    """The real clock plus the whole number of seconds that a file holds, read again each time.

    Every process that is given the same file moves together. A missing or empty file is no offset; anything
    else that is not a number raises ValueError: a clock must not guess. Writers replace the file by rename,
    so that no reader meets half a number.
    """

    def __init__(self, path: Path, real: Clock | None = None) -> None:
        self._path = path
        self._real = real or SystemClock()

    def now(self) -> int:
        return self._real.now() + self._offset()

    def _offset(self) -> int:
        try:
            text = self._path.read_text("ascii").strip()
        except FileNotFoundError:
            return 0
        return int(text) if text else 0


def clock_from(setting: str) -> Clock:
    """`system` or `file:PATH`, as Settings.clock has checked it."""
    kind, _, path = setting.partition(":")
    return FileOffsetClock(Path(path)) if kind == "file" else SystemClock()
