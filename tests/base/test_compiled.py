"""A compiled core is used for exactly the sources it was made of, or not at all."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import app.market
from app.base import compiled
from app.market.exchange import sweep


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout's market."""
    shutil.copytree(compiled.ROOT / "app" / "market", tmp_path / "app" / "market")
    return tmp_path


def test_a_build_belongs_to_its_sources_wherever_they_lie(tree: Path) -> None:
    assert compiled.folder(tree) == compiled.folder()


@pytest.mark.parametrize("name", ["sweep.py", "money.py", "new.py"])
def test_a_source_that_was_changed_or_added_has_no_build(tree: Path, name: str) -> None:
    market = tree / "app" / "market"
    with next(market.rglob(name), market / name).open("a") as source:
        source.write("\n")
    assert compiled.folder(tree) != compiled.folder()


def test_one_letter_in_a_folder_of_the_market_makes_another_hash(tree: Path) -> None:
    below = tree / "app" / "market" / "below"
    below.mkdir()
    seen = {compiled.hash_of(tree)}
    for text in ("FEE_BPS = 1\n", "FEE_BPS = 2\n"):
        (below / "rules.py").write_text(text)
        seen.add(compiled.hash_of(tree))
    below.rename(below.with_name("elsewhere"))
    assert len(seen | {compiled.hash_of(tree)}) == 4


def test_a_build_with_folders_is_imported_from_its_folders(tmp_path: Path) -> None:
    shutil.copytree(compiled.ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    inner, built = tmp_path / "app" / "market" / "inner", tmp_path / "built" / "app" / "market" / "inner"
    for folder, text in ((inner, "CORE = 'sources'\n"), (built, "CORE = 'build'\n")):
        folder.mkdir(parents=True)
        (folder / "hot.py").write_text(text)
    (inner / "__init__.py").touch()
    (inner / "cold.py").write_text("CORE = 'sources'\n")
    where = inspect.getmodule(compiled.use)
    assert where is not None
    program = (
        f"from pathlib import Path; from {where.__name__} import use; assert use(Path('built'));"
        "from app.market.inner import cold, hot; print(hot.CORE, cold.CORE)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "build sources\n"


def test_a_source_that_was_taken_away_or_renamed_has_no_build(tree: Path) -> None:
    market = tree / "app" / "market"
    lake = next(market.rglob("pool.py")).rename(market / "lake.py")
    renamed = compiled.folder(tree)
    lake.unlink()
    assert len({compiled.folder(), renamed, compiled.folder(tree)}) == 3


def test_a_build_is_not_taken_when_the_market_is_imported_already(tmp_path: Path) -> None:
    assert sweep.__file__.endswith(".py")
    (tmp_path / "app" / "market").mkdir(parents=True)
    path = list(app.market.__path__)
    assert not compiled.use(tmp_path)
    assert list(app.market.__path__) == path


def test_these_tests_run_on_the_sources() -> None:
    assert compiled.core() == "pure Python"
