"""Compiles the hot modules of app/market with mypyc, and keeps the build if the market's tests pass on it.

    python -m scripts.compile_core

It is for whoever wants the speed: nothing else needs it, or a C compiler. app/base/compiled.py tells when a build
is used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from app.base.compiled import BUILDS, ROOT, folder

HOT = ("arrival", "book", "fill", "matching", "moves", "offer", "pool", "position", "state", "sweep")
MYPY = ("--config-file=", "--strict", "--namespace-packages", "--explicit-package-bases")
TESTS = ("-q", "-n", os.environ.get("WORKERS", "2"), "-p", "tests.market.compiled", "tests/market")


def missing() -> str:
    """What a build would need and this machine lacks, in words."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"there is no C compiler here ({compiler} is not found)"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "there are no header files of Python (Debian: python3-dev)"
    return ""


def build(source: Path, into: Path) -> None:
    """Make extension modules of the copy in `source`. Ends the program if mypy finds an error or the compiler fails."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    os.chdir(source)
    paths = [path.as_posix() for path in sorted(Path("app", "market").rglob("*.py")) if path.stem in HOT]
    # One shared library, so that the modules call each other directly; it lies beside them in the package.
    extensions = mypycify([*MYPY, *paths], group_name="app.market.core", target_dir=str(source / "c"))
    command = Distribution({"name": "core", "ext_modules": extensions}).get_command_obj("build_ext")
    vars(command).update(build_lib=str(into), build_temp=str(source / "objects"))
    command.ensure_finalized()
    command.run()
    os.chdir(ROOT)


def passes(built: Path) -> bool:
    """Whether the market's tests pass on it."""
    environment = {**os.environ, "BUGMARK_CORE": str(built)}
    done = subprocess.run([sys.executable, "-m", "pytest", *TESTS], cwd=ROOT, env=environment, check=False)
    return done.returncode == 0


def make() -> str:
    """Build from a copy, so that what is compiled is what names the folder; returns what is wrong, if anything."""
    BUILDS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compiling-", dir=BUILDS) as scratch:
        source, built = Path(scratch, "source"), Path(scratch, "built")
        market = Path("app", "market")
        shutil.copytree(ROOT / market, source / market, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy2(ROOT / "app" / "__init__.py", source / "app")
        build(source, built)
        if not passes(built):
            return "the market's tests do not pass on it: it is thrown away"
        for old in BUILDS.glob("core-*"):
            shutil.rmtree(old)
        built.rename(folder(source))
    return ""


def main() -> int:
    started = time.monotonic()
    if folder().is_dir():
        print(f"compile: {folder().name} is of these sources already")
        return 0
    wrong = missing() or make()
    if wrong:
        print(f"compile: {wrong}. The market runs from its sources, in pure Python.")
        return 1
    print(f"compile: {len(HOT)} modules in build/{folder().name}, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
