"""GitHub's rate limits. Every caller is counted always; whoever exceeds one is refused only where that is asked for.

Windows slide, and are measured by the sandbox's own clock: one that jumps ahead empties them.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace

import jwt

from sandbox.auth import PERSON_PREFIX
from sandbox.clock import Clock
from sandbox.errors import ApiError
from sandbox.state import Json, State

HOUR = 3600
READ_POINTS, WRITE_POINTS = 1, 5
CREATING = re.compile(r"/(?:repos/[^/]+/[^/]+|repositories/\d+)/(?:issues|issues/\d+/comments|pulls)\Z")
"""Endpoints for which GitHub's documentation warns that creating too quickly may be limited."""
MUTATION = re.compile(rb'"query"\s*:\s*"\s*mutation\b')
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID."
)
PRIMARY = "API rate limit exceeded for {who}."


@dataclass(frozen=True)
class Limits:
    """GitHub's figures, to be made smaller by a test. `retry_after`: seconds to name, None to leave the header out."""

    enforced: bool = False
    installation_per_hour: int = 5000
    user_per_hour: int = 5000
    anonymous_per_hour: int = 60
    points_per_minute: int = 900
    creations_per_minute: int = 80
    creations_per_hour: int = 500
    concurrent: int = 100
    status: int = 403
    retry_after: int | None = 60

    def changed(self, fields: Json) -> Limits:
        """Raises ValueError for a name or a value that is none of these."""
        for name, value in fields.items():
            if not hasattr(self, name) or isinstance(value, bool) is not (name == "enforced"):
                raise ValueError(f"limits: no {name} that could be {value!r}")
            if not isinstance(value, int) and not (name == "retry_after" and value is None):
                raise ValueError(f"limits: {name} is a whole number, not {value!r}")
        if fields.get("status", 403) not in (403, 429):
            raise ValueError("limits: GitHub refuses with 403 or 429")
        return replace(self, **fields)

    def per_hour(self, caller: str) -> int:
        kind = caller.partition(":")[0]
        return {"user": self.user_per_hour, "anonymous": self.anonymous_per_hour}.get(kind, self.installation_per_hour)


@dataclass
class Window:
    """The sum of what came in the last `seconds`, and the most that it ever was."""

    seconds: int
    most: int = 0
    total: int = 0
    came: deque[tuple[float, int]] = field(default_factory=deque)

    def at(self, now: float) -> int:
        while self.came and self.came[0][0] <= now - self.seconds:
            self.total -= self.came.popleft()[1]
        return self.total

    def add(self, now: float, amount: int) -> None:
        self.at(now)
        self.came.append((now, amount))
        self.total += amount
        self.most = max(self.most, self.total)


def windows(*seconds: int) -> dict[int, Window]:
    return {length: Window(length) for length in seconds}


@dataclass
class Cost:
    points: int
    write: bool
    creation: bool


def cost_of(method: str, path: str, body: bytes) -> Cost:
    """GraphQL is posted to, yet only its mutations write."""
    graphql = path == "/graphql"
    write = bool(MUTATION.search(body)) if graphql else method not in ("GET", "HEAD")
    creation = method == "POST" and bool(CREATING.match(path))
    return Cost(WRITE_POINTS if write else READ_POINTS, write, creation)


@dataclass
class Budget:
    """Use by one caller. `used` and `resets_at` are those of the rate-limit headers."""

    caller: str
    used: int = 0
    resets_at: int = 0
    requests: dict[int, Window] = field(default_factory=lambda: windows(HOUR))
    points: dict[int, Window] = field(default_factory=lambda: windows(60))
    writes: dict[int, Window] = field(default_factory=lambda: windows(1, 5, 60))
    creations: dict[int, Window] = field(default_factory=lambda: windows(60, HOUR))
    last_write_at: float | None = None
    smallest_gap: float | None = None
    under_way: int = 0
    most_under_way: int = 0
    refused: int = 0
    early: int = 0
    """Requests that came before the end of a refusal: what gets an app banned."""
    held_until: int = 0

    def begin(self, now: float, cost: Cost) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        counted = [(self.requests, 1), (self.points, cost.points)]
        counted += [(self.writes, 1)] if cost.write else []
        counted += [(self.creations, 1)] if cost.creation else []
        for kind, amount in counted:
            for window in kind.values():
                window.add(now, amount)
        if cost.write:
            gap = None if self.last_write_at is None else max(0.0, now - self.last_write_at)
            self.smallest_gap = min((known for known in (self.smallest_gap, gap) if known is not None), default=None)
            self.last_write_at = now

    def told(self) -> Json:
        kinds = {"requests": self.requests, "points": self.points, "writes": self.writes, "creations": self.creations}
        most = {f"{name}_{of}s": window.most for name, kind in kinds.items() for of, window in kind.items()}
        return {
            "caller": self.caller,
            "most": {**most, "at_once": self.most_under_way},
            "smallest_gap": self.smallest_gap,
            "used": self.used,
            "refused": self.refused,
            "early": self.early,
        }


@dataclass
class Budgets:
    state: State
    clock: Clock
    limits: Limits = field(default_factory=Limits)
    of_caller: dict[str, Budget] = field(default_factory=dict)

    def of(self, authorization: str | None) -> Budget:
        """The budget of whoever sends this header; what it says is not verified here."""
        caller = self.caller(authorization)
        budget = self.of_caller.setdefault(caller, Budget(caller))
        if budget.resets_at <= self.clock.now():
            budget.used, budget.resets_at = 0, self.clock.now() + HOUR
        return budget

    def caller(self, authorization: str | None) -> str:
        credential = (authorization or "").partition(" ")[2].strip()
        if token := self.state.tokens.get(credential):
            return f"installation:{token.installation.id}"
        if credential.startswith(PERSON_PREFIX):
            return f"user:{credential.removeprefix(PERSON_PREFIX).lower()}"
        if credential.count(".") == 2:
            return f"app:{issuer(credential)}"
        return "anonymous"

    def remaining(self, budget: Budget) -> int:
        return max(0, self.limits.per_hour(budget.caller) - budget.used)

    def refusal(self, budget: Budget, cost: Cost) -> ApiError | None:
        """GitHub's refusal; None while the caller is within all limits, or nobody enforces them."""
        if not self.limits.enforced:
            return None
        now = self.clock.now()
        if now < budget.held_until:
            budget.early += 1
        elif not self.remaining(budget):
            budget.held_until = budget.resets_at
        elif self.too_fast(budget, cost):
            budget.held_until = now + (self.limits.retry_after or 60)
        else:
            return None
        budget.refused += 1
        return self.refused(budget, now)

    def too_fast(self, budget: Budget, cost: Cost) -> bool:
        limits, now = self.limits, self.clock.exact()
        if budget.points[60].at(now) + cost.points > limits.points_per_minute or budget.under_way >= limits.concurrent:
            return True
        minute, hour = budget.creations[60].at(now), budget.creations[HOUR].at(now)
        return cost.creation and (minute >= limits.creations_per_minute or hour >= limits.creations_per_hour)

    def refused(self, budget: Budget, now: int) -> ApiError:
        if not self.remaining(budget):
            return ApiError(self.limits.status, PRIMARY.format(who=budget.caller))
        error = ApiError(self.limits.status, SECONDARY)
        if self.limits.retry_after is not None:
            error.headers["Retry-After"] = str(max(1, budget.held_until - now))
        return error


def issuer(token: str) -> str:
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
    except jwt.InvalidTokenError:
        return "unknown"
