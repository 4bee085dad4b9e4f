"""`forecast`: a contract on something else than this issue: an advisory, an issue to come, a milestone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from app.commands.command import Command
from app.commands.drawing import folded
from app.commands.grammar import Parts
from app.commands.mending import kept_date, suggested_date
from app.commands.misfit import nearest
from app.commands.naming import BadPackage, BadSeverity, parse_package, parse_severity
from app.commands.requests import AboutAdvisory, AboutIssue, AboutMilestone, ForecastRequest
from app.market.statement import ADVISORY, ECOSYSTEMS, ISSUE_FORECAST, MILESTONE, SEVERITIES, words
from app.services import forecast_making
from app.services.forecast_making import Made, Milestones
from app.services.scene import Scene
from app.storage.db import Tx
from app.storage.places import Place

JUDGED = {
    ADVISORY: "GitHub's advisory database judges when the window has ended: reviewed advisories count, withdrawn ones "
    "do not.",
    ISSUE_FORECAST: "GitHub's API judges when the window has ended: the issue must have been opened, labelled and "
    "titled so in time, and be so still.",
    MILESTONE: "GitHub's API judges: early if the milestone is closed with all its issues closed, else as they are "
    "at the end; pull requests do not count, and a milestone without issues is not done.",
}


def build(parts: Parts) -> ForecastRequest:
    if "package" in parts:
        about = AboutAdvisory(*parts["package"], parts.get("severity", SEVERITIES[0]))
        return ForecastRequest(about, parts["by"])
    if "label" in parts:
        return ForecastRequest(AboutIssue(parts["label"], parts.get("title", "")), parts["by"])
    return ForecastRequest(AboutMilestone(parts["milestone"]), parts["by"])


async def prepare(oracle: Milestones, place: Place, request: ForecastRequest) -> ForecastRequest | None:
    """A milestone is known to us by its id, so GitHub is asked which it is."""
    if not isinstance(request.about, AboutMilestone):
        return request
    known = await oracle.milestones(place.repository)
    return None if known is None else replace(request, about=replace(request.about, known=tuple(known)))


async def handle(tx: Tx, scene: Scene, request: ForecastRequest) -> str:
    match request.about:
        case AboutAdvisory(ecosystem, package, severity):
            made = await forecast_making.forecast_advisory(tx, scene, ecosystem, package, severity, request.by_at)
        case AboutIssue(label, title):
            made = await forecast_making.forecast_issue(tx, scene, label, title, request.by_at)
        case AboutMilestone(name, known):
            made = await forecast_making.forecast_milestone(tx, scene, name, known or (), request.by_at)
    return told(made)


def told(made: Made) -> str:
    """The statement in words and to the letter."""
    row = made.contract
    exact = f"Predicate `{row.statement_text}`, its SHA-256 `{row.statement_hash}`, terms `{row.terms_hash[:12]}`."
    opening = f"**F{row.id}** is open for trading" if made.new else f"**F{row.id}** asks this already"
    return (
        f"{opening}: {words(row.statement_text)}. TRUE if so, else FALSE; one unit of the side that comes true pays 1 "
        f"token. {JUDGED[row.kind]}\n\n"
        f"To trade it: `/bugmark offer true 50 at 0.30 on F{row.id}`.\n\n{folded('To the letter', exact)}"
    )


# -- mending ------------------------------------------------------------------------------------------------------

KINDS = ("advisory", "issue", "milestone")
_CLAUSES = (*KINDS, "label", "title", "severity", "closed", "by")


def mend(given: Sequence[str], now: int) -> str:
    """What can be read of it is kept; a package without its ecosystem is taken for one of npm."""
    clauses = _clauses(given)
    date = kept_date(clauses.get("by", []), now)[0] or suggested_date(now)
    if "milestone" in clauses:
        return f'forecast milestone "{_name(clauses["milestone"]) or "v1.0"}" closed by {date}'
    if "label" in clauses or "issue" in clauses:
        title = _name(clauses.get("title", []))
        label = _name(clauses.get("label", []) or clauses.get("issue", [])) or "bug"
        return f'forecast issue label "{label}"' + (f' title "{title}"' if title else "") + f" by {date}"
    package = _package(" ".join(clauses.get("advisory", [])[:1]) or " ".join(clauses.get("", [])[:1]) or "left-pad")
    return f"forecast advisory {package}{_severity(clauses.get('severity', []))} by {date}"


def _clauses(given: Sequence[str]) -> dict[str, list[str]]:
    """The words after each keyword; those before the first under ""."""
    found: dict[str, list[str]] = {"": []}
    current = ""
    for word in given:
        key = word if word in _CLAUSES else nearest(word, KINDS) if not found[""] and current == "" else None
        if key is not None and key not in found:
            current = key
            found[current] = []
        else:
            found[current].append(word)
    return found


def _name(given: Sequence[str]) -> str:
    return " ".join(given).translate({ord(mark): None for mark in '"“”`'}).strip()


def _package(word: str) -> str:
    try:
        return ":".join(parse_package(word))
    except BadPackage:
        pass
    before, slash, name = word.partition("/")
    if slash and before in ECOSYSTEMS:
        word = f"{before}:{name}"
    before, colon, name = word.partition(":")
    ecosystem = nearest(before, ECOSYSTEMS) if colon else None
    if ecosystem is None:
        ecosystem, name = ("maven", word) if colon else ("npm", word)
    readable = re.match(r"[a-z0-9@_][a-z0-9@._/:+~-]*", name)
    return f"{ecosystem}:{readable[0] if readable else 'left-pad'}"


def _severity(given: Sequence[str]) -> str:
    for word in given[:1]:
        try:
            return f" severity {parse_severity(word)}"
        except BadSeverity:
            return f" severity {nearest(word, SEVERITIES[1:]) or 'high'}"
    return ""


COMMAND = Command(
    name="forecast",
    usage="forecast (advisory PACKAGE [severity SEVERITY] | issue label NAME [title TEXT] | milestone NAME closed) "
    "by DATE",
    summary="Open a contract on an advisory, an issue to come or a milestone, to be traded in this thread.",
    who="Everybody.",
    notes=(
        f"A package is named with its ecosystem: `npm:left-pad`; there are {', '.join(ECOSYSTEMS)}.",
        f"The severity is the least that counts: {', '.join(SEVERITIES[1:])}; without it any counts.",
        'A name or text with blanks may stand in quotes: `"help wanted"`. Letter case does not matter.',
        "The answer is a contract such as F12; asking the same again gives the same one. Its sides are TRUE and FALSE: "
        "`offer true 50 at 0.30 on F12`.",
    ),
    examples=(
        "forecast advisory npm:left-pad severity high by in 2 months",
        'forecast issue label "regression" title "safe mode" by end of month',
        'forecast milestone "v2.0" closed by in 6 weeks',
    ),
    rules="(_ADVISORY package severity? | _ISSUE label title? | milestone _CLOSED?) by",
    build=build,
    handle=handle,
    prepare=prepare,
    mend=mend,
    order=30,
)
