"""What all executors share: the execution block, judged, with the assets that it needs."""

from __future__ import annotations

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlg.beat.algorithm import Algorithm
from dlg.beat.cache_files import parts, sweep
from dlg.beat.database import Database
from dlg.beat.declarations import DeclarationError, dumps, read, schema_errors
from dlg.beat.execution import dumping
from dlg.beat.execution.results import result_of
from dlg.beat.processes.calls import Outcome
from dlg.beat.processes.limits import PROCESSES, Limits
from dlg.beat.stats import io_statistics
from dlg.exceptions import UsageError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

KIND = "execution"
ROOT_KEY = "database/"
Cache = dict[str, Any]


class InvalidBlockError(UsageError, RuntimeError):
    """A block was to be run whose execution information is not valid."""


class NoCacheError(UsageError, OSError):
    """The folder of a cache is not there."""


class RootFoldersError(UsageError, TypeError):
    """Folders of databases were not given as a mapping."""


class BaseExecutor(ABC):
    """Runs the code of an execution block.

    `data` is the block or the path of a JSON file with it. The caches have assets that were loaded
    already, by name, and get those that are loaded now. `custom_root_folders` are the places of
    databases that lie elsewhere than they say: keys are `name/version` (`database/name/version`
    will do too). What is wrong is in `errors`. Raises `NoCacheError` if `cache`, by default the
    folder of that name in the prefix, is not there.
    """

    max_processes = PROCESSES
    """Processes that a block may have at one time; 0 for any number."""

    def __init__(  # noqa: PLR0913, PLR0917  the interface
        self,
        prefix: str,
        data: object,
        cache: str | None = None,
        dataformat_cache: Cache | None = None,
        database_cache: Cache | None = None,
        algorithm_cache: Cache | None = None,
        library_cache: Cache | None = None,
        custom_root_folders: Mapping[str, str] | None = None,
    ) -> None:
        self.prefix = str(prefix)
        self.cache = str(cache or Path(prefix, "cache"))
        if not Path(self.cache).is_dir():
            raise NoCacheError(f"the folder of the cache is not there: {self.cache}")
        self.custom_root_folders = _root_folders(custom_root_folders)
        self.errors: list[str] = []
        self.data: dict[str, Any] = {}
        self.algorithm: Algorithm | None = None
        self.loop_algorithm: Algorithm | None = None
        self.databases: dict[str, Database] = {}
        # What runs is in the process of the block; here nothing of it is ever alive.
        self.views: dict[tuple[str, str, str], Any] = {}
        self.input_list: Any = None
        self.output_list: Any = None
        self.data_loaders: Any = None
        self.data_sources: list[Any] = []
        self.data_sinks: list[Any] = []
        self._last: dict[str, Any] = {}
        # In the names of files that are not whole yet, to find them if the block is killed.
        self.mark = secrets.token_hex(8)
        self._formats = {} if dataformat_cache is None else dataformat_cache
        self._libraries = {} if library_cache is None else library_cache
        if self._declare(data):
            algorithms = {} if algorithm_cache is None else algorithm_cache
            self.algorithm = self._load_algorithm(self.data, "", algorithms)
            if "loop" in self.data:
                self.loop_algorithm = self._load_algorithm(self.data["loop"], "/loop", algorithms)
            self._load_databases({} if database_cache is None else database_cache)

    def __enter__(self) -> Self:
        """Be ready to process; raise `InvalidBlockError` if the block is not valid."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of what the last run needed."""
        self.data_sources, self.data_sinks = [], []

    @abstractmethod
    def process(
        self,
        virtual_memory_in_megabytes: int = 0,
        max_cpu_percent: int = 0,
        timeout_in_minutes: float = 0,
    ) -> dict[str, Any]:
        """Run the block and return what came of it; limits of 0 are none.

        The result has `status` (0: done), `stdout`, `stderr`, `timed_out`, `user_error`,
        `system_error`, and `statistics` of data, cpu and memory. A block that passes a limit is
        ended with all its processes, and that is a user error. Raises `InvalidBlockError` if the
        block is not valid.
        """

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong with the block."""
        return not self.errors

    @property
    def analysis(self) -> bool:
        """Whether the block is an analyzer."""
        return "result" in self.data

    @property
    def outputs_exist(self) -> bool:
        """Whether all outputs are in the cache, as whole as their manifests and checksums tell."""
        return all(_exists(Path(self.cache, one["path"])) for one in self._all_outputs())

    def _all_outputs(self) -> Iterator[Mapping[str, Any]]:
        if self.analysis:
            yield self.data["result"]
        yield from self.data.get("outputs", {}).values()
        yield from self.data.get("loop", {}).get("outputs", {}).values()

    @property
    def io_statistics(self) -> dict[str, Any]:
        """What the last run has read and written."""
        statistics = self._last.get("statistics", {})
        found: dict[str, Any] = statistics.get("data") or io_statistics(self.data)
        return found

    def write(self, path: str) -> None:
        """Write the execution block into a file, as JSON."""
        Path(path).write_text(str(self))

    def __str__(self) -> str:
        return dumps(self.data, 4)

    def dump_runner_configuration(self, directory: str) -> None:
        """Write what a program needs to run the algorithm: a configuration and a prefix."""
        dumping.dump_runner(directory, self.data, [self.algorithm, self.loop_algorithm])

    def dump_databases_provider_configuration(self, directory: str) -> None:
        """Write what a program needs to serve the databases: a configuration and a prefix."""
        dumping.dump_databases(directory, self.data, self.databases, self.custom_root_folders)

    # --- for executors ------------------------------------------------------------------------

    def _need_valid(self) -> None:
        if not self.valid:
            reasons = "\n  * ".join(self.errors)
            raise InvalidBlockError(f"execution information is bogus:\n  * {reasons}")

    def _limits(self, megabytes: float, cpu_percent: float, minutes: float) -> Limits:
        return Limits.of_block(megabytes, cpu_percent, minutes, self.max_processes)

    def _payload(self) -> dict[str, Any]:
        """Return what the functions in processes of the block get."""
        return {
            "configuration": self.data,
            "prefix": str(Path(self.prefix).absolute()),
            "cache": str(Path(self.cache).absolute()),
            "roots": self.custom_root_folders,
            "mark": self.mark,
        }

    def _finish(self, outcome: Outcome, limits: Limits) -> dict[str, Any]:
        """Return the result of a run; leave nothing behind of one that was killed."""
        self._last = result_of(outcome, limits)
        if self._last["status"] != 0:
            sweep([str(Path(self.cache, one["path"])) for one in self._all_outputs()], self.mark)
        return self._last

    # --- loading ------------------------------------------------------------------------------

    def _declare(self, data: object) -> bool:
        found = data
        if isinstance(data, str | Path):
            if not Path(data).is_file():
                self.errors.append(f"File not found: {data}")
                return False
            try:
                found = read(data)
            except DeclarationError as error:
                self.errors.append(str(error))
                return False
        self.errors += schema_errors(KIND, found)
        if self.errors or not isinstance(found, dict):
            return False
        self.data = json.loads(dumps(found, None))  # a copy, and numbers of numpy made plain
        return True

    def _load_algorithm(self, block: Mapping[str, Any], place: str, cache: Cache) -> Algorithm:
        name = block["algorithm"]
        algorithm: Algorithm | None = cache.get(name)
        if algorithm is None:
            algorithm = cache[name] = Algorithm(self.prefix, name, self._formats, self._libraries)
        if not algorithm.valid:
            self.errors += algorithm.errors
            return algorithm
        self.errors += _differences(
            f"{place}/inputs", "input", block["inputs"], algorithm.input_map
        )
        if "outputs" in block:
            self.errors += _differences(
                f"{place}/outputs", "output", block["outputs"], algorithm.output_map
            )
        elif not algorithm.isAnalyzer:
            self.errors.append(f"{place}/result: algorithm `{name}' is not an analyzer")
        return algorithm

    def _load_databases(self, cache: Cache) -> None:
        blocks = [self.data, self.data.get("loop", {"inputs": {}})]
        names = {
            one["database"]: None
            for block in blocks
            for one in block["inputs"].values()
            if "database" in one
        }
        for name in names:
            if cache.get(name) is None:
                cache[name] = Database(self.prefix, name, self._formats)
            self.databases[name] = cache[name]
            self.errors += cache[name].errors


def _root_folders(given: Mapping[str, str] | None) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise RootFoldersError(
            f"the root folders of databases are a mapping, not {type(given).__name__}"
        )
    return {name.removeprefix(ROOT_KEY): str(folder) for name, folder in given.items()}


def _differences(
    place: str, what: str, given: Mapping[str, Any], declared: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is wrong with the names of inputs or outputs."""
    if len(given) != len(declared):
        yield (
            f"{place}: number of {what}s is {len(given)}, while the algorithm "
            f"requires {len(declared)}"
        )
    for name in given:
        if name not in declared:
            yield f"{place}/{name}: the algorithm has no {what} `{name}'"


def _exists(path: Path) -> bool:
    found = parts(str(path))
    return bool(found) and all(
        Path(part.file(f"{ending}.checksum")).exists()
        for part in found
        for ending in ("data", "index")
    )
