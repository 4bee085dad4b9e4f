"""Text from outside, made such that both databases can hold it."""

from __future__ import annotations


def clean(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
