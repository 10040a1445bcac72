"""Which fields of a drop count, per level, layer and kind: tables and nothing else.

To let a field count, add a row. The order of the rows matters: it is that of the hashed items.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from dlg.reproducibility.levels import Level


class Op(Enum):
    """What of a field's value counts."""

    VALUE = "value"
    COUNT = "count"
    """How many entries it has."""
    REST = "rest"
    """All but its first character: `#3` names a partition."""


class Layer(Enum):
    """What a drop is described by, from the drawing to the run."""

    TEMPLATE = "lgt"
    LOGICAL = "lg"
    UNROLLED = "pgt"
    PARTITIONED = "pgt_partition"
    PHYSICAL = "pg"


Levels = frozenset[Level]

EVERY: Levels = frozenset(Level) - {Level.NOTHING, Level.ALL}
METHOD: Levels = EVERY - {Level.REPRODUCE}
"""How something was computed matters."""
DETAIL: Levels = METHOD - {Level.RERUN, Level.REPLICATE_SCI}
"""With which parameters, too."""
EXACT: Levels = frozenset({Level.RECOMPUTE, Level.REPLICATE_COMP})
"""And where, and in which order."""


@dataclass(frozen=True, slots=True)
class Row:
    """A field counts for drops of some category, in a layer, at some levels."""

    layer: Layer
    name: str
    levels: Levels
    op: Op = Op.VALUE
    of: frozenset[str] = frozenset()
    """The categories; empty for all. In the physical layers, `data` or `app`."""


def _rows(layer: Layer, levels: Levels, of: str, names: str, op: Op = Op.VALUE) -> list[Row]:
    where = frozenset(of.split())
    return [Row(layer, name, levels, op, where) for name in names.split()]


_COMPONENTS = "Branch PythonApp DALiuGEApp Component"
_DOCKER = "image command user ensureUserAndSwitch removeContainer additionalBindings"

COMPAT: tuple[Row, ...] = (
    *_rows(Layer.TEMPLATE, EVERY, "", "categoryType category"),
    *_rows(
        Layer.TEMPLATE,
        METHOD,
        "",
        "inputPorts outputPorts inputLocalPorts outputLocalPorts",
        Op.COUNT,
    ),
    *_rows(Layer.LOGICAL, DETAIL, "", "execution_time num_cpus"),
    *_rows(Layer.LOGICAL, DETAIL, "", "inputApplicationName inputApplicationType data_volume"),
    *_rows(Layer.LOGICAL, DETAIL, "File", "check_filepath_exists"),
    *_rows(Layer.LOGICAL, EXACT, "File", "filepath dirname"),
    *_rows(Layer.LOGICAL, DETAIL, "MKN", "m k n"),
    *_rows(Layer.LOGICAL, DETAIL, "Scatter", "num_of_copies scatter_axis"),
    *_rows(Layer.LOGICAL, DETAIL, "Gather", "num_of_inputs gather_axis"),
    *_rows(Layer.LOGICAL, DETAIL, "Loop", "num_of_iter"),
    *_rows(Layer.LOGICAL, DETAIL, "GroupBy", "group_key group_axis"),
    *_rows(Layer.LOGICAL, DETAIL, _COMPONENTS, "dropclass"),
    *_rows(Layer.LOGICAL, DETAIL, "BashShellApp", "Arg01"),
    *_rows(Layer.LOGICAL, DETAIL, "Mpi", "num_of_procs"),
    *_rows(Layer.LOGICAL, DETAIL, "Docker", _DOCKER),
    *_rows(Layer.LOGICAL, DETAIL, "DynlibApp DynlibProcApp", "libpath"),
    *_rows(Layer.LOGICAL, DETAIL, "Plasma PlasmaFlight", "plasma_path object_id"),
    *_rows(Layer.LOGICAL, DETAIL, "PlasmaFlight", "flight_path"),
    *_rows(Layer.UNROLLED, EVERY, "", "categoryType"),
    *_rows(Layer.UNROLLED, EVERY, "data", "storage"),
    *_rows(Layer.UNROLLED, METHOD, "app", "dt"),
    *_rows(Layer.UNROLLED, EXACT, "", "rank"),
    *_rows(Layer.PARTITIONED, EXACT, "", "node island", Op.REST),
    *_rows(Layer.PHYSICAL, EXACT, "", "node island"),
)
"""What the existing system takes into account."""


LEFT_OUT: Mapping[str, str] = {
    "identity": "oid uid name lg_key humanReadableKey base_name text parent loop_ctx description",
    "links down": "consumers streamingConsumers outputs children",
    "links up": "producers inputs streamingInputs ports",
    "class": "categoryType category dropclass storage type app dataclass appclass container",
    "arguments": "fields applicationArgs componentParams constraintParams nodeAttributes",
    "place": "node island proc_index",
    "effort": "weight data_volume num_cpus execution_time dt n_tries group_start group_end",
    "life": "persist precious expireAfterUse lifespan expirationDate targetPhase",
    "watching": "log_level reprodata",
    "sending": "func_fingerprint",
}
"""Strict: keys of dropspecs that are no parameters, and why. They are known otherwise, as class,
links and arguments, or change no result. Every other key counts, also one that nobody knows."""

CODE = ("func", "func_code", "func_name")
"""Strict: parameters that hold code, which counts as what it does and not as it is written."""
SENT_ALONG = "func_fingerprint"
"""Strict: the fingerprint of a function that was sent along, made where its source is."""
COMMANDS = ("command", "command_line_arguments")
"""Strict: parameters that are command lines; the files that they name count as well."""
ARGUMENT = ("type", "encoding", "usage", "positional")
"""Strict: what of an argument object counts beside its value."""


@functools.lru_cache(maxsize=1024)
def compat_rows(layer: Layer, level: Level, category: str) -> tuple[Row, ...]:
    """Return the rows of `COMPAT` for a drop of some category, or for `data` or `app`."""
    return tuple(
        row
        for row in COMPAT
        if row.layer is layer and level in row.levels and (not row.of or category in row.of)
    )


def taken(values: Mapping[str, Any], rows: Iterable[Row]) -> dict[str, Any]:
    """Return what counts of `values`, in the order of `rows`; what is not there is left out."""
    found: dict[str, Any] = {}
    for row in rows:
        value = values.get(row.name)
        if value is None:
            continue
        if row.op is Op.COUNT:
            value = len(value)
        elif row.op is Op.REST:
            value = value[1:]
        found[row.name] = value
    return found


def logical_values(node: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters of a logical node by name, and which are arguments of its program.

    Parameters stand in a list of fields; older graphs have a second list for the arguments.
    """
    values: dict[str, Any] = {}
    arguments: list[str] = []
    for key in ("fields", "applicationArgs"):
        listed = node.get(key) or ()
        for field in listed if isinstance(listed, list | tuple) else ():
            values[field["name"]] = field["value"]
            if key == "applicationArgs":
                arguments.append(field["name"])
    return values, arguments
