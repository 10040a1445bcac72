"""What an algorithm gets: its inputs, data loaders and outputs, made from an execution block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dlg.beat.algorithm import Algorithm
from dlg.beat.cache_files import parts
from dlg.beat.cached_source import CachedDataSource
from dlg.beat.data_loaders import DataLoader, DataLoaderList
from dlg.beat.formats import Formats
from dlg.beat.inputs import Input, InputGroup, InputList
from dlg.beat.outputs import (
    Output,
    OutputList,
    RemotelySyncedOutput,
    Socket,
    SynchronizationListener,
)
from dlg.beat.sinks import CachedDataSink
from dlg.beat.sources import DataSource
from dlg.exceptions import RunError

LEGACY = "legacy"
RESULT = "result"


class NoInputError(RunError, RuntimeError):
    """An input of a block has no data."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a block wants of a database: an output of a set, in a range if there is one."""

    input: str
    database: str
    protocol: str
    set: str
    output: str
    path: str
    format: str
    range: tuple[int, int] | None


class Databases(Protocol):
    """Gives sources of data that come from databases."""

    def source(self, request: Request) -> DataSource:
        """Return the source of an input."""


class Reads:
    """A source as statistics count it."""

    def __init__(self, data_source: DataSource, units: Callable[[], int]) -> None:
        self.data_source, self._units = data_source, units

    @property
    def nb_data_blocks_read(self) -> int:
        """How many units were read."""
        return self._units()


@dataclass
class Assembly:
    """All that an algorithm gets, and where its outputs begin and end."""

    inputs: InputList = field(default_factory=InputList)
    data_loaders: DataLoaderList = field(default_factory=DataLoaderList)
    outputs: OutputList = field(default_factory=OutputList)
    reads: list[Reads] = field(default_factory=list)
    listener: SynchronizationListener | None = None
    start: int = 0
    end: int = 0

    def abort(self) -> None:
        """Leave nothing behind of what was written."""
        for output in self.outputs:
            if isinstance(output.data_sink, CachedDataSink):
                output.data_sink.abort()

    def close(self) -> None:
        """Publish what was written."""
        for output in self.outputs:
            output.close()


class Assembler:
    """Builds what the algorithm of one execution block gets."""

    def __init__(
        self,
        configuration: Mapping[str, Any],
        algorithm: Algorithm,
        cache: str,
        formats: Formats,
        databases: Databases,
    ) -> None:
        self._configuration, self._algorithm = configuration, algorithm
        self._cache, self._formats, self._databases = Path(cache), formats, databases
        limits = configuration.get("range")
        self._range = (int(limits[0]), int(limits[1])) if limits else None
        self._channel = configuration["channel"]
        self._made = Assembly()
        self._whole_end: int | None = None

    def build(self, loop: Socket | None = None) -> Assembly:
        """Return everything; each unit that is written is told to `loop`."""
        self._add_inputs()
        self._add_outputs(loop)
        return self._made

    def _add_inputs(self) -> None:
        """Add the inputs channel by channel, in the order of the configuration."""
        sources: dict[str, dict[str, DataSource]] = {}
        for name, details in self._configuration["inputs"].items():
            source = self._source(name, details)
            sources.setdefault(details["channel"], {})[name] = source
        self._measure(sources.get(self._channel, {}))
        kind = self._algorithm.type
        for channel, named in sources.items():
            main = channel == self._channel
            if kind == LEGACY or (main and self._algorithm.is_sequential):
                self._add_group(channel, named, main)
            else:
                self._add_loader(channel, named, main)

    def _source(self, name: str, details: Mapping[str, Any]) -> DataSource:
        cut = self._range if details["channel"] == self._channel else None
        if "database" in details:
            return self._databases.source(
                Request(
                    input=name,
                    database=details["database"],
                    protocol=details["protocol"],
                    set=details["set"],
                    output=details["output"],
                    path=details["path"],
                    format=self._algorithm.input_map[name],
                    range=cut,
                )
            )
        source = CachedDataSource()
        start, end = cut or (None, None)
        found = source.setup(
            str(self._cache / details["path"]),
            self._algorithm.prefix,
            start,
            end,
            dataformat_cache=self._formats,
        )
        if not found:
            raise NoInputError(
                f"input `{name}': there is nothing in {self._cache} for {details['path']}; "
                "run the block that writes it first"
            )
        return source

    def _measure(self, sources: Mapping[str, DataSource]) -> None:
        """Find out where the outputs end: with an input from the cache, if there is one."""
        details = self._configuration["inputs"]
        ordered = sorted(sources, key=lambda name: "database" in details[name])
        if not ordered:
            raise NoInputError(f"no input is on the block's own channel `{self._channel}'")
        first = details[ordered[0]]
        if "database" not in first:
            # What its files say, not its units: in a loop these may go further than their names.
            found = parts(str(self._cache / first["path"]))
            self._whole_end = max(part.end for part in found)
        elif not self._range:
            self._whole_end = sources[ordered[0]].last_data_index()
        if self._range:
            self._made.start, self._made.end = self._range
        else:
            self._made.end = self._whole_end or 0

    def _add_group(self, channel: str, named: Mapping[str, DataSource], main: bool) -> None:
        listener = SynchronizationListener() if main else None
        group = InputGroup(channel, listener, restricted_access=main)
        for name, source in named.items():
            made = Input(name, self._algorithm.input_map[name], source)
            group.add(made)
            self._made.reads.append(Reads(source, lambda made=made: made.nb_data_blocks_read))  # type: ignore[misc]
        self._made.inputs.add(group)
        if main:
            self._made.listener = listener

    def _add_loader(self, channel: str, named: Mapping[str, DataSource], main: bool) -> None:
        loader = DataLoader(channel)
        for name, source in named.items():
            loader.add(name, source)
            self._made.reads.append(Reads(source, lambda: 0))
        self._made.data_loaders.add(loader)
        if main:
            self._made.data_loaders.main_loader = loader

    def _add_outputs(self, loop: Socket | None) -> None:
        algorithm, made = self._algorithm, self._made
        wanted = self._configuration.get("outputs")
        if wanted is None:
            wanted = {RESULT: self._configuration[RESULT]} if RESULT in self._configuration else {}
        for name, details in wanted.items():
            dataformat: Any
            if algorithm.isAnalyzer:
                dataformat = algorithm.result_dataformat()
                self._formats.setdefault(dataformat.name, dataformat)
            else:
                dataformat = algorithm.dataformats[algorithm.output_map[name]]
            sink = CachedDataSink()
            path = str(self._cache / details["path"])
            if not sink.setup(path, dataformat, made.start, made.end):
                raise NoInputError(f"output `{name}': nothing can be written to {path}")
            sink.whole = None if self._whole_end is None else (0, self._whole_end)
            sink.signature = details.get("signature")
            made.outputs.add(self._output(name, sink, loop))

    def _output(self, name: str, sink: CachedDataSink, loop: Socket | None) -> Output:
        listener, start = self._made.listener, self._made.start
        if loop is None:
            return Output(name, sink, listener, start)
        return RemotelySyncedOutput(name, sink, loop, listener, start)
