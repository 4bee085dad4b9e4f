"""The export of a repository's public history: complete, documented, the same each time."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.market.life.facts import IssueFacts
from app.market.terms.contract import Side
from app.services.research.dictionary import Format, tables
from app.services.research.export import ExportRefused, export, export_all
from app.services.research.export_files import SHEETS
from app.services.research.sheet import Unit
from app.services.rules.config import Config
from app.storage.engine.db import Database
from app.storage.engine.tables import repositories
from tests.clocks import FakeClock
from tests.services.desk import BY, DAY, Desk

DOCS = Path(__file__).resolve().parents[3] / "docs/research.md"


@pytest.fixture
async def desk(db: Database, clock: FakeClock) -> Desk:
    """Trading over three days in two contracts; one is settled with a fee."""
    made = Desk(db, clock, Config(fee_bps=1_000, dispute_window_seconds=0), audited=False)
    await made.furnish(issues=(101, 102))
    await made.offer(1, "buy unfixed 200 at 800")
    await made.offer(2, "buy fixed 200 at 200")
    clock.advance(DAY)
    await made.sell(2, Side.FIXED, 150, 400)
    await made.offer(3, "buy fixed 96 at 400")
    await made.offer(3, "buy fixed 4 at 400 now")
    await made.offer(4, "buy fixed 20 at 150")
    await made.offer(4, "buy unfixed 30 at 333", by_at=BY + DAY, issue=102)
    made.oracle.facts = IssueFacts(closed=True, completed=True, closed_at=clock.advance(DAY))
    for _ in range(3):
        clock.advance(DAY)
        await made.look(1)
    await made.check()
    return made


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


async def test_what_happened_is_told(desk: Desk, tmp_path: Path) -> None:
    written = await export(desk.db, "Octo/CAT", Format.JSONL, tmp_path)
    assert {item.file: item.rows for item in written if item.rows} == {
        "contracts.jsonl": 2,
        "offers.jsonl": 7,
        "fills.jsonl": 3,
        "amendments.jsonl": 5,
        "payouts.jsonl": 3,
        "prices.jsonl": 2,
        "users.jsonl": 4,
        "offer_events.jsonl": 12,
        "issues.jsonl": 2,
        "halts.jsonl": 1,
    }
    first, second = rows(tmp_path, "contracts")
    assert (first["contract"], first["issue"], first["status"], first["outcome"]) == (1, 101, "SETTLED", "FIXED")
    assert (second["status"], second["outcome"], second["settled_at"]) == ("OPEN", None, None)
    kinds = [row["kind"] for row in rows(tmp_path, "amendments")]
    assert kinds == ["fill", "fill", "fill", "halt", "settlement"]
    fill = rows(tmp_path, "fills")[1]
    assert (fill["kind"], fill["price_mills"], fill["volume"], fill["buyer"], fill["seller"]) == (
        "transfer",
        "400",
        "96",
        3,
        2,
    )
    offer = rows(tmp_path, "offers")[2]
    assert (offer["action"], offer["volume"], offer["filled"], offer["remaining"]) == ("SELL", "150", "100", "0")
    assert offer["all_or_none"] is False
    assert rows(tmp_path, "users")[0] == {"user": 1, "login": "user1"}


async def test_payouts_are_what_units_brought_after_the_fee(desk: Desk, tmp_path: Path) -> None:
    """Beth paid 20,000 for her last 100 units, Charles 40,000 for his; 10 % of what they gained is the fee."""
    await export(desk.db, "octo/cat", Format.JSONL, tmp_path)
    told = {
        row["user"]: (row["fixed_units"], row["unfixed_units"], row["received_mills"])
        for row in rows(tmp_path, "payouts")
    }
    assert told == {1: ("0", "200", "0"), 2: ("100", "0", "92000"), 3: ("100", "0", "94000")}


async def test_a_day_has_its_prices_and_small_fills_make_none(desk: Desk, tmp_path: Path) -> None:
    await export(desk.db, "octo/cat", Format.JSONL, tmp_path)
    days = [list(row.values())[1:] for row in rows(tmp_path, "prices")]
    assert days == [
        ["2026-01-01", "200", "200", "200", "200", "200", "1", "200"],
        ["2026-01-02", "400", "400", "400", "400", "100", "2", "200"],
    ]


async def test_the_same_history_makes_the_same_bytes(desk: Desk, tmp_path: Path) -> None:
    for form in Format:
        for name in ("once", "twice"):
            await export(desk.db, "octo/cat", form, tmp_path / name)
        once = {path.name: path.read_bytes() for path in (tmp_path / "once").iterdir()}
        assert once == {path.name: path.read_bytes() for path in (tmp_path / "twice").iterdir()}
    manifest = json.loads(once["manifest.json"])
    assert manifest["version"] == 1
    for item in manifest["files"]:
        assert hashlib.sha256(once[item["file"]]).hexdigest() == item["sha256"]


async def test_both_formats_say_the_same(desk: Desk, tmp_path: Path) -> None:
    for form in Format:
        await export(desk.db, "octo/cat", form, tmp_path)
    for name, sheet in SHEETS.items():
        with (tmp_path / f"{name}.csv").open(newline="") as file:
            reader = csv.DictReader(file)
            plain = list(reader)
        assert reader.fieldnames == list(sheet.columns)
        assert plain == [{key: as_csv(value) for key, value in row.items()} for row in rows(tmp_path, name)]


def as_csv(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


async def test_a_private_repository_is_refused(desk: Desk, tmp_path: Path) -> None:
    async with desk.db.transaction() as tx:
        await tx.execute(update(repositories).values(private=True))
    with pytest.raises(ExportRefused, match="--private"):
        await export(desk.db, "octo/cat", Format.CSV, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    await export(desk.db, "octo/cat", Format.CSV, tmp_path / "out", private=True)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()} == {0o600}


async def test_only_the_repository_that_was_named(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="does not know the repository octo/dog"):
        await export(desk.db, "octo/dog", Format.CSV, tmp_path)
    async with desk.db.transaction() as tx:
        await tx.execute(
            repositories.insert().values(
                id=99, installation_id=31, owner_id=7, owner_login="octo", name="dog", private=False
            )
        )
    written = await export(desk.db, "octo/dog", Format.CSV, tmp_path)
    assert {item.rows for item in written} == {0}


async def add_repository(desk: Desk, number: int, name: str, private: bool) -> None:
    async with desk.db.transaction() as tx:
        values = {"installation_id": 31, "owner_id": 7, "owner_login": "octo", "name": name, "private": private}
        await tx.execute(repositories.insert().values(id=number, **values))


async def test_all_public_repositories_have_a_folder_each(desk: Desk, tmp_path: Path) -> None:
    """A name that has passed on is borne alone by the newest; private ones are left out unless they are asked for."""
    await add_repository(desk, 40, "Cat", False)
    await add_repository(desk, 98, "secret", True)
    await add_repository(desk, 99, "dog", False)
    written = await export_all(desk.db, Format.CSV, tmp_path / "all")
    assert list(written) == ["octo__Cat__40", "octo__cat", "octo__dog"]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == list(written)
    await export(desk.db, "octo/cat", Format.CSV, tmp_path / "one")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "all/octo__cat" / path.name).read_bytes()
    assert len((tmp_path / "all/octo__dog/offer_events.csv").read_text().splitlines()) == 1
    assert "octo__secret" in await export_all(desk.db, Format.CSV, tmp_path / "own", private=True)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "own/octo__secret").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "own/octo__cat/fills.csv").stat().st_mode) == 0o644


@pytest.mark.parametrize("form", Format)
async def test_the_dictionary_fits_the_files(desk: Desk, tmp_path: Path, form: Format) -> None:
    """Every value is of its field's type, and no two rows have the same key."""
    await export(desk.db, "octo/cat", form, tmp_path)
    package = json.loads((tmp_path / "datapackage.json").read_text())
    assert (package["name"], package["profile"]) == ("bugmark-octo-cat", "data-package")
    assert [one["path"] for one in package["resources"]] == [f"{name}.{form}" for name in SHEETS]
    for resource in package["resources"]:
        data = (tmp_path / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        fields = {field["name"]: field for field in resource["schema"]["fields"]}
        assert all(field["description"] for field in fields.values())
        lines = data.decode().splitlines()
        told = list(csv.DictReader(lines)) if form is Format.CSV else [json.loads(line) for line in lines]
        for row in told:
            assert list(row) == list(fields)
            assert all(fits(value, fields[name]) for name, value in row.items())
        keys = resource["schema"].get("primaryKey", [])
        found = [tuple(row[key] for key in keys) for row in told]
        assert not keys or len(set(found)) == len(found)


def fits(value: object, field: dict[str, Any]) -> bool:
    if value is None or value == "":
        return True
    if field["type"] == "boolean":
        return isinstance(value, bool) or value in (*field["trueValues"], *field["falseValues"])
    return field["type"] == "string" or re.fullmatch("-?[0-9]+", str(value)) is not None


def test_every_column_is_documented() -> None:
    """In the order of the files, with its kind."""
    text = DOCS.read_text()
    for name, sheet in SHEETS.items():
        part = text.split(f"## {name}")[1].split("\n## ")[0]
        told = re.findall(r"^\| (\w+) \| (\w+) \|", part, re.M)[1:]
        assert told == [(column, unit.value) for column, unit in sheet.columns.items()], name
    for unit in Unit:
        assert f"| {unit.value} |" in text
    assert tables() in text
