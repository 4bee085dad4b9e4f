"""`python -m sandbox --port 8040`: prints one line with its address when it is ready, runs until it is ended."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal

from sandbox.application import serve
from sandbox.clock import clock_from
from sandbox.server import Sandbox


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A stand-in for GitHub on this machine")
    parser.add_argument("--port", type=int, default=8040, help="0 takes a free one (default: 8040)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--clock", type=clock_from, default="system", help="`system` or `file:PATH`")
    parser.add_argument("--no-validate", action="store_true", help="do not hold requests to GitHub's description")
    parser.add_argument("--hook-timeout", type=float, default=10.0, help="seconds until a delivery has failed")
    return parser


async def run(options: argparse.Namespace) -> None:
    sandbox = Sandbox(options.clock, validate=not options.no_validate, hook_timeout=options.hook_timeout)
    runner = await serve(sandbox, options.host, options.port)
    print(f"sandbox ready at {sandbox.url}", flush=True)
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(arguments().parse_args()))
