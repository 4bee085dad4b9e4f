"""The grammar that all commands share.

A command's `rules` is the Lark text of what follows its name, made of the parts below. To give commands a new clause:
a rule here, its field in Parts, its reader in `values`, its name for people in `syntax_errors`. The text is read
in lower case, the values from the original.
`reason` is the rest of the line; what stands before it needs a rule of its own (not `side`), since the lexer sees all
that may follow a rule in any command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol, TypedDict

from lark import Lark

from app.language.forecast_names import PAIRS
from app.market.exchange.spoken import Unclear
from app.market.terms.contract import Outcome, Side


class Parts(TypedDict, total=False):
    """Values of a command's parts, by the name of their rule; a part that was not typed is absent."""

    side: Side
    volume: int
    amount: int
    spend: int
    within: int
    stop: bool
    everything: bool
    at: int
    deposit: int
    profit: int
    by: int
    by_range: tuple[int | None, int]
    until: int
    now_or_never: bool
    all_or_none: bool
    post_only: bool
    pool: bool
    cancel_on_halt: bool
    offer_id: int
    login: str
    topic: str
    command: str
    daily: bool
    reason: str
    truth: Side
    on: int
    numbered: int
    package: tuple[str, str]
    severity: str
    label: str
    title: str
    milestone: str
    pull: int
    release: str
    which: int
    ruling: Outcome
    void_at: int
    act: str
    now: int


class Worded(Protocol):
    """A command's words: its name, and the rule of what follows it."""

    @property
    def name(self) -> str: ...

    @property
    def rules(self) -> str: ...


class BadCommand(Unclear):
    """A command that could not be read."""


class Leaving(BadCommand):
    """Somebody wants out, without saying of what: only the positions tell."""


_SHARED = r"""
side: FIXED | UNFIXED
volume: VOLUME
amount: AMOUNT
spend: _FOR AMOUNT
everything: _ALL
at: (_AT | _AT_SIGN) PRICE
deposit: _DEPOSIT AMOUNT
profit: _PROFIT AMOUNT
by: _BY DATE+
within: (_WITHIN | _IN) DATE+
stop: _STOP
by_range: _BY DATE+
until: _UNTIL DATE+
now_or_never: _NOW_OR_NEVER
all_or_none: _ALL_OR_NONE
post_only: _POST_ONLY
pool: _POOL
cancel_on_halt: _CANCEL_ON_HALT
offer_id: OFFER
login: LOGIN
topic: TOPIC
command: COMMAND
daily: _DAILY
reason: REASON
truth: TRUE | FALSE
on: _ON FORECAST
numbered: FORECAST
package: PACKAGE
severity: _SEVERITY SEVERITY
label: _LABEL NAME+
title: _TITLE NAME+
milestone: _MILESTONE NAME+
pull: _PULL PULL
release: _RELEASE TAG
which: ON_CONTRACT
ruling: RULING
void_at: AT_PRICE
act: ACT
_WITHIN.2: /within(?![^ ])/
_IN.2: /in(?![^ ])/
_STOP.2: /stop(?![^ ])/
ON_CONTRACT.3: /on [cf][0-9]{1,18}(?![^ ])/
RULING.3: /(?:fixed|unfixed|true|false|void)(?![^ ])/
AT_PRICE.3: /(?:at|@) [0-9.,]+%?(?![^ ])/
ACT.3: /(?:halt|resume)(?![^ ])/
TRUE.2: /true(?![^ ])/
FALSE.2: /false(?![^ ])/
_ON.2: /on(?![^ ])/
FORECAST: /f[0-9]{1,18}(?![^ ])/
_ADVISORY.2: /advisory(?![^ ])/
_SEVERITY.2: /severity(?![^ ])/
_ISSUE.2: /issue(?![^ ])/
_LABEL.2: /label(?![^ ])/
_TITLE.2: /title(?![^ ])/
_MILESTONE.2: /milestone(?![^ ])/
_CLOSED.2: /closed(?![^ ])/
_PULL.2: /pull(?![^ ])/
_MERGED.2: /merged(?![^ ])/
_RELEASE.2: /release(?![^ ])/
_PUBLISHED.2: /published(?![^ ])/
PULL: /(?!(?:merged|by)(?![^ ]))[^ ]+/
TAG: /(?!(?:published|by)(?![^ ]))[^ ]+/
NAME: /@QUOTED@(?!(?:by)(?![^ ]))[^ ]+/
_AT_SIGN: /@(?![^ .0-9])/
LOGIN: /[^ ]+/
TOPIC: /[^ ]+/
COMMAND: /[^ ].*/
_DAILY: /daily(?![^ ])/
REASON: /[^ ].*/
%ignore " "
"""

SIDES = ("fixed", "unfixed")
TRUTHS = ("true", "false")
"""The sides of forecasts."""

CONDITIONS = ("all-or-none", "now-or-never", "post-only", "pool", "cancel-on-halt")
KEYWORDS = ("for", "all", "at", "deposit", "profit", "by", "until", *CONDITIONS)
SINGLE = {
    "VOLUME": "volume",
    "AMOUNT": "spend",
    "PRICE": "at",
    "OFFER": "offer_id",
    "PACKAGE": "package",
    "PULL": "pull",
    "TAG": "release",
    "SEVERITY": "severity",
}
_VALUES = (*(name for name in SINGLE if name not in ("PULL", "TAG")), "DATE")
"""Terminals that are any word but a keyword. Which is meant, the place says; what it says, the reader."""


def assemble(commands: Iterable[Worded]) -> Lark:
    """One grammar of all commands."""
    rules = [f"{_rule(one)}: _VERB_{_rule(one).upper()} {one.rules}" for one in commands]
    verbs = [_keyword(f"_VERB_{_rule(one).upper()}", one.name) for one in commands]
    start = f"start: {' | '.join(_rule(one) for one in commands)}"
    keywords = [_keyword(terminal(word), word) for word in (*SIDES, *KEYWORDS)]
    reserved = "|".join(re.escape(word) for word in (*SIDES, *KEYWORDS))
    values = [f"{name}: /(?!@|(?:{reserved})(?![^ ]))[^ ]+/" for name in _VALUES]
    shared = _SHARED.replace("@QUOTED@", _quoted())
    return Lark("\n".join([start, *rules, *verbs, *keywords, *values, shared]), parser="lalr")


def _quoted() -> str:
    """Names between any pair of quotation marks, each followed by `|`."""
    pairs = [(re.escape(opening), re.escape(closing)) for opening, closing in PAIRS]
    return "".join(f"{opening}(?:(?!{closing}).)+{closing}(?![^ ])|" for opening, closing in pairs)


def _rule(command: Worded) -> str:
    return command.name.replace("-", "_")


def terminal(word: str) -> str:
    """The name of a keyword in the grammar."""
    name = word.upper().replace("-", "_")
    return name if word in SIDES else f"_{name}"


def _keyword(name: str, word: str) -> str:
    """A terminal that is the whole word."""
    return f"{name}.2: /{re.escape(word)}(?![^ ])/"
