"""What the command line says where something is missing: one sentence, no traceback, and nothing is made."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.run.demo_programs import DemoFailed, alone, last_words, while_all_run
from tests.databases import apart


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app", *words]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


def test_audit_does_not_make_the_database_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "nothing.db"
    done = run("audit", BUGMARK_DATABASE_URL=f"sqlite:///{path}")
    assert done.returncode == 1
    assert done.stderr == f"Error: There is no database {path}: run `python -m app migrate`.\n"
    assert not path.exists()


def test_audit_wants_a_migrated_database(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    done = run("audit", BUGMARK_DATABASE_URL=f"sqlite:///{path}")
    assert done.returncode == 1
    assert "not of this version (nothing): run `python -m app migrate`" in done.stderr
    assert "Traceback" not in done.stderr


def test_export_refuses_a_repository_that_is_not_known(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'new.db'}"
    assert run("migrate", BUGMARK_DATABASE_URL=database).returncode == 0
    done = run("export", "octo/cat", "--out", str(tmp_path / "out"), BUGMARK_DATABASE_URL=database)
    assert (done.returncode, done.stderr) == (1, "Error: BugMark does not know the repository octo/cat.\n")
    assert not (tmp_path / "out").exists()


def test_export_is_of_one_repository_or_of_all(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'new.db'}"
    assert run("migrate", BUGMARK_DATABASE_URL=database).returncode == 0
    out = str(tmp_path / "out")
    done = run("export", "--all", "--out", out, BUGMARK_DATABASE_URL=database)
    assert (done.returncode, done.stdout) == (0, f"export: 0 rows in 0 files of 0 repositories in {out}.\n")
    for words in (("export",), ("export", "octo/cat", "--all")):
        done = run(*words, BUGMARK_DATABASE_URL=database)
        assert done.returncode == 2
        assert "Name one repository (OWNER/NAME), or say --all." in done.stderr


def test_a_database_that_cannot_be_reached_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = run("audit", BUGMARK_DATABASE_URL="postgresql://bugmark@127.0.0.1:9/bugmark")
    assert done.returncode == 1
    assert "The database cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_migrate_into_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = run("migrate", BUGMARK_DATABASE_URL=f"sqlite:///{tmp_path / 'no' / 'bugmark.db'}")
    assert done.returncode == 1
    assert "The database cannot be made" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_of_a_newer_version_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    place = {"BUGMARK_DATABASE_URL": f"sqlite:///{path}"}
    assert run("migrate", **place).returncode == 0
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for command in ("migrate", "audit", "restored"):
        done = run(command, **place)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "Error: The database was made by a newer version of BugMark: run that version, or restore the backup from"
            " before it.\n"
        )


def test_migrate_of_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello")
    done = run("migrate", BUGMARK_DATABASE_URL=f"sqlite:///{tmp_path / 'text.db'}")
    assert (done.returncode, done.stderr) == (
        1,
        "Error: The database cannot be brought up to date: file is not a database\n",
    )


def test_a_backup_is_made_read_back_and_restored(tmp_path: Path) -> None:
    live, copy, new = (tmp_path / name for name in ("live.db", "copy.db", "new.db"))
    place = {"BUGMARK_DATABASE_URL": f"sqlite:///{live}"}
    run("migrate", **place)
    done = run("backup", str(copy), **place)
    verdict = "0 entries, 0 contracts, 0 offers: every invariant holds.\nnewest seal: none\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"backup: {verdict}", "")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    done = run("restore", "--check", str(copy), BUGMARK_DATABASE_URL="")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"restore --check: {verdict}", "")
    done = run("restore", str(copy), **place)
    assert (done.returncode, done.stderr) == (1, f"Error: {live} is there already: nothing is written over.\n")
    place = {"BUGMARK_DATABASE_URL": f"sqlite:///{new}"}
    assert run("restore", str(copy), **place).returncode == 0
    done = run("restored", **place)
    assert done.stdout == "restored: that was done already, and nothing has happened since.\n"


def test_one_demo_at_a_time(tmp_path: Path) -> None:
    def second() -> None:
        with alone(tmp_path / "demo"):
            pytest.fail("two demos in one folder")

    with alone(tmp_path / "demo"), pytest.raises(DemoFailed, match="already"):
        apart(second)
    with alone(tmp_path / "demo"):
        pass


def test_a_start_without_an_app_says_how_to_get_one() -> None:
    done = run("serve", **{name: "" for name in os.environ if name.startswith("BUGMARK_")})
    assert done.returncode == 1
    assert "No GitHub App yet? `python -m app setup` registers one" in done.stderr


def test_the_set_up_wants_to_know_where_the_credentials_go(tmp_path: Path) -> None:
    there = tmp_path / "credentials"
    there.touch()
    place = {"BUGMARK_PUBLIC_URL": "https://bugmark.example", "BUGMARK_CREDENTIALS_FILE": ""}
    assert "Say where the credentials go" in run("setup", **place).stderr
    done = run("setup", **{**place, "BUGMARK_CREDENTIALS_FILE": str(there)})
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {there} is there already")


async def test_a_program_that_stops_ends_the_demo_at_once(tmp_path: Path) -> None:
    """And not a minute later, with no word of why."""
    programs = {"worker": await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(3)")}
    with pytest.raises(DemoFailed, match=r"worker has stopped \(exit status 3\)"):
        await while_all_run(programs, asyncio.Event().wait())
    (tmp_path / "worker.log").write_text("one\n" * 30 + "The database cannot be reached.\n")
    assert last_words(tmp_path).splitlines()[0] == f"{tmp_path / 'worker.log'}:"
    assert last_words(tmp_path).endswith("  The database cannot be reached.")
    assert len(last_words(tmp_path).splitlines()) == 21
