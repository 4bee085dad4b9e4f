"""GitHub's own example payloads with one field each made into something that nobody expects there."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

EXAMPLES = Path("node_modules/@octokit/webhooks-examples/api.github.com/index.json")
COMMAND = "/bugmark offer fixed 5 at 0.50 by in 2 weeks"
"""What comments say, so that there is something to do about them."""

HEARD = frozenset(
    {
        "issue_comment",
        "issues",
        "label",
        "milestone",
        "repository",
        "pull_request",
        "push",
        "release",
        "check_run",
        "security_advisory",
        "installation",
        "installation_repositories",
        "installation_target",
        "marketplace_purchase",
    }
)
"""Events that the app asks for, or is sent unasked."""

LANES = 40
"""What is of one issue is dealt with one after the other."""

MISSING = object()
RAW = "a place for what json.dumps would not write"
DEEP = b"[" * 5_000 + b"]" * 5_000
NASTY: dict[str, Any] = {
    "missing": MISSING,
    "null": None,
    "true": True,
    "zero": 0,
    "negative": -1,
    "a fraction": 0.5,
    "beyond 64 bits": 2**64,
    "a huge number": b"1" + b"0" * 400,
    "a number too long to read": b"1" + b"0" * 5_000,
    "not a number": b"NaN",
    "empty text": "",
    "a number as text": "7",
    "a list": [1, "x", None],
    "an object": {"id": "x", "login": 7},
    "huge text": "A" * 100_000,
    "NUL": f"{COMMAND}\0",
    "a lone surrogate": f"{COMMAND} \ud800",
    "right to left": f"\u202e{COMMAND}\u202c",
    "zero width": f"\u200b{COMMAND}\u200d\ufeff",
    "deep": DEEP,
    "an instant of the year 9999": "9999-12-31T23:59:59Z",
    "markup": '<script>alert(1)</script> ![x](y "z") @everyone `' + "' OR 1=1 --",
}
"""Bytes are written as they stand."""


@dataclass(frozen=True)
class Mutation:
    event: str
    example: int
    """Which of all examples."""
    path: tuple[str | int, ...]
    kind: str

    def __str__(self) -> str:
        return f"{self.event} {'.'.join(map(str, self.path))}: {self.kind}"

    def body(self, number: int, said_at: str) -> bytes:
        """`number` and `said_at` make each comment a new one, which is not late, in one of several issues."""
        payload = json.loads(json.dumps(examples()[self.example][1]))
        for what in ("issue", "repository"):
            if what in payload:
                payload[what]["id"] += number % LANES
        if self.event == "issue_comment":
            payload["comment"] |= {"id": number, "created_at": said_at, "updated_at": said_at}
        *parents, last = self.path
        node: Any = payload
        for key in parents:
            node = node[key]
        value = NASTY[self.kind]
        if value is MISSING:
            del node[last]
        else:
            node[last] = RAW if isinstance(value, bytes) else value
        text = json.dumps(payload).encode()
        return text.replace(json.dumps(RAW).encode(), value) if isinstance(value, bytes) else text


@cache
def examples() -> list[tuple[str, dict[str, Any]]]:
    """(event, payload) of each of the 329; comments hold a command."""
    found = []
    for event in json.loads(EXAMPLES.read_text()):
        for payload in event["examples"]:
            if event["name"] == "issue_comment":
                payload["comment"]["body"] = COMMAND
            if event["name"] in HEARD - {"installation", "security_advisory", "marketplace_purchase"}:
                payload.setdefault("installation", {"id": 31})
            found.append((event["name"], payload))
    return found


def paths(node: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """To every field, and to the first item of every list."""
    if at:
        yield at
    if isinstance(node, dict):
        for key, value in node.items():
            yield from paths(value, (*at, key))
    elif isinstance(node, list) and node:
        yield from paths(node[0], (*at, 0))


def places() -> list[tuple[str, int, tuple[str | int, ...]]]:
    """Every field once for each event and action: two examples of the same are mutated alike."""
    seen: set[tuple[object, ...]] = set()
    found = []
    for number, (event, payload) in enumerate(examples()):
        for path in paths(payload):
            alike = event, payload.get("action"), path
            if alike not in seen:
                seen.add(alike)
                found.append((event, number, path))
    return found


def all_mutations() -> Iterator[Mutation]:
    for event, number, path in places():
        for kind in NASTY:
            yield Mutation(event, number, path, kind)


def some_mutations(many: int, seed: int) -> list[Mutation]:
    """Three of four from the events that are heard; there the app reads, elsewhere only the door does."""
    dice = random.Random(seed)
    known = places()
    heard = [place for place in known if place[0] in HEARD]
    chosen = [dice.choice(heard if dice.random() < 0.75 else known) for _ in range(many)]
    return [Mutation(*place, dice.choice(list(NASTY))) for place in chosen]
