"""Logical graphs of any size for the benchmarks, in today's format of EAGLE, drawn by a few calls.

They are of the kind that both translators read: every link ends at ports, classes are named.
"""

from __future__ import annotations

import itertools
from typing import Any

Node = dict[str, Any]

COPY = "dlg.apps.simple.CopyApp"
SLEEP = "dlg.apps.simple.SleepApp"
MEMORY = "dlg.data.drops.memory.InMemoryDROP"
FILE = "dlg.data.drops.file.FileDROP"


class Drawing:
    """A logical graph that grows: each call draws a node or a link; nodes go by their names."""

    def __init__(self, name: str, app_class: str = COPY) -> None:
        self._name, self._app_class = name, app_class
        self._nodes: dict[str, Node] = {}
        self._links: list[dict[str, Any]] = []
        self._ids = itertools.count(1)

    def data(self, name: str, inside: str = "", *, file: bool = False, end: bool = False) -> None:
        """Draw data in memory or in a file; `end` data are carried to the next round of a loop."""
        fields = [
            self._parameter("dropclass", FILE if file else MEMORY),
            self._parameter("data_volume", 5),
            self._parameter("group_end", end),
            self._port("io", "InputOutput"),
        ]
        self._node(name, "File" if file else "Memory", "Data", fields, inside)

    def app(self, name: str, inside: str = "", *, start: bool = False) -> None:
        """Draw an application with an input and an output; `start` if a group begins with it."""
        fields = [*self._app_fields(), self._parameter("group_start", start)]
        self._node(name, "DALiuGEApp", "Application", fields, inside)

    def scatter(self, name: str, copies: int, inside: str = "") -> None:
        """Draw a scatter with an application that feeds the copies."""
        self._construct(name, "Scatter", "num_of_copies", copies, inside)

    def gather(self, name: str, width: int) -> None:
        """Draw a gather with an application that takes `width` inputs."""
        self._construct(name, "Gather", "num_of_inputs", width, "")

    def loop(self, name: str, rounds: int, inside: str = "") -> None:
        """Draw a loop."""
        node = self._node(name, "Loop", "Construct", [], inside)
        node["isGroup"] = True
        node["fields"].append(self._parameter("num_of_iter", rounds, "ConstructParameter"))

    def link(self, *names: str, loop_aware: bool = False) -> None:
        """Draw links from each of the nodes to the next."""
        for name, following in itertools.pairwise(names):
            self._links.append({
                "from": self._nodes[name]["id"],
                "to": self._nodes[following]["id"],
                "fromPort": self._port_of(name, "OutputPort"),
                "toPort": self._port_of(following, "InputPort"),
                "loop_aware": "1" if loop_aware else "0",
                "closesLoop": False,
            })  # fmt: skip

    def graph(self) -> dict[str, Any]:
        """Return what was drawn."""
        about = {"fileType": "Graph", "filePath": f"{self._name}.graph", "schemaVersion": "OJS"}
        nodes = list(self._nodes.values())
        return {"modelData": about, "nodeDataArray": nodes, "linkDataArray": self._links}

    def _id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._ids):012x}"

    def _parameter(
        self, name: str, value: object, of: str = "ComponentParameter", usage: str = "NoPort"
    ) -> Node:
        kinds = {bool: "Boolean", int: "Integer"}
        return {
            "id": self._id(), "name": name, "value": value, "defaultValue": "", "usage": usage,
            "type": kinds.get(type(value), "String"), "parameterType": of, "encoding": "pickle",
            "description": "", "readonly": False, "precious": False, "positional": False,
            "options": [],
        }  # fmt: skip

    def _port(self, name: str, usage: str) -> Node:
        return self._parameter(name, "", "ApplicationArgument", usage)

    def _app_fields(self) -> list[Node]:
        return [
            self._parameter("dropclass", self._app_class),
            self._parameter("execution_time", 5, "ConstraintParameter"),
            self._parameter("num_cpus", 1, "ConstraintParameter"),
            self._port("given", "InputPort"),
            self._port("made", "OutputPort"),
        ]

    def _construct(self, name: str, category: str, option: str, value: int, inside: str) -> None:
        fields = [self._parameter(option, value, "ConstructParameter")]
        node = self._node(name, category, "Construct", fields, inside)
        node |= {
            "isGroup": True, "inputApplicationType": "DALiuGEApp",
            "inputApplicationName": f"{name}_app", "inputApplicationId": self._id(),
            "inputAppFields": self._app_fields(),
        }  # fmt: skip

    def _node(self, name: str, category: str, kind: str, fields: list[Node], inside: str) -> Node:
        node: Node = {
            "id": self._id(), "name": name, "category": category, "categoryType": kind,
            "isGroup": False, "fields": fields, "inputAppFields": [], "outputAppFields": [],
            "inputApplicationType": "None", "outputApplicationType": "None",
            "inputApplicationName": "", "outputApplicationName": "",
        }  # fmt: skip
        if inside:
            node["parentId"] = self._nodes[inside]["id"]
        self._nodes[name] = node
        return node

    def _port_of(self, name: str, usage: str) -> str:
        node = self._nodes[name]
        fields: list[Node] = [*node["fields"], *node["inputAppFields"]]
        return next(str(f["id"]) for f in fields if f["usage"] in {usage, "InputOutput"})


PIPELINE = ("d0", "a0", "d1", "a1", "d2", "a2", "d3")
"""What a copy of a scatter holds: four data, and three apps between them."""


def _pipeline(drawing: Drawing, inside: str) -> None:
    for name in PIPELINE:
        (drawing.data if name.startswith("d") else drawing.app)(name, inside)
    drawing.link(*PIPELINE)


def flat(drops: int) -> dict[str, Any]:
    """Return one scatter of short pipelines and one gather of them all: about `drops` drops."""
    copies = max(1, round((drops - 4) / len(PIPELINE)))
    drawing = Drawing("flat")
    drawing.data("in", file=True)
    drawing.scatter("scatter", copies)
    _pipeline(drawing, "scatter")
    drawing.gather("gather", copies)
    drawing.data("out", file=True)
    drawing.link("in", "scatter", "d0")
    drawing.link("d3", "gather", "out")
    return drawing.graph()


def nested(drops: int) -> dict[str, Any]:
    """Return pipelines in two scatters, one in the other, gathered by groups of the inner one."""
    copies = max(1, round((drops / len(PIPELINE)) ** 0.5))
    drawing = Drawing("nested")
    drawing.data("in", file=True)
    drawing.scatter("outer", copies)
    drawing.data("middle", "outer")
    drawing.scatter("inner", copies, "outer")
    _pipeline(drawing, "inner")
    drawing.gather("gather", copies)
    drawing.data("out", file=True)
    drawing.link("in", "outer", "middle", "inner", "d0")
    drawing.link("d3", "gather", "out")
    return drawing.graph()


def loop_in_scatter(copies: int, rounds: int = 3) -> dict[str, Any]:
    """Return a loop that carries data from round to round, in a scatter: 9 drops a copy."""
    drawing = Drawing("loop")
    drawing.data("in")
    drawing.scatter("scatter", copies)
    drawing.data("middle", "scatter")
    drawing.loop("loop", rounds, "scatter")
    drawing.app("body", "loop", start=True)
    drawing.data("carried", "loop", end=True)
    drawing.app("after", "scatter")
    drawing.data("final", "scatter")
    drawing.link("in", "scatter", "middle")
    drawing.link("middle", "body", loop_aware=True)
    drawing.link("body", "carried")
    drawing.link("carried", "after", loop_aware=True)
    drawing.link("after", "final")
    return drawing.graph()


def summit(nodes: int = 6144) -> dict[str, Any]:
    """Return a graph of the shape that simulated a telescope on the supercomputer Summit.

    A list is scattered over nodes, on each of them over six GPUs; what these make is averaged on
    each node and then over six nodes, and written: 139,266 drops and 175,105 links by default.
    """
    drawing = Drawing("summit", SLEEP)
    drawing.data("list", file=True)
    drawing.scatter("cluster", nodes)
    drawing.data("connections", "cluster")
    drawing.scatter("node", 6, "cluster")
    for name in ("config", "simulate", "stream"):
        (drawing.app if name == "simulate" else drawing.data)(name, "node")
    drawing.gather("node_average", 6)
    drawing.data("of_node", "node_average", file=True)
    drawing.gather("cluster_average", 6)
    drawing.data("of_cluster", "cluster_average", file=True)
    drawing.app("write", "cluster_average")
    drawing.data("written", "cluster_average")
    drawing.link("list", "cluster", "connections", "node", "config", "simulate", "stream")
    drawing.link("stream", "node_average", "of_node", "cluster_average", "of_cluster")
    drawing.link("of_cluster", "write", "written")
    return drawing.graph()
