"""`positions`: what somebody holds."""

from collections.abc import Sequence

from app.commands import replies
from app.commands.escape import code
from app.commands.grammar import Command, Parts
from app.commands.mending import reads
from app.commands.requests import PositionsRequest
from app.market.errors import Refusal
from app.services import views
from app.services.trading import Scene
from app.storage import places
from app.storage.db import Tx


def build(parts: Parts) -> PositionsRequest:
    return PositionsRequest(parts.get("login"))


def mend(words: Sequence[str], now: int) -> str:
    return f"positions {words[0]}" if words and reads("login", words[0], now) else "positions"


async def handle(tx: Tx, scene: Scene, request: PositionsRequest) -> str:
    user_id = scene.user_id if request.login is None else await places.user_by_login(tx, request.login)
    if user_id is None:
        raise Refusal(f"Nobody called {code(request.login or '')} has traded here.", "/bugmark positions")
    view = await views.user_view(tx, scene.place, user_id)
    return replies.standing(view, with_money=user_id == scene.user_id)


COMMAND = Command(
    name="positions",
    usage="positions [@user]",
    summary="Show the units held and the offers waiting in this thread.",
    who="Everybody. Another user is named, not mentioned.",
    examples=("positions", "positions @adam"),
    rules="login?",
    build=build,
    handle=handle,
    mend=mend,
    order=6,
)
