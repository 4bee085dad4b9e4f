"""`forecast`: a contract on something else than this issue: an advisory, an issue, a milestone, a merge, a release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from app.commands.command import Command
from app.language.corrections import Slots, keep_date
from app.language.forecast_names import (
    MAX_NAME,
    QUOTES,
    BadPackage,
    BadPull,
    BadSeverity,
    BadTag,
    parse_package,
    parse_pull,
    parse_severity,
    parse_tag,
)
from app.language.grammar import Parts
from app.language.likeness import nearest
from app.language.parser import FILLED_IN
from app.language.requests import AboutAdvisory, AboutIssue, AboutMilestone, AboutPull, AboutRelease, ForecastRequest
from app.language.text import lower
from app.market.exchange.spoken import Blank, HandOut
from app.market.terms.statement import ECOSYSTEMS, SEVERITIES

T = TypeVar("T")


def build(parts: Parts) -> ForecastRequest:
    if "package" in parts:
        about = AboutAdvisory(*parts["package"], parts.get("severity", SEVERITIES[0]))
        return ForecastRequest(about, parts["by"])
    if "label" in parts:
        return ForecastRequest(AboutIssue(parts["label"], parts.get("title", "")), parts["by"])
    if "pull" in parts:
        return ForecastRequest(AboutPull(parts["pull"]), parts["by"])
    if "release" in parts:
        return ForecastRequest(AboutRelease(parts["release"]), parts["by"])
    return ForecastRequest(AboutMilestone(parts["milestone"]), parts["by"])


# -- mending ------------------------------------------------------------------------------------------------------

_CLAUSES = ("advisory", "issue", "milestone", "label", "title", "severity", "closed", "by")


def mend(given: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """Keep the readable parts; no package, name or date is filled in."""
    first = lower(given[0]) if given else ""
    if first in _PULL_WORDS or first == "release":
        return _mend_deed("release" if first == "release" else "pull", given[1:], now)
    clauses = _clauses(given)
    slots = Slots()
    if "milestone" in clauses:
        slots.keep("milestone", _name(clauses["milestone"]), Blank.NAME)
    elif "label" in clauses or "issue" in clauses:
        slots.keep("label", _name(clauses.get("label", []) or clauses.get("issue", [])), Blank.NAME)
        if "title" in clauses:
            slots.keep("title", _name(clauses["title"]), Blank.TEXT)
    elif "advisory" in clauses:
        slots.keep("package", _package(clauses["advisory"]), Blank.PACKAGE)
        if "severity" in clauses:
            slots.keep("severity", _severity(clauses["severity"]), Blank.SEVERITY)
    else:
        return ()
    keep_date(slots, "by", [lower(word) for word in clauses.get("by", [])], now)
    return slots.hand_outs("forecast")


_PULL_WORDS = ("pull", "pulls", "pull-request", "pr")


def _mend_deed(what: str, given: Sequence[str], now: int) -> tuple[HandOut, ...]:
    """`pull request #7 is merged by friday`: its number or tag is the only word that can be one."""
    keys = [lower(word) for word in given]
    end = keys.index("by") if "by" in keys else len(keys)
    said = [word for word, key in zip(given[:end], keys, strict=False) if key not in _BESIDE]
    slots = Slots()
    if what == "pull":
        slots.keep("pull", _read(parse_pull, said), Blank.NUMBER)
    else:
        slots.keep("release", _read(parse_tag, said), Blank.TAG)
    keep_date(slots, "by", keys[end + 1 :], now)
    return slots.hand_outs("forecast")


_BESIDE = frozenset({"request", "is", "gets", "merged", "merge", "number", "tag", "published", "publish"})


def _read(parse: Callable[[str], T], given: Sequence[str]) -> list[T]:
    try:
        return [parse(given[0])] if len(given) == 1 and given[0] not in FILLED_IN else []
    except (BadPull, BadTag):
        return []


def _clauses(given: Sequence[str]) -> dict[str, list[str]]:
    """The words after each keyword; those before the first under ""."""
    found: dict[str, list[str]] = {"": []}
    current = ""
    for word in given:
        key = lower(word)
        if key in _CLAUSES and key not in found:
            current = key
            found[current] = []
        else:
            found[current].append(word)
    return found


def _name(given: Sequence[str]) -> list[str]:
    name = " ".join(given).translate({ord(mark): None for mark in QUOTES}).strip()
    return [name] if name and name not in FILLED_IN and len(name) <= MAX_NAME else []


def _package(given: Sequence[str]) -> list[tuple[str, str]]:
    """`npm/left-pad` names its ecosystem too; nothing else is taken for one."""
    word = given[0] if len(given) == 1 else ""
    before, slash, name = word.partition("/")
    try:
        return [parse_package(word if ":" in word or not slash else f"{before}:{name}")]
    except BadPackage:
        return []


def _severity(given: Sequence[str]) -> list[str]:
    word = lower(given[0]) if len(given) == 1 else ""
    try:
        return [parse_severity(nearest(word, SEVERITIES[1:]) or word)]
    except BadSeverity:
        return []


COMMAND = Command(
    name="forecast",
    usage="forecast (advisory PACKAGE [severity SEVERITY] | issue label NAME [title TEXT] | milestone NAME closed | "
    "pull NUMBER merged | release TAG published) by DATE",
    summary="Open a contract on an advisory, an issue to come, a milestone, a merge or a release, to be traded in this "
    "thread.",
    who="Everybody.",
    notes=(
        f"A package is named with its ecosystem: `npm:left-pad`; there are {', '.join(ECOSYSTEMS)}.",
        f"The severity is the least that counts: {', '.join(SEVERITIES[1:])}; without it any counts.",
        "When the contract is made the pull request must be open, or the release not published. A tag is read to the "
        "letter.",
        'A name or text with blanks may stand in quotes: `"help wanted"`. Letter case does not matter.',
        "The answer is a contract such as F12; asking the same again gives the same one. Its sides are TRUE and FALSE: "
        "`offer true 50 at 0.30 on F12`.",
    ),
    examples=(
        "forecast advisory npm:left-pad severity high by in 2 months",
        'forecast issue label "regression" title "safe mode" by end of month',
        'forecast milestone "v2.0" closed by in 6 weeks',
        "forecast pull 7 merged by end of month",
        "forecast release v2.0 published by in 6 weeks",
    ),
    rules="(_ADVISORY package severity? | _ISSUE label title? | milestone _CLOSED? | pull _MERGED? "
    "| release _PUBLISHED?) by",
    build=build,
    mend=mend,
    order=30,
)
