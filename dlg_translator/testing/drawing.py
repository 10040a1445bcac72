"""Draw small logical graphs in Python, as the editor would save them today.

    drawing = Drawing()
    start = drawing.app("start")
    scatter = drawing.scatter("all", 3)
    part = drawing.data("part", inside=scatter)
    drawing.link(start, part)
    graph = read_logical_graph(drawing.document())

Ids are the names; a port is made for each end of each link.
"""

from __future__ import annotations

from typing import Any


class Drawing:
    """A logical graph being drawn; each method that adds a node returns its id."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.links: list[dict[str, Any]] = []
        self.configurations: dict[str, Any] = {}
        self.active_config = ""

    def node(
        self, name: str, category: str, category_type: str, /, inside: str = "", **fields: Any
    ) -> str:
        """Add a node of any kind."""
        node: dict[str, Any] = {
            "id": name,
            "name": name,
            "category": category,
            "categoryType": category_type,
            "isGroup": category_type == "Construct",
            "fields": [_field(name, key, value) for key, value in fields.items()],
        }
        if inside:
            node["parentId"] = inside
        self.nodes.append(node)
        return name

    def data(
        self, name: str, /, *, inside: str = "", category: str = "Memory", **fields: Any
    ) -> str:
        """Add a data node."""
        fields.setdefault("data_volume", 5)
        return self.node(name, category, "Data", inside, **fields)

    def app(
        self, name: str, /, *, inside: str = "", category: str = "DALiuGEApp", **fields: Any
    ) -> str:
        """Add an application; without a class it copies."""
        fields.setdefault("dropclass", "dlg.apps.simple.CopyApp")
        return self.node(name, category, "Application", inside, **fields)

    def construct(self, name: str, category: str, /, *, inside: str = "", **fields: Any) -> str:
        """Add a construct."""
        return self.node(name, category, "Construct", inside, **fields)

    def scatter(self, name: str, copies: Any, /, *, inside: str = "") -> str:
        """Add a scatter."""
        return self.construct(name, "Scatter", inside=inside, num_of_copies=copies)

    def gather(self, name: str, width: Any, /, *, inside: str = "") -> str:
        """Add a gather."""
        return self.construct(name, "Gather", inside=inside, num_of_inputs=width)

    def loop(self, name: str, iterations: Any, /, *, inside: str = "") -> str:
        """Add a loop."""
        return self.construct(name, "Loop", inside=inside, num_of_iter=iterations)

    def embed(
        self, host: str, name: str, *, side: str = "input", category: str = "DALiuGEApp"
    ) -> None:
        """Give a construct its input or output application, a port `in` and a port `out`."""
        node = self.find(host)
        node[f"{side}ApplicationName"] = name
        node[f"{side}ApplicationType"] = category
        node[f"{side}ApplicationId"] = f"{host}/{name}"
        node[f"{side}AppFields"] = [
            _field(f"{host}/{name}", "dropclass", "dlg.apps.simple.CopyApp"),
            {**_field(f"{host}/{name}", "in", ""), "usage": "InputPort"},
            {**_field(f"{host}/{name}", "out", ""), "usage": "OutputPort"},
        ]

    def find(self, name: str) -> dict[str, Any]:
        """Return the node `name`, to be changed."""
        return next(node for node in self.nodes if node["id"] == name)

    def link(self, src: str, dst: str, /, *, port: str = "data", **keys: Any) -> None:
        """Link two nodes; a construct is linked at its input application."""
        ends = {
            "from": src,
            "fromPort": self._port(src, port, "OutputPort", "out"),
            "to": dst,
            "toPort": self._port(dst, port, "InputPort", "in"),
        }
        self.links.append({**ends, "loop_aware": "0", "closesLoop": False, **keys})

    def document(self) -> dict[str, Any]:
        """Return the graph as today's files have it."""
        return {
            "modelData": {"fileType": "Graph", "filePath": "drawn.graph", "schemaVersion": "OJS"},
            "activeGraphConfigId": self.active_config,
            "graphConfigurations": self.configurations,
            "nodeDataArray": self.nodes,
            "linkDataArray": self.links,
        }

    def _port(self, name: str, port: str, usage: str, app_port: str) -> str:
        node = self.find(name)
        if node.get("inputApplicationId"):
            return f"{node['inputApplicationId']}.{app_port}"
        made = {**_field(name, port, ""), "id": f"{name}.{port}.{usage}", "usage": usage}
        if made["id"] not in {f["id"] for f in node["fields"]}:
            node["fields"].append(made)
        return str(made["id"])


def _field(owner: str, name: str, value: Any) -> dict[str, Any]:
    types = {bool: "Boolean", int: "Integer", float: "Float"}
    return {
        "id": f"{owner}.{name}",
        "name": name,
        "value": value,
        "defaultValue": "",
        "type": types.get(type(value), "String"),
        "parameterType": "ComponentParameter",
        "usage": "NoPort",
        "encoding": "pickle",
    }
