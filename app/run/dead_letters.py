"""Dead letters: webhooks that were given up and messages that GitHub would not take, for an operator to decide on.

They are named `d12` (a delivery) and `m7` (a message).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.market.terms.instants import format_instant
from app.storage.engine.db import Database, Tx
from app.storage.queues import inbox, outbox
from app.storage.queues.inbox import DeadDelivery
from app.storage.queues.outbox import Letter

ALL = "all"


class NoSuchLetter(Exception):
    """A sentence that says which."""


class Named(NamedTuple):
    """Ids of deliveries and of messages."""

    deliveries: set[int]
    messages: set[int]


def read_names(names: Iterable[str]) -> Named:
    """Raises NoSuchLetter."""
    found = Named(set(), set())
    for name in names:
        match = re.fullmatch(r"([dm])([0-9]{1,18})", name, re.ASCII)
        if match is None:
            raise NoSuchLetter(f"{printable(name)} is no letter: they are called d12 or m7, as `letters` lists them.")
        (found.deliveries if match[1] == "d" else found.messages).add(int(match[2]))
    return found


async def listed(db: Database) -> list[str]:
    """Two lines for each, oldest first, and one that counts them."""
    async with db.reading() as tx:
        deliveries, messages = await inbox.dead(tx), await outbox.dead(tx)
    lines = [line for letter in deliveries for line in _delivery(letter)]
    lines += [line for letter in messages for line in _message(letter)]
    return [*lines, f"letters: {len(deliveries)} deliveries and {len(messages)} messages were given up."]


async def shown(db: Database, name: str) -> list[str]:
    """All there is about one, with the webhook or the text. Raises NoSuchLetter."""
    wanted = read_names([name])
    async with db.reading() as tx:
        for delivery in await inbox.dead(tx):
            if delivery.id in wanted.deliveries:
                return [*_delivery(delivery), _pretty(await inbox.dead_payload(tx, delivery.id))]
        for message in await outbox.dead(tx):
            if message.id in wanted.messages:
                return [*_message(message), printable(await outbox.dead_body(tx, message.id))]
    raise NoSuchLetter(f"{name} was not given up, or is not there.")


async def retry(db: Database, names: Iterable[str], now: int) -> int:
    """Have letters tried again from the start; how many. Raises NoSuchLetter, and then none is."""
    async with db.transaction() as tx:
        wanted = await _wanted(tx, names)
        return await inbox.revive(tx, sorted(wanted.deliveries), now) + await outbox.revive(tx, wanted.messages)


async def drop(db: Database, names: Iterable[str]) -> int:
    """Be done with letters; how many. Raises NoSuchLetter, and then none is dropped."""
    async with db.transaction() as tx:
        wanted = await _wanted(tx, names)
        return await inbox.drop(tx, sorted(wanted.deliveries)) + await outbox.drop(tx, wanted.messages)


async def _wanted(tx: Tx, names: Iterable[str]) -> Named:
    there = Named({letter.id for letter in await inbox.dead(tx)}, {letter.id for letter in await outbox.dead(tx)})
    names = list(names)
    if names == [ALL]:
        return there
    wanted = read_names(names)
    missing = [f"d{number}" for number in sorted(wanted.deliveries - there.deliveries)]
    missing += [f"m{number}" for number in sorted(wanted.messages - there.messages)]
    if missing:
        raise NoSuchLetter(f"Not given up, or not there: {', '.join(missing)}. Nothing was done.")
    return wanted


def _delivery(letter: DeadDelivery) -> Iterator[str]:
    at = format_instant(letter.received_at)
    yield f"d{letter.id}  {letter.event}  {letter.lane}  came {at}  GUID {letter.guid}  {letter.attempts} attempts"
    yield f"    {printable(letter.error)}"


def _message(letter: Letter) -> Iterator[str]:
    where = f"installation {letter.installation_id}"
    yield f"m{letter.id}  {letter.kind}  {letter.key}  {where}  {letter.attempts} attempts"
    yield f"    {printable(letter.error)}"


def _pretty(payload: bytes) -> str:
    try:
        return json.dumps(json.loads(payload), indent=2)
    except (ValueError, RecursionError):
        return printable(payload.decode(errors="replace"))


def printable(text: str) -> str:
    """Without what a terminal would obey: the words are GitHub's, or of anybody who writes there."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
