"""The compiled core: extension modules made of the market's own sources by `make compile`, used if they are there.

A build lies in a folder named by a hash of every source of the market and of this Python. If one letter of them
changes, no such folder is found, and the sources are used: a stale build cannot be taken for them.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import sysconfig
from pathlib import Path

import app.market

ROOT = Path(__file__).resolve().parents[2]
BUILDS = ROOT / "build"


def hash_of(root: Path) -> str:
    """The hash of the market below `root`, its folders included, and of what runs it."""
    told = hashlib.sha256(repr((sys.version, sysconfig.get_config_var("EXT_SUFFIX"))).encode())
    market = Path(root, "app", "market")
    for path in sorted(market.rglob("*.py")):
        told.update(repr((path.relative_to(market).as_posix(), path.read_bytes())).encode())
    return told.hexdigest()[:20]


def folder(root: Path = ROOT, builds: Path = BUILDS) -> Path:
    """Path of the build of these sources, if there is one."""
    return builds / f"core-{hash_of(root)}"


def use(build: Path) -> bool:
    """Import the market from this build from now on, if it is there; what is not in it comes from the sources.

    Not if a part of the market is imported already: two of each class would be about.
    """
    compiled = build / "app" / "market"
    if any(_is_part(name) for name in sys.modules) or not compiled.is_dir():
        return False
    app.market.__path__.insert(0, str(compiled))
    for inner in sorted(path for path in compiled.rglob("*") if path.is_dir()):
        package = importlib.import_module(".".join(("app.market", *inner.relative_to(compiled).parts)))
        package.__path__.insert(0, str(inner))
    return True


def _is_part(name: str) -> bool:
    """A module of the market; its folders are none, as they are empty."""
    return name.startswith("app.market.") and not hasattr(sys.modules[name], "__path__")


def core() -> str:
    """Name of the core that this process runs."""
    found = importlib.util.find_spec("app.market.exchange.sweep")
    return "pure Python" if found is None or str(found.origin).endswith(".py") else "compiled"
