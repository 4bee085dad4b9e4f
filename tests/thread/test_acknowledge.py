"""A sign while something takes its time: once, not for what is quick, and never at the cost of what is done."""

from __future__ import annotations

import asyncio

import pytest

from app.thread.acknowledge import when_slow


async def test_what_is_slow_gives_a_sign_once() -> None:
    given = asyncio.Event()

    async def sign() -> None:
        assert not given.is_set()
        given.set()

    async with when_slow(0.001, sign):
        await given.wait()
        await asyncio.sleep(0.01)


async def test_what_is_quick_gives_none() -> None:
    async def sign() -> None:
        pytest.fail("it was quick")

    async with when_slow(60, sign):
        pass


async def test_a_sign_that_fails_harms_nothing() -> None:
    tried = asyncio.Event()

    async def sign() -> None:
        tried.set()
        raise OSError

    async with when_slow(0.001, sign):
        await tried.wait()


async def test_a_failure_passes_through() -> None:
    async def sign() -> None:
        pytest.fail("it was quick")

    with pytest.raises(LookupError):
        async with when_slow(60, sign):
            raise LookupError
