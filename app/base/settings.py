"""The one reader of the environment: no secret, no start."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.base import credentials

GITHUB_API_URL = "https://api.github.com"
DEFAULT_PORT = 8080
WEBHOOK_BODY_BYTES = 26 * 1024 * 1024
"""GitHub sends payloads of up to 25 MB; one MiB more, so that nothing it may send is refused."""
MOST_WAITING = 50_000
"""Deliveries stored and not dealt with yet: some 500 MB. More are refused, and asked for again later."""
TOKEN_CHARACTERS = 20
"""The least for a token that somebody can only guess."""
RSA_BITS = 2048
"""GitHub's own App keys have 2048 bits; a shorter one is a mistake or a toy."""

_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}
_MEMORY = ("", "/", "/:memory:")

T = TypeVar("T")


class SettingsError(Exception):
    """The environment is not fit to start with. `problems` holds one sentence each; none quotes a secret."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a running app. Secrets are left out of `repr` and `str`."""

    database_url: str = field(repr=False)  # may hold a password
    github_api_url: str  # without a trailing slash, as public_url
    app_id: str
    private_key: str = field(repr=False)  # PEM, RSA, not encrypted
    webhook_secrets: tuple[str, ...] = field(repr=False)  # several while one replaces another
    public_url: str
    clock: str = "system"  # or file:PATH
    port: int = DEFAULT_PORT
    most_waiting: int = MOST_WAITING
    budgets: str = "github"  # or none
    metrics_token: str = field(default="", repr=False)  # empty: no metrics
    marketplace_secrets: tuple[str, ...] = field(default=(), repr=False)  # of the listing's webhook; none: no such hook

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Raises SettingsError with every problem there is, not only the first."""
        reader = _Reader(environ)
        reader.take_credentials()
        settings = cls(
            database_url=reader.read("BUGMARK_DATABASE_URL", _database_url, ""),
            github_api_url=reader.read("BUGMARK_GITHUB_API_URL", _web_url, "", GITHUB_API_URL),
            app_id=reader.read("BUGMARK_APP_ID", _app_id, ""),
            private_key=_private_key(reader),
            webhook_secrets=reader.read("BUGMARK_WEBHOOK_SECRET", _webhook_secrets, ()),
            public_url=reader.read("BUGMARK_PUBLIC_URL", _web_url, ""),
            clock=reader.read("BUGMARK_CLOCK", _clock, "system", "system"),
            port=reader.read("PORT", _port, DEFAULT_PORT, str(DEFAULT_PORT)),
            most_waiting=reader.read("BUGMARK_MOST_WAITING", _most_waiting, MOST_WAITING, str(MOST_WAITING)),
            budgets=reader.read("BUGMARK_BUDGETS", _budgets, "github", "github"),
            metrics_token=_metrics_token(reader),
            marketplace_secrets=_marketplace_secrets(reader),
        )
        _check_clock(settings, reader)
        _check_budgets(settings, reader)
        reader.finish()
        return settings

    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be seen, for the log to leave out; the key's lines one by one too."""
        lines = (line for line in self.private_key.splitlines() if line and not line.startswith("-----"))
        password = urlsplit(self.database_url).password or ""
        hooks = (*self.webhook_secrets, *self.marketplace_secrets)
        found = (*hooks, self.private_key, *lines, password, unquote(password), self.metrics_token)
        return tuple(secret for secret in found if secret)


@dataclass(frozen=True, slots=True)
class SetupSettings:
    """Settings of the set-up, all known before there is an App."""

    github_api_url: str
    public_url: str
    credentials_file: str  # empty if none is named
    port: int = DEFAULT_PORT

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> SetupSettings:
        """Raises SettingsError, as Settings does."""
        reader = _Reader(environ)
        settings = cls(
            github_api_url=reader.read("BUGMARK_GITHUB_API_URL", _web_url, "", GITHUB_API_URL),
            public_url=reader.read("BUGMARK_PUBLIC_URL", _web_url, ""),
            credentials_file=reader.get("BUGMARK_CREDENTIALS_FILE"),
            port=reader.read("PORT", _port, DEFAULT_PORT, str(DEFAULT_PORT)),
        )
        reader.finish()
        return settings


def github_web_url(api_url: str) -> str:
    """The website that belongs to an API: an Enterprise Server has its API below its own address."""
    return "https://github.com" if api_url == GITHUB_API_URL else api_url.removesuffix("/api/v3")


def database_url_from(environ: Mapping[str, str]) -> str:
    """The database's url alone, for commands that need nothing else. Raises SettingsError."""
    reader = _Reader(environ)
    url = reader.read("BUGMARK_DATABASE_URL", _database_url, "")
    reader.finish()
    return url


def is_loopback(url: str) -> bool:
    """Tell if a url's host is this very machine, by its spelling alone: no name is looked up."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


class _Reader:
    """Reads variables and collects what is wrong with them. An empty variable counts as unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def get(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def take_credentials(self) -> None:
        """Take credentials stored by the set-up beside the environment; nothing may be set by both."""
        path = self.get("BUGMARK_CREDENTIALS_FILE")
        if not path:
            return
        nothing: Mapping[str, str] = {}
        found = self.parse("BUGMARK_CREDENTIALS_FILE", path, credentials.read, nothing)
        for name in (name for name in found if self.get(name)):
            self.problem(f"{name} is set, and stands in the file of BUGMARK_CREDENTIALS_FILE too: once is enough.")
        self._environ = {**self._environ, **found}

    def read(self, name: str, parse: Callable[[str], T], instead: T, default: str = "") -> T:
        """`parse` raises ValueError with the rest of a sentence that begins with the name."""
        value = self.get(name) or default
        if not value:
            self.problem(f"{name} is not set.")
            return instead
        return self.parse(name, value, parse, instead)

    def parse(self, name: str, value: str, parse: Callable[[str], T], instead: T) -> T:
        try:
            return parse(value)
        except ValueError as error:
            self.problem(f"{name} {error}.")
            return instead

    def problem(self, sentence: str) -> None:
        self._problems.append(sentence)

    def finish(self) -> None:
        if self._problems:
            raise SettingsError(tuple(self._problems))


def _database_url(value: str) -> str:
    """A bare `postgresql://` or `sqlite://` gets the asynchronous driver, and libpq's `sslmode` its name."""
    scheme, separator, rest = value.partition("://")
    driver = _DRIVERS.get(scheme.lower())
    if not separator or driver is None:
        raise ValueError("must begin with postgresql:// or sqlite:///")
    if driver.startswith("sqlite"):
        if rest.partition("?")[0] in _MEMORY or "mode=memory" in rest:
            raise ValueError("must name a file: web and worker cannot share a database in memory")
    else:
        rest = re.sub(r"([?&])sslmode=", r"\1ssl=", rest)
    return f"{driver}://{rest}"


def _web_url(value: str) -> str:
    if not re.fullmatch(r"[!-~]+", value) or "\\" in value:
        raise ValueError("must be a plain ASCII url")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a url") from None  # the parser's own words may quote a password
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must begin with https:// (or http:// on this machine)")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must hold no user name, query or fragment")
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError("must begin with https:// unless it is on this machine")
    return value.rstrip("/")


def _app_id(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,17}", value):
        raise ValueError("must be the App's number")
    return value


def _private_key(reader: _Reader) -> str:
    """The key itself or the file that holds it; where lines cannot be set, `\\n` stands for a line's end."""
    inline, path = reader.get("BUGMARK_PRIVATE_KEY"), reader.get("BUGMARK_PRIVATE_KEY_FILE")
    if bool(inline) == bool(path):
        reader.problem("Set exactly one of BUGMARK_PRIVATE_KEY and BUGMARK_PRIVATE_KEY_FILE.")
        return ""
    if inline:
        return reader.parse("BUGMARK_PRIVATE_KEY", inline.replace("\\n", "\n"), _rsa_key, "")
    return reader.parse("BUGMARK_PRIVATE_KEY_FILE", path, lambda name: _rsa_key(_text_of(name)), "")


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError("names a file that is not a PEM text") from None


def _rsa_key(pem: str) -> str:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it wants a password
        raise ValueError("is not a readable, unencrypted PEM private key") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < RSA_BITS:
        raise ValueError(f"must be an RSA key of at least {RSA_BITS} bits")
    return pem


def _marketplace_secrets(reader: _Reader) -> tuple[str, ...]:
    value = reader.get("BUGMARK_MARKETPLACE_SECRET")
    return reader.parse("BUGMARK_MARKETPLACE_SECRET", value, _webhook_secrets, ()) if value else ()


def _webhook_secrets(value: str) -> tuple[str, ...]:
    secrets = tuple(secret.strip() for secret in value.split(","))
    if not all(secrets):
        raise ValueError("holds an empty secret between commas")
    return secrets


def _clock(value: str) -> str:
    if not re.fullmatch(r"system|file:.*\S.*", value):
        raise ValueError("must be system or file:PATH")
    return value


def _check_clock(settings: Settings, reader: _Reader) -> None:
    """Time may be moved only where nobody else's money and no real GitHub can be reached."""
    both = is_loopback(settings.github_api_url) and is_loopback(settings.public_url)
    if settings.clock != "system" and not both:
        reader.problem(
            "BUGMARK_CLOCK may move time only while BUGMARK_GITHUB_API_URL and BUGMARK_PUBLIC_URL are both on"
            " this machine (127.0.0.1, ::1 or localhost)."
        )


def _budgets(value: str) -> str:
    if value not in ("github", "none"):
        raise ValueError("must be github or none")
    return value


def _check_budgets(settings: Settings, reader: _Reader) -> None:
    """GitHub bans an App that keeps running into its limits."""
    if settings.budgets == "none" and urlsplit(settings.github_api_url).hostname == "api.github.com":
        reader.problem("BUGMARK_BUDGETS may be none only for an Enterprise Server whose rate limits are off.")


def _port(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", value) or not 1 <= int(value) <= 65535:
        raise ValueError("must be a port from 1 to 65535")
    return int(value)


def _most_waiting(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < 1:
        raise ValueError("must be a number of deliveries, 1 or more")
    return int(value)


def _metrics_token(reader: _Reader) -> str:
    value = reader.get("BUGMARK_METRICS_TOKEN")
    return reader.parse("BUGMARK_METRICS_TOKEN", value, _token, "") if value else ""


def _token(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", value) or len(value) < TOKEN_CHARACTERS:
        raise ValueError(f"must be at least {TOKEN_CHARACTERS} letters, digits and . _ ~ + / = -")
    return value
