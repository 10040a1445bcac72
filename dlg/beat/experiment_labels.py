"""What stands in the drawing of an experiment: who uses what, and which formats flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from dlg.beat.algorithm import Algorithm
from dlg.beat.database import Database
from dlg.beat.uses import Use
from dlg.beat.wiring import Kind

__all__ = ["ExperimentLabels"]


class ExperimentLabels:
    """The labels of an experiment that is valid, in the HTML of Graphviz."""

    def __init__(
        self,
        declaration: Mapping[str, Any],
        uses: Sequence[Use],
        algorithms: Mapping[str, Algorithm],
        databases: Mapping[str, Database],
    ) -> None:
        self._datasets = declaration["datasets"]
        self._algorithms = algorithms
        self._used: dict[str, list[str]] = {}
        self._formats: dict[str, str] = {}
        for use in uses:
            self._used.setdefault(use.block, []).append(use.algorithm)
            produced = algorithms[use.algorithm].output_map or {}
            for name, endpoint in use.outputs.items():
                self._formats[f"{use.block}.{endpoint}"] = produced[name]
        for name, one in self._datasets.items():
            held = databases[one["database"]].set(one["protocol"], one["set"])
            for output, form in held["outputs"].items():
                self._formats[f"{name}.{output}"] = form

    def of_node(self, kind: str, name: str) -> str:
        """Return the name of a node, and below it what it uses."""
        if kind == Kind.DATASET.name.lower():
            one = self._datasets[name]
            used = [f"{one['database']} ({one['protocol']}/{one['set']})"]
        else:
            used = self._used[name]
        return "<br/>".join([f"<b><u>{escape(name)}</u></b>", *map(escape, used)])

    def of_output(self, endpoint: str) -> str:
        """Return the format of what comes out of an endpoint."""
        return self._formats[endpoint]

    def of_results(self, name: str) -> list[str]:
        """Return the results of an analyzer with their types."""
        (algorithm,) = self._used[name]
        results = self._algorithms[algorithm].results or {}
        return [f"{result}<br/>({escape(one['type'])})" for result, one in results.items()]
