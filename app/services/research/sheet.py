"""A file of an export: its columns, what each means, and where its rows come from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum

from app.storage.engine.db import Tx
from app.storage.proof.audit_reader import Found
from app.storage.proof.tellings import Chronicle


class Unit(StrEnum):
    """Kinds of columns. Amounts may be large: JSON carries them as text."""

    ID = "id"
    INSTANT = "instant"
    AMOUNT = "amount"
    FLAG = "flag"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the database, and what the journal tells of the offers in it."""

    tx: Tx
    chronicle: Chronicle


@dataclass(frozen=True, slots=True)
class Field:
    """A column; `meaning` "": its name says it."""

    name: str
    unit: Unit
    meaning: str


Rows = Callable[[Snapshot, int], AsyncIterator[Found]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file. `order` is that of its rows, `keys` are the columns that name one, none where several may be alike."""

    order: str
    about: str
    keys: tuple[str, ...]
    fields: tuple[Field, ...]
    rows: Rows

    @property
    def columns(self) -> dict[str, Unit]:
        return {field.name: field.unit for field in self.fields}


def sheet(order: str, about: str, keys: str, columns: str, rows: Rows) -> Sheet:
    """From texts: `columns` are lines `name unit meaning`, and lines that go on are indented."""
    words = (line.split(maxsplit=2) for line in columns.strip().replace("\n ", " ").splitlines())
    fields = tuple(Field(name, Unit(unit), " ".join(" ".join(more).split())) for name, unit, *more in words)
    return Sheet(order, " ".join(about.split()), tuple(keys.split()), fields, rows)


def stored(rows: Callable[[Tx, int], AsyncIterator[Found]]) -> Rows:
    """Rows that are read as they are stored."""
    return lambda snapshot, repository_id: rows(snapshot.tx, repository_id)
