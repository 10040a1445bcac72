"""Small and large physical graphs for tests and benchmarks: chains, fans, stencils, random ones.

All functions return lists of dropspecs of memory drops and of one class of apps, newest form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MEMORY = "dlg.data.memory.InMemoryDROP"
NULL_APP = "dlg.apps.null.NullBarrierApp"

Spec = dict[str, Any]


def data(oid: str, consumers: Sequence[str] = (), **parameters: Any) -> Spec:
    """Return the dropspec of a memory drop."""
    spec = {"oid": oid, "categoryType": "Data", "dropclass": MEMORY, **parameters}
    return spec | {"consumers": list(consumers)} if consumers else spec


def app(
    oid: str, outputs: Sequence[str] = (), dropclass: str = NULL_APP, **parameters: Any
) -> Spec:
    """Return the dropspec of an app drop."""
    spec = {"oid": oid, "categoryType": "Application", "dropclass": dropclass, **parameters}
    return spec | {"outputs": list(outputs)} if outputs else spec


def chain(apps: int, dropclass: str = NULL_APP) -> list[Spec]:
    """Return data and apps in turn, one after the other, `2 * apps + 1` drops."""
    specs = []
    for i in range(apps):
        specs.append(data(f"d{i}", [f"a{i}"]))
        specs.append(app(f"a{i}", [f"d{i + 1}"], dropclass))
    return [*specs, data(f"d{apps}")]


def fan(apps: int, dropclass: str = NULL_APP) -> list[Spec]:
    """Return one data drop that `apps` apps consume, each with an output of its own."""
    specs = [data("root", [f"a{i}" for i in range(apps)])]
    for i in range(apps):
        specs.append(app(f"a{i}", [f"d{i}"], dropclass))
        specs.append(data(f"d{i}"))
    return specs


def fan_gather(apps: int, dropclass: str = NULL_APP) -> list[Spec]:
    """Return a fan whose outputs are all consumed by one more app."""
    specs = fan(apps, dropclass)
    for spec in specs[2::2]:
        spec["consumers"] = ["gather"]
    return [*specs, app("gather", ["end"], dropclass), data("end")]


def stencil(width: int, depth: int, dropclass: str = NULL_APP) -> list[Spec]:
    """Return `depth` rows of `width` apps, each of which reads three neighbours' data above it."""
    specs = [data(f"d-1-{x}") for x in range(width)]
    above = specs
    for y in range(depth):
        for x, spec in enumerate(above):
            near = range(max(0, x - 1), min(width, x + 2))
            spec["consumers"] = [f"a{y}-{i}" for i in near]
        specs += [app(f"a{y}-{x}", [f"d{y}-{x}"], dropclass) for x in range(width)]
        above = [data(f"d{y}-{x}") for x in range(width)]
        specs += above
    return specs


def layered(
    inputs: Mapping[int, Sequence[int]], dropclass: str, **given: Sequence[Any]
) -> list[Spec]:
    """Return app `i` with output `d{i}`, reading the outputs of the apps in `inputs[i]`.

    `given` has a value for each app for parameters by name. Apps without inputs read `root`.
    """
    specs = [data("root")]
    for i, before in inputs.items():
        parameters = {name: values[i] for name, values in given.items()}
        reads = [f"d{j}" for j in before] or ["root"]
        specs.append(app(f"a{i}", [f"d{i}"], dropclass, inputs=reads, **parameters))
        specs.append(data(f"d{i}"))
    return specs
