"""Ask the existing translator for what the benchmarks compare with; its own Python runs this.

It reads a request as JSON from standard input and prints the answer as a line of JSON. It knows
nothing of this project: both share the name of their package.

    {"do": "unroll", "graph": PATH, "runs": N, "json": PATH or null}
    {"do": "partition", "templates": {NAME: PATH}, "cases": [[NAME, ALGORITHM, PARTS, OPTIONS]]}
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import resource
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

LINKS = ("consumers", "outputs", "streamingConsumers")
CASE_S = 60
"""A division that takes longer is given up."""


class TooLongError(Exception):
    """A case took longer than it may."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise TooLongError(f"more than {CASE_S} s")


def unroll(request: dict[str, Any]) -> dict[str, Any]:
    """Return how long it takes to unroll a graph, to write the result as JSON and to read it."""
    translator: Any = importlib.import_module("dlg.dropmake.pg_generator")
    text = Path(request["graph"]).read_text()
    times = []
    for _ in range(request["runs"]):
        graph = json.loads(text)
        begun = time.perf_counter()
        specs = translator.unroll(graph, oid_prefix="1")
        times.append(time.perf_counter() - begun)
    drops = [spec for spec in specs if "oid" in spec]
    links = {
        (spec["oid"], other if isinstance(other, str) else next(iter(other)))
        for spec in drops
        for key in LINKS
        for other in spec.get(key, ())
    }
    answer = {"drops": len(drops), "links": len(links), "unroll_s": min(times)}
    answer["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if request["json"]:
        answer |= _json(specs, Path(request["json"]))
    return answer


def _json(specs: list[Any], path: Path) -> dict[str, Any]:
    begun = time.perf_counter()
    with path.open("w") as file:
        json.dump(specs, file)
    written = time.perf_counter()
    with path.open() as file:
        json.load(file)
    read_s = time.perf_counter() - written
    return {
        "json_mb": path.stat().st_size / 1e6, "write_s": written - begun, "read_s": read_s
    }  # fmt: skip


def partition(request: dict[str, Any]) -> dict[str, Any]:
    """Return the node of each drop in each case, or the complaint there was, and the times."""
    translator: Any = importlib.import_module("dlg.dropmake.pg_generator")
    signal.signal(signal.SIGALRM, _stop)
    answers: list[dict[str, Any]] = []
    for name, algorithm, parts, options in request["cases"]:
        specs = json.loads(Path(request["templates"][name]).read_text())
        begun = time.perf_counter()
        signal.alarm(CASE_S)
        try:
            divided = translator.partition(specs, algorithm, num_partitions=parts, **options)
        except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
            answers.append({"error": f"{type(error).__name__}: {error}"[:100]})
            continue
        finally:
            signal.alarm(0)
        seconds = time.perf_counter() - begun
        node_of = {spec["oid"]: spec["node"] for spec in divided if "oid" in spec}
        answers.append({"seconds": seconds, "node_of": node_of})
    return {"answers": answers}


def main() -> None:
    """Answer one request; what the other translator prints is none of it."""
    logging.disable(logging.CRITICAL)
    request = json.load(sys.stdin)
    with contextlib.redirect_stdout(io.StringIO()):
        answer = {"unroll": unroll, "partition": partition}[request["do"]](request)
    print(json.dumps(answer))


main()
