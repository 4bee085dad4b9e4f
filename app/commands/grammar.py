"""The grammar that all commands share, and what a command is: one table of them makes parser, help and docs page.

A command's `rules` is the Lark text of what follows its name, made of the parts below. To give commands a new clause:
a rule here, its reader in READERS, its field in Parts. The text is read in lower case, the values from the original.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypedDict, cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from app.commands.dates import BadDate, parse_instant
from app.commands.escape import code
from app.commands.requests import Request
from app.commands.words import lower
from app.market.contract import Side
from app.market.errors import Refusal
from app.market.money import Unreadable, parse_amount, parse_price, parse_volume
from app.services.trading import Scene
from app.storage.db import Tx


class Parts(TypedDict, total=False):
    """What a command's parts say, by the name of their rule; a part that was not typed is not there."""

    side: Side
    volume: int
    spend: int
    everything: bool
    at: int
    deposit: int
    profit: int
    by: int
    until: int
    now_or_never: bool
    offer_id: int
    login: str
    topic: str


Handler = Callable[[Tx, Scene, Any], Awaitable[str]]
"""Does what a request asks for, in one transaction; returns the answer in Markdown or raises a Refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that explains itself. Examples are what follows `/bugmark `, and each of them parses.

    `mend` makes a command that parses out of one that did not: it gets the words after the name, in lower case, and
    the comment's instant. `order` is the place in the help.
    """

    name: str
    usage: str
    summary: str
    who: str
    examples: tuple[str, ...]
    build: Callable[[Parts], Request]
    handle: Handler
    mend: Callable[[Sequence[str], int], str]
    rules: str = ""
    notes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    order: int = 100


class BadCommand(Refusal):
    """A command that could not be read."""


_SHARED = r"""
side: FIXED | UNFIXED
volume: VOLUME
spend: _FOR AMOUNT
everything: _ALL
at: (_AT | _AT_SIGN) PRICE
deposit: _DEPOSIT AMOUNT
profit: _PROFIT AMOUNT
by: _BY DATE+
until: _UNTIL DATE+
now_or_never: _NOW_OR_NEVER
offer_id: OFFER
login: LOGIN
topic: TOPIC
_AT_SIGN: /@(?![^ .0-9])/
LOGIN: /[^ ]+/
TOPIC: /[^ ]+/
%ignore " "
"""

SIDES = ("fixed", "unfixed")
KEYWORDS = ("for", "all", "at", "deposit", "profit", "by", "until", "now-or-never")
_SINGLE = {"VOLUME": "volume", "AMOUNT": "spend", "PRICE": "at", "OFFER": "offer_id"}
_VALUES = (*_SINGLE, "DATE")
"""Terminals that are any word but a keyword. Which is meant, the place says; what it says, the reader."""

_EXPECTED = {
    "FIXED": "`fixed`",
    "UNFIXED": "`unfixed`",
    "VOLUME": "a volume such as `50`",
    "_FOR": "`for AMOUNT`",
    "AMOUNT": "an amount such as `25`",
    "PRICE": "a price such as `0.40`",
    "DATE": "a date such as `2026-12-01`",
    "OFFER": "the number of an offer such as `o17`",
    "_ALL": "`all`",
    "LOGIN": "a user such as `@adam`",
    "TOPIC": "a command's name",
    "_AT": "`at PRICE`",
    "_DEPOSIT": "`deposit AMOUNT`",
    "_PROFIT": "`profit AMOUNT`",
    "_BY": "`by DATE`",
    "_UNTIL": "`until DATE`",
    "_NOW_OR_NEVER": "`now-or-never`",
    "$END": "the end",
}
"""How a refusal names what may stand somewhere, in this order."""

MAX_UNDERSTOOD = 160
"""Characters of what was understood that a refusal repeats."""

_EXCLUSIVE = frozenset({"at", "deposit", "profit"})


def assemble(commands: Iterable[Command]) -> Lark:
    """One grammar of all commands."""
    rules = [f"{_rule(one)}: _VERB_{_rule(one).upper()} {one.rules}" for one in commands]
    verbs = [_keyword(f"_VERB_{_rule(one).upper()}", one.name) for one in commands]
    start = f"start: {' | '.join(_rule(one) for one in commands)}"
    keywords = [_keyword(_terminal(word), word) for word in (*SIDES, *KEYWORDS)]
    reserved = "|".join(re.escape(word) for word in (*SIDES, *KEYWORDS))
    values = [f"{name}: /(?!@|(?:{reserved})(?![^ ]))[^ ]+/" for name in _VALUES]
    return Lark("\n".join([start, *rules, *verbs, *keywords, *values, _SHARED]), parser="lalr")


def _rule(command: Command) -> str:
    return command.name.replace("-", "_")


def _terminal(word: str) -> str:
    name = word.upper().replace("-", "_")
    return name if word in SIDES else f"_{name}"


def _keyword(terminal: str, word: str) -> str:
    """A terminal that is the whole word."""
    return f"{terminal}.2: /{re.escape(word)}(?![^ ])/"


def read(grammar: Lark, source: str, now: int) -> Parts:
    """The parts of a command. `source` begins with the command's own name and has single blanks. Raises a Refusal."""
    try:
        tree = grammar.parse(lower(source))
    except UnexpectedInput as error:
        _check_values(grammar, source, now)
        raise BadCommand(_misfit(error, source)) from None
    (command,) = tree.children
    found: dict[str, object] = {}
    for part in cast("Tree[Token]", command).children:
        name = str(cast("Tree[Token]", part).data)
        _check_once(name, found, source)
        found[name] = _value(cast("Tree[Token]", part), source, now)
    return cast("Parts", found)


def _check_values(grammar: Lark, source: str, now: int) -> None:
    """What does not fit is often the fault of a value before it: `50by friday`."""
    with suppress(UnexpectedInput):
        for token in grammar.parse_interactive(lower(source)).iter_parse():
            if token.type in _SINGLE:
                _value(Tree(_SINGLE[token.type], [token]), source, now)


def _check_once(name: str, found: dict[str, object], source: str) -> None:
    if name in found:
        raise BadCommand(
            f"In {code(source, MAX_UNDERSTOOD)}, `{name.replace('_', '-')}` is given twice; once is enough."
        )
    for rival in _EXCLUSIVE.intersection(found) if name in _EXCLUSIVE else ():
        raise BadCommand(
            f"In {code(source, MAX_UNDERSTOOD)}, `{rival}` and `{name}` exclude each other: both say the price."
        )


def _value(part: Tree[Token], source: str, now: int) -> object:
    """What a part says. Raises BadCommand with the part's own words."""
    tokens = cast("list[Token]", part.children)
    if not tokens:
        return True
    start, end = tokens[0].start_pos or 0, tokens[-1].end_pos or 0
    words = source[start:end]
    try:
        return READERS[str(part.data)](words, now)
    except BadDate as error:
        raise BadCommand(_bad_date(source, start, words, now, error)) from None
    except Unreadable as error:
        raise BadCommand(f"{_after(source, start)}{code(words)} is no {error.kind}: {error.why}.") from None


def _bad_date(source: str, start: int, words: str, now: int, error: BadDate) -> str:
    """If the words only begin with a date, what follows it is what was not understood."""
    readable = date_length(words.split(" "), now)
    if not readable:
        return f"{_after(source, start)}{code(words)} is no date: {error.why}."
    rest = start + len(" ".join(words.split(" ")[:readable])) + 1
    word = source[rest:].split(" ")[0]
    return f"{_after(source, rest)}{code(word)} is not understood{_did_you_mean(word, KEYWORDS)}"


def date_length(words: Sequence[str], now: int) -> int:
    """How many of the first words are a date; 0 if none."""
    for count in range(min(len(words), 5), 0, -1):
        try:
            parse_instant(" ".join(words[:count]), now)
        except BadDate:
            continue
        return count
    return 0


def _misfit(error: UnexpectedInput, source: str) -> str:
    """What does not fit the grammar, where, and what could stand there."""
    parser = getattr(error, "interactive_parser", None)
    accepted = set(parser.accepts()) if parser else set()
    expected = [text for name, text in _EXPECTED.items() if name in accepted]
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return f"{_after(source, len(source))}something is missing: {_either(expected)}."
    at = int(getattr(error, "pos_in_stream", None) or 0)
    word = source[at:].split(" ")[0]
    if lower(word) in KEYWORDS and "$END" not in accepted:
        return f"{_after(source, at)}something is missing before {code(word)}: {_either(expected)}."
    hint = _did_you_mean(word, [known for known in (*SIDES, *KEYWORDS) if _terminal(known) in accepted])
    may = f"here may stand {_either(expected)}" if expected != [_EXPECTED["$END"]] else "nothing may follow"
    return f"{_after(source, at)}{code(word)} is not understood: {may}{hint}"


def _after(source: str, at: int) -> str:
    """The opening of a sentence that says what was understood: all before `at`."""
    return f"After {code(source[:at], MAX_UNDERSTOOD)}, "


def _either(texts: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    """The end of a sentence."""
    near = nearest(word, known)
    return f"; did you mean `{near}`?" if near else "."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like this one, None if none does."""
    return next(iter(get_close_matches(lower(word[:40]), list(known), n=1, cutoff=0.6)), None)


class BadOfferNumber(Unreadable):
    kind = "offer"
    why = "an offer has a number such as `o17`"


class BadLogin(Unreadable):
    kind = "user"
    why = "a user is named by their GitHub login, such as `@adam`"


MAX_OFFER_NUMBER = 2**63 - 1
_OFFER_NUMBER = re.compile(r"[oO]?([0-9]{1,18})")
_LOGIN = re.compile(r"@?([A-Za-z0-9][A-Za-z0-9_-]{0,38})")


def parse_offer_number(text: str) -> int:
    """`o17`, `O17` or `17`. Raises BadOfferNumber."""
    match = _OFFER_NUMBER.fullmatch(text)
    if match is None or not 0 < int(match[1]) <= MAX_OFFER_NUMBER:
        raise BadOfferNumber(text)
    return int(match[1])


def parse_login(text: str) -> str:
    """`@adam` or `adam`, without the sign. Raises BadLogin."""
    match = _LOGIN.fullmatch(text)
    if match is None:
        raise BadLogin(text)
    return match[1]


READERS: dict[str, Callable[[str, int], object]] = {
    "side": lambda words, now: Side(words.upper()),
    "volume": lambda words, now: parse_volume(words),
    "spend": lambda words, now: parse_amount(words),
    "at": lambda words, now: parse_price(words),
    "deposit": lambda words, now: parse_amount(words),
    "profit": lambda words, now: parse_amount(words),
    "by": parse_instant,
    "until": parse_instant,
    "offer_id": lambda words, now: parse_offer_number(words),
    "login": lambda words, now: parse_login(words),
    "topic": lambda words, now: lower(words),
}
"""What makes a value of a part's words, given the comment's instant. A part without words is just there."""
