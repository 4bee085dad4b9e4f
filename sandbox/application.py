"""Joins the control calls, the pages and the API into one aiohttp application."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from sandbox import (
    control,
    control_code,
    control_issues,
    control_limits,
    control_owning,
    control_releases,
    manifest_page,
    page,
)
from sandbox.server import MAX_BODY_BYTES, SANDBOX, Sandbox

# They share one table; importing them fills it.
CONTROL = (control, control_code, control_issues, control_limits, control_owning, control_releases)


def application(sandbox: Sandbox) -> web.Application:
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app[SANDBOX] = sandbox
    app.cleanup_ctx.append(hooks)
    app.add_routes(CONTROL[0].routes)
    app.add_routes(manifest_page.routes)
    app.add_routes(page.routes)
    app.router.add_static("/_sandbox/static", page.HERE / "static")
    app.router.add_route("*", "/{path:.*}", sandbox.handle)
    return app


async def hooks(app: web.Application) -> AsyncIterator[None]:
    await app[SANDBOX].hooks.start()
    yield
    await app[SANDBOX].hooks.stop()


async def serve(sandbox: Sandbox, host: str, port: int) -> web.AppRunner:
    """Listens and tells the sandbox its address; port 0 takes a free one. The caller cleans the runner up."""
    runner = web.AppRunner(application(sandbox), access_log=None, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    bound = runner.addresses[0][1]
    sandbox.shapes.url = f"http://{host}:{bound}"
    return runner
