"""A compiled core is used for exactly the sources it was made of, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import app.market
from app import compiled
from app.market import sweep


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout's market."""
    shutil.copytree(compiled.ROOT / "app" / "market", tmp_path / "app" / "market")
    return tmp_path


def test_a_build_belongs_to_its_sources_wherever_they_lie(tree: Path) -> None:
    assert compiled.folder(tree) == compiled.folder()


@pytest.mark.parametrize("name", ["sweep.py", "judgement.py", "new.py"])
def test_a_source_that_was_changed_or_added_has_no_build(tree: Path, name: str) -> None:
    with (tree / "app" / "market" / name).open("a") as source:
        source.write("\n")
    assert compiled.folder(tree) != compiled.folder()


def test_a_source_that_was_taken_away_or_renamed_has_no_build(tree: Path) -> None:
    market = tree / "app" / "market"
    (market / "pool.py").rename(market / "lake.py")
    renamed = compiled.folder(tree)
    (market / "lake.py").unlink()
    assert len({compiled.folder(), renamed, compiled.folder(tree)}) == 3


def test_a_build_is_not_taken_when_the_market_is_imported_already(tmp_path: Path) -> None:
    assert sweep.__file__.endswith(".py")
    (tmp_path / "app" / "market").mkdir(parents=True)
    path = list(app.market.__path__)
    assert not compiled.use(tmp_path)
    assert list(app.market.__path__) == path


def test_these_tests_run_on_the_sources() -> None:
    assert compiled.core() == "pure Python"
