"""Check runs, which only apps make."""

from __future__ import annotations

from sandbox import shapes_code
from sandbox.api_code import COMMITS, commit
from sandbox.clock import from_iso
from sandbox.coding import Coding
from sandbox.endpoints import Answer, Call, endpoint, text_field
from sandbox.errors import ApiError, invalid, not_found
from sandbox.state import CheckRun, Json

RUNS = "/repos/{owner}/{repo}/check-runs"
TEXT_LIMIT = 65_535
"""Characters of a run's summary and of its text."""
MOST_ANNOTATIONS = 50
"""In one request; more come by further updates."""


def shape(call: Call, run: CheckRun) -> Json:
    return shapes_code.check_run(call.world.shapes, call.repo, run)


@endpoint("POST", RUNS, needs="checks:write")
def create_check_run(call: Call) -> Answer:
    ids, sha = call.world.state.ids, text_field(call.fields, "head_sha", "CheckRun")
    if sha not in call.repo.commits:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    suites = [run.suite_id for run in call.repo.check_runs.values() if run.head_sha == sha]
    suite = suites[0] if suites else next(ids.check_suite)
    name = text_field(call.fields, "name", "CheckRun")
    run = CheckRun(next(ids.check_run), suite, given_app(call), name, sha, call.world.clock.now())
    call.repo.check_runs[run.id] = run
    fill(call, run)
    Coding(call.world, call.repo).tell_check("created", call.actor, run)
    tell_completed(call, run)
    body = shape(call, run)
    return Answer(201, body, {"Location": body["url"]})


def given_app(call: Call) -> int:
    if call.actor.app_id is None:
        raise ApiError(403, "You must authenticate via a GitHub App.")
    return call.actor.app_id


def fill(call: Call, run: CheckRun) -> None:
    """A conclusion completes a run; annotations are added to those that are there."""
    fields, output = call.fields, call.fields.get("output") or {}
    check_output(output)
    for name in ("name", "status", "details_url", "external_id"):
        setattr(run, name, fields.get(name, getattr(run, name)))
    for name in ("title", "summary", "text"):
        setattr(run, name, output.get(name, getattr(run, name)))
    run.annotations += output.get("annotations") or []
    if "started_at" in fields:
        run.started_at = from_iso(fields["started_at"])
    if "conclusion" in fields:
        run.status, run.conclusion = "completed", fields["conclusion"]
        run.completed_at = from_iso(fields["completed_at"]) if "completed_at" in fields else call.world.clock.now()
    elif fields.get("status") == "completed":
        raise invalid("CheckRun", "conclusion", "missing_field")
    elif "status" in fields:
        run.conclusion = run.completed_at = None


def check_output(output: Json) -> None:
    for name in ("summary", "text"):
        if len(output.get(name) or "") > TEXT_LIMIT:
            raise invalid("CheckRun", name, "invalid", f"is too long (maximum is {TEXT_LIMIT} characters)")
    if len(output.get("annotations") or []) > MOST_ANNOTATIONS:
        raise invalid("CheckRun", "annotations", "invalid", f"no more than {MOST_ANNOTATIONS} at a time")


def tell_completed(call: Call, run: CheckRun) -> None:
    if "conclusion" in call.fields:
        Coding(call.world, call.repo).tell_check("completed", call.actor, run)


def known_run(call: Call) -> CheckRun:
    found = call.repo.check_runs.get(int(call.params["check_run_id"]))
    if not found:
        raise not_found()
    return found


@endpoint("GET", f"{RUNS}/{{check_run_id}}", needs="checks:read")
def get_check_run(call: Call) -> Answer:
    return Answer(200, shape(call, known_run(call)))


@endpoint("PATCH", f"{RUNS}/{{check_run_id}}", needs="checks:write")
def edit_check_run(call: Call) -> Answer:
    run = known_run(call)
    if run.app_id != given_app(call):
        raise ApiError(403, "Invalid app_id: the check run belongs to another app")
    fill(call, run)
    tell_completed(call, run)
    return Answer(200, shape(call, run))


@endpoint("GET", f"{RUNS}/{{check_run_id}}/annotations", needs="checks:read")
def list_annotations(call: Call) -> Answer:
    run = known_run(call)
    page = f"{call.world.shapes.url}/{call.repo.full_name}/blob/{run.head_sha}"
    optional = ("start_column", "end_column", "title", "raw_details")
    return call.listed(
        run.annotations, lambda note: {**dict.fromkeys(optional), **note, "blob_href": f"{page}/{note['path']}"}
    )


@endpoint("POST", f"{RUNS}/{{check_run_id}}/rerequest", needs="checks:write")
def rerequest_check_run(call: Call) -> Answer:
    """A person's "Re-run" button, too: whoever may write here."""
    call.require("write")
    run = known_run(call)
    run.status, run.conclusion, run.completed_at = "queued", None, None
    Coding(call.world, call.repo).tell_check("rerequested", call.actor, run)
    return Answer(201, {})


@endpoint("GET", f"{COMMITS}/{{ref}}/check-runs", needs="checks:read")
def list_check_runs(call: Call) -> Answer:
    """The latest of each name, unless all are asked for."""
    sha = commit(call, call.params["ref"]).sha
    found = [run for run in call.repo.check_runs.values() if run.head_sha == sha]
    wanted = call.query.get("check_name")
    found = [run for run in found if wanted in (None, run.name)]
    if call.query.get("filter", "latest") == "latest":
        found = list({run.name: run for run in found}.values())
    chosen, headers = call.page(found)
    return Answer(200, {"total_count": len(found), "check_runs": [shape(call, run) for run in chosen]}, headers)
