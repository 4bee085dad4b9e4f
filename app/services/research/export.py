"""The public history of a repository as files for research (docs/research.md): the same history, the same bytes."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

from app.market.ledger.entry_detail import Value
from app.services.research.dictionary import VERSION, Format, Written, package
from app.services.research.export_files import SHEETS
from app.services.research.offer_events import read_journal
from app.services.research.sheet import Snapshot, Unit
from app.storage.engine.db import Database, Tx
from app.storage.people.places import Repository
from app.storage.proof import history
from app.storage.proof.audit_reader import Found
from app.storage.proof.tellings import Chronicle, UnreadableJournal

UNFIT = re.compile(r"[^A-Za-z0-9._-]")
"""Not to stand in a folder's name."""


class ExportRefused(Exception):
    """Refusal of an export, in a sentence."""


async def export(db: Database, full_name: str, form: Format, folder: Path, private: bool = False) -> list[Written]:
    """Write every file, from one snapshot; those that are there are replaced. Raises ExportRefused.

    A private repository's history is written only if `private` says so, and for its owner's eyes alone.
    """
    owner, _, name = full_name.partition("/")
    async with db.reading() as tx:
        repository = await history.repository_by_name(tx, owner, name)
        if repository is None:
            raise ExportRefused(f"BugMark does not know the repository {full_name}.")
        if repository.private and not private:
            raise ExportRefused(f"{full_name} is private; add --private to export it all the same.")
        async with _snapshot(tx, await history.contracts_in(tx, repository.id)) as snapshot:
            return await _export(snapshot, repository, form, folder)


async def export_all(db: Database, form: Format, folder: Path, private: bool = False) -> dict[str, list[Written]]:
    """Write every public repository, from one snapshot, each into a folder of its own; returns the files by folder.

    Private ones only if `private` says so. Raises ExportRefused.
    """
    async with db.reading() as tx, _snapshot(tx, None) as snapshot:
        named = folders(await history.all_repositories(tx, private))
        return {name: await _export(snapshot, one, form, folder / name) for name, one in named.items()}


def folders(repositories: Iterable[Repository]) -> dict[str, Repository]:
    """A folder for each. Names ignore case and pass on: of several repositories under one the newest bears it alone."""
    newest_first = sorted(repositories, key=lambda one: one.id, reverse=True)
    named: dict[str, Repository] = {}
    taken: set[str] = set()
    for one in newest_first:
        name = UNFIT.sub("-", f"{one.owner_login}__{one.name}")
        name = f"{name}__{one.id}" if name.lower() in taken else name
        taken.add(name.lower())
        named[name] = one
    return dict(sorted(named.items()))


@asynccontextmanager
async def _snapshot(tx: Tx, contracts: Collection[int] | None) -> AsyncIterator[Snapshot]:
    """The journal is read once; `contracts` None: what it tells of all is kept."""
    with Chronicle() as chronicle:
        try:
            await read_journal(tx, chronicle, contracts)
        except UnreadableJournal as error:
            raise ExportRefused(f"Run `python -m app audit` first: {error}.") from None
        yield Snapshot(tx, chronicle)


async def _export(snapshot: Snapshot, repository: Repository, form: Format, folder: Path) -> list[Written]:
    os.makedirs(folder, exist_ok=True)
    mode = 0o600 if repository.private else 0o644
    written = [await _write(snapshot, repository, sheet, form, folder, mode) for sheet in SHEETS]
    _json(folder / "manifest.json", mode, _manifest(repository, form, written))
    _json(folder / "datapackage.json", mode, package(repository, form, written))
    return written


async def _write(
    snapshot: Snapshot, repository: Repository, name: str, form: Format, folder: Path, mode: int
) -> Written:
    path = folder / f"{name}.{form}"
    columns = SHEETS[name].columns
    rows = 0
    with _replacing(path, mode) as file:
        write = _csv(file, columns) if form is Format.CSV else _jsonl(file, columns)
        async for row in SHEETS[name].rows(snapshot, repository.id):
            write(row)
            rows += 1
    with path.open("rb") as written:
        return Written(path.name, rows, hashlib.file_digest(written, "sha256").hexdigest())


@contextmanager
def _replacing(path: Path, mode: int) -> Iterator[IO[str]]:
    """A file that takes the other's place when it is whole."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w", encoding="utf-8", newline="") as file:
        yield file
    part.replace(path)


def _csv(file: IO[str], columns: dict[str, Unit]) -> Callable[[Found], None]:
    """RFC 4180 with plain line feeds: a header, nothing for what is not there, true and false for flags."""
    out = csv.writer(file, lineterminator="\n")
    out.writerow(columns)

    def write(row: Found) -> None:
        out.writerow([_plain(value, unit) for value, unit in zip(row, columns.values(), strict=True)])

    return write


def _plain(value: Value, unit: Unit) -> Value:
    if unit is Unit.FLAG:
        return "true" if value else "false"
    return value


def _jsonl(file: IO[str], columns: dict[str, Unit]) -> Callable[[Found], None]:
    """One object a line, its members in the order of the columns."""

    def write(row: Found) -> None:
        told = {name: _said(value, unit) for (name, unit), value in zip(columns.items(), row, strict=True)}
        file.write(json.dumps(told, separators=(",", ":"), ensure_ascii=False) + "\n")

    return write


def _said(value: Value, unit: Unit) -> Value:
    if value is None:
        return None
    if unit is Unit.FLAG:
        return bool(value)
    return str(value) if unit is Unit.AMOUNT else value


def _manifest(repository: Repository, form: Format, written: list[Written]) -> dict[str, object]:
    """Write the description of the files; without an instant, since the same history makes the same bytes."""
    return {
        "version": VERSION,
        "format": form.value,
        "repository": {"id": repository.id, "owner": repository.owner_login, "name": repository.name},
        "files": [asdict(item) for item in written],
    }


def _json(path: Path, mode: int, told: dict[str, object]) -> None:
    with _replacing(path, mode) as file:
        file.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
