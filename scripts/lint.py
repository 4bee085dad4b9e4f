"""Runs every linter, also after one has failed, and ends with a line that counts them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.prefix, "bin")
CHECKS = {
    "ruff check": ["ruff", "check"],
    "ruff format": ["ruff", "format", "--check"],
    "mypy": ["mypy"],
    "imports": ["lint-imports", "--no-logo"],
    "docstrings": ["python", "-m", "scripts.docstrings"],
}
NOT_OURS = {".venv", "node_modules", "build"}


def passes(name: str, command: list[str]) -> bool:
    """Runs one check; what it prints is for the reader."""
    print(f"== {name}", flush=True)
    return subprocess.run([TOOLS / command[0], *command[1:]], cwd=ROOT, check=False).returncode == 0


def python_files() -> int:
    """How many Python files of ours there are: a check that saw none has checked nothing."""
    below = [path for path in ROOT.iterdir() if path.name not in NOT_OURS and path.is_dir()]
    return sum(1 for directory in below for _ in directory.rglob("*.py"))


def main() -> int:
    """Runs all checks; fails if one of them failed."""
    failed = [name for name, command in CHECKS.items() if not passes(name, command)]
    verdict = f"failed: {', '.join(failed)}" if failed else "all passed"
    print(f"lint: {len(CHECKS)} checks over {python_files()} Python files, {verdict}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
