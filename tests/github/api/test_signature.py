from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.github.api.signature import EmptySecret, Verifier, verify

# GitHub's published example: secret, body and digest.
SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
DIGEST = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_githubs_own_example() -> None:
    assert verify(BODY, f"sha256={DIGEST}", (SECRET,))


def test_any_of_several_secrets_will_do_while_one_replaces_another() -> None:
    assert verify(BODY, f"sha256={DIGEST}", ("new", SECRET))
    assert verify(BODY, f"sha256={DIGEST}", (SECRET, "new"))
    assert not verify(BODY, f"sha256={DIGEST}", ("new", "newer"))


def test_one_changed_byte_is_noticed() -> None:
    assert not verify(BODY + b" ", f"sha256={DIGEST}", (SECRET,))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        DIGEST,
        "sha256=",
        f"sha256={DIGEST[:-1]}",
        f"sha256={DIGEST}0",
        f"sha256={DIGEST}\n",
        f"sha256={DIGEST.upper()}",
        f" sha256={DIGEST}",
        f"sha256={'é' * 64}",
        f"sha256={'٣' * 64}",
        f"sha256=\udcff{DIGEST[1:]}",
        f"sha256={'g' * 64}",
        "sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest(),
        f"sha1={DIGEST}",
        f"sha512={DIGEST}",
    ],
)
def test_a_malformed_or_weaker_signature_is_false(header: str | None) -> None:
    assert not verify(BODY, header, (SECRET,))


@given(body=st.binary(), header=st.text())
def test_no_input_raises(body: bytes, header: str) -> None:
    assert not verify(body, header, (SECRET,))


@given(body=st.binary(), secret=st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_signed_verifies(body: bytes, secret: str) -> None:
    header = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert verify(body, header, (secret,))


@pytest.mark.parametrize("secrets", [(), ("",), ("good", "")])
def test_an_empty_secret_is_refused_at_construction(secrets: tuple[str, ...]) -> None:
    with pytest.raises(EmptySecret):
        Verifier(secrets)
