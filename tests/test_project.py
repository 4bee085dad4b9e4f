"""The project's own files: locks, paths, targets, the market's purity."""

import ast
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON_LOCKS = sorted(ROOT.glob("requirements*.lock"))
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>\S+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
NOT_OURS = {
    ".git",
    ".venv",
    "node_modules",
    "build",
    ".demo",
    ".test",
    ".hypothesis",
    "__pycache__",
    "results",
}
# Where the checkout or home directory of one machine lies; the pattern does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:work|farm|root|home|Users)/[\w.]")


def our_files() -> Iterator[Path]:
    """Every file of the checkout that people write: no environment, no cache, no result."""
    for directory, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in NOT_OURS and not name.endswith("_cache")]
        yield from (Path(directory, name) for name in names if name not in NOT_OURS)  # git's is a file in a worktree


def pins(lock: Path) -> dict[str, str]:
    """Name and exact version of everything that a lock installs."""
    matches = (PIN.match(line) for line in lock.read_text().splitlines())
    return {match["name"]: match["version"] for match in matches if match}


def test_there_is_a_lock_for_each_purpose() -> None:
    names = [lock.name for lock in PYTHON_LOCKS]
    purposes = ["-bench", "-dev", "-node", "-postgres", "-sandbox", "-uv", ""]
    assert names == [f"requirements{purpose}.lock" for purpose in purposes]


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_exact_pins_and_their_hashes_and_nothing_else(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    assert [line for line in lines if not PIN.match(line) and not HASH.match(line)] == []
    followed = [bool(HASH.match(after)) for line, after in itertools.pairwise(lines) if PIN.match(line)]
    assert followed
    assert all(followed)


def test_all_locks_agree_so_that_they_fit_into_one_environment() -> None:
    versions: dict[str, set[str]] = {}
    for lock in PYTHON_LOCKS:
        for name, version in pins(lock).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_development_lock_holds_all_that_the_app_and_the_demo_need() -> None:
    app, demo, development = (pins(ROOT / f"requirements{kind}.lock") for kind in ("", "-sandbox", "-dev"))
    assert app.items() <= demo.items() <= development.items()


def test_the_sandbox_runs_with_what_its_document_says_to_install() -> None:
    told = (ROOT / "docs/sandbox.md").read_text()
    (lock,) = set(re.findall(r"--require-hashes -r (requirements\S*\.lock)", told))
    (python,) = set(re.findall(r"Python (\d\.\d+) or newer", told))
    assert f'requires-python = ">={python}"' in (ROOT / "pyproject.toml").read_text()
    pinned, distributions = pins(ROOT / lock), metadata.packages_distributions()
    imported = {name.split(".")[0] for path in (ROOT / "sandbox").rglob("*.py") for name in imports_of(path)}
    foreign = imported & set(distributions)
    assert {"aiohttp", "jinja2", "openapi_core"} <= foreign
    assert [name for name in foreign if not any(normal(found) in pinned for found in distributions[name])] == []


def normal(distribution: str) -> str:
    """Its name as locks write it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


@pytest.mark.parametrize("folder", [".", "contracts"])
def test_the_node_lock_names_no_registry_and_checks_every_package(folder: str) -> None:
    text = (ROOT / folder / "package-lock.json").read_text()
    whom_to_thank = re.compile(r'"url": "https://github\.com/sponsors/\w+"')
    assert "http" not in whom_to_thank.sub("", text)
    assert text.count('"node_modules/') == text.count('"integrity": "sha512-') > 0


def test_no_lock_is_committed_that_would_hold_registry_addresses() -> None:
    forbidden = {"uv.lock", "poetry.lock", "Pipfile.lock", "yarn.lock", "pnpm-lock.yaml"}
    assert [path for path in our_files() if path.name in forbidden] == []


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    found = []
    for path in our_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in MACHINE_PATH.finditer(text)]
    assert found == []


def test_every_make_target_that_a_document_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z0-9]+):", makefile, re.MULTILINE))
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / ".ci/run"]
    named = {name for path in documents for name in re.findall(r"(?<=make )[a-z0-9]+\b", commands_in(path))}
    assert {"demo", "test", "lint"} <= named
    assert named - targets == set()


def commands_in(document: Path) -> str:
    """The code of a document: its spans and fenced blocks, or the whole of a script."""
    text = document.read_text()
    if document.suffix != ".md":
        return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def test_every_process_of_the_procfile_is_a_command_of_the_app() -> None:
    processes = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert list(processes) == ["release", "web", "worker"]
    done = subprocess.run([sys.executable, "-m", "app", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    commands = set(re.findall(r"^  ([a-z]+) ", done.stdout, re.MULTILINE))
    for process in processes.values():
        program, command = process.rsplit(" ", 1)
        assert program == "python -m app"
        assert command in commands


def test_the_market_imports_itself_and_pure_parts_of_the_standard_library_only() -> None:
    pure = {
        "__future__", "bisect", "collections", "contextlib", "contextvars", "copy", "dataclasses", "datetime",
        "decimal", "enum", "fractions",
        "functools", "hashlib", "heapq", "itertools", "json", "math", "operator", "re", "types", "typing",
        "unicodedata",
    }  # fmt: skip
    imported = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in (ROOT / "app/market").rglob("*.py")
        for name in imports_of(path)
    }
    assert imported
    assert {(path, name) for path, name in imported if name.split(".")[0] not in pure | {"app"}} == set()
    assert {(path, name) for path, name in imported if name.startswith("app") and not in_market(name)} == set()


def in_market(module: str) -> bool:
    """True for the market package and what is in it."""
    return f"{module}.".startswith("app.market.")


def imports_of(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield f"{package}.{node.module or ''}"
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
