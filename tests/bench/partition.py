"""How good divisions of graphs that people drew are, against the existing translator's.

    python tests/bench/partition.py [--peer PYTHON] [--graphs FOLDER] [--each]

Both divide the same templates with the same options; what moves between parts and when all is
done is computed here, for both in the same way. Graphs come from the package `eagle-test-graphs`
and from FOLDER. Without a peer only our own figures are printed. A ratio is ours over theirs, so
that below 1 is better. `--each` prints every case as well, `--parts` asks for other numbers.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from common import ask_peer, emit, peer_option

from dlg.exceptions import DaliugeException
from dlg_translator import PhysicalTemplate, partition_graph, unroll_graph
from dlg_translator.commands import write_specs
from dlg_translator.partition.weights import dag_of
from dlg_translator.schedule.dag import Rows
from dlg_translator.schedule.order import is_acyclic
from dlg_translator.schedule.paths import completion
from dlg_translator.schedule.quality import balance, cut_volume, without_empty
from dlg_translator.testing.packaged import logical_graphs

FOLDER = Path(__file__).parents[3] / "shared" / "graphs"
LEAST_LINKS, MOST_DROPS = 5, 2_000
MOST_FOR_SARKAR = 200
"""The existing edge zeroing takes minutes for more drops."""

OLD_NAMES = {"metis": "metis", "sarkar": "mysarkar", "min_parts": "min_num_parts", "pso": "pso"}


class Case(NamedTuple):
    """One graph, divided in one way."""

    graph: str
    algorithm: str
    parts: int
    options: dict[str, Any]


class Figures(NamedTuple):
    """What a division is judged by."""

    cut: float
    completion: float
    parts: int
    balance: float


def graphs(folder: Path) -> dict[str, PhysicalTemplate]:
    """Return the templates of all graphs that have something to divide and no cycle."""
    paths = {**logical_graphs(), **{p.name: p for p in sorted(folder.rglob("*.graph"))}}
    found = {}
    seen = set()
    for name, path in paths.items():
        try:
            template = unroll_graph(path, compat=True)
        except DaliugeException:
            continue
        dag = dag_of(template)
        links = np.sort(dag.src.astype(np.int64) * dag.n + dag.dst).tobytes()
        if len(dag.src) >= LEAST_LINKS and dag.n <= MOST_DROPS and is_acyclic(dag):
            if links not in seen:  # the same graph may be in several formats
                found[name] = template
            seen.add(links)
    return found


def cases(templates: Mapping[str, PhysicalTemplate], numbers: Sequence[int]) -> Iterator[Case]:
    """Yield what is compared."""
    for name, template in templates.items():
        for parts in numbers:
            if len(template) >= 2 * parts:
                yield Case(name, "metis", parts, {})
        yield Case(name, "metis", 4, {"ptype": 1})
        if len(template) > MOST_FOR_SARKAR:
            continue
        for max_cpu in (2, 8):
            yield Case(name, "sarkar", 4, {"max_cpu": max_cpu})
        yield Case(name, "min_parts", 4, {"max_cpu": 8})
        if len(template) <= MOST_FOR_SARKAR // 4:
            yield Case(name, "pso", 4, {"max_cpu": 8})


def judge(template: PhysicalTemplate, part_of: Rows) -> Figures:
    """Return the figures of a division, whoever made it."""
    dag = dag_of(template)
    part_of, parts = without_empty(part_of)
    moved, length = cut_volume(dag, part_of), completion(dag, part_of)
    return Figures(moved, length, parts, balance(dag, part_of, parts))


def ours(template: PhysicalTemplate, case: Case, deadline: float) -> tuple[Figures, float]:
    """Return the figures of our division, and how long it took."""
    needs: dict[str, Any] = {"deadline": deadline} if case.algorithm == "min_parts" else {}
    begun = perf_counter()
    divided = partition_graph(
        template, case.algorithm, parts=case.parts, **case.options, **needs
    )  # fmt: skip
    return judge(template, divided.node_of), perf_counter() - begun


def theirs(
    peer: str, templates: Mapping[str, PhysicalTemplate], asked: list[Case]
) -> list[tuple[Figures, float] | None]:
    """Return the figures of the existing translator's divisions, None where it had none."""
    with tempfile.TemporaryDirectory() as directory:
        paths = {}
        for number, (name, template) in enumerate(templates.items()):
            paths[name] = str(Path(directory) / f"{number}.json")
            write_specs(template.specs, paths[name])
        request = {
            "do": "partition",
            "templates": paths,
            "cases": [(c.graph, OLD_NAMES[c.algorithm], c.parts, c.options) for c in asked],
        }
        answers = ask_peer(peer, request)["answers"]
    return [
        _their_figures(templates[case.graph], answer)
        for case, answer in zip(asked, answers, strict=True)
    ]


def _their_figures(
    template: PhysicalTemplate, answer: Mapping[str, Any]
) -> tuple[Figures, float] | None:
    if "error" in answer:
        return None
    node_of = answer["node_of"]
    names = {node: k for k, node in enumerate(sorted(set(node_of.values())))}
    part_of = np.asarray([names[node_of[oid]] for oid in template.oids], np.int32)
    return judge(template, part_of), float(answer["seconds"])


def compare(results: list[tuple[Case, Figures, Figures | None]], algorithm: str) -> None:
    """Print how our divisions by one algorithm compare with theirs."""
    pairs = [(case, a, b) for case, a, b in results if case.algorithm == algorithm and b]
    failed = sum(case.algorithm == algorithm and b is None for case, _, b in results)
    told: dict[str, Any] = {"cases": len(pairs), "graphs": len({c.graph for c, _, _ in pairs})}
    for name in ("cut", "completion", "parts"):
        ratios = [
            ((getattr(a, name) + 1e-12) / (getattr(b, name) + 1e-12), case) for case, a, b in pairs
        ]
        if ratios:
            values = [ratio for ratio, _ in ratios]
            worst, where = max(ratios, key=lambda pair: pair[0])
            told[name] = {
                "median": round(statistics.median(values), 3),
                "mean": round(statistics.fmean(values), 3),
                "worst": round(worst, 3),
                "worse_than_2_percent": sum(value > 1.02 for value in values),
                "worst_case": f"{where.graph} {where.parts} {json.dumps(where.options)}",
            }
    emit(bench="partition", algorithm=algorithm, **told, peer_failed=failed)


def main() -> None:
    """Compare all algorithms that both have."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=Path, default=FOLDER, help="more logical graphs")
    parser.add_argument("--each", action="store_true", help="print every case")
    parser.add_argument("--parts", type=int, nargs="+", default=[2, 4, 8], help="for METIS")
    peer_option(parser)
    options = parser.parse_args()
    templates = graphs(options.graphs)
    asked = list(cases(templates, options.parts))
    other: list[tuple[Figures, float] | None] = [None] * len(asked)
    if options.peer:
        other = theirs(options.peer, templates, asked)
    results = []
    for case, their in zip(asked, other, strict=True):
        template = templates[case.graph]
        # The existing translator takes a deadline and looks at nothing of it: ours is its result.
        slack = 2 * completion(dag_of(template))
        deadline = their[0].completion if their else slack
        own, seconds = ours(template, case, deadline)
        results.append((case, own, their[0] if their else None))
        if options.each or not options.peer:
            extra = {f"peer_{k}": v for k, v in their[0]._asdict().items()} if their else {}
            emit(
                bench="partition", graph=case.graph, algorithm=case.algorithm, asked=case.parts,
                options=case.options, **own._asdict(), seconds=seconds, **extra,
                **({"peer_seconds": their[1]} if their else {}),
            )  # fmt: skip
    for algorithm in OLD_NAMES if options.peer else ():
        compare(results, algorithm)


if __name__ == "__main__":
    main()
