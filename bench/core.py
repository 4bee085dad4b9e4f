"""The matching core with all its ledger effects, in one process and without a database."""

from __future__ import annotations

import random
import time

from app.market.contract import Side, Terms
from app.market.errors import Refusal
from app.market.matching import cancel, place
from app.market.offer import Action, NewOffer
from app.market.state import ContractState
from bench.rows import Row

OFFERS = 100_000
USERS = 200
MONEY = 10**12


def run() -> list[Row]:
    chance = random.Random(1)
    state = ContractState(1, Terms("play:1", 0, 0, "UNFIXED", "UNFIXED", "allow", "1"), 10**10)
    todo = [
        (
            NewOffer(
                Action.BUY,
                chance.choice(list(Side)),
                chance.randint(5, 100),
                10 * chance.randint(1, 99),
                now_or_never=False,
            ),
            chance.randint(1, USERS),
            chance.random() < 0.1,
        )
        for _ in range(OFFERS)
    ]
    refused = fills = 0
    live: list[tuple[int, int]] = []
    started = time.perf_counter()
    for number, (new, user, then_cancel) in enumerate(todo, 1):
        try:
            changes = place(state, new, number=number, user=user, free_mills=MONEY, cause="bench", now=1)
        except Refusal:
            refused += 1
            continue
        fills += len(changes.fills)
        if changes.offers[number].remaining:
            live.append((number, user))
        if then_cancel and live:
            old, owner = live.pop()
            if old in state.book.offers:
                cancel(state, old, user=owner, cause="bench", now=1)
    seconds = time.perf_counter() - started
    return [
        Row("core: offers with ledger effects", OFFERS / seconds, "offers/s"),
        Row("core: fills in that run", fills, "fills"),
        Row("core: refused in that run (own bounds)", refused, "offers"),
    ]
