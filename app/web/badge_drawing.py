"""A badge as an SVG image: two words beside each other, flat, read aloud by its title.

The viewer's font is not known, so every text has a length that it is fitted to: Verdana's, by which images of this kind
are drawn everywhere. The same words give the same bytes in every process.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from html import escape

TENTHS = 10
"""Widths are in tenths of a pixel, as whole numbers."""

GREY = "#666666"
LABEL_GREY = "#4a4a4a"
_PADDING = 6 * TENTHS
_HEIGHT = 20
_WIDTHS = {
    39: "ijlI'",
    43: " ftr.,:;!|/\\()[]-–",
    58: "csz",
    65: "aeokvxyzJLF?",
    70: "bdghnpqu0123456789TEYPS_$*",
    76: "ABCKRVXZ+=<>#~^",
    85: "DGHNOQU&",
    92: "wM",
    108: "mW%@",
}
_WIDTH = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_WIDEST = 110


@dataclass(frozen=True, slots=True)
class Image:
    svg: bytes
    etag: str


@lru_cache(maxsize=1_024)
def badge(label: str, message: str, color: str) -> Image:
    """`color` is the ground of the message; text on it is white."""
    label, message = _printable(label), _printable(message)
    left, right = _width(label), _width(message)
    whole, title = _pixels(left + right), escape(f"{label}: {message}")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{_HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<clipPath id="r"><rect width="{whole}" height="{_HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{_pixels(left)}" height="{_HEIGHT}" fill="{LABEL_GREY}"/>'
        f'<rect x="{_pixels(left)}" width="{_pixels(right)}" height="{_HEIGHT}" fill="{color}"/></g>'
        f'<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">'
        f"{_text(label, 0, left)}{_text(message, left, right)}</g></svg>"
    ).encode()
    return Image(svg, hashlib.sha256(svg).hexdigest()[:32])


def _text(words: str, start: int, width: int) -> str:
    length = _pixels(width - 2 * _PADDING)
    return f'<text x="{_pixels(start + _PADDING)}" y="14" textLength="{length}">{escape(words)}</text>'


def _width(words: str) -> int:
    """With the room on both sides, as whole pixels."""
    tenths = sum(_WIDTH.get(letter, _WIDEST) for letter in words) + 2 * _PADDING
    return -(-tenths // TENTHS) * TENTHS


def _pixels(tenths: int) -> str:
    return str(tenths // TENTHS)


def _printable(words: str) -> str:
    """XML knows no control characters, not even escaped; an image needs none."""
    return "".join(letter for letter in words if letter.isprintable())
