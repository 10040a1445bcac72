"""The hosts a graph goes to: their names, and what they have if that is known.

They come as a number, as names, as a resource file (TOML or JSON), or as the records a manager
gives of its nodes. A resource file is a list `nodes`, each with `name` (or `names`) and, where
known, `cores`, `memory` and `gpus`; what it leaves out is not limited:

    [[nodes]]
    names = ["gpu01", "gpu02"]
    cores = 64
    memory = "512 GB"
    gpus = 4

A memory without a unit is in GB.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlg.exceptions import UsageError
from dlg_translator.partition.constraints import AmountError, amount, size_in_gb

UNLIMITED = float("inf")
FILE_KINDS = (".toml", ".json")
_NAME_KEYS = ("name", "host", "names")
_LIMITS = ("cores", "memory", "gpus")
_KEYS = frozenset({*_NAME_KEYS, *_LIMITS})


class ResourceError(UsageError):
    """Hosts are described in a way that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host and what it has; what is not known is not limited."""

    name: str
    cores: float = UNLIMITED
    memory: float = UNLIMITED
    """In GB."""
    gpus: float = UNLIMITED

    @property
    def is_limited(self) -> bool:
        """Whether anything is known of it."""
        return min(self.cores, self.memory, self.gpus) < UNLIMITED


Hosts = int | str | Path | Mapping[str, Any] | Iterable[str | Host | Mapping[str, Any]]


def read_hosts(nodes: Hosts) -> list[Host]:
    """Return the hosts that `nodes` stands for.

    A number stands for so many hosts `#0`, `#1`, ... that get their names when the graph is run; a
    text is the path of a resource file if it ends like one, or else names with commas between.
    Raises `ResourceError` for what cannot be understood.
    """
    if isinstance(nodes, bool) or (isinstance(nodes, int) and nodes < 1):
        raise ResourceError(f"a number of nodes must be at least 1, not {nodes}")
    if isinstance(nodes, int):
        return [Host(f"#{k}") for k in range(nodes)]
    hosts = list(_hosts(nodes, "nodes"))
    if not hosts:
        raise ResourceError("no nodes are given: name at least one host")
    _check_names([host.name for host in hosts], nodes)
    return hosts


def _check_names(names: Sequence[str], nodes: object) -> None:
    given = f" in {nodes!r}" if isinstance(nodes, str) else ""
    for place, name in enumerate(names, 1):
        if not name:
            raise ResourceError(f"the name of host {place} of {len(names)}{given} is empty")
        if any(character.isspace() for character in name):
            text = f"{name!r} is no name of a host: there is a blank in it"
            raise ResourceError(f"{text}; put commas between names, as in host1,host2")


def _hosts(nodes: Any, where: str) -> Iterator[Host]:
    if isinstance(nodes, Path) or (isinstance(nodes, str) and nodes.endswith(FILE_KINDS)):
        yield from _hosts(_load(Path(nodes)), str(nodes))
    elif isinstance(nodes, str):
        yield from (Host(name.strip()) for name in nodes.split(",") if nodes.strip(" ,"))
    elif isinstance(nodes, Mapping):
        if "nodes" not in nodes:
            raise ResourceError(f"{where}: expected a list 'nodes'")
        yield from _hosts(nodes["nodes"], f"{where}/nodes")
    elif isinstance(nodes, Iterable):
        for k, one in enumerate(nodes):
            yield from _host(one, f"{where}/{k}")
    else:
        raise ResourceError(f"{where}: expected hosts, not {nodes!r}")


def _host(one: Any, where: str) -> Iterator[Host]:
    if isinstance(one, Host):
        yield one
    elif isinstance(one, str):
        yield Host(one.strip())
    elif isinstance(one, Mapping):
        unknown = sorted(set(one) - _KEYS)
        if unknown:
            raise ResourceError(
                f"{where}: unknown keys {', '.join(unknown)}; there are {', '.join(sorted(_KEYS))}"
            )
        has = {key: _limit(one, key, where) for key in _LIMITS}
        yield from (Host(name, **has) for name in _names(one, where))
    else:
        raise ResourceError(f"{where}: expected a host, not {one!r}")


def _names(one: Mapping[str, Any], where: str) -> Sequence[str]:
    given = next((one[key] for key in _NAME_KEYS if key in one), None)
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ResourceError(f"{where}: expected 'name' with a text or 'names' with a list of them")
    return [name.strip() for name in names]


def _limit(one: Mapping[str, Any], key: str, where: str) -> float:
    if one.get(key) is None:
        return UNLIMITED
    try:
        return size_in_gb(one[key]) if key == "memory" else amount(one[key])
    except AmountError as error:
        raise ResourceError(f"{where}/{key}: {error}") from error


def _load(path: Path) -> Any:
    try:
        text = path.read_text()
        return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        text = f"{path}: the resource file cannot be read: {error.strerror or error}"
        raise ResourceError(text) from error
    except ValueError as error:
        kind = path.suffix.removeprefix(".").upper()
        raise ResourceError(f"{path}: the resource file is no {kind}: {error}") from error
