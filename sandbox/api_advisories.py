"""GitHub's global database of advisories; anybody may read it."""

from __future__ import annotations

from sandbox.advisories import affects, full
from sandbox.clock import from_iso
from sandbox.endpoints import Answer, Call, endpoint
from sandbox.errors import ApiError, not_found
from sandbox.state import Advisory

DAY_SECONDS = 86_400
FOREVER = 2**62


@endpoint("GET", "/advisories/{ghsa_id}", needs="nobody")
def get_advisory(call: Call) -> Answer:
    found = call.world.state.advisories.get(call.params["ghsa_id"].lower())
    if not found:
        raise not_found()
    return Answer(200, full(call.world.shapes, found))


@endpoint("GET", "/advisories", needs="nobody")
def list_advisories(call: Call) -> Answer:
    """Paged by cursor, newest publication first unless asked otherwise."""
    by_update = call.query.get("sort") == "updated"
    wanted = [found for found in call.world.state.advisories.values() if fits(call, found)]
    wanted.sort(key=lambda found: (found.updated_at if by_update else found.published_at, found.ghsa_id))
    if call.query.get("direction", "desc") == "desc":
        wanted.reverse()
    if cursor := call.query.get("after"):
        names = [found.ghsa_id for found in wanted]
        if cursor not in names:
            raise ApiError(422, "Validation Failed: after is not a cursor of this list")
        wanted = wanted[names.index(cursor) + 1 :]
    size = max(1, min(call.number("per_page", 30), 100))
    headers = {}
    if len(wanted) > size:
        headers["Link"] = f'<{call.link({"after": wanted[size - 1].ghsa_id})}>; rel="next"'
    return Answer(200, [full(call.world.shapes, found) for found in wanted[:size]], headers)


def fits(call: Call, found: Advisory) -> bool:
    query = call.query
    ecosystem, named = query.get("ecosystem"), [n for n in query.get("affects", "").split(",") if n]
    return (
        query.get("type", "reviewed") == "reviewed"
        and query.get("ghsa_id", found.ghsa_id).lower() == found.ghsa_id
        and query.get("cve_id", found.cve_id) == found.cve_id
        and query.get("severity", found.severity) == found.severity
        and query.get("is_withdrawn", str(found.withdrawn_at is not None).lower())
        == str(found.withdrawn_at is not None).lower()
        and (not ecosystem or any(one["ecosystem"] == ecosystem for one in found.vulnerabilities))
        and (not named or any(affects(found, name) for name in named))
        and within(query.get("published"), [found.published_at])
        and within(query.get("updated"), [found.updated_at])
        and within(query.get("modified"), [found.published_at, found.updated_at])
    )


def within(wanted: str | None, instants: list[int]) -> bool:
    """`2024-01-01`, `>=2024-01-01`, `<2024-01-01T12:00:00Z`, `2024-01-01..2024-02-01`; a day is the whole day."""
    if wanted is None:
        return True
    try:
        first, last = bounds(wanted)
    except ValueError as error:
        raise ApiError(422, "Validation Failed: not a date or a range of dates") from error
    return any(first <= at <= last for at in instants)


def bounds(wanted: str) -> tuple[int, int]:
    """The first and the last instant meant."""
    sign, text = wanted[: len(wanted) - len(wanted.lstrip("<>="))], wanted.lstrip("<>=")
    if ".." in text:
        first, _, last = text.partition("..")
        return (start(first) if first != "*" else 0), (end(last) if last != "*" else FOREVER)
    ranges = {"": (start(text), end(text)), ">=": (start(text), FOREVER), "<=": (0, end(text))}
    ranges |= {">": (end(text) + 1, FOREVER), "<": (0, start(text) - 1)}
    if sign not in ranges:
        raise ValueError(wanted)
    return ranges[sign]


def start(text: str) -> int:
    return from_iso(text)


def end(text: str) -> int:
    return from_iso(text) + (DAY_SECONDS - 1 if len(text) == len("2024-01-01") else 0)
