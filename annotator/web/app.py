"""The application: made from settings, opens the database when it starts, closes it when it stops."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.staticfiles import StaticFiles

from annotator.flow.memory import share
from annotator.flow.project import open_project
from annotator.paths import PACKAGE
from annotator.settings import Settings, read_settings
from annotator.web import (
    accounts,
    adjudication,
    adjudications,
    agreement,
    comments,
    confused,
    conversations,
    errors,
    export,
    influence,
    intake,
    items,
    proposals,
    review,
    round,
    rounds,
    run,
    search,
    settled,
    tagging,
    taxonomy,
    thread,
    users,
)
from annotator.web.deps import giving_back
from annotator.web.runner import Runner
from annotator.web.security import Security


def served() -> FastAPI:
    """The app of a server's process. What is loaded by now stays, so looking for unused values passes it by from here on."""
    share()
    app = create_app()
    gc.collect()
    gc.freeze()
    return app


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application; without settings, from the environment (as each worker of `serve --workers` does)."""
    settings = settings or read_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = settings
        app.state.db = open_project(settings)
        app.state.runner = Runner(settings, app.state.db)
        yield
        app.state.runner.close()
        app.state.db.close()

    app = FastAPI(title="annotator", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Security)
    errors.add_handlers(app)
    # Routes are tried in order, the busiest first; but before the desk's, those that its patterns would match too.
    desk = (items, search, review, conversations, thread, comments)
    settling = (adjudication, adjudications, settled)
    lead = (rounds, round, intake, tagging, run, proposals, users)
    counting = (agreement, confused, influence)
    for screen in (*desk, taxonomy, *settling, *counting, export, accounts, *lead):
        app.include_router(screen.router, dependencies=[Depends(giving_back)] if screen in counting else [])
    app.mount("/static", StaticFiles(directory=PACKAGE / "web" / "static", packages=[("js_lib_htmx", "static")]), name="static")
    return app
