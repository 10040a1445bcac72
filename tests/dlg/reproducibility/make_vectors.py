"""Write what the existing system computes, for tests to compare with; a program for its Python.

    build/peer/bin/python tests/dlg/reproducibility/make_vectors.py

`make peer` installs that Python. The vectors beside this file are written anew: graphs drawn or
made here, and the data of reproducibility that the existing packages add to them. Nothing of those
packages is in them but the numbers they compute. A digest is written once, and named by its place
in a list.
"""

from __future__ import annotations

import copy
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DRAWN = HERE.parents[2] / "graphs" / "constructs"
PATIENCE_S = 30.0
Spec = dict[str, Any]

MODES = ("-1", "1", "2", "4", "5", "6", "7", "8", "9")
DRAWINGS = (
    "scatter", "gather", "loop", "groupby", "branch", "service", "subgraph", "streaming", "mpi",
    "scatter-then-gather",
)  # fmt: skip
CATEGORIES = (
    "File", "Memory", "SharedMemory", "NGAS", "S3", "ParameterSet", "Plasma", "PlasmaFlight",
    "Directory", "MKN", "Scatter", "Gather", "Loop", "GroupBy", "SubGraph", "Service", "Branch",
    "PythonApp", "DALiuGEApp", "Component", "BashShellApp", "Mpi", "Docker", "DynlibApp",
    "DynlibProcApp", "Unknown", "file",
)  # fmt: skip
PARAMETERS = (
    "execution_time", "num_cpus", "inputApplicationName", "inputApplicationType", "data_volume",
    "check_filepath_exists", "filepath", "dirname", "m", "k", "n", "num_of_copies", "scatter_axis",
    "num_of_inputs", "gather_axis", "num_of_iter", "group_key", "group_axis", "dropclass", "Arg01",
    "num_of_procs", "image", "command", "user", "ensureUserAndSwitch", "removeContainer",
    "additionalBindings", "libpath", "plasma_path", "object_id", "flight_path", "func_code",
    "greet", "sleep_time",
)  # fmt: skip


def theirs() -> Any:
    """Return the module of the existing system."""
    return import_module("dlg.common.reproducibility.reproducibility")


# -- one node of each category ---------------------------------------------------------------


def nodes() -> list[Spec]:
    """Return a node of each category with all parameters, and what is kept of it at each level."""
    found = []
    for place, category in enumerate(CATEGORIES):
        values: list[Any] = [1, "text", True, 2.5, "", None, [1, 2], {"a": 1}]
        listed = [
            {"name": name, "value": values[(place + number) % len(values)]}
            for number, name in enumerate(PARAMETERS)
        ]
        node: Spec = {
            "id": f"node {place}",
            "category": category,
            "categoryType": ("Data", "Application", "Construct", "Control")[place % 4],
            "inputPorts": [{"id": str(i)} for i in range(place % 3)],
            "outputPorts": [{"id": str(i)} for i in range(place % 4)],
            "inputLocalPorts": [],
            "fields": listed[: -3 if place % 5 else None],
        }
        if place % 5 == 0:  # as older graphs have it
            node["applicationArgs"] = [
                {"name": "filepath", "value": 7},
                {"name": "x", "value": "y"},
            ]
        given, records = copy.deepcopy(node), {}
        for mode in ("-1", "0", "9"):
            graph = {"nodeDataArray": [copy.deepcopy(node)], "linkDataArray": []}
            theirs().init_lgt_repro_data(graph, mode)
            theirs().init_lg_repro_data(graph)
            records[mode] = [graph["nodeDataArray"][0]["reprodata"], graph["reprodata"]]
        found.append({"node": given, "records": records})
    return found


# -- graphs made by chance -------------------------------------------------------------------


def by_chance(seed: int) -> Spec:
    """Return a small graph made by chance, as it is after each stage at some level."""
    chance = random.Random(seed)
    mode = [*MODES, "0"][seed % 10]
    logical = _logical_by_chance(chance)
    vector: Spec = {"mode": mode, "shared": bool(seed % 2), "logical": copy.deepcopy(logical)}
    theirs().init_lgt_repro_data(logical, mode)
    theirs().init_lg_repro_data(logical)
    vector["lg"] = [
        *(node["reprodata"] for node in logical["nodeDataArray"]),
        logical["reprodata"],
    ]
    vector["lg"] = copy.deepcopy(vector["lg"])
    drops = _instances_by_chance(chance, logical["nodeDataArray"])
    vector["drops"] = copy.deepcopy(drops)
    records = {node["id"]: node["reprodata"] for node in logical["nodeDataArray"]}
    for drop in drops:
        own = records[drop["lg_key"]]
        drop["reprodata"] = own if vector["shared"] else copy.deepcopy(own)
    graph = [*drops, logical["reprodata"]]
    stages = {
        "unrolled": theirs().init_pgt_unroll_repro_data,
        "partitioned": theirs().init_pgt_partition_repro_data,
        "physical": theirs().init_pg_repro_data,
    }
    for name, stage in stages.items():
        if name == "physical":
            for drop in graph[:-1]:
                drop["node"], drop["island"] = f"host{drop['node']}", f"boss{drop['island']}"
        graph = json.loads(json.dumps(stage(graph)))
        vector[name] = layer_of(graph, "pg" if name == "physical" else "pgt")
    return vector


def _logical_by_chance(chance: random.Random) -> Spec:
    count = chance.randint(1, 7)
    made = []
    for place in range(count):
        category = chance.choice(["File", "Memory", "PythonApp", "BashShellApp", "Scatter"])
        kind = "Data" if category in {"File", "Memory"} else "Application"
        values = {
            name: chance.choice([1, "a", None]) for name in ("filepath", "dropclass", "Arg01")
        }
        listed = [{"name": name, "value": value} for name, value in values.items()]
        node = {"id": f"n{place}", "category": category, "categoryType": kind, "fields": listed}
        made.append(node)
    links = [
        {"from": f"n{i}", "to": f"n{j}"}
        for i in range(count)
        for j in range(i + 1, count)
        if chance.random() < 0.3
    ]
    return {"nodeDataArray": made, "linkDataArray": links}


def _instances_by_chance(chance: random.Random, logical: list[Spec]) -> list[Spec]:
    drops: list[Spec] = []
    for place, node in enumerate(logical):
        for copy_number in range(chance.randint(1, 3)):
            drop: Spec = {
                "oid": f"o{place}_{copy_number}",
                "lg_key": node["id"],
                "categoryType": node["categoryType"],
                "storage": node["category"],
                "rank": [copy_number],
                "iid": chance.choice(["0/0", "0", "0/1", "1/0", "0/0/0"]),
                "node": f"#{chance.randint(0, 2)}",
                "island": "#0",
            }
            if chance.random() < 0.3:
                drop["dt"] = chance.randint(1, 4)
            if chance.random() < 0.2:
                del drop["iid"]
            drops.append(drop)
    for one in drops:
        for other in drops:
            if one["lg_key"] < other["lg_key"] and chance.random() < 0.3:
                key = "consumers" if one["categoryType"] == "Data" else "outputs"
                oid = other["oid"]
                one.setdefault(key, []).append(oid if chance.random() < 0.5 else {oid: "port"})
    chance.shuffle(drops)
    return drops


def layer_of(graph: list[Spec], layer: str) -> Spec:
    """Return what a stage has added to each drop for `layer`, and the data of the graph."""
    records: Spec = {
        drop["oid"]: {
            level: {k: v for k, v in own.items() if k.startswith(f"{layer}_")}
            for level, own in drop["reprodata"].items()
            if level != "rmode"
        }
        for drop in graph[:-1]
    }
    return copy.deepcopy({"records": records, "data": graph[-1]})


# -- drawn graphs, by the commands -----------------------------------------------------------


def drawn(name: str, folder: Path) -> Spec:
    """Return a drawn graph as it is after each of the commands of the existing system."""
    command = [str(Path(sys.executable).with_name("dlg"))]

    def step(*arguments: str) -> Any:
        target = folder / "out.json"
        subprocess.run([*command, *arguments, "-o", str(target)], check=True, capture_output=True)
        return json.loads(target.read_text())

    def write(graph: Any) -> str:
        source = folder / "in.json"
        source.write_text(json.dumps(graph))
        return str(source)

    logical = step("fill", "-L", str(DRAWN / f"{name}.graph"), "-R", "-1")
    unrolled = step("unroll", "-L", write(logical))
    divided = step("partition", "-P", write(unrolled), "-N", "3", "-i", "1", "-a", "metis")
    hosts = "127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4"
    physical = step("map", "-P", write(divided), "-N", hosts, "-i", "1")
    nodes = logical["nodeDataArray"]
    plain = [{k: node[k] for k in _LOGICAL_KEYS if k in node} for node in nodes]
    links = [{"from": link["from"], "to": link["to"]} for link in logical["linkDataArray"]]
    return {
        "name": name,
        "logical": {"nodeDataArray": plain, "linkDataArray": links},
        "lg": [*(node["reprodata"] for node in nodes), logical["reprodata"]],
        "drops": [{k: drop[k] for k in _DROP_KEYS if k in drop} for drop in unrolled[:-1]],
        "unrolled": layer_of(unrolled, "pgt"),
        "divided_places": _places(divided),
        "partitioned": layer_of(divided, "pgt"),
        "places": _places(physical),
        "physical": layer_of(physical, "pg"),
    }


_LOGICAL_KEYS = (
    "id", "category", "categoryType", "fields", "inputPorts", "outputPorts", "inputLocalPorts",
    "outputLocalPorts",
)  # fmt: skip
_DROP_KEYS = (
    "oid", "lg_key", "categoryType", "category", "storage", "dt", "rank", "iid", "outputs",
    "consumers",
)  # fmt: skip


def _places(graph: list[Spec]) -> Spec:
    return {drop["oid"]: [drop["node"], drop["island"]] for drop in graph[:-1]}


# -- graphs that have run --------------------------------------------------------------------


def ran(shape: str, mode: str, folder: Path) -> Spec:
    """Return a graph that their node manager has run, in a process of its own."""
    command = [sys.executable, __file__, "run", shape, mode, str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    vector: Spec = json.loads((folder / "ran.json").read_text())
    return vector


def _data(oid: str, **given: Any) -> Spec:
    drop = {"oid": oid, "categoryType": "Data", "category": "Memory", "storage": "Memory"}
    return {**drop, "dropclass": "dlg.data.drops.memory.InMemoryDROP", **_PLACE, **given}


def _file(oid: str, path: Path, **given: Any) -> Spec:
    file = {"category": "File", "storage": "File", "filepath": str(path)}
    return _data(oid, **{"dropclass": "dlg.data.drops.file.FileDROP", **file, **given})


def _app(oid: str, dropclass: str, **given: Any) -> Spec:
    app = {"oid": oid, "categoryType": "Application", "category": "DALiuGEApp"}
    return {**app, "dropclass": dropclass, **_PLACE, **given}


_PLACE: Spec = {"node": "localhost", "island": "localhost", "iid": "0/0", "rank": [0]}
_COPY = "dlg.apps.simple.CopyApp"
_BASH = "dlg.apps.bash_shell_app.BashShellApp"
_FUNCTION = "dlg.apps.pyfunc.PyFuncApp"


def shapes(folder: Path) -> dict[str, list[Spec]]:
    """Return small graphs to run: a chain, a gathered fan, a loop, and one of each kind."""
    given = folder / "in.txt"
    chain = [_file("a", given, consumers=["b0"])]
    for i in range(3):
        chain.append(_app(f"b{i}", _COPY, outputs=[f"c{i}"], rank=[i]))
        after = {"consumers": [f"b{i + 1}"]} if i < 2 else {}
        chain.append(_data(f"c{i}", rank=[i], **after))
    fan = [_file("a", given, consumers=["b0", "b1", "b2"])]
    for i in range(3):
        iid = {"iid": f"0/{i}", "rank": [0, i]}
        fan.append(_app(f"b{i}", _COPY, outputs=[f"c{i}"], **iid))
        fan.append(_data(f"c{i}", consumers=["g"], **iid))
    fan += [_app("g", _COPY, outputs=["h"]), _data("h")]
    loop = [_file("a", given, consumers=["b0"])]
    for i in range(3):
        iid = {"iid": f"{i}", "rank": [i], "loop_ctx": f"{i}"}
        loop.append(_app(f"b{i}", _COPY, outputs=[f"c{i}"], **iid))
        loop.append(_data(f"c{i}", consumers=[f"b{i + 1}" if i < 2 else "end"], **iid))
    loop += [_app("end", _COPY, outputs=["z"]), _file("z", folder / "out.txt")]
    argument = {"name": "x", "value": 5, "type": "Integer", "usage": "NoPort"}
    argument |= {"encoding": "pickle", "parameterType": "ApplicationArgument"}
    code = "def f(x=3):\n return x"
    call = {"func_code": code, "func_name": "f", "applicationArgs": {"x": argument}}
    kinds = [
        _app("call", _FUNCTION, category="PythonApp", outputs=["called"], **call),
        _data("called"),
        _file("a", given, consumers=["shell"]),
        _app("shell", _BASH, category="BashShellApp", command="echo out; echo err >&2"),
        _file("b", given, consumers=["swallow"]),
        _app("swallow", _COPY, outputs=["null"]),
        _data("null", dropclass="dlg.data.drops.data_base.NullDROP"),
    ]
    return {"chain": chain, "fan": fan, "loop": loop, "kinds": kinds}


def run(shape: str, mode: str, folder: Path) -> None:
    """Run a graph under a node manager, and write what it tells about it; ends the process."""
    os.environ["DLG_ROOT"] = str(folder / "root")
    (folder / "in.txt").write_text("hello")
    drops = shapes(folder)[shape]
    graph = _prepared(copy.deepcopy(drops), mode)
    manager = import_module("dlg.manager.node_manager").NodeManager(host="localhost")
    session = f"{shape}{mode}"
    manager.createSession(session)
    manager.addGraphSpec(session, copy.deepcopy(graph))
    targets = {
        oid for drop in drops for key in ("outputs", "consumers") for oid in drop.get(key, ())
    }
    manager.deploySession(session, [drop["oid"] for drop in drops if drop["oid"] not in targets])
    result = Path(manager.sessions[session].sessionDir) / "reprodata.out"
    until = time.monotonic() + PATIENCE_S
    while not (result.exists() and result.stat().st_size) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    records, data = json.loads(result.read_text())
    vector = {
        "shape": shape,
        "mode": mode,
        "given": graph,
        **layer_of([*(records[drop["oid"]] for drop in drops), data], "rg"),
    }
    (folder / "ran.json").write_text(json.dumps(vector))
    os._exit(0)


def _prepared(drops: list[Spec], mode: str) -> list[Spec]:
    """Return a graph that has gone through all stages."""
    listed = [
        {
            "id": drop["oid"],
            "category": drop["category"],
            "categoryType": drop["categoryType"],
            "fields": [{"name": k, "value": v} for k, v in drop.items() if isinstance(v, str)],
        }
        for drop in drops
    ]
    links = [
        {"from": drop["oid"], "to": oid}
        for drop in drops
        for key in ("outputs", "consumers")
        for oid in drop.get(key, ())
    ]
    logical: Spec = {"nodeDataArray": listed, "linkDataArray": links}
    theirs().init_lgt_repro_data(logical, mode)
    theirs().init_lg_repro_data(logical)
    for drop, node in zip(drops, logical["nodeDataArray"], strict=True):
        drop["reprodata"] = node["reprodata"]
    graph = [*drops, logical["reprodata"]]
    for stage in ("pgt_unroll", "pgt_partition", "pg"):
        graph = getattr(theirs(), f"init_{stage}_repro_data")(graph)
    return graph


# -- files -----------------------------------------------------------------------------------


def write(name: str, vectors: list[Spec]) -> None:
    """Write vectors, each digest once."""
    digests: dict[str, int] = {}

    def packed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: packed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [packed(item) for item in value]
        if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
            return f"%{digests.setdefault(value, len(digests))}"
        return value

    lines = [json.dumps(packed(vector), separators=(",", ":")) for vector in vectors]
    text = ",\n".join(lines)
    known = ",\n".join(json.dumps(digest) for digest in digests)
    (HERE / "vectors" / f"{name}.json").write_text(
        f'{{"vectors":[\n{text}\n],\n"digests":[\n{known}\n]}}\n'
    )


def main() -> None:
    """Write all vectors, or run one graph."""
    if sys.argv[1:2] == ["run"]:
        try:
            run(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
        finally:
            os._exit(1)  # a node manager has threads that do not end
    write("nodes", nodes())
    write("chance", [by_chance(seed) for seed in range(30)])
    with tempfile.TemporaryDirectory() as folder:
        write("drawn", [drawn(name, Path(folder)) for name in DRAWINGS])
    vectors = []
    for shape in ("chain", "fan", "loop", "kinds"):
        for mode in ("-1", "1", "4", "5"):
            with tempfile.TemporaryDirectory() as folder:
                vectors.append(ran(shape, mode, Path(folder)))
    write("ran", vectors)


if __name__ == "__main__":
    main()
