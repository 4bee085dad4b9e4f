"""What was done, done again by one alone: the recorded commands through the services on an empty database.

In the order of their entries. What GitHub answered is not asked again: halts, resumptions and verdicts are taken from
the record, and what they cost or bring is calculated anew. Refused commands made no entries: they must be refused again
at some point between the commands before and after them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select

from app.commands.registry import parse
from app.language.requests import GiveRequest, Request
from app.market.ledger.entry_detail import KINDS
from app.market.terms.contract import Outcome
from app.market.terms.errors import Refusal
from app.services.accounts import accounts
from app.services.life import bonds, issue_checks
from app.services.life.transitions import lock_markets, pay_out, start, stop
from app.services.rules.config import Config
from app.services.rules.in_force import StoredConfigs
from app.services.trading import automatic_trades
from app.services.trading.locked_market import EVERYWHERE, LockedMarket
from app.services.uses.table import needs_rights
from app.storage.engine import tables
from app.storage.engine.db import Database, Tx
from app.storage.market import contracts
from app.storage.market.contracts import ContractRow
from app.storage.market.disputes import DisputeState
from app.storage.people import places
from tests.chaos.books import Raw, raw_entries
from tests.chaos.lines import DAY
from tests.contexts import context_of
from tests.runners import answer as answered

SAME = (tables.installations, tables.repositories, tables.users, tables.configs)
SILENT = ("forecast ", "market ")
"""Commands that may make no entry and change what later ones meet."""

TOLD_BY_GITHUB: Mapping[str, dict[str, Any]] = {
    "This issue is closed as completed": {"closed": True},
    "This issue is closed as a duplicate": {"rejected": "duplicate"},
    "This issue is closed as not planned": {"rejected": "not_planned"},
    "The issue's author and those with triage rights": {"insider": True},
}
"""What GitHub answered, by how the refusal that followed from it begins."""

MADE = re.compile(r"\*\*F(\d+)\*\*")
NUMBER = re.compile(r"\b(?P<letter>[oF])(?P<number>\d+)\b")


class _Undone(Exception):
    """It was not refused."""


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


@dataclass(slots=True)
class Again:
    """`written` tells when a comment was made. Numbers are mapped: on PostgreSQL those drawn in vain are gone.

    `refused` counts commands that were refused and were so again, `wrong` tells of those that were not.
    """

    record: Database
    db: Database
    written: dict[int, int]
    raw: list[Raw] = field(default_factory=list)
    told: dict[str, list[list[Any]]] = field(default_factory=dict)  # by cause
    commands: dict[int, Row[Any]] = field(default_factory=dict)
    contracts: dict[int, Row[Any]] = field(default_factory=dict)
    disputes: list[Row[Any]] = field(default_factory=list)
    joiners: list[Row[Any]] = field(default_factory=list)
    moved: dict[int, int] = field(default_factory=dict)
    offer_numbers: dict[int, int] = field(default_factory=dict)
    contract_numbers: dict[int, int] = field(default_factory=dict)
    read: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    configs: StoredConfigs = field(default_factory=StoredConfigs)

    async def run(self) -> None:
        await self._read_record()
        silent = [
            number
            for number, row in self.commands.items()
            if row.done and row.text.startswith(SILENT) and f"command:{number}" not in self.told
        ]
        refused = [number for number, row in self.commands.items() if not row.done]
        following = self._following()
        done: set[str] = set()
        for position, raw in enumerate(self.raw):
            kind, _, number = raw.cause.partition(":")
            refused = await self._refuse(refused, following[position])
            if kind == "command":
                self._not_refused(refused, int(number))
            silent = await self._silently(silent, raw, following[position])
            if kind in ("command", "comment") and raw.cause in done:
                continue
            done.add(raw.cause)
            await self._do(raw, kind, int(number or 0))
            if kind == "command":
                await self._meet(raw.cause)

        await self._silently(silent, None, following[-1])
        self._not_refused(await self._refuse(refused, following[-1]), following[-1])

    async def _silently(self, numbers: list[int], before: Raw | None, below: int) -> list[int]:
        """Do what made no entry, as soon as its turn has come; returns what is left, in order.

        It came before the next command's entry, and before everything that happened later by itself: that may have
        moved or settled the contract that it was about. Of what happened within the same second either may have come
        first, so that what is refused now is tried again after it, and tells what is wrong only at the next command.
        """
        left = []
        for number in numbers:
            row = self.commands[number]
            last = before is None or (before.cause.startswith("command:") and number < below)
            if number >= below or not (last or (before is not None and row.at <= before.at)):
                left.append(number)
                continue
            try:
                await self._command(number, row.at)
            except Refusal as refusal:
                if last or (before is not None and row.at < before.at):
                    self.wrong.append(f"one alone would have refused command {row.id} {row.text!r}: {refusal.sentence}")
                else:
                    left.append(number)
        return left

    def _following(self) -> list[int]:
        """By position in the journal the number of the command whose entry is there or is the next one."""
        found = [max(self.commands, default=0) + 1]
        for raw in reversed(self.raw):
            kind, _, number = raw.cause.partition(":")
            found.append(int(number) if kind == "command" else found[-1])
        return found[::-1]

    async def _refuse(self, numbers: list[int], below: int) -> list[int]:
        """Try those below a number once more; returns those that are left, in order."""
        left = [number for number in numbers if number >= below or not await self._refused_again(number)]
        self.refused += len(numbers) - len(left)
        return left

    def _not_refused(self, numbers: list[int], below: int) -> None:
        while numbers and numbers[0] < below:
            row = self.commands[numbers.pop(0)]
            self.wrong.append(f"one alone would have done command {row.id} {row.text!r}: {row.answer}")

    async def _read_record(self) -> None:
        async with self.record.reading() as tx, self.db.transaction() as new:
            for table in SAME:
                rows = [dict(row._mapping) for row in await tx.execute(select(table))]
                if rows:
                    await new.execute(insert(table), rows)
            known = [dict(row._mapping) for row in await tx.execute(select(tables.issues))]
            self.moved = {row["moved_to"]: row["id"] for row in known if row["moved_to"]}
            still_open = {"state": "open", "state_reason": None, "closed_at": None, "moved_to": None}
            await new.execute(insert(tables.issues), [row | still_open for row in known])
            c = tables.commands.c
            self.commands = {row.id: row for row in await tx.execute(select(tables.commands).order_by(c.id))}
            self.contracts = {row.id: row for row in await tx.execute(select(tables.contracts))}
            self.disputes = list(await tx.execute(select(tables.disputes)))
            self.joiners = list(await tx.execute(select(tables.joiners)))
            self.raw = await raw_entries(tx)
        for raw in self.raw:
            self.told.setdefault(raw.cause, []).extend(raw.detail)

    async def _do(self, raw: Raw, kind: str, number: int) -> None:
        if kind == "command":
            await self._command(number, raw.at)
        elif kind == "comment":
            await self._grant(raw)
        else:
            await self._follow_up(raw)

    async def _meet(self, cause: str) -> None:
        """Learn the numbers that were drawn now, from the entries that the same command made then."""
        async with self.db.reading() as tx:
            found = await raw_entries(tx, self.read)
        self.read = max((raw.id for raw in found), default=self.read)
        made = [row for raw in found if raw.cause == cause for row in raw.detail]
        for old, new in zip(self.told[cause], made, strict=False):
            if old[0] == new[0]:
                kind = KINDS[old[0]]
                if kind.table == "offers":
                    self.offer_numbers[old[1]] = new[1]
                if kind.table == "contracts":
                    self.contract_numbers[old[1]] = new[1]
                if "contract_id" in kind.columns:
                    at = 1 + kind.columns.index("contract_id")
                    self.contract_numbers[old[at]] = new[at]

    # -- commands ----------------------------------------------------------------------------------------------------

    async def _command(self, number: int, at: int) -> None:
        row = self.commands[number]
        async with self.db.transaction() as tx:
            place = await places.place(tx, row.issue_id)
            assert place is not None, row
            if row.text.startswith("dispute"):
                await self._announce(tx, row.user_id, at)
            request = await self._understood(tx, row)
            config = await self.configs.config(tx, place.repository)
            context = context_of(
                place, config, row.user_id, f"command:{number}", at, may_triage=needs_rights(request), asked=EVERYWHERE
            )
            answer = await answered(tx, context, request)
        for then, now in zip(MADE.findall(row.answer), MADE.findall(answer), strict=False):
            self.contract_numbers[int(then)] = int(now)

    async def _refused_again(self, number: int) -> bool:
        """Whether it is refused as things stand now. If it is not, it is undone."""
        row = self.commands[number]
        why = row.answer.removeprefix("This would be refused: ")
        told = next((what for how, what in TOLD_BY_GITHUB.items() if why.startswith(how)), {})
        try:
            async with self.db.transaction() as tx:
                place = await places.place(tx, row.issue_id)
                assert place is not None, row
                request = await self._understood(tx, row)
                config = await self.configs.config(tx, place.repository)
                context = context_of(place, config, row.user_id, f"command:{number}", row.at, asked=EVERYWHERE, **told)
                await answered(tx, context, request)
                raise _Undone
        except Refusal:
            return True
        except _Undone:
            return False

    async def _understood(self, tx: Tx, row: Row[Any]) -> Request:
        """On GitHub everybody has the name of the record all day."""
        request = parse(NUMBER.sub(self._now_called, row.text), self.written[row.comment_id])
        if isinstance(request, GiveRequest):
            known = await places.users_by_login(tx, request.login)
            request = replace(request, holder=known[0] if known else None)
        return request

    def _now_called(self, match: re.Match[str]) -> str:
        numbers = self.offer_numbers if match["letter"] == "o" else self.contract_numbers
        number = int(match["number"])
        return f"{match['letter']}{numbers.get(number, number)}"

    async def _announce(self, tx: Tx, user_id: int, at: int) -> None:
        """The window and the verdict that were disputed."""
        joined = {row.dispute_id for row in self.joiners if (row.user_id, row.at) == (user_id, at)}
        for found in self.disputes:
            if (found.user_id, found.at) == (user_id, at) or found.id in joined:
                window = {"halt_reason": found.cause, "window_opened_at": found.window_opened_at}
                number = self.contract_numbers.get(found.contract_id, found.contract_id)
                await contracts.change(tx, number, **window, window_ends_at=at + DAY, verdict=found.verdict)

    async def _grant(self, raw: Raw) -> None:
        currency = raw.postings[0][2]
        user = next(owner for _, owner, _, _ in raw.postings if owner)
        async with self.db.transaction() as tx:
            config = await self._rules_of(tx, int(currency.partition(":")[2]), -raw.postings[0][3])
            login = (await places.logins(tx, {user}))[user]
            opening = accounts.Opening(user, login, int(currency.partition(":")[2]), raw.cause)
            await accounts.open_account(tx, opening, config, raw.at)

    async def _rules_of(self, tx: Tx, owner_id: int, mills: int) -> Config:
        found = select(tables.repositories.c.id).where(tables.repositories.c.owner_id == owner_id).limit(1)
        repository = await places.repository(tx, (await tx.execute(found)).scalar_one())
        assert repository is not None
        return replace(await self.configs.config(tx, repository), welcome_grant_mills=abs(mills))

    # -- what follows by itself --------------------------------------------------------------------------------------

    async def _follow_up(self, raw: Raw) -> None:
        kind, _, rest = raw.key.partition(":")
        number = int(rest.partition(":")[0])
        if kind in ("expiry", "resumed"):
            then = next(row[2] for row in raw.detail if row[0] == "offer" and row[1] == number)
        elif kind == "bond":
            then = next(found.contract_id for found in self.disputes if found.id == number)
        else:
            then = number
        now = self.contract_numbers.get(then, then)
        async with self.db.transaction() as tx:
            match kind:
                case "expiry":
                    await automatic_trades.expire_due(tx, now, raw.at, EVERYWHERE)
                case "retry":
                    await automatic_trades.retry_contract(tx, now, raw.at, EVERYWHERE)
                case "resumed":
                    await automatic_trades.resume_suspended(tx, self.offer_numbers[number], now, raw.at, EVERYWHERE)
                case "moved":
                    await self._follow(tx, int(rest.partition(":")[2]), raw.at)
                case _:
                    await self._turn(tx, kind, now, then, raw)

    async def _follow(self, tx: Tx, issue_id: int, at: int) -> None:
        """The issue was transferred, and all its contracts go along."""
        place = await places.place(tx, issue_id)
        assert place is not None, issue_id
        await issue_checks.follow(tx, self.moved[issue_id], place, at)

    async def _turn(self, tx: Tx, kind: str, now: int, then: int, raw: Raw) -> None:
        row = await contracts.get(tx, now)
        assert row is not None, raw
        (locked,) = await lock_markets(tx, [row], raw.cause, raw.at)
        ways: dict[str, Callable[[], Awaitable[object]]] = {
            "halt": lambda: stop(locked, now, raw.at),
            "resume": lambda: start(locked, now, "lifted"),
            "bond": lambda: self._end_dispute(locked, row, then, raw),
            "settlement": lambda: self._settle(locked, now, self.contracts[then], raw.at),
        }
        await ways[kind]()

    async def _end_dispute(self, locked: LockedMarket, row: ContractRow, then: int, raw: Raw) -> None:
        """With its bonds back, or forfeited as they were."""
        number = int(raw.key.partition(":")[2])
        state = next(found.state for found in self.disputes if found.id == number)
        if state == DisputeState.UNANSWERED:
            held = replace(row, backed=self.contracts[then].backed)
            await bonds.lapse(locked, held, Outcome(self.contracts[then].outcome), answered=True)
        else:
            await bonds.give_back(locked, row, DisputeState.ENDED)

    async def _settle(self, locked: LockedMarket, number: int, then: Row[Any], at: int) -> None:
        price = None if then.ruling is None else then.ruling_price
        await pay_out(locked, number, Outcome(then.outcome), None, price)
        await contracts.change(locked.tx, number, ended_round=then.ended_round)
