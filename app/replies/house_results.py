"""Results about the market itself and about other people: forecasts, disputes, halts, gifts, mentions, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.language.escape import code
from app.market.terms.contract import Outcome
from app.market.terms.instants import format_instant
from app.market.terms.mention import Mode
from app.market.terms.money import format_mills
from app.market.terms.statement import ADVISORY, ISSUE_FORECAST, MILESTONE, PULL, RELEASE, said, shown, words
from app.replies.formats import folded, table
from app.services.forecasts.making import Made
from app.services.life.disputes import Disputed
from app.services.life.rulings import Resolved
from app.services.rules.settings_told import InForce, Setting
from app.services.uses.results import Given, HaltLifted, MarketHalted
from app.services.views.state_words import once_set_aside
from app.storage.market.contracts import ContractRow

MAX_REASON = 200

JUDGED = {
    ADVISORY: "GitHub's advisory database judges when the window has ended: reviewed advisories count, withdrawn ones "
    "do not.",
    ISSUE_FORECAST: "GitHub's API judges when the window has ended: the issue must have been opened, labelled and "
    "titled so in time, and be so still.",
    MILESTONE: "GitHub's API judges: early if the milestone is closed with all its issues closed, else as they are "
    "at the end; pull requests do not count, and a milestone without issues is not done.",
    PULL: "GitHub's API judges: a merge is never taken back, and a pull request that is closed without one may "
    "still be opened again and merged in time.",
    RELEASE: "GitHub's API judges when the window has ended: a pre-release counts, a draft does not, nor "
    "does a release that was deleted in time.",
}

SOURCES = {
    "repository": "they come from this repository's `.github/bugmark.yml`",
    "owner": "they come from `.github/bugmark.yml` in the owner's repository `.github`, since there is none here",
    "none": "they are the defaults, since there is no `.github/bugmark.yml`",
}


def opened(made: Made) -> str:
    """The statement in words and to the letter."""
    row = made.contract
    exact = f"Predicate `{row.statement_text}`, its SHA-256 `{row.statement_hash}`, terms `{row.terms_hash[:12]}`."
    opening = f"**F{row.id}** is open for trading" if made.new else f"**F{row.id}** asks this already"
    return (
        f"{opening}: {words(row.statement_text)}. TRUE if so, else FALSE; one unit of the side that comes true pays 1 "
        f"token. {JUDGED[row.kind]}\n\n"
        f"To trade it: `/bugmark offer true 50 at 0.30 on F{row.id}`.\n\n{folded('To the letter', exact)}"
    )


def disputed(found: Disputed) -> str:
    """A line: the comment that tells everybody of the dispute says the rest."""
    name = shown(found.contract.kind, found.contract.id)
    what = f"You have joined the dispute of {name}" if found.joined else f"{name} is disputed"
    return f"**{what}.** Your bond of {format_mills(found.bond_mills)} comes back if you are right."


def ruled(found: Resolved, outcome_given: Outcome, logins: Mapping[int, str]) -> str:
    row, outcome = found.contract, said(found.contract.kind, outcome_given)
    after = (
        f"this close is set aside and {once_set_aside(row)}"
        if found.aside
        else f"it settles as {outcome} after {format_instant(found.due_at)}"
    )
    return f"**{shown(row.kind, row.id)}: the dispute is resolved as {outcome}**; {after}. {_bonds(found, logins)}"


def _bonds(found: Resolved, logins: Mapping[int, str]) -> str:
    each = [(format_mills(mills), f"**{logins.get(user, '')}**") for user, mills in found.bonds.items()]
    if len(each) == 1:
        ((bond, name),) = each
        return f"The bond of {bond} {f'goes back to {name}' if found.upheld else f'of {name} goes to fees'}."
    told = ", ".join(f"{name} ({bond})" for bond, name in each)
    return f"The bonds of {told} {'go back' if found.upheld else 'go to fees'}."


def halted(result: MarketHalted) -> str:
    return (
        f"**Trading is halted** in {_names(result.contracts)}: {code(result.reason, MAX_REASON)}. Offers can be "
        "cancelled; windows and maturations go on. A maintainer without a position lifts it with "
        "`/bugmark market resume REASON`."
    )


def halt_lifted(result: HaltLifted) -> str:
    closing = [row for row in result.contracts if row.halt_reason is not None]
    still = f" {_names(closing)} stays halted while its window runs." if closing else ""
    return f"**The halt is lifted** in {_names(result.contracts)}: {code(result.reason, MAX_REASON)}.{still}"


def _names(rows: Sequence[ContractRow]) -> str:
    return ", ".join(shown(row.kind, row.id) for row in rows)


def given(result: Given) -> str:
    return (
        f"**{result.gift.giver_login}** gave {result.receiver} {format_mills(result.amount_mills)}. "
        f"You have {format_mills(result.gift.free_mills)} free left."
    )


def mentions_chosen(mode: Mode) -> str:
    back = "`/bugmark unmute` brings it all back."
    match mode:
        case Mode.EVERY:
            return "Your comments in this repository are answered again, and every fill of your offers mentions you."
        case Mode.DAILY:
            return f"From now on fills in this repository mention you at most once a day (UTC). {back}"
        case Mode.NEVER:
            return f"From now on you get only reactions in this repository, and nothing mentions you. {back}"


def settings_told(found: InForce) -> str:
    """Show the settings that differ from the defaults, and fold the rest."""
    own = [one for one in found.settings if one.own]
    rest = [one for one in found.settings if not one.own]
    parts = [f"**The rules in force here**: {SOURCES[found.source]}.{_mistakes(found.mistakes)}", _drawn(own)]
    return "\n\n".join(filter(None, [*parts, folded("Everything else is as by default", _drawn(rest))]))


def _mistakes(count: int) -> str:
    if not count:
        return ""
    many = "a mistake" if count == 1 else f"{count} mistakes"
    return f" The file has {many} now, so the last version that was right stays in force."


def _drawn(settings: Sequence[Setting]) -> str:
    return table(["setting", "value"], "ll", [[f"`{one.key}`", one.value] for one in settings]) if settings else ""
