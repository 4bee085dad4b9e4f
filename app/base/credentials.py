"""The App's credentials as the set-up stores them: lines `NAME=value`, under the names that the environment has.

A text that can be kept as a file, or taken apart by whoever fills a secret store.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog

NAMES = (
    "BUGMARK_APP_ID",
    "BUGMARK_CLIENT_ID",
    "BUGMARK_CLIENT_SECRET",
    "BUGMARK_PRIVATE_KEY",
    "BUGMARK_WEBHOOK_SECRET",
)

REHEARSED_BYTES = 8 * 1024
"""More than any credentials need: a key of 4,096 bits has 3,300."""

log = structlog.get_logger(__name__)


class CannotKeep(Exception):
    """The credentials have no place to go. The text is a sentence without any of them."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials that GitHub hands out once, when it makes an App from a manifest."""

    app_id: int
    name: str
    html_url: str
    client_id: str
    client_secret: str = field(repr=False)
    private_key: str = field(repr=False)  # PEM
    webhook_secret: str = field(repr=False)

    def lines(self) -> str:
        """The key in one line: `\\n` stands for a line's end."""
        values = (
            str(self.app_id),
            self.client_id,
            self.client_secret,
            self.private_key.strip().replace("\n", "\\n"),
            self.webhook_secret,
        )
        return "".join(f"{name}={value}\n" for name, value in zip(NAMES, values, strict=True))


class Keeper(Protocol):
    """Destination of credentials."""

    def check(self) -> None:
        """Raises CannotKeep if `keep` would, as far as can be known."""
        ...

    def keep(self, credentials: Credentials) -> str:
        """Returns where they are now, in words. Raises CannotKeep."""
        ...


@dataclass(frozen=True, slots=True)
class FileKeeper:
    """A new file for its owner alone, there whole or not at all. One that is there is never written over."""

    path: Path

    def check(self) -> None:
        """Does all that `keep` will do, under other names: GitHub hands the credentials out once."""
        if os.path.lexists(self.path):
            raise CannotKeep(f"{self.path} is there already: move it away first, it may hold an App's only key.")
        with self._or_not_kept(), self._beside("#" * REHEARSED_BYTES) as made:
            linked = f"{made}.linked"
            os.link(made, linked)
            os.unlink(linked)

    def keep(self, credentials: Credentials) -> str:
        """Store the credentials; faults after the file has its name are only logged."""
        with self._or_not_kept(), self._beside(credentials.lines()) as made:
            os.link(made, self.path)  # unlike a rename it fails if the name is taken
        _make_durable(self.path.parent)
        return f"the file {self.path}"

    @contextmanager
    def _or_not_kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            linking = error.filename2 is not None and not isinstance(error, FileExistsError)
            hint = " Its folder must be able to hold hard links." if linking else ""
            raise CannotKeep(f"{self.path} cannot be written: {error.strerror}.{hint}") from None

    @contextmanager
    def _beside(self, text: str) -> Iterator[str]:
        """A file of mode 600 with this text, in the same folder; it goes at the end, and if it cannot be written."""
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            yield name
        finally:
            _remove(name)


@dataclass(frozen=True, slots=True)
class PrintKeeper:
    """Said once, for a secret store; kept nowhere."""

    say: Callable[[str], object]

    def check(self) -> None:
        """A terminal or a pipe is there; whether anybody reads from it shows when something is said."""

    def keep(self, credentials: Credentials) -> str:
        try:
            self.say(credentials.lines())
        except OSError as error:
            why = f"The standard output of `python -m app setup` takes nothing any more: {error.strerror}."
            raise CannotKeep(f"{why} End the set-up.") from None
        return "the standard output of `python -m app setup`"


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError as error:
        log.warning("temporary file left behind", path=path, why=error.strerror)  # it may hold the secrets


def _make_durable(folder: Path) -> None:
    """The name of the new file outlives a power cut; some network disks cannot promise that of a folder."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        log.warning("folder not made durable", folder=str(folder), why=error.strerror)


def read(path: str) -> Mapping[str, str]:
    """Read a file of credentials. ValueError with the rest of a sentence that quotes none of it."""
    try:
        text = Path(path).read_text("ascii")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError("names a file that is not ASCII text") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, _, value = line.partition("=")
        if not line.strip() or line.startswith("#"):
            continue
        if name not in NAMES or name in found:
            raise ValueError(f"names a file whose line {number} is not one of {', '.join(NAMES)}, once each")
        found[name] = value.strip()
    return found
