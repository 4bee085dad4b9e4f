"""What must not stand in a log, whatever happens: secrets; and, where all goes well, bugs."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import structlog

from app.base.logs import configure

SHAPES = re.compile(r"ghs_|\beyJ|PRIVATE KEY")
"""An installation's token, a JWT, a key in PEM."""

BUGS = ("uncaught exception", "worker failed", "delivery failed", "command failed")
"""What the app says of errors of its own."""


def leaks(log: str, secrets: Collection[str]) -> list[str]:
    """The lines with a secret in them."""
    return [line for line in log.splitlines() if SHAPES.search(line) or any(secret in line for secret in secrets)]


def bugs(log: str) -> list[str]:
    """The lines that tell of an error of our own."""
    return [line for line in log.splitlines() if any(f'"{bug}"' in line for bug in BUGS)]


@contextmanager
def no_secret_logged(secrets: Collection[str]) -> Iterator[io.StringIO]:
    """Logs as the app does, and raises AssertionError at its end if a secret got past the redactor.

    Whoever else listens to the log (pytest) goes on listening; afterwards everything is as it was before.
    """
    stream, before, processors = io.StringIO(), logging.root.handlers[:], structlog.get_config()
    level, hook = logging.root.level, sys.excepthook
    configure(secrets, stream)
    (ours,) = logging.root.handlers
    logging.root.handlers[:] = [*before, ours]
    try:
        yield stream
    finally:
        logging.root.removeHandler(ours)
        logging.root.setLevel(level)
        logging.captureWarnings(False)
        sys.excepthook = hook
        structlog.configure(**processors)
    assert leaks(stream.getvalue(), secrets) == []
