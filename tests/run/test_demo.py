"""The demo ends its programs, whatever ends the demo; and waits for them as long as they live."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.run import demo_programs
from app.run.demo_programs import DemoFailed, wait_for
from tests.conditions import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
KILLED = [signal.SIGKILL] if sys.platform == "linux" else []
"""What cannot be caught: only Linux tells programs that their parent is gone."""


def below(pid: int) -> set[int]:
    """The processes that a process has started, by what the kernel says."""
    found = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in found.splitlines()]
    return {int(child) for child, parent, state in rows if int(parent) == pid and not state.startswith("Z")}


def alive(pids: set[int]) -> set[int]:
    found = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in found.splitlines()]
    return pids & {int(pid) for pid, state in rows if not state.startswith("Z")}


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@contextmanager
def demo(folder: Path, *before: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "app.yml").write_bytes((ROOT / "app.yml").read_bytes())
    words = [*before, sys.executable, "-m", "app", "demo", "--once"]
    told = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with (folder / "out").open("wb") as out, subprocess.Popen(words, cwd=folder, env=told, stdout=out) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, *KILLED])
def test_whatever_ends_the_demo_ends_its_programs(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path) as process:
        until(lambda: len(below(process.pid)) >= 3, "three programs run")
        programs = below(process.pid)
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == (-number if number == signal.SIGKILL else 128 + number)
        until(lambda: not alive(programs), "all programs are ended")


@pytest.mark.parametrize("number", KILLED)
def test_a_demo_that_make_has_started_ends_when_make_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    waiting = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    with demo(tmp_path, sys.executable, "-c", waiting, MAKELEVEL="1") as make:
        until(lambda: any(len(below(pid)) >= 3 for pid in below(make.pid)), "three programs run")
        (pid,) = below(make.pid)
        programs = {pid, *below(pid)}
        make.send_signal(number)
        until(lambda: not alive(programs), "all programs are ended")


async def test_what_is_waited_for_is_waited_for_without_end_unless_nobody_watches(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_programs, "SAY_SECONDS", 0.1)
    looks = iter([*[None] * 10, "here"])

    async def look() -> str | None:
        return next(looks)

    assert await wait_for(look, "a reply") == "here"
    assert "… a reply has not come yet" in capsys.readouterr().err

    async def nothing() -> None:
        return None

    with pytest.raises(DemoFailed, match="a reply did not come within 0 s"):
        await wait_for(nothing, "a reply", 0.1)
