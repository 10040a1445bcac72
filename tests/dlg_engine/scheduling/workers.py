"""Schedulers and workers in threads, with executors that do what a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlg.beat.worker_frames import Terms
from dlg_engine.scheduling import cache
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.executing import Workplace
from dlg_engine.scheduling.scheduler import Scheduler, SchedulerOptions
from dlg_engine.scheduling.working import WorkerOptions, Working
from tests.dlg_engine.scheduling.plans import GOOD, UNITS, write_output

PATIENCE_S = 30.0
QUICK = Terms(heartbeat_s=0.1, lease_s=2.0)


class FakeExecutor:
    """Writes what a block would write, when the test lets it."""

    def __init__(self, where: FakePlace, block: Mapping[str, Any]) -> None:
        self.errors: list[str] = list(where.errors)
        self._where, self._block = where, block
        self._killed = threading.Event()

    def __enter__(self) -> FakeExecutor:
        return self

    def __exit__(self, *_details: object) -> None:
        pass

    def process(self, **_limits: Any) -> dict[str, Any]:
        """Wait for the test, then write."""
        self._where.began.append(dict(self._block))
        self._where.begun.release()
        while not self._where.go.wait(0.02):
            if self._killed.is_set():
                return {"status": -9, "system_error": "The block was cancelled"}
        if self._where.result is not None:
            return dict(self._where.result)
        first, last = self._block.get("range", (0, UNITS - 1))
        for path in cache.outputs_of(self._block):
            write_output(self._where.cache, path, first, last)
        return dict(GOOD)

    def kill(self) -> bool:
        """Let it end."""
        self._killed.set()
        return True


class FakePlace(Workplace):
    """A workplace whose executors are fakes; `go` lets them go on."""

    def __init__(self, directory: Path, *, held: bool = False) -> None:
        super().__init__(prefix=directory, cache=directory)
        object.__setattr__(self, "began", [])
        object.__setattr__(self, "begun", threading.Semaphore(0))
        object.__setattr__(self, "go", threading.Event())
        object.__setattr__(self, "result", None)
        object.__setattr__(self, "errors", ())
        if not held:
            self.go.set()

    began: list[dict[str, Any]]
    begun: threading.Semaphore
    go: threading.Event
    result: Mapping[str, Any] | None
    errors: tuple[str, ...]

    def set(self, **values: Any) -> None:
        """Let executors return or complain of something."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def executor(self, configuration: Mapping[str, Any]) -> FakeExecutor:
        """Return a fake."""
        return FakeExecutor(self, configuration)

    def prepare(self, configuration: Mapping[str, Any]) -> None:
        """Do nothing."""


@contextmanager
def in_a_thread(run: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    """Let something run in a thread of its own; what goes wrong there fails the test."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001  the test that waits gets it
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield
    finally:
        if thread.is_alive():
            end()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        assert not failures, failures


@contextmanager
def scheduling(
    database: SchedulingDatabase, port: int = 0, terms: Terms = QUICK
) -> Iterator[Scheduler]:
    """Run a scheduler."""
    scheduler = Scheduler(database, SchedulerOptions(port=port, terms=terms))
    with in_a_thread(scheduler.run, scheduler.end):
        yield scheduler


@contextmanager
def working(
    address: str, place: Workplace, name: str = "w", *, cores: int = 4
) -> Iterator[Working]:
    """Run a worker."""
    made = Working(WorkerOptions(name=name, scheduler=address, workplace=place, cores=cores))
    with in_a_thread(made.run, made.end):
        yield made


class Rung:
    """Waits until something holds in a database: looks each time that somebody rings."""

    def __init__(self, database: SchedulingDatabase) -> None:
        self._database = database
        self._bell = database.new_bell()
        self._fd = self._bell.listen()

    def until(self, holds: Callable[[], bool]) -> None:
        """Return when it holds; fail after a while."""
        import select

        from dlg.support import clock

        deadline = clock.monotonic() + PATIENCE_S
        while not holds():
            left = deadline - clock.monotonic()
            assert left > 0, "it has not come to that"
            select.select([self._fd], [], [], min(left, 0.2))
            self._bell.heard()

    def close(self) -> None:
        """Listen no more."""
        self._bell.close()
