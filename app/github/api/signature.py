"""Is this delivery GitHub's? HMAC-SHA256 over the raw bytes, in constant time; SHA-1 is not enough."""

from __future__ import annotations

import hmac
import re

_HEADER = re.compile(r"sha256=([0-9a-f]{64})", re.ASCII)


class EmptySecret(ValueError):
    """No secret, or an empty one: everybody could sign."""


class Verifier:
    """Holds the secrets that count now: one, or an old and a new one while they are changed."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        if not secrets or not all(secrets):
            raise EmptySecret("a webhook secret must not be empty")
        self._keys = tuple(secret.encode() for secret in secrets)

    def __call__(self, body: bytes, header: str | None) -> bool:
        """`header` is X-Hub-Signature-256 as it came. Anything malformed is False, never an exception."""
        match = _HEADER.fullmatch(header or "")
        if match is None:
            return False
        claimed = bytes.fromhex(match[1])
        matches = [hmac.compare_digest(hmac.digest(key, body, "sha256"), claimed) for key in self._keys]
        return any(matches)


def verify(body: bytes, header: str | None, secrets: tuple[str, ...]) -> bool:
    """As Verifier, once. Raises EmptySecret."""
    return Verifier(secrets)(body, header)
