"""The demo's programs: started, waited for as long as they live, and ended with the demo, however it ends."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import click

SAY_SECONDS = 15
"""Interval of saying that the demo still waits."""
STOP_SECONDS = 10
STEP_SECONDS = 0.05
LAST_LINES = 20

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


class DemoFailed(Exception):
    """Something did not happen that should have."""


class Ended(Exception):
    """Somebody ended the demo by a signal; `fine`: there was nothing left to be played."""

    def __init__(self, number: int, fine: bool) -> None:
        super().__init__(number)
        self.number, self.fine = number, fine


@contextmanager
def ended_by_signals() -> Iterator[Callable[[], None]]:
    """A signal cancels what runs inside, so that every program is ended on the way out; then Ended is raised.

    Yields what says that all was played. One that is ignored, as under nohup, stays so.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    numbers: list[int] = []
    played: list[bool] = []

    def end(number: int) -> None:
        if not numbers and task is not None:
            task.cancel()
        numbers.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, end, number)
    try:
        yield lambda: played.append(True)
    except asyncio.CancelledError:
        if not numbers:
            raise
        raise Ended(numbers[0], fine=bool(played) and numbers[0] == signal.SIGINT) from None


async def wait_for(look: Callable[[], Awaitable[str | None]], what: str, seconds: float | None = None) -> str:
    """Wait until `look` finds something, and return it. Says now and then that it still waits."""
    begun = said = asyncio.get_running_loop().time()
    while (found := await look()) is None:
        now = asyncio.get_running_loop().time()
        if seconds is not None and now - begun > seconds:
            raise DemoFailed(f"{what} did not come within {seconds:.0f} s")
        if now - said > SAY_SECONDS:
            said = now
            click.echo(f"… {what} has not come yet, after {now - begun:.0f} s", err=True)
        await asyncio.sleep(STEP_SECONDS)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def started(
    words: list[str], environment: dict[str, str], log: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program for as long as the context lasts; its output goes into the file, if there is one.

    It has a session of its own: what ends the demo from the terminal ends the demo, and the demo ends its programs.
    """
    with log.open("ab") if log else nullcontext() as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *words,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=partial(end_with, os.getpid(), signal.SIGKILL),
        )
    try:
        yield process
    finally:
        await stop(process)


async def stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def end_with(parent: int, number: signal.Signals) -> None:
    """Have Linux send this process a signal when its parent is gone, even killed; elsewhere nothing does."""
    prctl = getattr(LIBC, "prctl", None)
    if prctl is None:
        return
    prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it was gone before
        os.kill(os.getpid(), number)


async def until_ready(session: aiohttp.ClientSession, url: str, name: str, program: asyncio.subprocess.Process) -> None:
    """Until it answers, as long as it lives: on a busy machine that may be minutes."""

    async def look() -> str | None:
        try:
            async with session.get(url) as answer:
                return "ready" if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None

    await while_all_run({name: program}, wait_for(look, name))


async def while_all_run(programs: dict[str, asyncio.subprocess.Process], work: Coroutine[Any, Any, object]) -> None:
    """Do the work. Raises DemoFailed as soon as a program ends, which none should."""

    async def ends(name: str, process: asyncio.subprocess.Process) -> None:
        raise DemoFailed(f"{name} has stopped (exit status {await process.wait()})")

    tasks = [asyncio.create_task(work), *(asyncio.create_task(ends(*program)) for program in programs.items())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def make_folder(folder: Path) -> Path:
    """An empty folder that only its owner reads: keys and the database lie in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One demo at a time in a folder: a second one would take the first one's database away."""
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoFailed(f"a demo is running in {folder.resolve()} already; stop it first") from None
        yield


def last_words(folder: Path) -> str:
    """The end of each program's log: who finds the demo failed elsewhere has nothing else."""
    lines = []
    for log in sorted(folder.glob("*.log")):
        lines += [f"{log}:", *(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-LAST_LINES:])]
    return "\n".join(lines)
