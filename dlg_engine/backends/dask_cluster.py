"""Dask's `distributed`, whose only owner this file is: clients, clusters, tasks and events.

It knows parts of graphs as calls to be made (`dlg_engine.backends.working`), not what is in them.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from distributed import Client, KilledWorker, LocalCluster, Security, WorkerPlugin, wait

from dlg.exceptions import RunError, UsageError
from dlg.support.certificates import new_certificate
from dlg_engine.backends.shipping import Task
from dlg_engine.backends.working import SITES, Ends, add_code, pick, run_part, site_of

CONNECT_S = 30.0
"""How long a scheduler may take to answer."""
LOOPBACK = "127.0.0.1"
DEATHS = 2
"""How many workers of a cluster of ours may die over a part before it is run apart."""

Key = tuple[str, int]


class SchedulerUnreachableError(UsageError):
    """There is no scheduler of Dask where one was said to be."""


class Wanted(NamedTuple):
    """The cluster that is asked for."""

    scheduler: str | None = None
    """Its address; without one a cluster is started on this host."""
    workers: int | None = None
    tls: Mapping[str, str] | None = None
    """`ca_file`, `cert` and `key`: paths, or what would be in such files."""


class SessionPlugin(WorkerPlugin):
    """Tells workers, also those that come later, of a session."""

    def __init__(
        self, session_id: str, directory: Path, about: Mapping[str, Any], code: Sequence[str]
    ) -> None:
        self.name = f"dlg-{session_id}"
        self._session_id, self._directory = session_id, directory
        self._about, self._code = dict(about), list(code)

    def setup(self, worker: Any) -> None:
        """Get a worker ready for parts of the session."""
        add_code(self._code)
        tell = functools.partial(worker.log_event, self.name)
        SITES[self._session_id] = site_of(
            self._session_id, self._directory, tell=tell, **self._about
        )

    def teardown(self, worker: Any) -> None:
        """Forget the session."""
        SITES.pop(self._session_id, None)


def _end(session_id: str) -> None:
    site = SITES.get(session_id)
    if site is not None:
        site.over = True


async def _stop(session_id: str) -> None:
    site = SITES.get(session_id)
    if site is not None:
        await asyncio.to_thread(site.stop)


class Cluster:
    """A connection to a cluster, which is ended with it if it was started for it."""

    def __init__(self, wanted: Wanted) -> None:
        """Connect; raise `SchedulerUnreachableError` if nobody is there."""
        self._own: Any = None
        own = wanted.scheduler is None
        security = _security(wanted.tls or (_own_tls() if own else None))
        if own:
            self._own = _local_cluster(wanted.workers, security)
        where = wanted.scheduler or self._own
        try:
            self._client = Client(
                where, security=security, timeout=CONNECT_S, set_as_default=False, name="dlg",
            )  # fmt: skip
        except (OSError, ValueError, TimeoutError) as error:
            if self._own is not None:
                self._own.close()
            raise SchedulerUnreachableError(
                f"no scheduler of Dask at {wanted.scheduler}: {error}; start one with "
                "`dask scheduler` and give the address that it prints"
            ) from error

    def close(self) -> None:
        """End the connection, and the cluster if it is ours."""
        self._client.close()
        if self._own is not None:
            self._own.close()

    # -- sessions -----------------------------------------------------------------------------

    def open_session(self, plugin: SessionPlugin, hear: Callable[[bytes], object]) -> None:
        """Tell all workers of a session; `hear` is called with what they tell."""
        self._client.subscribe_topic(plugin.name, lambda event: hear(event[1]))
        self._client.register_plugin(plugin)

    def close_session(self, plugin: SessionPlugin) -> None:
        """Let workers forget a session."""
        self._client.unsubscribe_topic(plugin.name)
        self._client.unregister_worker_plugin(plugin.name)

    def stop_session(self, session_id: str, futures: Iterable[Any]) -> None:
        """Cancel what has not begun, and tell apps that run to stop."""
        self._client.cancel(list(futures), force=True)
        with suppress(OSError):  # workers may be going at this moment
            self._client.run(_stop, session_id, on_error="ignore")

    def end_session_early(self, session_id: str) -> None:
        """Let parts that have not begun be skipped: an end marker was reached."""
        self._client.run(_end, session_id, on_error="ignore")

    def resources(self) -> set[str]:
        """Return the names of the resources that workers have."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return {name for about in workers.values() for name in about.get("resources", ())}

    def suspects(self, submission: Submission) -> set[int]:
        """Return the parts that were with workers when those died, whether at fault or not."""

        def ask(names: set[str], dask_scheduler: Any = None) -> set[int]:
            return {
                key[1] for key, task in dask_scheduler.tasks.items()
                if task.suspicious and isinstance(key, tuple) and key[0] in names
            }  # fmt: skip

        # A function within one travels with its code: the scheduler need not have ours.
        return set(self._client.run_on_scheduler(ask, submission.names))

    # -- tasks --------------------------------------------------------------------------------

    def submit(
        self, session_id: str, tasks: Sequence[Task], names: Callable[[int], str],
        wanted: Iterable[int], resources: Callable[[int], Mapping[str, float]],
    ) -> Submission:  # fmt: skip
        """Let the cluster run parts as one graph, and keep what parts `wanted` make."""
        keys: dict[int, Key] = {t.part.number: (names(t.part.number), t.part.number)
                                for t in tasks}  # fmt: skip
        layers: dict[tuple[tuple[str, float], ...], dict[Any, Any]] = {}
        getters: dict[Any, Any] = layers.setdefault((), {})
        sinks = set(keys)
        for task in tasks:
            needs = []
            for number, row in task.needs:
                sinks.discard(number)
                need: Any = keys[number]
                if row >= 0:
                    need = (f"pick-{need[0]}", row)
                    getters[need] = (pick, keys[number], row)
                needs.append(need)
            number = task.part.number
            layer = layers.setdefault(tuple(sorted(resources(number).items())), {})
            layer[keys[number]] = (run_part, session_id, task.part, *needs)
        held = [keys[number] for number in sorted(sinks | set(wanted))]
        futures = self._client.get(_annotated(layers), held, sync=False)
        found = dict(zip((key[1] for key in held), futures, strict=True))
        return Submission(found, {key[0] for key in keys.values()})


def _annotated(layers: Mapping[tuple[tuple[str, float], ...], dict[Any, Any]]) -> Any:
    """Return tasks as a graph that says which resources each needs."""
    if len(layers) == 1:
        return next(iter(layers.values()))
    made = {
        f"dlg-{n}": MaterializedLayer(tasks, {"resources": dict(needs)} if needs else None)
        for n, (needs, tasks) in enumerate(layers.items())
    }
    return HighLevelGraph(made, {name: set(made) - {name} for name in made})


class Submission:
    """Parts that a cluster runs."""

    def __init__(self, futures: dict[int, Any], names: set[str]) -> None:
        self.names = names
        """The first halves of the keys of its tasks."""
        self.futures = futures
        """Of parts that nobody waits for and of those whose data is wanted, by number."""

    def wait(self) -> None:
        """Wait for the end of all parts, whichever."""
        futures = list(self.futures.values())
        if futures:
            with futures[0].client.as_current():  # ours is nobody's default
                wait(futures)

    def failures(self) -> list[tuple[int | None, BaseException]]:
        """Return what went wrong with tasks: the part, where that is known, and the error."""
        found: dict[int | None, BaseException] = {}
        for future in self.futures.values():
            if future.status == "error":
                error = future.exception()
                found.setdefault(_part_of(error), error)
            elif future.status != "finished":
                found.setdefault(None, RunError(f"the cluster says that it is {future.status}"))
        return list(found.items())

    def gather(self, numbers: Iterable[int]) -> list[Ends]:
        """Return what parts have made, of those that ended well."""
        there = [self.futures[n] for n in numbers if self.futures[n].status == "finished"]
        return list(there[0].client.gather(there)) if there else []

    def release(self) -> None:
        """Let the cluster forget the data."""
        self.futures.clear()


def _part_of(error: BaseException) -> int | None:
    if isinstance(error, KilledWorker):
        key: Any = error.task
        return int(key[1]) if isinstance(key, tuple) else None
    return getattr(error, "part", None)


def is_killed(error: BaseException) -> bool:
    """Return whether `error` means that workers have died."""
    return isinstance(error, KilledWorker)


def _security(tls: Mapping[str, str] | None) -> Any:
    if not tls:
        return None
    ends = {
        f"tls_{end}_{what}": tls.get(what)
        for end in ("scheduler", "worker", "client") for what in ("cert", "key")
    }  # fmt: skip
    return Security(tls_ca_file=tls["ca_file"], require_encryption=True, **ends)


def _own_tls() -> dict[str, str]:
    """Return a certificate for one cluster: who has none gets in nowhere, on this host either."""
    certificate, key = new_certificate("dlg-dask")
    return {"ca_file": certificate, "cert": certificate, "key": key}


@contextmanager
def cluster_here(workers: int | None = None) -> Iterator[dict[str, Any]]:
    """Start a cluster on this host; yield what the engine `dask` needs to run graphs on it."""
    tls = _own_tls()
    with _local_cluster(workers, _security(tls)) as cluster:
        yield {"scheduler": cluster.scheduler_address, "tls": tls}


@contextmanager
def connected(options: Mapping[str, Any]) -> Iterator[Any]:
    """Yield a plain client of the cluster that the engine's `options` name."""
    security = _security(options.get("tls"))
    with Client(options["scheduler"], security=security, set_as_default=False) as client:
        yield client


def _local_cluster(workers: int | None, security: Any) -> Any:
    # Both kinds of processes answer HTTP, also without pages: on loopback, at any port.
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host=LOOPBACK, protocol="tls",
        security=security, silence_logs="CRITICAL", dashboard_address=f"{LOOPBACK}:0",
        worker_dashboard_address=f"{LOOPBACK}:0",
        scheduler_kwargs={"allowed_failures": DEATHS - 1, "dashboard": False},
    )  # fmt: skip
