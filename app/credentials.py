"""The App's credentials as the set-up stores them: lines `NAME=value`, under the names that the environment has.

A text that can be kept as a file, or taken apart by whoever fills a secret store.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

NAMES = (
    "BUGMARK_APP_ID",
    "BUGMARK_CLIENT_ID",
    "BUGMARK_CLIENT_SECRET",
    "BUGMARK_PRIVATE_KEY",
    "BUGMARK_WEBHOOK_SECRET",
)


class CannotKeep(Exception):
    """The credentials have no place to go. The text is a sentence without any of them."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What GitHub hands out once, when it makes an App from a manifest."""

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
    """Where credentials go."""

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
        if os.path.lexists(self.path):
            raise CannotKeep(f"{self.path} is there already: move it away first, it may hold an App's only key.")
        try:
            os.unlink(self._beside(""))
        except OSError as error:
            raise CannotKeep(f"{self.path} cannot be written: {error.strerror}.") from None

    def keep(self, credentials: Credentials) -> str:
        try:
            made = self._beside(credentials.lines())
            try:
                os.link(made, self.path)  # unlike a rename it fails if the name is taken
            finally:
                os.unlink(made)
            _make_durable(self.path.parent)
        except OSError as error:
            raise CannotKeep(f"{self.path} cannot be written: {error.strerror}.") from None
        return f"the file {self.path}"

    def _beside(self, text: str) -> str:
        """A file of mode 600 with this text, in the same folder."""
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return name


@dataclass(frozen=True, slots=True)
class PrintKeeper:
    """Said once, for a secret store; kept nowhere."""

    say: Callable[[str], object]

    def check(self) -> None:
        """A terminal or a pipe is always there."""

    def keep(self, credentials: Credentials) -> str:
        self.say(credentials.lines())
        return "the standard output of `python -m app setup`"


def _make_durable(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: str) -> Mapping[str, str]:
    """What a file of credentials says. ValueError with the rest of a sentence that quotes none of it."""
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
