"""The server: one way for every API request — count, fault, who, where, valid, allowed, do, check the answer, log."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox import (
    api_advisories,
    api_apps,
    api_checks,
    api_code,
    api_comments,
    api_graphql,
    api_issues,
    api_labels,
    api_manifest,
    api_releases,
    api_repositories,
    validation,
)
from sandbox.auth import Principal, authenticate, login_of
from sandbox.budgets import Budget, Budgets, cost_of
from sandbox.chance import Chance
from sandbox.clock import Clock, http_date
from sandbox.endpoints import Answer, Call, Endpoint, Transferred, check_rights, find
from sandbox.errors import ApiError, not_found, suspended
from sandbox.faults import DeliveryFaults, EndpointFault, EndpointFaults
from sandbox.hooks import Hooks
from sandbox.shapes import Shapes
from sandbox.state import Json, Repository, State
from sandbox.validation import Violations
from sandbox.world import World

# Importing them fills the table of endpoints.
API = (
    api_advisories,
    api_apps,
    api_checks,
    api_code,
    api_comments,
    api_issues,
    api_labels,
    api_manifest,
    api_releases,
    api_repositories,
)
REQUESTS_KEPT = 20_000
MAX_BODY_BYTES = 30 * 2**20


@dataclass
class LoggedRequest:
    number: int
    at: int
    who: str
    method: str
    path: str
    status: int
    """0 while under way, and when a fault swallowed the answer."""
    user_agent: str = ""
    message: str = ""


@dataclass
class Sandbox:
    """Everything of one running sandbox."""

    clock: Clock
    chance: Chance = field(default_factory=Chance)
    validate: bool = True
    hook_timeout: float = 10.0

    def __post_init__(self) -> None:
        self.state = State()
        self.shapes = Shapes(self.state)
        self.violations = Violations(self.validate)
        self.delivery_faults = DeliveryFaults(self.chance)
        self.endpoint_faults = EndpointFaults(self.chance)
        self.hooks = Hooks(
            self.state, self.shapes, self.clock, self.chance, self.violations, self.delivery_faults, self.hook_timeout
        )
        self.world = World(self.state, self.shapes, self.hooks, self.clock, self.chance)
        self.requests: deque[LoggedRequest] = deque(maxlen=REQUESTS_KEPT)
        self.count = 0
        self.under_way = 0
        self.last_request = self.clock.elapsed()
        self.budgets = Budgets(self.state, self.clock)

    @property
    def url(self) -> str:
        return self.shapes.url

    # -- one request --------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The catch-all for everything that is not under `/_sandbox/` or a page."""
        self.count += 1
        path = request.rel_url.raw_path
        logged = LoggedRequest(
            self.count,
            self.clock.now(),
            "?",
            request.method,
            request.rel_url.raw_path_qs,
            0,
            request.headers.get("User-Agent", ""),
        )
        self.requests.append(logged)
        self.under_way += 1
        budget = self.budgets.of(request.headers.get("Authorization"))
        try:
            body = await request.read()
            cost = cost_of(request.method, path, body)
            refusal = self.budgets.refusal(budget, cost)
            budget.begin(self.clock.exact(), cost)
            try:
                response = await self.struck(request, body, logged, budget, refusal)
                if not response.prepared:
                    response.headers.setdefault("Date", http_date(self.clock.now()))
                return response
            finally:
                budget.under_way -= 1
        finally:
            self.under_way -= 1
            self.last_request = self.clock.elapsed()

    async def struck(
        self, request: web.Request, body: bytes, logged: LoggedRequest, budget: Budget, refusal: ApiError | None
    ) -> web.StreamResponse:
        """The answer, or what a fault that strikes here makes of it."""
        fault = self.endpoint_faults.struck(request.method, request.rel_url.raw_path, budget.caller)
        if fault and not fault.after:
            return await self.strike(request, fault, logged, None)
        response = self.respond(request, body, logged, budget, refusal)
        return await self.strike(request, fault, logged, response) if fault else response

    def respond(
        self, request: web.Request, body: bytes, logged: LoggedRequest, budget: Budget, refusal: ApiError | None
    ) -> web.Response:
        try:
            if refusal:
                raise refusal
            answer = self.answer(request, body, logged, budget)
        except ApiError as error:
            logged.message = error.message
            answer = Answer(error.status, error.body(), error.headers)
        logged.status = answer.status
        data = answer.raw if answer.raw is not None else json.dumps(answer.body, ensure_ascii=False).encode()
        if answer.status in (204, 304):
            data = b""
        headers = {**self.rate_headers(budget), **answer.headers}
        headers.setdefault("Content-Type", "application/json; charset=utf-8")
        headers["X-GitHub-Request-Id"] = f"{logged.number:04X}:SANDBOX"
        headers["X-GitHub-Media-Type"] = "github.v3; format=json"
        return web.Response(status=answer.status, body=data, headers=headers)

    def answer(self, request: web.Request, body: bytes, logged: LoggedRequest, budget: Budget) -> Answer:
        if not request.headers.get("User-Agent"):
            raise ApiError(403, "Request forbidden by administrative rules: it has no User-Agent header")
        header = request.headers.get("Authorization")
        login = login_of(header)
        if login:
            principal = Principal(person=self.world.account(login))
        else:
            principal = authenticate(self.state, header, self.clock.now())
        logged.who = principal.name
        query = list(request.query.items())
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.carry_out(principal, request.method, request.rel_url.raw_path, query, body, headers, budget)
        answer = self.conditional(request, principal, answer)
        if request.path != "/rate_limit" and answer.status != 304:
            budget.used += 1
        return answer

    def carry_out(
        self,
        principal: Principal,
        method: str,
        raw_path: str,
        query: list[tuple[str, str]],
        body: bytes,
        headers: dict[str, str],
        budget: Budget,
    ) -> Answer:
        if (method, raw_path) == ("POST", "/graphql"):
            return self.query(principal, body)
        path = self.by_name(raw_path)
        found = find(method, path)
        if not found:
            raise not_found()
        known, params = found
        if not all(value.isdecimal() for name, value in params.items() if is_number(name)):
            raise not_found()
        wanted = validation.request_for(method.lower(), known.template, params, query, body)
        of_hour = (self.budgets.limits.per_hour(budget.caller), budget.used, budget.resets_at)
        call = Call(self.world, principal, path, params, dict(query), parsed(body), headers, *of_hour)
        return self.do(known, call, wanted)

    def query(self, principal: Principal, body: bytes) -> Answer:
        """GraphQL takes a token of an installation or of a person."""
        if not principal.actor:
            raise ApiError(401, "This endpoint requires you to be authenticated.")
        token = principal.token
        if token and token.installation.suspended_at is not None:
            raise suspended()
        given = parsed(body)
        permissions = token.permissions if token else None
        answer = api_graphql.answer(self.state, lambda where: self.visible(principal, where), permissions, given)
        wrong = [str(e["message"]) for e in answer.body.get("errors", ()) if "type" not in e]
        self.violations.note("request", f"graphql by {principal.name}", self.clock.now(), wrong)
        return answer

    def act(self, login: str, method: str, path: str, body: Any = None) -> Answer:
        """A call by a person on the sandbox's own page: the same rules, but not in the log of requests."""
        principal = Principal(person=self.world.account(login))
        data = b"" if body is None else json.dumps(body).encode()
        return self.carry_out(principal, method, path, [], data, {}, Budget("page"))

    def do(self, known: Endpoint, call: Call, wanted: validation.Request) -> Answer:
        """Carries the call out between two looks into GitHub's description."""
        now = self.clock.now()
        problems = validation.request_problems(wanted, known.template) if self.violations.enabled else []
        self.violations.note("request", f"{known.name} by {call.principal.name}", now, problems)
        try:
            if redirect := self.locate(known, call):
                return redirect
            check_rights(known, call)
            if problems:
                errors: list[Json] = [{"code": "invalid", "message": problem} for problem in problems]
                raise ApiError(422, "Invalid request.\n\n" + "\n".join(problems), errors)
            answer = known.handler(call)
        except Transferred as moved:
            return self.transferred(known, call, moved)
        except ApiError as error:
            self.check_answer(known, wanted, error.status, error.body())
            raise
        if answer.raw is None:
            self.check_answer(known, wanted, answer.status, answer.body)
        return answer

    def check_answer(self, known: Endpoint, wanted: validation.Request, status: int, body: Any) -> None:
        if self.violations.enabled:
            data = b"" if status == 204 else json.dumps(body).encode()
            problems = validation.answer_problems(wanted, known.template, status, data)
            self.violations.note("answer", f"{known.name} → {status}", self.clock.now(), problems)

    # -- where --------------------------------------------------------------------------------------------------

    def by_name(self, path: str) -> str:
        """`/repositories/{id}/…` is the same as `/repos/{owner}/{repo}/…`."""
        if not (match := re.match(r"/repositories/(\d+)(/.*)?\Z", path)):
            return path
        repository = self.state.repositories.get(int(match[1]))
        if not repository:
            raise not_found()
        return f"/repos/{repository.full_name}{match[2] or ''}"

    def locate(self, known: Endpoint, call: Call) -> Answer | None:
        """Finds the repository of the path, if the caller may see it; an old name answers with a redirect."""
        who = call.principal
        if who.installation and who.installation.suspended_at is not None:
            raise suspended()
        if not known.template.startswith("/repos/"):
            return None
        name = f"{call.params['owner']}/{call.params['repo']}"
        repository = self.state.repository_named(name)
        moved = self.state.repositories.get(self.state.old_names.get(name.lower(), 0))
        if repository is None and moved is not None and self.visible(who, moved):
            return self.redirect(known, call, moved)
        if repository is None or not self.visible(who, repository):
            raise not_found()
        if repository.archived and known.method != "GET":
            raise ApiError(403, "Repository was archived so is read-only.")
        call.repository = repository
        return None

    def visible(self, who: Principal, repository: Repository) -> bool:
        if who.app:
            return self.state.installation_on(repository, who.app.id) is not None or not repository.private
        if who.token:
            return who.token.covers(repository) or not repository.private
        return repository.role_of(who.person) != "none"

    def redirect(self, known: Endpoint, call: Call, moved: Repository) -> Answer:
        """301 for reads; GitHub answers writes with 307, so that the method is kept."""
        tail = call.path.split("/", 4)[4:]
        return self.moved(known, "/".join([f"{self.url}/repositories/{moved.id}", *tail]))

    def transferred(self, known: Endpoint, call: Call, moved: Transferred) -> Answer:
        """To the issue at its new place, if the caller may see that."""
        target = self.state.repositories[moved.repository_id]
        if not self.visible(call.principal, target):
            raise not_found()
        tail = call.path.split("/", 6)[6:]
        return self.moved(known, "/".join([f"{self.url}/repositories/{target.id}/issues/{moved.number}", *tail]))

    def moved(self, known: Endpoint, url: str) -> Answer:
        status = 301 if known.method == "GET" else 307
        body = {"message": "Moved Permanently", "url": url, "documentation_url": "https://docs.github.com/rest"}
        return Answer(status, raw=json.dumps(body).encode(), headers={"Location": url})

    # -- around the answer --------------------------------------------------------------------------------------

    def conditional(self, request: web.Request, principal: Principal, answer: Answer) -> Answer:
        """An ETag on what was read; 304 to a caller who has it already."""
        if request.method != "GET" or answer.status != 200:
            return answer
        text = answer.raw if answer.raw is not None else json.dumps(answer.body).encode()
        digest = hashlib.sha256(principal.name.encode() + request.headers.get("Accept", "").encode() + text)
        tag = f'W/"{digest.hexdigest()}"'
        headers = {**answer.headers, "ETag": tag, "Vary": "Accept, Authorization"}
        headers["Cache-Control"] = "private, max-age=60, s-maxage=60"
        if tag in [known.strip() for known in request.headers.get("If-None-Match", "").split(",")]:
            return Answer(304, headers=headers)
        return Answer(answer.status, answer.body, headers, answer.raw)

    def rate_headers(self, budget: Budget) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.budgets.limits.per_hour(budget.caller)),
            "X-RateLimit-Used": str(budget.used),
            "X-RateLimit-Remaining": str(self.budgets.remaining(budget)),
            "X-RateLimit-Reset": str(budget.resets_at),
            "X-RateLimit-Resource": "core",
        }

    async def strike(
        self, request: web.Request, fault: EndpointFault, logged: LoggedRequest, done: web.Response | None
    ) -> web.StreamResponse:
        """`done`: the answer that was ready when the fault struck; None: nothing was carried out."""
        logged.message = f"fault: {fault.kind}"
        if fault.kind == "status":
            logged.status = fault.status
            return web.Response(status=fault.status, body=fault.body, headers=fault.headers)
        if fault.kind == "timeout":
            await asyncio.sleep(fault.seconds)
        if fault.kind == "truncate":
            whole = done.body if done and isinstance(done.body, bytes) else b'{"message": "A fault of the sandbox"}'
            length = {"Content-Type": "application/json", "Content-Length": str(len(whole))}
            response = web.StreamResponse(headers=length)
            await response.prepare(request)
            await response.write(whole[: len(whole) // 2])
        if request.transport:
            request.transport.abort()
        return web.Response(status=500)

    async def idle(self, within: float, quiet: float) -> bool:
        """Waits until no delivery and no request is under way and none came for `quiet` seconds."""
        deadline = self.clock.elapsed() + within
        while (left := deadline - self.clock.elapsed()) > 0:
            if self.hooks.outstanding:
                try:
                    await asyncio.wait_for(self.hooks.settled(), left)
                except TimeoutError:
                    return False
                continue
            still = self.clock.elapsed() - self.last_request
            if not self.under_way and still >= quiet:
                return True
            await asyncio.sleep(min(left, max(quiet - still, 0.005)))
        return False


def is_number(parameter: str) -> bool:
    return parameter.endswith(("_id", "_number")) and parameter != "ghsa_id"


def parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise ApiError(400, "Problems parsing JSON") from error


SANDBOX: web.AppKey[Sandbox] = web.AppKey("sandbox", Sandbox)
