"""Palettes: files of components that people draw graphs with.

A palette is a graph file without links; all generations are read, today's is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from dlg.graph.problems import Problem, errors
from dlg_translator.checks.kinds import Report, problem
from dlg_translator.formats.document import Source, label_of, load, refusal
from dlg_translator.formats.ojs import LINKS, NODES
from dlg_translator.formats.versions import READERS, generation_of
from dlg_translator.formats.writing import write_json, write_node
from dlg_translator.model.logical import Node


@dataclass(slots=True)
class Palette:
    """Components, in file order."""

    name: str
    components: list[Node]
    model_data: dict[str, Any] = field(default_factory=dict)
    source: str = "<palette>"
    problems: list[Problem] = field(default_factory=list)

    def component(self, name: str) -> Node:
        """Return the component called `name`; refuses with `KeyError` where there is none."""
        for node in self.components:
            if node.name == name:
                return node
        raise KeyError(name)


def read_palette(source: Source) -> Palette:
    """Return the palette of a path, JSON text or dictionary.

    Raises `InvalidGraphException` where it is none or its components cannot be told apart.
    """
    document, label = load(source), label_of(source)
    generation = generation_of(document)
    if generation is None or not isinstance(document, Mapping):
        raise refusal([problem("not-a-logical-graph", "it is no palette")], label)
    report = Report()
    graph = READERS[generation](document, report)
    if errors(report.problems):
        raise refusal(report.problems, label)
    stated = document.get("modelData")
    model_data = dict(stated) if isinstance(stated, Mapping) else {}
    path = str(model_data.get("name") or model_data.get("filePath") or "")
    name = PurePosixPath(path).name.removesuffix(".palette")
    return Palette(name, list(graph.nodes.values()), model_data, label, report.problems)


def to_document(components: Iterable[Node], name: str = "", **model_data: Any) -> dict[str, Any]:
    """Return the document of a palette of `components`."""
    nodes = [write_node(node) for node in components]
    data = {
        "filePath": f"{name}.palette" if name else "",
        **model_data,
        "fileType": "Palette",
        "schemaVersion": "OJS",
        "numLGNodes": len(nodes),
    }
    return {"modelData": data, NODES: nodes, LINKS: []}


def write_palette(palette: Palette, path: str | Path) -> None:
    """Write `palette` to a file of today's generation, compressed if its name ends in .gz."""
    write_json(to_document(palette.components, palette.name, **palette.model_data), path)
