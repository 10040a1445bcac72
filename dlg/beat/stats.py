"""What runs of blocks have used: processor, memory, data; read, checked, added up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import IO, Any, Protocol

from dlg.beat.declarations import (
    DeclarationError,
    dumps,
    prototype,
    read,
    schema_errors,
    version_of,
)

__all__ = ["Statistics", "cpu_statistics", "io_statistics", "memory_statistics", "update"]

KIND = "statistics"
NANOSECONDS = 1e9
COUNTED = ("volume", "blocks", "time")


class CountsTransfers(Protocol):
    """A source or sink of data that says what went through it."""

    def statistics(self) -> tuple[int, float]:
        """Return the bytes, and the seconds they took."""


class CountsReads(Protocol):
    """An input, as far as statistics need it."""

    @property
    def data_source(self) -> CountsTransfers: ...
    @property
    def nb_data_blocks_read(self) -> int: ...


class CountsWrites(Protocol):
    """An output, as far as statistics need it."""

    @property
    def name(self) -> str: ...
    @property
    def data_sink(self) -> CountsTransfers: ...
    @property
    def nb_data_blocks_written(self) -> int: ...


class Statistics:
    """The statistics of a run; two can be added, which sums all but the memory: the larger counts.

    `data` is a mapping, the path of a file, or nothing at all: then all is zero. `errors` lists
    what is wrong with it.
    """

    def __init__(self, data: Mapping[str, Any] | str | PathLike[str] | None = None) -> None:
        self.errors: list[str] = []
        self._data: Any = prototype(KIND)
        if data:
            self._load(data)

    def _load(self, data: Mapping[str, Any] | str | PathLike[str]) -> None:
        self._data = None
        if isinstance(data, str | PathLike):
            if not Path(data).is_file():
                self.errors.append(f"File not found: {data}")
                return
            try:
                self._data = read(Path(data))
            except DeclarationError as error:
                self.errors.append(str(error))
                return
        else:
            self._data = json.loads(dumps(data))  # a copy: adding must not change the caller's
        self.errors += schema_errors(KIND, self._data, version=version_of(self._data))

    @property
    def schema_version(self) -> int:
        """The version of the schema."""
        version = version_of(self._data)
        return version if isinstance(version, int) else 1

    @property
    def cpu(self) -> dict[str, Any]:
        """Seconds of processor time, and how often the process was interrupted."""
        return self._section("cpu")

    @cpu.setter
    def cpu(self, data: Mapping[str, Any]) -> None:
        self._section("cpu").update(
            {key: data[key] for key in ("user", "system", "total", "context_switches")}
        )

    @property
    def memory(self) -> dict[str, Any]:
        """The most bytes of memory in use at a time."""
        return self._section("memory")

    @memory.setter
    def memory(self, data: Mapping[str, Any]) -> None:
        self._section("memory")["rss"] = data["rss"]

    @property
    def data(self) -> dict[str, Any]:
        """Bytes, blocks and seconds of reading and writing, and the files that were written."""
        return self._section("data")

    @data.setter
    def data(self, data: Mapping[str, Any]) -> None:
        held = self._section("data")
        held.update({key: dict(data[key]) for key in COUNTED})
        held["files"] = list(data.get("files", ()))
        held["network"] = dict(data.get("network", {"wait_time": 0.0}))

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.errors

    def as_json(self, indent: int | None = None) -> str:
        """Return it as JSON."""
        return dumps(self._data, indent)

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dictionary: the one in use, not a copy."""
        held: dict[str, Any] = self._data
        return held

    def write(self, f: IO[str] | str | PathLike[str]) -> None:
        """Write it as JSON to a file, or to the file of that name."""
        text = self.as_json(indent=2)
        if isinstance(f, str | PathLike):
            Path(f).write_text(text, encoding="utf-8")
        else:
            f.write(text)

    def __add__(self, other: Statistics) -> Statistics:
        total = Statistics(self._data)
        total += other
        return total

    def __iadd__(self, other: Statistics) -> Statistics:
        _add(self.cpu, other.cpu, ("user", "system", "total"))
        _add(
            self.cpu["context_switches"],
            other.cpu["context_switches"],
            ("voluntary", "involuntary"),
        )
        self.memory["rss"] = max(self.memory["rss"], other.memory["rss"])
        update(self.data, other.data)
        return self

    def __str__(self) -> str:
        return self.as_json(indent=2)

    def _section(self, name: str) -> dict[str, Any]:
        held: dict[str, Any] = self._data[name]
        return held


def update(statistics: dict[str, Any], additional_statistics: Mapping[str, Any]) -> None:
    """Add to `statistics` of data, in place, those of another run."""
    for section in COUNTED:
        _add(statistics[section], additional_statistics[section], ("read", "write"))
    waited = statistics.setdefault("network", {"wait_time": 0.0})
    _add(waited, additional_statistics.get("network", {"wait_time": 0.0}), ("wait_time",))
    statistics.setdefault("files", []).extend(additional_statistics.get("files", ()))


def io_statistics(
    configuration: Mapping[str, Any],
    input_list: Iterable[CountsReads] | None = None,
    output_list: Iterable[CountsWrites] | None = None,
) -> dict[str, Any]:
    """Return what inputs and outputs of a block have moved; units: bytes, blocks, seconds.

    `configuration` is that of the block: it has the hash of what each output wrote.
    """
    found = prototype(KIND)["data"]
    found |= {"volume": {"read": 0, "write": 0}}
    for one in input_list or ():
        size, duration = one.data_source.statistics()
        _count(found, "read", (size, one.nb_data_blocks_read, duration))
    for each in output_list or ():
        size, duration = each.data_sink.statistics()
        blocks = each.nb_data_blocks_written
        _count(found, "write", (size, blocks, duration))
        where = configuration.get("outputs", {}).get(each.name) or configuration.get("result")
        if where:
            found["files"].append({"hash": where["hash"], "size": size, "blocks": blocks})
    made: dict[str, Any] = found
    return made


def cpu_statistics(
    start: Mapping[str, Any] | None, end: Mapping[str, Any]
) -> dict[str, float | int]:
    """Return the processor time between two reports of the docker engine; without `start` all.

    Seconds, the percentage of one processor, and the number of processors. Without the time of
    the whole machine in `end` there is nothing to relate to, and all is zero.
    """
    if "system_cpu_usage" not in end:
        return {"user": 0.0, "system": 0.0, "total": 0.0, "percent": 0.0, "processors": 1}
    user = end["cpu_usage"]["total_usage"]
    total = end["system_cpu_usage"]
    if start and "system_cpu_usage" in start:
        user -= start["cpu_usage"]["total_usage"]
        total -= start["system_cpu_usage"]
    # The list of processors is gone in newer engines, which tell their number.
    usage = end["cpu_usage"].get("percpu_usage")
    processors = len(usage) if usage else end.get("online_cpus", 0)
    return {
        "user": user / NANOSECONDS,
        "system": 0.0,
        "total": total / NANOSECONDS,
        "percent": 100.0 * processors * user / total if total > 0 else 0.0,
        "processors": processors,
    }


def memory_statistics(data: Mapping[str, Any]) -> dict[str, float]:
    """Return the bytes of memory in a report of the docker engine, and the part of its limit."""
    limit = float(data.get("limit", 0))
    used = float(data.get("max_usage", data.get("usage", 0)))
    return {"rss": used, "limit": limit, "percent": 100.0 * used / limit if limit else 0.0}


def _add(total: dict[str, Any], more: Mapping[str, Any], keys: Iterable[str]) -> None:
    for key in keys:
        total[key] += more[key]


def _count(total: dict[str, Any], way: str, more: tuple[int, int, float]) -> None:
    for section, amount in zip(COUNTED, more, strict=True):
        total[section][way] += amount
