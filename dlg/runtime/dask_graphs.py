"""Graphs of Dask as graphs of ours, and what Dask needs to compute ours."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np

from dlg.apps.call import Call, Slot
from dlg.exceptions import UsageError
from dlg.graph.physical import DropKind, Links, LinkTable, PhysicalGraph

MEMORY = "dlg.data.memory.InMemoryDROP"
CALL = "dlg.apps.call.CallApp"


def from_dask(collection: Any) -> PhysicalGraph:
    """Return the graph that computes a collection of Dask: an array, a bag, a delayed value, ...

    Each task becomes an app, whose result is a data drop named after its key; what the collection
    consists of is kept, so that `report.result(key)` gives it after a run. Raises `UsageError`
    for what is no collection.
    """
    from dask._task_spec import convert_legacy_graph  # noqa: PLC0415  where tasks are defined
    from dask.base import is_dask_collection  # noqa: PLC0415  slow to import

    if not is_dask_collection(collection):
        kind = type(collection).__name__
        raise UsageError(f"from_dask takes a collection or delayed value of Dask, not {kind}")
    keys = list(_flat(collection.__dask_keys__()))
    optimize = getattr(type(collection), "__dask_optimize__", None)
    tasks = collection.__dask_graph__()
    if optimize is not None:
        tasks = optimize(tasks, keys)
    return _graph_of(convert_legacy_graph(dict(tasks)), set(keys))


def threaded(tasks: Any, keys: Any, **options: Any) -> Any:
    """Compute tasks in threads of this process: how Dask computes our delayed values."""
    import dask.threaded  # noqa: PLC0415  slow to import

    return dask.threaded.get(tasks, keys, **options)


def name_of(key: Hashable) -> str:
    """Return the name of the drop with the result of `key`: `x-0-1` of `("x", 0, 1)`."""
    return "-".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def _graph_of(tasks: Mapping[Any, Any], kept: set[Any]) -> PhysicalGraph:
    rows = {key: 2 * number for number, key in enumerate(tasks)}
    src: list[int] = []
    dst: list[int] = []
    specs: list[dict[str, Any]] = []
    oids: list[str] = []
    taken: set[str] = set()
    for key, task in tasks.items():
        needs = sorted(task.dependencies, key=rows.__getitem__)
        src += [rows[one] + 1 for one in needs]
        dst += [rows[key]] * len(needs)
        slots = [Slot(place) for place in range(len(needs))]
        name = key[0] if isinstance(key, tuple) else key
        specs.append({"name": str(name), "call": Call(_compute, (task, needs, *slots), {})})
        specs.append({"name": name_of(key), "persist": key in kept})
        oid = name_of(key)
        while oid in taken:
            oid += "'"
        taken.add(oid)
        oids += [f"task:{oid}", oid]
    apps = np.arange(0, len(oids), 2, dtype=np.int32)
    consumers = LinkTable(np.asarray(src, np.int32), np.asarray(dst, np.int32))
    return PhysicalGraph(
        oids=oids,
        kinds=bytes([DropKind.APP, DropKind.DATA]) * len(tasks),
        class_names=[CALL, MEMORY],
        class_ids=[0, 1] * len(tasks),
        links=Links(consumers=consumers, outputs=LinkTable(apps, apps + 1)),
        specs=specs,
        source="dask",
    )


def _compute(task: Any, needs: list[Any], *values: Any) -> Any:
    """Return what a task makes of the values of the keys that it needs."""
    return task(dict(zip(needs, values, strict=True)))


def _flat(keys: Any) -> Iterator[Any]:
    if isinstance(keys, list):
        for one in keys:
            yield from _flat(one)
    else:
        yield keys
