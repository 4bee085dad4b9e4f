"""Runs the benchmarks: all of them, or the ones named on the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench import audit, books, core, offers, reply, webhook
from bench.rows import Row, keep, machine, show

BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "core": core.run,
    "offers": offers.run,
    "books": books.run,
    "webhook": webhook.run,
    "reply": reply.run,
    "audit": audit.run,
}


def main() -> int:
    wanted = sys.argv[1:] or list(BENCHMARKS)
    unknown = set(wanted) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"bench: unknown {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    print(machine(), flush=True)
    rows = []
    for name in wanted:
        for row in BENCHMARKS[name]():
            rows.append(row)
            print(show(row), flush=True)
    keep(rows)
    print(f"bench: {len(rows)} figures, {sum(row.met is False for row in rows)} short of their target")
    return 0


if __name__ == "__main__":
    sys.exit(main())
