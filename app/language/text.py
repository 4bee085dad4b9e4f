"""Words of a command: what separates them, and which letters are the same."""

import re

BLANK = "[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""Every character that Unicode calls white space, as a class of a regular expression."""

_BLANKS = re.compile(f"{BLANK}+")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def fold(text: str) -> str:
    """The words of a text with one space between them and none around."""
    return _BLANKS.sub(" ", text).strip(" ")


def lower(text: str) -> str:
    """ASCII letters in lower case and all else as it is: the Kelvin sign stays apart from k, and lengths stay."""
    return text.translate(_LOWER)
