"""`settings`: the rules in force in this repository."""

from __future__ import annotations

from collections.abc import Sequence

from app.commands.command import Command
from app.language.grammar import Parts
from app.language.requests import SettingsRequest
from app.market.exchange.spoken import HandOut
from app.replies.formats import folded, table
from app.services.rules.context import CommandContext
from app.services.rules.settings_told import InForce, Setting, in_force
from app.storage.engine.db import Tx

SOURCES = {
    "repository": "they come from this repository's `.github/bugmark.yml`",
    "owner": "they come from `.github/bugmark.yml` in the owner's repository `.github`, since there is none here",
    "none": "they are the defaults, since there is no `.github/bugmark.yml`",
}


def build(parts: Parts) -> SettingsRequest:
    return SettingsRequest()


def mend(words: Sequence[str], now: int) -> tuple[HandOut, ...]:
    return (HandOut("settings"),)


async def handle(tx: Tx, context: CommandContext, _request: SettingsRequest) -> str:
    return told(await in_force(tx, context.place.repository))


def told(found: InForce) -> str:
    """Show the settings that differ from the defaults, and fold the rest."""
    own = [one for one in found.settings if one.own]
    rest = [one for one in found.settings if not one.own]
    parts = [f"**The rules in force here**: {SOURCES[found.source]}.{_mistakes(found.mistakes)}", drawn(own)]
    return "\n\n".join(filter(None, [*parts, folded("Everything else is as by default", drawn(rest))]))


def _mistakes(count: int) -> str:
    if not count:
        return ""
    many = "a mistake" if count == 1 else f"{count} mistakes"
    return f" The file has {many} now, so the last version that was right stays in force."


def drawn(settings: Sequence[Setting]) -> str:
    return table(["setting", "value"], "ll", [[f"`{one.key}`", one.value] for one in settings]) if settings else ""


COMMAND = Command(
    name="settings",
    usage="settings",
    summary="Show the rules in force in this repository, and where they come from.",
    who="Everybody.",
    examples=("settings",),
    build=build,
    handle=handle,
    mend=mend,
    winds_up=True,
    stands=False,
    order=27,
)
