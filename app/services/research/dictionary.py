"""The machine-readable dictionary of an export, a Frictionless data package, and the tables of docs/research.md.

Both are drawn from the table that the files are written from (`sheets.SHEETS`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.services.research.export_files import SHEETS
from app.services.research.sheet import Field, Sheet, Unit
from app.storage.people.places import Repository

VERSION = 1
"""Goes up whenever a column goes away, moves or changes its meaning. A new one comes last and changes nothing else."""


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Written:
    """A file of an export."""

    file: str
    rows: int
    sha256: str


TYPES = {Unit.ID: "integer", Unit.INSTANT: "integer", Unit.AMOUNT: "integer", Unit.FLAG: "boolean", Unit.TEXT: "string"}
KINDS = {
    Unit.ID: "names something",
    Unit.INSTANT: "whole seconds since 1970-01-01T00:00:00Z",
    Unit.AMOUNT: "a count of units, mills or things",
    Unit.FLAG: "yes or no",
    Unit.TEXT: "text",
}
MEDIA_TYPES = {Format.CSV: "text/csv", Format.JSONL: "application/jsonl"}
NOT_IN_NAMES = re.compile(r"[^a-z0-9._-]+")


def package(repository: Repository, form: Format, written: Sequence[Written]) -> dict[str, object]:
    """The descriptor that https://specs.frictionlessdata.io/data-package/ asks for."""
    where = f"{repository.owner_login}/{repository.name}"
    return {
        "profile": "data-package",
        "name": NOT_IN_NAMES.sub("-", f"bugmark-{repository.owner_login}-{repository.name}".lower()),
        "id": f"github-repository-{repository.id}",
        "title": f"The market of {where}",
        "description": "The public history of a repository's market on its issues, as BugMark exports it.",
        "version": f"{VERSION}.0.0",
        "resources": [
            _resource(name, sheet, form, item) for (name, sheet), item in zip(SHEETS.items(), written, strict=True)
        ],
    }


def _resource(name: str, sheet: Sheet, form: Format, item: Written) -> dict[str, object]:
    about = f"{sheet.about} Rows stand {sheet.order}.".strip()
    return {
        "profile": "tabular-data-resource",
        "name": name,
        "path": item.file,
        "description": about,
        "format": form.value,
        "mediatype": MEDIA_TYPES[form],
        "encoding": "utf-8",
        "hash": f"sha256:{item.sha256}",
        "schema": _schema(sheet),
    }


def _schema(sheet: Sheet) -> dict[str, object]:
    keys = {"primaryKey": list(sheet.keys)} if sheet.keys else {}
    return {"fields": [_field(field) for field in sheet.fields], "missingValues": [""], **keys}


def _field(field: Field) -> dict[str, object]:
    flag = {"trueValues": ["true"], "falseValues": ["false"]} if field.unit is Unit.FLAG else {}
    said = f"{field.unit.value}: {KINDS[field.unit]}"
    meaning = f"{field.meaning} ({said})" if field.meaning else said
    return {"name": field.name, "type": TYPES[field.unit], "description": meaning, **flag}


def tables() -> str:
    """The part of docs/research.md that tells every file and its columns."""
    return "\n\n".join(_table(name, sheet) for name, sheet in SHEETS.items()) + "\n"


def _table(name: str, sheet: Sheet) -> str:
    about = [sheet.about, ""] if sheet.about else []
    rows = [f"| {field.name} | {field.unit.value} | {field.meaning} |".replace("|  |", "| |") for field in sheet.fields]
    return "\n".join([f"## {name}: {sheet.order}", "", *about, "| column | kind | |", "|---|---|---|", *rows])
