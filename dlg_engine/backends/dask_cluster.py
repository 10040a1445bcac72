"""Dask's `distributed`, whose only owner this file is: clients, clusters, tasks and events.

It knows parts of graphs as calls to be made (`dlg_engine.backends.working`), not what is in them.
"""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from dask.task_spec import Task as DaskTask
from dask.task_spec import TaskRef
from distributed import Client, KilledWorker, LocalCluster, Security, WorkerPlugin, wait

from dlg.exceptions import RunError, UsageError
from dlg.support.certificates import new_certificate
from dlg.support.session_log import SessionLogs, attached
from dlg_engine.backends.parts import GRADES
from dlg_engine.backends.shipping import Batch, Load, Task
from dlg_engine.backends.working import SITES, Ends, News, add_code, pick, run_part, site_of

CONNECT_S = 30.0
"""How long a scheduler may take to answer."""
LOOPBACK = "127.0.0.1"
DEATHS = 2
"""How many workers of a cluster of ours may die over a part before it is run apart."""
TELL_S = 0.05
"""How long a worker gathers what came of parts before it tells the client."""

Key = tuple[str, int]
Kind = tuple[int, tuple[tuple[str, float], ...]]
"""Priority and resources of tasks."""


class SchedulerUnreachableError(UsageError):
    """There is no scheduler of Dask where one was said to be."""


class Wanted(NamedTuple):
    """The cluster that is asked for."""

    scheduler: str | None = None
    """Its address; without one a cluster is started on this host."""
    workers: int | None = None
    tls: Mapping[str, str] | None = None
    """`ca_file`, `cert` and `key`: paths, or what would be in such files."""


def _cure(wanted: Wanted) -> str:
    """Return what to do where that cluster is not reached."""
    protected = str(wanted.scheduler).startswith("tls://")
    if protected and not wanted.tls:
        return "it asks for a certificate: name the files by --tls CA CERT KEY"
    if wanted.tls and wanted.scheduler and not protected:
        return "with --tls its address begins with tls://"
    return "start one with `dask scheduler` and give the address that it prints"


class Teller:
    """Tells a client what came of parts: what a worker has gathered, in one event."""

    def __init__(self, worker: Any, topic: str) -> None:
        self._worker, self._topic = worker, topic
        self._lock = threading.Lock()
        self._news: list[News] = []
        self._is_due = False

    def tell(self, news: News) -> None:
        """Let the client have `news` soon."""
        with self._lock:
            self._news.append(news)
            if self._is_due:
                return
            self._is_due = True
        loop = self._worker.loop
        loop.add_callback(loop.call_later, TELL_S, self.send)

    def send(self, mark: int = -1) -> None:
        """Tell what there is, and `mark` after it."""
        with self._lock:
            news, self._news, self._is_due = self._news, [], False
        if news or mark >= 0:
            self._worker.log_event(self._topic, pickle.dumps((news, mark), protocol=5))


TELLERS: dict[str, Teller] = {}
"""Of a worker, by session."""
LOGS = ExitStack()
"""What writes the logs of sessions, while a worker knows any."""


def _directory_of(session_id: str) -> Path | None:
    site = SITES.get(session_id)
    return None if site is None else site.surroundings.directory


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
        if not SITES:
            node = str(worker.address)
            LOGS.enter_context(attached(SessionLogs(_directory_of, node=node)))
        teller = TELLERS[self._session_id] = Teller(worker, self.name)
        SITES[self._session_id] = site_of(
            self._session_id, self._directory, tell=teller.tell, **self._about
        )

    def teardown(self, worker: Any) -> None:
        """Forget the session."""
        SITES.pop(self._session_id, None)
        TELLERS.pop(self._session_id, None)
        if not SITES:
            LOGS.close()


def _flush(session_id: str, mark: int) -> bool:
    teller = TELLERS.get(session_id)
    if teller is not None:
        teller.send(mark)
    return teller is not None


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
        except BaseException as error:
            if self._own is not None:
                self._own.close()
            if not isinstance(error, Exception):
                raise
            # The library raises all kinds of errors where address and certificates do not fit.
            raise SchedulerUnreachableError(
                f"no scheduler of Dask at {wanted.scheduler or LOOPBACK}: "
                f"{str(error) or type(error).__name__}; {_cure(wanted)}"
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

        def forget(name: str, dask_scheduler: Any = None) -> None:
            dask_scheduler._broker._topics.pop(name, None)  # noqa: SLF001  nobody else does it

        self._client.run_on_scheduler(forget, plugin.name)

    def flush(self, session_id: str, mark: int) -> int:
        """Let workers tell all that they have to tell, and `mark` after it; return how many do."""
        return sum(self._client.run(_flush, session_id, mark, on_error="ignore").values())

    def stop_session(self, session_id: str, futures: Iterable[Any]) -> None:
        """Cancel what has not begun, and tell apps that run to stop."""
        self._client.cancel(list(futures), force=True)
        with suppress(OSError):  # workers may be going at this moment
            self._client.run(_stop, session_id, on_error="ignore")

    def end_session_early(self, session_id: str) -> None:
        """Let parts that have not begun be skipped: an end marker was reached."""
        self._client.run(_end, session_id, on_error="ignore")

    def workers(self) -> int:
        """Return how many tasks can be run at a time."""
        return int(sum(self._client.nthreads().values()))

    def resources(self) -> dict[str, float]:
        """Return the resources that workers have, of each the most that one of them has."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        found: dict[str, float] = {}
        for about in workers.values():
            for name, amount in about.get("resources", {}).items():
                found[name] = max(amount, found.get(name, 0.0))
        return found

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

    def submit(self, session_id: str, batch: Batch, load: Load, submission: Submission) -> None:
        """Let the cluster run more parts of a load, and hold what `submission` needs of them."""
        key_of = submission.key_of
        layers: dict[Kind, dict[Any, Any]] = {}
        for task in batch.tasks:
            priority, resources = _kind_of(task)
            needs = []
            for number, row in task.needs:
                need: Any = key_of(number)
                if row >= 0:
                    getter = (f"pick-{batch.tasks[0].number}-{need[0]}", row)
                    found = DaskTask(getter, pick, TaskRef(need), row)
                    layers.setdefault((priority, ()), {}).setdefault(getter, found)
                    need = getter
                needs.append(TaskRef(need))
            key = key_of(task.number)
            found = DaskTask(key, run_part, session_id, task.payload, *needs)
            layers.setdefault((priority, resources), {})[key] = found
        submission.expect(batch, load)
        keys = [key_of(number) for number in batch.held]
        futures = self._client.get(_annotated(layers), keys, sync=False)
        submission.add(dict(zip(batch.held, futures, strict=True)), load)


def _kind_of(task: Task) -> Kind:
    # The most urgent are as urgent as the work of others on the cluster, and no more than that.
    return min(0, task.urgency - GRADES), tuple(sorted(task.resources.items()))


def _annotated(layers: Mapping[Kind, dict[Any, Any]]) -> HighLevelGraph:
    """Return tasks as a graph that says how urgent each is and which resources it needs."""
    made: dict[str, Any] = {}
    for (priority, needs), tasks in layers.items():
        said: dict[str, Any] = {"priority": priority} if priority else {}
        if needs:
            said["resources"] = dict(needs)
        made[f"dlg-{len(made)}"] = MaterializedLayer(tasks, said or None)
    return HighLevelGraph(made, {name: set(made) - {name} for name in made})


class Submission:
    """Parts that a cluster runs."""

    def __init__(self, names: Callable[[int], str]) -> None:
        """`names` gives the first half of the key of a part."""
        self._name_of = names
        self.names: set[str] = set()
        """The first halves of the keys of its tasks."""
        self.ends: dict[int, Any] = {}
        """Futures of parts that nobody waits for and of those whose data is wanted, by number."""
        self._bridges: dict[int, Any] = {}
        """Of those that parts in later batches wait for, until those have run."""
        self._users: dict[int, int] = {}
        self._lock = threading.Lock()

    def key_of(self, number: int) -> Key:
        """Return the key of the task of a part."""
        return self._name_of(number), number

    def expect(self, batch: Batch, load: Load) -> None:
        """Take note of how often that which is held of a batch will be used."""
        self.names.update(self._name_of(task.number) for task in batch.tasks)
        with self._lock:
            for number in batch.held:
                if not load.ends(number):
                    self._users[number] = load.users(number)

    def add(self, futures: Mapping[int, Any], load: Load) -> None:
        """Hold what has been submitted."""
        with self._lock:
            for number, future in futures.items():
                if load.ends(number):
                    self.ends[number] = future
                elif number in self._users:  # else it has been used already
                    self._bridges[number] = future

    def used(self, number: int) -> None:
        """Let the data of a part go if this was the last that needed it."""
        with self._lock:
            left = self._users.get(number)
            if left is None:
                return
            self._users[number] = left - 1
            if left == 1:
                del self._users[number]
                self._bridges.pop(number, None)  # nothing else refers to it

    @property
    def futures(self) -> list[Any]:
        """All that is held."""
        with self._lock:
            return [*self.ends.values(), *self._bridges.values()]

    def wait(self) -> None:
        """Wait for the end of all parts, whichever."""
        futures = list(self.ends.values())
        if futures:
            with futures[0].client.as_current():  # ours is nobody's default
                wait(futures)

    def failures(self) -> list[tuple[int | None, BaseException]]:
        """Return what went wrong with tasks: the part, where that is known, and the error."""
        found: dict[int | None, BaseException] = {}
        for future in self.futures:
            if future.status == "error":
                error = future.exception()
                found.setdefault(_part_of(error), error)
        for future in self.ends.values():  # of others some may just be run again
            if future.status not in {"error", "finished"}:
                found.setdefault(None, RunError(f"the cluster says that it is {future.status}"))
        return list(found.items())

    def gather(self, numbers: Iterable[int]) -> list[Ends | None]:
        """Return what parts have made, of those that ended well."""
        there = [self.ends[n] for n in numbers if self.ends[n].status == "finished"]
        return list(there[0].client.gather(there)) if there else []

    def release(self) -> None:
        """Let the cluster forget the data."""
        with self._lock:
            self.ends.clear()
            self._bridges.clear()


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
    if not tls.get("ca_file"):
        raise UsageError("TLS needs `ca_file`, the certificate of who has signed the others")
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
