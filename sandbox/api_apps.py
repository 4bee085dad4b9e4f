"""The app's own endpoints: itself, its installations and their tokens, its hook and the deliveries of it."""

from __future__ import annotations

from sandbox import installing
from sandbox.clock import iso
from sandbox.endpoints import LEVELS, Answer, Call, endpoint
from sandbox.errors import ApiError, invalid, not_found, suspended
from sandbox.state import Delivery, Installation, Json, Repository

# GitHub forgets deliveries after three days; they can be neither listed nor sent again.
DELIVERY_LIFE_SECONDS = 3 * 86_400


@endpoint("GET", "/app", needs="app")
def get_app(call: Call) -> Answer:
    count = len(installations(call))
    return Answer(200, {**call.world.shapes.app(call.app), "installations_count": count})


def installations(call: Call) -> list[Installation]:
    return [i for i in call.world.state.installations.values() if i.app.id == call.app.id]


@endpoint("GET", "/app/installations", needs="app")
def list_installations(call: Call) -> Answer:
    return call.listed(installations(call), call.world.shapes.installation)


def own_installation(call: Call) -> Installation:
    found = call.world.state.installations.get(int(call.params["installation_id"]))
    if not found or found.app.id != call.app.id:
        raise not_found()
    return found


@endpoint("GET", "/app/installations/{installation_id}", needs="app")
def get_installation(call: Call) -> Answer:
    return Answer(200, call.world.shapes.installation(own_installation(call)))


@endpoint("GET", "/repos/{owner}/{repo}/installation", needs="app")
def get_repository_installation(call: Call) -> Answer:
    found = call.world.state.installation_on(call.repo, call.app.id)
    if not found:
        raise not_found()
    return Answer(200, call.world.shapes.installation(found))


@endpoint("POST", "/app/installations/{installation_id}/access_tokens", needs="app")
def create_token(call: Call) -> Answer:
    installation = own_installation(call)
    if installation.suspended_at is not None:
        raise suspended()
    permissions = narrowed(installation, call.fields.get("permissions"))
    chosen = chosen_repositories(call, installation)
    ids = None if chosen is None else {r.id for r in chosen}
    token = installing.issue_token(call.world, installation, permissions, ids)
    body: Json = {
        "token": token.token,
        "expires_at": iso(token.expires_at),
        "permissions": permissions,
        "repository_selection": "selected" if chosen or installation.repository_ids is not None else "all",
    }
    if chosen is not None:
        body["repositories"] = [call.world.shapes.repository(r) for r in chosen]
    return Answer(201, body)


def narrowed(installation: Installation, wanted: dict[str, str] | None) -> dict[str, str]:
    """The permissions of a token: those of the installation, or fewer."""
    if not wanted:
        return dict(installation.permissions)
    for area, level in wanted.items():
        if LEVELS.index(level) > LEVELS.index(installation.permissions.get(area, "none")):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    return {"metadata": "read", **wanted}


def chosen_repositories(call: Call, installation: Installation) -> list[Repository] | None:
    ids, names = call.fields.get("repository_ids"), call.fields.get("repositories")
    if ids is None and names is None:
        return None
    covered = call.world.state.repositories_of(installation)
    chosen = [r for r in covered if r.id in (ids or ()) or r.name in (names or ())]
    if len(chosen) != len(set(ids or ())) + len(set(names or ())):
        raise ApiError(422, "There is at least one repository that does not exist or is not accessible")
    return chosen


@endpoint("GET", "/installation/repositories", needs="installation")
def list_repositories(call: Call) -> Answer:
    token = call.token
    covered = [r for r in call.world.state.repositories.values() if token.covers(r)]
    chosen, headers = call.page(covered)
    selection = "all" if token.installation.repository_ids is None else "selected"
    body: Json = {
        "total_count": len(covered),
        "repository_selection": selection,
        "repositories": [call.world.shapes.repository(r) for r in chosen],
    }
    return Answer(200, body, headers)


@endpoint("GET", "/app/hook/config", needs="app")
def get_hook_config(call: Call) -> Answer:
    config = {"url": call.app.webhook_url, "content_type": "json", "secret": "********", "insecure_ssl": "0"}
    return Answer(200, config)


@endpoint("PATCH", "/app/hook/config", needs="app")
def edit_hook_config(call: Call) -> Answer:
    call.app.webhook_url = call.fields.get("url", call.app.webhook_url)
    call.app.webhook_secret = call.fields.get("secret", call.app.webhook_secret)
    return get_hook_config(call)


def deliveries(call: Call) -> list[Delivery]:
    """Newest first; what is still under way is not listed yet."""
    since = call.world.clock.now() - DELIVERY_LIFE_SECONDS
    of_app = (d for d in call.world.state.deliveries.values() if d.app_id == call.app.id)
    return [d for d in reversed(list(of_app)) if d.delivered_at is not None and d.delivered_at > since]


@endpoint("GET", "/app/hook/deliveries", needs="app")
def list_deliveries(call: Call) -> Answer:
    """Paged by cursor. `status` divides by the code: success is below 400; one without a code is a failure."""
    found = deliveries(call)
    if (status := call.query.get("status")) is not None:
        found = [d for d in found if (0 < d.status_code < 400) == (status == "success")]
    if cursor := call.query.get("cursor"):
        if not cursor.removeprefix("v1_").isdecimal():
            raise invalid("Hook", "cursor", "invalid")
        found = [d for d in found if d.id <= int(cursor.removeprefix("v1_"))]
    size = max(1, min(call.number("per_page", 30), 100))
    headers = {}
    if len(found) > size:
        headers["Link"] = f'<{call.link({"cursor": f"v1_{found[size].id}"})}>; rel="next"'
    return Answer(200, [call.world.shapes.delivery(d) for d in found[:size]], headers)


def own_delivery(call: Call) -> Delivery:
    number = int(call.params["delivery_id"])
    found = next((d for d in deliveries(call) if d.id == number), None)
    if not found:
        raise not_found()
    return found


@endpoint("GET", "/app/hook/deliveries/{delivery_id}", needs="app")
def get_delivery(call: Call) -> Answer:
    return Answer(200, call.world.shapes.full_delivery(own_delivery(call)))


@endpoint("POST", "/app/hook/deliveries/{delivery_id}/attempts", needs="app")
def redeliver(call: Call) -> Answer:
    call.world.hooks.redeliver(own_delivery(call))
    return Answer(202, {})
