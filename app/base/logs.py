"""Logs: one JSON object a line to stderr (readable text on a terminal), and never a secret in them.

Secrets are taken out by the name they stand under, by their shape, and by their value where the settings
know it. Lines of libraries that use the standard library's logging, warnings and uncaught exceptions go the
same way. A delivery's id is bound by `structlog.contextvars.bound_contextvars(delivery=...)`.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import TextIO
from urllib.parse import quote

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
DEEPEST = 8
"""Levels of a logged value that are looked into; what lies deeper is left out, cycles with it."""

_SECRET_NAME = re.compile(
    r"token|secret|password|passwd|authorization|private_?key|api_?key|cookie|signature|credential|jwt|\bpem\b",
    re.IGNORECASE,
)
_SHAPES = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"\bgh[a-z]_[A-Za-z0-9_.\-]+|\bgithub_pat_\w+|\bsandbox-[A-Za-z0-9_.\-]+"),
    re.compile(r"\beyJ[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]*)*"),
    re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*(?=@)"),
    re.compile(r"(?<=sha256=)[0-9a-f]{64}"),
    re.compile(r"\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=\-]{8,}", re.IGNORECASE),
)
_AUTHORIZATION = re.compile(r"""(authorization['"]?\s*[:=,]\s*b?['"]?)(?:\w+\s+)?[^\s'",}]+""", re.IGNORECASE)


@lru_cache(maxsize=1_024)
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """A structlog processor: the last before rendering, when exceptions have become text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = sorted({form for secret in secrets for form in _spellings(secret)}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, forms))) if forms else None

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {self.text(str(key)): self._under(str(key), value, DEEPEST) for key, value in event.items()}

    def text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        text = _AUTHORIZATION.sub(rf"\1{REDACTED}", text)
        for shape in _SHAPES:
            text = shape.sub(REDACTED, text)
        return text

    def _under(self, key: str, value: object, depth: int) -> object:
        if _is_secret_name(key) and not isinstance(value, bool | None):
            return REDACTED
        return self._value(value, depth)

    def _value(self, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes | bytearray):
            return self.text(bytes(value).decode("utf-8", "backslashreplace"))
        if depth == 0:
            return "..."
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._under(str(key), item, depth - 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(item, depth - 1) for item in value]
        return self.text(repr(value))


def configure(secrets: Iterable[str] = (), stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """To be called once, at the start, before anything is logged; again, it replaces what it did.

    `secrets` is `Settings.secrets()`. Without it, as for commands that need only the database, names and
    shapes still hold.
    """
    stream = stream or sys.stderr
    redactor = Redactor(secrets)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    renderer: Processor = structlog.processors.JSONRenderer()
    if stream.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, redactor, renderer]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of its plugins at every start
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught


def _spellings(secret: str) -> set[str]:
    """A secret as it is, and as it looks inside JSON, a repr, a url or Basic authentication."""
    encoded = base64.b64encode(secret.encode()).decode()
    escaped = {json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    return {secret, *escaped, quote(secret), quote(secret, safe=""), encoded} - {""}


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger("bugmark").critical("uncaught exception", exc_info=(kind, error, trace))
