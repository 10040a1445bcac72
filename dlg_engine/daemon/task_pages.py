"""REST and pages of a database of tasks as a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from dlg.exceptions import UsageError
from dlg.http.errors import describe_with_class
from dlg.http.server import Server, serve
from dlg.http.site import Options, Site
from dlg.support.database import Database, database_url
from dlg.support.hosts import to_externally_contactable_host
from dlg_engine import web
from dlg_engine.daemon.pid_files import kept
from dlg_engine.daemon.security import Security
from dlg_engine.rest import task_routes, task_schemas
from dlg_engine.rest.describing import with_description
from dlg_engine.rest.task_service import TaskService
from dlg_engine.tasks.migrating import need_tables, version_of
from dlg_engine.tasks.settings import Settings

PORT = 8610
_FILE = "sqlite:///"


@dataclass(frozen=True, kw_only=True)
class TaskPagesOptions:
    """How a database of tasks is served."""

    database: str | Path
    """An address, or the path of a file."""
    store: Path | None = None
    """Where the files of products are; None for that of the settings."""
    queue_engine: str | None = None
    """Where attempts go that are to be repeated; None for that of the settings."""
    host: str = "127.0.0.1"
    port: int = PORT
    security: Security = field(default_factory=Security)
    pid_file: Path | None = None


Announce = Callable[[str, str], None]
"""Is told which database it is, and the URL."""


def run_task_pages(options: TaskPagesOptions, announce: Announce) -> None:
    """Serve a database of tasks until told to end; raise UsageError if there is none."""
    options.security.check(options.host)
    with kept(options.pid_file), ExitStack() as stack:
        database = open_database(options.database)
        stack.callback(database.close)
        store = options.store or Path(Settings().settings["dataPath"])
        service = TaskService(database, store.absolute(), options.queue_engine)
        stack.callback(service.changes.close)
        server = make_server(options, service)
        host = to_externally_contactable_host(options.host)
        shown = f"[{host}]" if ":" in host else host
        url = f"{server.options.scheme}://{shown}:{server.port}"
        asyncio.run(serve(server, lambda: announce(service.info()["database"], url)))


def open_database(where: str | Path) -> Database:
    """Return a database of tasks, open; raise UsageError if it is not there."""
    url = database_url(where)
    # It would else be made, and what was mistyped would look like a database without tasks.
    if url.startswith(_FILE) and not Path(url.removeprefix(_FILE)).is_file():
        raise UsageError(
            f"there is no database of tasks at {url.removeprefix(_FILE)}: make one with "
            "`dlg tasks init`, or name another by --database"
        )
    database = Database(url)
    try:
        _check_tables(database)
    except BaseException:
        database.close()
        raise
    return database


def _check_tables(database: Database) -> None:
    """Refuse a database without our tables: who only looks makes none."""
    if version_of(database) is None:
        shown = database.engine.url.render_as_string(hide_password=True)
        raise UsageError(
            f"{shown} has no tables for tasks: make them with `dlg tasks init`, or name another "
            "by --database"
        )
    need_tables(database)


def make_server(options: TaskPagesOptions, service: TaskService) -> Server:
    """Return the server of REST and pages, which listens already."""
    security = options.security
    http = Options(
        host=options.host, port=options.port, token=security.token,
        certificate=security.certificate, key=security.key,
        open_paths=web.OPEN_PATHS | {"/health"},
    )  # fmt: skip
    site = Site(
        name="dlg-tasks", statuses=task_routes.STATUSES, assets=web.assets,
        describe=describe_with_class, directory="GET /api/openapi.json lists all",
    )  # fmt: skip
    document = task_schemas.document(secured=bool(security.token))
    routes = (*with_description(task_routes.ROUTES, document), *web.TASK_ROUTES)
    return Server(service, routes, http, site)
