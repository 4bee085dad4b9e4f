"""The words in which a command that cannot be read is refused: what was understood, what was not, what could stand."""

from __future__ import annotations

from collections.abc import Sequence

from lark.exceptions import UnexpectedInput, UnexpectedToken

from app.language.escape import code
from app.language.grammar import CONDITIONS, KEYWORDS, SIDES, terminal
from app.language.likeness import nearest
from app.language.text import lower

EXPECTED = {
    "FIXED": "`fixed`",
    "UNFIXED": "`unfixed`",
    "VOLUME": "a volume such as `50`",
    "_FOR": "`for AMOUNT`",
    "AMOUNT": "an amount such as `25`",
    "PRICE": "a price such as `0.40`",
    "DATE": "a date such as `2026-12-01`",
    "OFFER": "the number of an offer such as `o17`",
    "_ALL": "`all`",
    "_WITHIN": "`within 2 weeks`",
    "_STOP": "`stop`",
    "LOGIN": "a user such as `@adam`",
    "TOPIC": "a command's name",
    "COMMAND": "a command such as `offer fixed 50`",
    "_DAILY": "`daily`",
    "ON_CONTRACT": "`on c3`",
    "RULING": "`fixed`, `unfixed` or `void`",
    "AT_PRICE": "`at PRICE`",
    "ACT": "`halt` or `resume`",
    "REASON": "a reason in your own words",
    "TRUE": "`true`",
    "FALSE": "`false`",
    "_ON": "`on F12`",
    "FORECAST": "the number of a forecast such as `F12`",
    "_ADVISORY": "`advisory PACKAGE`",
    "_ISSUE": "`issue label NAME`",
    "_MILESTONE": "`milestone NAME`",
    "_PULL": "`pull NUMBER`",
    "_RELEASE": "`release TAG`",
    "PACKAGE": "a package such as `npm:left-pad`",
    "_SEVERITY": "`severity SEVERITY`",
    "SEVERITY": "a severity such as `high`",
    "_LABEL": "`label NAME`",
    "_TITLE": "`title TEXT`",
    "NAME": 'a name such as `bug` or `"help wanted"`',
    "_CLOSED": "`closed`",
    "PULL": "the number of a pull request such as `7`",
    "_MERGED": "`merged`",
    "TAG": "a tag such as `v2.0`",
    "_PUBLISHED": "`published`",
    "_AT": "`at PRICE`",
    "_DEPOSIT": "`deposit AMOUNT`",
    "_PROFIT": "`profit AMOUNT`",
    "_BY": "`by DATE`",
    "_UNTIL": "`until DATE`",
    **{f"_{word.upper().replace('-', '_')}": f"`{word}`" for word in CONDITIONS},
    "$END": "nothing more",
}
"""Names of parts for a refusal, in this order."""

NEEDED = ("_BY", "REASON")
"""Parts without which a command that may go on with other parts cannot end."""

MAX_UNDERSTOOD = 160
"""Characters of what was understood that a refusal repeats."""


def misfit(error: UnexpectedInput, source: str) -> str:
    """Explain a syntax error: the words, their place, and the parts that could stand there."""
    parser = getattr(error, "interactive_parser", None)
    accepted = set(parser.accepts()) if parser else set()
    expected = [text for name, text in EXPECTED.items() if name in accepted]
    needed = [EXPECTED[name] for name in NEEDED if name in accepted]
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return f"{after(source, len(source))}something is missing: {either(needed or expected)}."
    at = int(getattr(error, "pos_in_stream", None) or 0)
    word = source[at:].split(" ")[0]
    if lower(word) in KEYWORDS and "$END" not in accepted:
        return f"{after(source, at)}something is missing before {code(word)}: {either(expected)}."
    hint = did_you_mean(word, [known for known in (*SIDES, *KEYWORDS) if terminal(known) in accepted])
    may = f"here may stand {either(expected)}" if expected != [EXPECTED["$END"]] else "nothing may follow"
    return f"{after(source, at)}{code(word)} is not understood: {may}{hint}"


def after(source: str, at: int) -> str:
    """The opening of a sentence that says what was understood: all before `at`."""
    return f"After {code(source[:at], MAX_UNDERSTOOD)}, "


def either(texts: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The end of a sentence."""
    near = next((one for one in known if one.startswith(f"{lower(word)}-")), None) or nearest(lower(word), known)
    return f"; did you mean `{near}`?" if near else "."
