"""What a logical graph needs to run: components, packages, programs, storage."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dlg.graph.categories import canonical
from dlg_translator.model.logical import Field, LogicalGraph
from dlg_translator.model.names import COMMAND, DROP_CLASS

_NAMES = ("func_name",)
_IMAGES = ("image",)
_OURS = "dlg"
_SHOWN = 60


def needs_of(graph: LogicalGraph) -> dict[str, Any]:
    """Return what `graph` needs, as plain values for JSON."""
    found = _Found()
    for node in graph.nodes.values():
        if node.is_group:
            found.constructs[node.category] += 1
            for app in node.apps():
                if not app.is_placeholder:
                    found.add(app.category, "Application", app.fields)
        elif node.category_type in {"Global", "Other"}:
            found.notes += 1
        else:
            found.add(node.category, node.category_type, node.fields)
    return {
        "graph": graph.name or graph.source,
        "nodes": len(graph.nodes),
        "links": len(graph.links),
        "constructs": dict(found.constructs),
        "components": dict(found.components),
        "storage": dict(found.storage),
        "functions": dict(found.functions),
        "packages": {name: is_installed(name) for name in sorted(found.packages())},
        "programs": dict(found.programs),
        "images": dict(found.images),
        "problems": [str(problem) for problem in graph.problems],
    }


def is_installed(package: str) -> bool:
    """Return whether a package can be imported here; it is not imported for that."""
    try:
        return package in sys.modules or importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def describe(needs: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines for people: what a graph needs, and which packages are missing here."""
    yield f"{needs['graph']}: {needs['nodes']} nodes, {needs['links']} links"
    for key in ("constructs", "components", "storage", "functions", "programs", "images"):
        counted: Mapping[str, int] = needs[key]
        if counted:
            yield key
        for name, count in counted.items():
            short = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
            yield f"  {count:>4}  {short}"
    packages: Mapping[str, bool] = needs["packages"]
    if packages:
        yield "packages"
    for name, is_here in packages.items():
        yield f"        {name}" + ("" if is_here else "  (not installed here)")
    problems: Sequence[str] = needs["problems"]
    yield f"{len(problems)} problems: dlg check lists them" if problems else "no problems"


class _Found:
    """What has been found so far, each with how often."""

    def __init__(self) -> None:
        self.constructs: Counter[str] = Counter()
        self.components: Counter[str] = Counter()
        self.storage: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()
        self.programs: Counter[str] = Counter()
        self.images: Counter[str] = Counter()
        self.notes = 0

    def add(self, category: str, kind: str, fields: Sequence[Field]) -> None:
        """Note what a node or an application of a construct needs."""
        values = {field.name: field.effective for field in fields}
        name = _text(values, DROP_CLASS)
        component = canonical(name) if name else category
        (self.storage if kind == "Data" else self.components)[component] += 1
        for names, counter in (
            (_NAMES, self.functions),
            (COMMAND, self.programs),
            (_IMAGES, self.images),
        ):
            text = _text(values, names)
            if text:
                counter[text.split()[0] if counter is self.programs else text] += 1

    def packages(self) -> set[str]:
        """Return the packages that classes and functions are imported from, but for our own."""
        named = [*self.components, *self.storage, *self.functions]
        tops = {name.partition(".")[0] for name in named if "." in name}
        return {top for top in tops if top.isidentifier()} - {_OURS}


def _text(values: Mapping[str, Any], names: Sequence[str]) -> str:
    found = next((values[name] for name in names if values.get(name)), "")
    return found.strip() if isinstance(found, str) else ""
