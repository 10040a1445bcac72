"""When what runs where, for charts: apps start as early as their inputs are there.

What moves between parts takes its volume as time, as in the figure `exec_time`; processors are not
limited, so the lanes of a part are those it would need.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import Any

import numpy as np

from dlg.http.errors import TooLargeError
from dlg_translator.partition import PartitionedTemplate
from dlg_translator.schedule.parallelism import durations
from dlg_translator.schedule.paths import cut_costs, earliest_starts

MOST_APPS = 5000
COLUMNS = 400


def gantt(divided: PartitionedTemplate) -> dict[str, Any]:
    """Return for each part its bars: lane, start, finish, name, oid, one an app.

    Raises `CycleError` for a graph without an order, `TooLargeError` for one of too many apps.
    """
    dag = divided.dag
    rows = np.flatnonzero(dag.is_app)
    if len(rows) > MOST_APPS:
        raise TooLargeError(f"charts are drawn of up to {MOST_APPS:,} apps, not {len(rows):,}")
    length = durations(dag)
    lasting = replace(dag, node_weight=length)
    start = earliest_starts(lasting, cut_costs(dag, divided.node_of))
    parts: list[dict[str, Any]] = [
        {"part": part, "lanes": 0, "bars": []} for part in range(divided.num_parts)
    ]
    free: list[list[tuple[float, int]]] = [[] for _ in parts]
    for row in rows[np.argsort(start[rows], kind="stable")].tolist():
        part = int(divided.node_of[row])
        begin, end = float(start[row]), float(start[row] + length[row])
        lane = _lane(free[part], parts[part], begin)
        heapq.heappush(free[part], (end, lane))
        spec = divided.template.spec(row)
        name, oid = str(spec.get("name", "")), str(spec.get("oid", row))
        parts[part]["bars"].append([lane, begin, end, name, oid])
    finish = max((bar[2] for part in parts for bar in part["bars"]), default=0.0)
    return {"finish": finish, "parts": parts}


def _lane(free: list[tuple[float, int]], part: dict[str, Any], begin: float) -> int:
    """Return a lane that is free at `begin`, a new one if none is."""
    if free and free[0][0] <= begin:
        return heapq.heappop(free)[1]
    part["lanes"] += 1
    return int(part["lanes"]) - 1


def matrices(divided: PartitionedTemplate) -> dict[str, Any]:
    """Return for each part a matrix of lanes and moments, with the number of the app in each.

    0 is nobody, 1 the first of `apps`. `unit` is the time from one column to the next.
    """
    chart = gantt(divided)
    finish = chart["finish"]
    unit = max(1.0, finish / COLUMNS)
    columns = int(np.ceil(finish / unit))
    apps: list[str] = []
    found = []
    for part in chart["parts"]:
        matrix = np.zeros((part["lanes"], columns), np.int64)
        for lane, begin, end, _, oid in part["bars"]:
            apps.append(oid)
            first = int(begin / unit)
            matrix[lane, first : max(first + 1, int(np.ceil(end / unit)))] = len(apps)
        found.append(matrix.tolist())
    return {"unit": unit, "apps": apps, "matrices": found}
