"""A scheduler of experiments as a process: its database, a door for workers, REST and a page."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlg.beat.worker_frames import Terms
from dlg.http.server import Server, serve
from dlg.http.site import Options
from dlg.http.site import Site as HttpSite
from dlg.support.hosts import to_externally_contactable_host
from dlg_engine import web
from dlg_engine.daemon.pid_files import kept
from dlg_engine.daemon.security import Security
from dlg_engine.rest import beat_routes
from dlg_engine.rest.beat_service import BeatService
from dlg_engine.rest.describing import with_description
from dlg_engine.rest.errors import describe_as_clients_expect, status_of
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.queues import read_queues, set_queues
from dlg_engine.scheduling.scheduler import Scheduler, SchedulerOptions
from dlg_engine.scheduling.submitting import Site

PORT, WORKERS_PORT = 8600, 8601
PATIENCE_S = 20.0


@dataclass(frozen=True, kw_only=True)
class SchedulingOptions:
    """How a scheduler is run."""

    site: Site
    database: str | Path
    """An address, or the path of a file."""
    queues: Path | None = None
    """The file of the queues; None to make those that experiments name."""
    name: str = "main"
    host: str = "127.0.0.1"
    port: int = PORT
    workers_port: int = WORKERS_PORT
    terms: Terms = field(default_factory=Terms)
    worker_cores: int = 1
    security: Security = field(default_factory=Security)
    pid_file: Path | None = None


Announce = Callable[[str, str, str], None]
"""Is told its name, its URL and where workers connect."""


def run_scheduler(options: SchedulingOptions, announce: Announce) -> None:
    """Run a scheduler until it is told to end; raise what it fails with."""
    options.security.check(options.host)
    with kept(options.pid_file), ExitStack() as stack:
        database = _open(options)
        stack.callback(database.close)
        scheduler = Scheduler(
            database,
            SchedulerOptions(
                name=options.name, host=options.host, port=options.workers_port,
                terms=options.terms, keys=options.security.keys,
                worker_cores=options.worker_cores,
            ),
        )  # fmt: skip
        address = _reachable(options.host, scheduler.address)
        service = BeatService(database, options.site, address, options.name)
        stack.callback(service.changes.close)
        server = make_server(options, service)
        running = _Running(scheduler, server.end)
        stack.callback(running.close)
        host = to_externally_contactable_host(options.host)
        url = f"{server.options.scheme}://{_bracketed(host)}:{server.port}"
        asyncio.run(serve(server, lambda: announce(options.name, url, address)))
    running.check()


def _open(options: SchedulingOptions) -> SchedulingDatabase:
    queues = read_queues(options.queues) if options.queues else {}
    if isinstance(options.database, Path):
        options.database.parent.mkdir(parents=True, exist_ok=True)
    options.site.cache.mkdir(parents=True, exist_ok=True)
    database = SchedulingDatabase(options.database)
    with database.transaction() as session:
        set_queues(session, queues)
    return database


def make_server(options: SchedulingOptions, service: BeatService) -> Server:
    """Return the server of REST and the page, which listens already."""
    security = options.security
    http = Options(
        host=options.host, port=options.port, token=security.token,
        certificate=security.certificate, key=security.key,
        open_paths=web.OPEN_PATHS | {"/health"},
    )  # fmt: skip
    site = HttpSite(
        name="dlg-beat", statuses=beat_routes.STATUSES, assets=web.assets,
        status_of=status_of,
        describe=describe_as_clients_expect,
    )  # fmt: skip
    document = beat_routes.document(secured=bool(security.token))
    routes = (*with_description(beat_routes.ROUTES, document), *web.BEAT_ROUTES)
    return Server(service, routes, http, site)


class _Running:
    """The thread of a scheduler, which ends with the server and ends it."""

    def __init__(self, scheduler: Scheduler, end: Callable[[], None]) -> None:
        self._scheduler, self._end = scheduler, end
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="dlg-scheduler", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._scheduler.run()
        except Exception as error:  # noqa: BLE001  it is raised where it ends the process
            self._failure = error
        finally:
            self._end()

    def close(self) -> None:
        """End it."""
        if self._thread.is_alive():
            self._scheduler.end()
        self._thread.join(PATIENCE_S)

    def check(self) -> None:
        """Raise what it has failed with."""
        if self._failure is not None:
            raise self._failure


def _reachable(host: str, address: str) -> str:
    """Return an address of ours as other hosts reach it."""
    port: Any = address.rpartition(":")[2]
    return f"tcp://{_bracketed(to_externally_contactable_host(host))}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
