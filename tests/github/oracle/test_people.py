"""How old an account is, as GitHub tells it."""

from __future__ import annotations

import pytest

from app.github.api.client import GitHub
from app.github.oracle.people import account_made_at, holder_of
from app.services.trading.limits import NOT_TOLD
from tests.github.play import Play, reply

ANN = "GET /users/ann"


async def test_when_an_account_was_made(github: GitHub, play: Play) -> None:
    play.on(ANN, reply({"id": 5, "login": "ann", "created_at": "1970-01-01T01:00:00Z"}))
    assert await account_made_at(github, 1, 5, "ann") == 3600


@pytest.mark.parametrize(
    "found",
    [
        {"id": 6, "login": "ann", "created_at": "1970-01-01T01:00:00Z"},
        {"id": 5, "login": "ann"},
        {"id": 5, "login": "ann", "created_at": "long ago"},
    ],
)
async def test_an_answer_about_somebody_else_or_without_a_date_does_not_tell(
    github: GitHub, play: Play, found: object
) -> None:
    play.on(ANN, reply(found))
    assert await account_made_at(github, 1, 5, "ann") == NOT_TOLD


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_a_refusal_does_not_tell(github: GitHub, play: Play, status: int) -> None:
    play.on(ANN, reply({"message": "No"}, status=status))
    assert await account_made_at(github, 1, 5, "ann") == NOT_TOLD


@pytest.mark.parametrize(("found", "status"), [([], 200), ({"message": "Oh"}, 502), ({"message": "Slow"}, 429)])
async def test_no_answer(github: GitHub, play: Play, found: object, status: int) -> None:
    play.on(ANN, reply(found, status=status))
    assert await account_made_at(github, 1, 5, "ann") is None


async def test_who_has_a_login_now(github: GitHub, play: Play) -> None:
    play.on(ANN, reply({"id": 5, "login": "ann"}))
    assert await holder_of(github, 1, "ann") == 5


@pytest.mark.parametrize(
    ("found", "status", "told"),
    [
        ({"message": "No"}, 404, NOT_TOLD),
        ({"message": "No"}, 403, NOT_TOLD),
        ({}, 200, None),
        ({"message": "Oh"}, 502, None),
    ],
)
async def test_a_login_that_nobody_has_and_one_that_is_not_told(
    github: GitHub, play: Play, found: object, status: int, told: int | None
) -> None:
    play.on(ANN, reply(found, status=status))
    assert await holder_of(github, 1, "ann") == told
