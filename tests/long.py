"""The long profile: a million random commands on the core, the invariants after each, every twentieth market beside the
naive one. `python -m tests.long [COMMANDS [SEED]]`; the last line says what it counted.

Each market begins empty, so memory does not grow; each is known by its seed, so that one that fails can be told again:
`python -m tests.long again SEED`.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from app.market.terms.contract import Outcome
from tests.market.play import OFTEN, Player, Seeded
from tests.market.twins import unsettled

COMMANDS = 1_000_000
COMMANDS_OF_MARKET = 2_000
COMPARED_EVERY = 20
FIRST_SEED = 1


@dataclass
class Count:
    seed: int = 0
    commands: int = 0
    refusals: int = 0
    fills: int = 0
    invariants: int = 0
    compared: int = 0
    peak_mb: int = 0
    failure: str = ""


def market(seed: int, commands: int) -> Count:
    """One market from its beginning to its settlement. A failure is told, not raised: it has to leave the process."""
    compared = seed % COMPARED_EVERY == 0
    chance = Seeded(random.Random(seed))
    player = Player(chance, compared)
    count = Count(seed)
    often = [command for command, times in OFTEN for _ in range(times)]
    try:
        for _ in range(commands):
            count.commands += 1
            chance.pick(often)(player)
            player.twins.check()
        finish(player)
    except Exception as wrong:
        count.failure = f"seed {seed}, command {count.commands}: {type(wrong).__name__}: {wrong}"
    twins = player.twins
    count.refusals, count.invariants = twins.refusals, twins.invariants
    count.fills = len(twins.venue.fills)
    count.compared = count.commands if compared else 0
    count.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return count


def finish(player: Player) -> None:
    """Everything is settled, so that nothing may be left anywhere."""
    for contract, outcome in zip(unsettled(player.twins), Outcome, strict=False):
        player.twins.settle(contract, outcome, 333, 1)
        player.twins.check()
    player.twins.check_whole()


def play(commands: int, first_seed: int) -> Iterable[Count]:
    markets = max(1, commands // COMMANDS_OF_MARKET)
    seeds = range(first_seed, first_seed + markets)
    with ProcessPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool:
        yield from pool.map(market, seeds, [min(commands, COMMANDS_OF_MARKET)] * markets)


def run(commands: int, first_seed: int) -> int:
    total, early_mb, started = Count(), 0, time.monotonic()
    for made in play(commands, first_seed):
        for name in ("commands", "refusals", "fills", "invariants", "compared"):
            setattr(total, name, getattr(total, name) + getattr(made, name))
        total.peak_mb = max(total.peak_mb, made.peak_mb)
        early_mb = early_mb if total.commands * 10 > commands and early_mb else total.peak_mb
        if made.failure:
            print(made.failure, file=sys.stderr)
            total.failure += "!"
    print(
        f"long: {total.commands:,} commands ({total.refusals:,} refused, {total.compared:,} beside the naive market), "
        f"{total.fills:,} fills, {total.invariants:,} invariants checked, {len(total.failure)} markets failed; "
        f"memory {early_mb} MB after a tenth, {total.peak_mb} MB at the end; {time.monotonic() - started:.0f} s"
    )
    return 1 if total.failure else 0


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["again"]:
        told = market(int(arguments[1]), COMMANDS_OF_MARKET)
        print(told.failure or told)
        return 1 if told.failure else 0
    numbers = [int(argument) for argument in arguments]
    return run(*(numbers + [COMMANDS, FIRST_SEED][len(numbers) :]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
