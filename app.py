"""The server: `streamlit run app.py`. Serves the screens and /healthz, and runs the job supervisor beside them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import core
from pages.components import opening, upload_route
from pages.components.preload import Preload

if TYPE_CHECKING:
    from core.jobs.supervisor import Supervisor
    from core.workflows.workspace import Workspace

_LOG = logging.getLogger("andon.server")
FIRST_SCREEN_SECONDS, AGAIN_SECONDS, SWEEP_SECONDS = 1.5, 5.0, 60.0
_supervised = threading.Event()


def store_answers() -> bool:
    """Whether the store can be read."""
    opening.wait()
    from sqlalchemy.exc import SQLAlchemyError

    from core import workflows as wf
    from core.errors import Problem
    from pages.components.state import workspace

    try:
        wf.jobs_overview(workspace())
    except (Problem, SQLAlchemyError, OSError):
        _LOG.exception("the store does not answer")
        return False
    return True


async def healthz(request: Request) -> JSONResponse:
    """For a watchdog: 200 and "ok", or 503 when the store does not answer or nobody looks after its jobs."""
    store_ok, jobs_ok = await anyio.to_thread.run_sync(store_answers), _supervised.is_set()
    is_well = store_ok and jobs_ok
    body = {"status": "ok" if is_well else "degraded", "store": store_ok, "jobs": jobs_ok, "version": core.__version__}
    return JSONResponse(body, status_code=200 if is_well else 503)


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, object]]:
    """Beside serving: open the store, supervise its jobs, queue the demo projects (not with ANDON_DEMOS=0), warm up."""
    opening.begin()
    async with anyio.create_task_group() as beside:
        beside.start_soon(_work_beside)
        yield {}
        beside.cancel_scope.cancel()


async def _work_beside() -> None:
    """From the opening of the store to the end of the server, when the supervisor is stopped."""
    while (found := await anyio.to_thread.run_sync(_open)) is None:
        await anyio.sleep(AGAIN_SECONDS)
    ws, supervisor = found
    _supervised.set()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_warm_up)
            tasks.start_soon(_look_after_uploads)
            if os.environ.get("ANDON_DEMOS") != "0":
                tasks.start_soon(anyio.to_thread.run_sync, _queue_demos, ws)
            await anyio.sleep_forever()
    finally:
        _supervised.clear()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(supervisor.stop)
        from pages.components.warmup import cool_down

        cool_down()


def _open() -> tuple[Workspace, Supervisor] | None:
    """The store and its running supervisor; None when it cannot be opened now, which every screen then says."""
    with opening.underway():
        from core.errors import Problem
        from core.jobs.supervisor import Supervisor
        from pages.components.state import workspace

        try:
            ws = workspace()
        except Problem as problem:
            _LOG.error("%s", problem)
            return None
        supervisor = Supervisor(ws.store)
        supervisor.start()
        return ws, supervisor


def _queue_demos(ws: Workspace) -> None:
    """Without room or a store for them there are no demo projects, and everything else goes on."""
    from core import workflows as wf
    from core.errors import Problem

    try:
        wf.ensure_demos(ws)
    except Problem as problem:
        _LOG.error("the demo projects could not be queued: %s", problem)


async def _warm_up() -> None:
    """What the first screen needs at once, the rest when that screen has gone out."""
    from pages.components import warmup

    await anyio.to_thread.run_sync(warmup.read_words)
    await anyio.sleep(FIRST_SCREEN_SECONDS)
    await anyio.to_thread.run_sync(warmup.warm_up)


async def _look_after_uploads() -> None:
    """What nobody sends any more goes away; at the end of the server all that is unfinished."""
    from pages.components.uploads import incoming

    try:
        while True:
            await anyio.sleep(SWEEP_SECONDS)
            await anyio.to_thread.run_sync(lambda: incoming().sweep())
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(lambda: incoming().close())


def show_fault(error: BaseException) -> bool:
    """Faults in callbacks and fragments, which the shell does not see, end in the same boxes."""
    from core.errors import Problem
    from pages.components import notices

    if isinstance(error, Problem):
        notices.problem(error)
    else:
        notices.unexpected(error)
    return True


SCREENS = Path(__file__).resolve().parent / "pages" / "main.py"
app = st.App(
    SCREENS,
    routes=[Route("/healthz", healthz), *upload_route.routes(st.get_option("server.baseUrlPath") or "")],
    middleware=[Middleware(Preload)],
    lifespan=lifespan,
    on_script_error=show_fault,
)
