"""Finds and runs forge as contracts/package-lock.json pins it; nothing is fetched here."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
BUILT = ROOT / "build" / "contracts"

PLATFORMS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def program() -> Path:
    """The one for this machine. Raises SystemExit where npm has brought none."""
    name = f"forge-{platform.system().lower()}-{PLATFORMS.get(platform.machine().lower(), 'unknown')}"
    found = CONTRACTS / "node_modules" / "@foundry-rs" / name / "bin" / "forge"
    if not found.exists():
        raise SystemExit(f"contracts: {found.relative_to(ROOT)} is missing; `scripts/setup_node contracts` installs it")
    return found


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The compiler is run by Node: the one of the environment, where the machine has none that is new enough."""
    path = os.pathsep.join([os.environ.get("PATH", ""), str(ROOT / ".venv" / "bin")])
    return {**os.environ, "PATH": path, "FOUNDRY_DISABLE_NIGHTLY_WARNING": "1", **more}


def run(
    words: Sequence[str], settings: Mapping[str, str] | None = None, folder: Path = CONTRACTS
) -> subprocess.CompletedProcess[str]:
    """Runs forge; the result holds what it said, and how it ended."""
    command = [str(program()), *words]
    env = environment(settings or {})
    return subprocess.run(
        command, cwd=folder, env=env, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
