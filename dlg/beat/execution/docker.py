"""Runs blocks in containers: the algorithm, the views of databases and the evaluator of a loop.

Each sees what it needs and no more: the algorithm the files of its inputs, the folders of its
outputs, and raw data only of databases that allow it. The containers report by messages, so that
images of any version will do.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from dlg.beat.cache_files import parts
from dlg.beat.declarations import dumps
from dlg.beat.dock import Container, Host
from dlg.beat.engine import Engine
from dlg.beat.execution.base import Cache
from dlg.beat.execution.programs import (
    EVALUATOR,
    LOOP,
    PROVIDER,
    Folders,
    Program,
    judged,
    main_program,
)
from dlg.beat.execution.remote import RemoteExecutor
from dlg.beat.message_handler import MessageHandler
from dlg.beat.processes.calls import Helper, Outcome, Stop
from dlg.beat.processes.limits import Limits
from dlg.beat.utils import build_env_name
from dlg.exceptions import UsageError
from dlg.support import clock

PORT = 50_000
"""Where programs listen in their containers."""
NETWORK = "bridge"
# An engine does not tell the gateway of a bridge that it has just made: the first address.
_GATEWAY = "{{range .IPAM.Config}}{{or .Gateway .Subnet}} {{end}}"
_FILE_ENDINGS = ("data", "index", "data.checksum", "index.checksum", "manifest")
_MIB = 1 << 20


class NoEnvironmentError(UsageError, RuntimeError):
    """There is no image for an environment that a block or a database asks for."""


class DockerExecutor(RemoteExecutor):
    """Runs the code of an execution block in containers of `host`.

    The block may say more: `network_name`, the network of the containers; `datasets_uid`,
    the user who may read the databases; `cache_mount_point`, the cache on the machine of the
    engine if that has another path there. `process` raises `NoEnvironmentError` (a
    `RuntimeError`) if there is no image for an environment.
    """

    CONTAINER_PREFIX_PATH = "/beat/prefix"
    CONTAINER_CACHE_PATH = "/beat/cache"
    CONTAINER_DATABASES_PATH = "/databases"

    def __init__(  # noqa: PLR0913, PLR0917  the interface
        self,
        host: Host,
        prefix: str,
        data: object,
        cache: str | None = None,
        dataformat_cache: Cache | None = None,
        database_cache: Cache | None = None,
        algorithm_cache: Cache | None = None,
        library_cache: Cache | None = None,
        custom_root_folders: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            prefix,
            data,
            "",
            cache,
            dataformat_cache,
            database_cache,
            algorithm_cache,
            library_cache,
            custom_root_folders,
        )
        self.host = host

    def process(
        self,
        virtual_memory_in_megabytes: int = 0,
        max_cpu_percent: int = 0,
        timeout_in_minutes: float = 0,
    ) -> dict[str, Any]:
        """Run the block; see `BaseExecutor.process`."""
        self._need_valid()
        limits = self._limits(virtual_memory_in_megabytes, max_cpu_percent, timeout_in_minutes)
        self._stop = Stop()
        outcome = _Run(self, limits, self._stop).outcome()
        return self._finish(outcome, limits)

    def image_of_algorithm(self, part: str = "") -> str:
        """Return the image for the algorithm of the block or, for `loop`, its evaluator."""
        block = self.data[LOOP] if part else self.data
        name = str(build_env_name(block["environment"]))
        if name not in self.host:
            raise NoEnvironmentError(f"Environment `{name}' is not available for docker")
        return self.host.env2docker(name)

    def image_of_databases(self, part: str = "") -> str:
        """Return the image for the databases of the block or its evaluator.

        They all name one environment, or there is an image that has all of them.
        """
        block = self.data[LOOP] if part else self.data
        names = sorted({one["database"] for one in block["inputs"].values() if "database" in one})
        environments = {
            str(build_env_name(self.databases[name].environment))
            for name in names
            if self.databases[name].environment
        }
        if len(environments) > 1:
            raise NoEnvironmentError(
                "databases of one block need one environment, and not "
                f"{', '.join(sorted(environments))}"
            )
        if environments:
            return self.host.dbenv2docker(environments.pop())
        return self.host.db2docker(names)


class _Run:
    """One run of a block in containers."""

    def __init__(self, executor: DockerExecutor, limits: Limits, stop: Stop) -> None:
        self._executor, self._limits, self._stop = executor, limits, stop
        self._host, self._data = executor.host, executor.data
        self._network = self._data.get("network_name") or NETWORK
        self._folders = Folders.made_for(executor, limits)
        self._seen = Folders(Path(executor.CONTAINER_PREFIX_PATH))
        self._helpers: list[Container] = []
        self._failed: list[Helper] = []
        self._main: Container | None = None
        self._over = threading.Event()

    def outcome(self) -> Outcome:
        """Return what became of the block."""
        handler = MessageHandler(f"{self._gateway()}:*", kill_callback=self._stop)
        watchers: list[threading.Thread] = []
        try:
            handler.start()
            self._show_databases()
            cache = self._executor.CONTAINER_CACHE_PATH
            program = main_program(self._executor, self._seen, cache, handler.address, self)
            for container in self._helpers:
                name = f"beat-{(container.id or '')[:12]}"
                watchers.append(threading.Thread(target=self._watch, args=(container,), name=name))
                watchers[-1].start()
            return judged(self._run(program), handler)
        finally:
            self._over.set()
            handler.stop()
            for container in filter(None, [self._main, *self._helpers]):
                self._host.rm(container)
            for watcher in watchers:
                watcher.join()
            self._folders.remove()

    def _gateway(self) -> str:
        """Return the address of this machine in the network of the containers."""
        done = Engine().call(["network", "inspect", "--format", _GATEWAY, self._network])
        found = [one for one in done.stdout.split() if "." in one]
        if done.returncode != 0 or not found:
            return self._host.ip
        return str(ip_network(found[0])[1]) if "/" in found[0] else found[0]

    # --- programs beside the main one ---------------------------------------------------------

    def listen(self, _program: str) -> str:
        """Return an address in a container of its own."""
        return f"0.0.0.0:{PORT}"

    def start(self, program: Program) -> str:
        """Start a program in a container of its own."""
        if program.name == PROVIDER:
            image = self._executor.image_of_databases(program.part)
        else:
            image = self._executor.image_of_algorithm(LOOP)
        container = self._container(image, program)
        self._show_cache(container, program.part, writable=program.name == EVALUATOR)
        if program.name == PROVIDER:
            container.uid = self._data.get("datasets_uid")
            for name in self._executor.databases:
                self._show_database(container, name)
        self._host.start(container)
        self._helpers.append(container)
        return f"{self._host.get_ipaddress(container)}:{PORT}"

    def _watch(self, container: Container) -> None:
        """End the block when a container that it needs has failed."""
        status = self._host.wait(container)
        if status and not self._over.is_set():
            self._failed.append(Helper(None, _code(status), self._host.logs(container)))
            self._stop()

    # --- the main program ---------------------------------------------------------------------

    def _run(self, program: Program) -> Outcome:
        container = self._main = self._container(self._executor.image_of_algorithm(), program)
        self._show_cache(container, "", writable=True)
        for name, database in self._executor.databases.items():
            if database.is_database_rawdata_access_enabled:
                self._show_database(container, name)
        if self._limits.processes:
            # The engine counts threads too: one for each core is what libraries take.
            container.processes = self._limits.processes + (os.cpu_count() or 1)
        begun = clock.monotonic()
        megabytes = -(-self._limits.memory_b // _MIB)
        self._host.start(container, megabytes, self._limits.cpu_percent)
        self._stop.arm(lambda: self._host.kill(container))
        code = self._host.wait(container, self._limits.time_s or None)
        timed_out = code is None
        self._host.kill(container)
        wall_s = clock.monotonic() - begun
        self._stop.disarm()
        state = Engine().inspect(str(container.id)).get("State", {})
        limit, text = self._passed(timed_out, bool(state.get("OOMKilled")))
        return Outcome(
            code=_code(code),
            limit=limit,
            text=text,
            cancelled=self._stop.asked and not self._failed,
            helpers=tuple(self._failed),
            stdout=self._host.logs(container),
            usage=self._usage(container, wall_s),
        )

    def _passed(self, timed_out: bool, out_of_memory: bool) -> tuple[str, str]:
        """Return the limit that was passed, and how."""
        if timed_out:
            return "time", f"the time limit of {self._limits.time_s / 60:g} minutes is over"
        if out_of_memory:
            most = self._limits.memory_b / _MIB
            return "memory", f"there is not enough memory, the limit is {most:.0f} MB"
        return "", ""

    def _usage(self, container: Container, wall_s: float) -> dict[str, float]:
        figures = self._host.statistics(container)
        return {
            "user_s": figures["cpu"]["user"],
            "system_s": figures["cpu"]["system"],
            "memory_b": figures["memory"]["rss"],
            "wall_s": wall_s,
        }

    # --- what containers see ------------------------------------------------------------------

    def _container(self, image: str, program: Program) -> Container:
        container = self._host.create_container(image, [program.name, *program.arguments])
        container.network_name = self._network
        container.add_volume(str(self._folders.root), self._executor.CONTAINER_PREFIX_PATH)
        return container

    def _show_databases(self) -> None:
        """Let the databases say where their files are in containers."""
        for name in self._executor.databases:
            file = self._folders.databases / "prefix" / "databases" / f"{name}.json"
            declaration = json.loads(file.read_text())
            declaration["root_folder"] = f"{self._executor.CONTAINER_DATABASES_PATH}/{name}"
            file.write_text(dumps(declaration))

    def _show_database(self, container: Container, name: str) -> None:
        database = self._executor.databases[name]
        root = self._executor.custom_root_folders.get(name) or database.data["root_folder"]
        folder = root.removeprefix("file://")
        if folder.startswith("nfs://") or Path(folder).is_dir():
            container.add_volume(folder, f"{self._executor.CONTAINER_DATABASES_PATH}/{name}")

    def _show_cache(self, container: Container, part: str, writable: bool) -> None:
        """Show the files of inputs, read-only, and the folders of outputs to those who write."""
        block = self._data[LOOP] if part else self._data
        for one in block["inputs"].values():
            for file in self._files(one):
                self._mount(container, file, read_only=True)
        if not writable:
            return
        outputs = [*block.get("outputs", {}).values(), *filter(None, [block.get("result")])]
        for folder in {str(Path(one["path"]).parent) for one in outputs}:
            Path(self._executor.cache, folder).mkdir(parents=True, exist_ok=True)
            self._mount(container, folder, read_only=False)

    def _files(self, source: Mapping[str, Any]) -> Iterator[str]:
        """Yield the files of an input, relative to the cache."""
        if "database" in source:
            yield source["path"]
            return
        for part in parts(str(Path(self._executor.cache, source["path"]))):
            for ending in _FILE_ENDINGS:
                file = Path(part.file(ending))
                if file.exists():
                    yield str(file.relative_to(self._executor.cache))

    def _mount(self, container: Container, path: str, read_only: bool) -> None:
        outside = self._data.get("cache_mount_point") or str(Path(self._executor.cache).absolute())
        inside = f"{self._executor.CONTAINER_CACHE_PATH}/{path}"
        container.add_volume(f"{outside}/{path}", inside, read_only)


def _code(status: int | None) -> int | None:
    """Return an exit code as that of a process: the engine adds 128 to the number of a signal."""
    if status is None or not 128 < status < 128 + 65:  # noqa: PLR2004
        return status
    return 128 - status
