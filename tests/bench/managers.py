"""Managers over REST: whole sessions, news and data between nodes, what an idle node costs.

    python tests/bench/managers.py [--sizes 10000,100000] [--peer PYTHON] [--only rest,cross,...]

With `--peer` the existing system does the same in the same run, driven by the same client.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import psutil
from common import emit, peer_option
from machines import HOST, Machines, run

from dlg.ddap_protocol import DROPStates
from dlg.rpc import Address
from dlg.testing.graphs import Spec, app, chain, data, fan
from dlg_engine.managers.addresses import read_address
from dlg_engine.managers.events import EventLinks
from dlg_engine.managers.news import News

NULL = "dlg.apps.simple.NullBarrierApp"
MEMORY = "dlg.data.drops.memory.InMemoryDROP"
COPY = "dlg.apps.simple.CopyApp"
"""Names that both systems know."""
IDLE_S = 10.0
NEWS = 200_000
MIB = 1 << 20


def both_know(specs: list[Spec], place: Callable[[Spec], str] = lambda _spec: HOST) -> list[Spec]:
    """Return the specs with names of classes, and keys, that the existing system needs too."""
    classes = {"Data": MEMORY, "Application": NULL}
    return [
        {
            **spec, "dropclass": classes[str(spec["categoryType"])], "name": spec["oid"],
            "node": place(spec), "island": HOST, "weight": 1,
        }
        for spec in specs
    ]  # fmt: skip


def rest(machines: Machines, sizes: list[int]) -> None:
    """Whole sessions on one node: create, append, deploy, finish."""
    _name, client, process = machines.node()
    for size in sizes:
        for shape, specs, root in (
            ("chain", chain(size // 2), "d0"),
            ("fan", fan(size // 2), "root"),
        ):
            graph = both_know(specs)
            before = process.memory_info().rss
            found = run(client, f"{shape}{size}", graph, [root])
            grown = (process.memory_info().rss - before) / len(graph)
            begun = perf_counter()
            client.graph_status(f"{shape}{size}")
            emit(
                bench="rest", system=machines.system, shape=shape, drops=len(graph), **found,
                status_s=perf_counter() - begun, bytes_per_drop=grown,
            )  # fmt: skip
            client.destroy_session(f"{shape}{size}")


def cross(machines: Machines, apps: int = 250) -> None:
    """Chains that alternate between two nodes, and a fan with outputs on the other node."""
    nodes = [machines.node()[0] for _ in range(2)]
    _name, client = machines.island(nodes)
    cases: dict[str, tuple[list[Spec], str, Callable[[Spec], str]]] = {
        "chain on one node": (chain(apps), "d0", lambda _spec: nodes[0]),
        "chain, every link crosses": (
            chain(apps), "d0", lambda spec: nodes[spec["oid"].startswith("a")],
        ),
        "fan, outputs cross": (
            fan(500), "root",
            lambda spec: nodes[spec["oid"].startswith("d")],
        ),
    }  # fmt: skip
    for name, (specs, root, place) in cases.items():
        graph = both_know(specs, place)
        times = [run(client, f"{name}{again}", graph, [root])["run_s"] for again in range(3)]
        emit(
            bench="cross", system=machines.system, case=name, drops=len(graph),
            run_s=statistics.median(times),
        )  # fmt: skip


def copy(machines: Machines, mebibytes: int = 256) -> None:
    """One big memory drop, copied by an app of another node."""
    nodes = [machines.node()[0] for _ in range(2)]
    _name, client = machines.island(nodes)
    for case, other in (("same node", 0), ("other node", 1)):
        specs = [
            app("gen", ["src"], "dlg.apps.pyfunc.PyFuncApp", node=nodes[0], func_name="gen",
                func_code=f"def gen():\n    return bytes({mebibytes * MIB})",
                output_parser="raw"),
            data("src", ["cp"], node=nodes[0]),
            app("cp", ["dst"], COPY, node=nodes[other], bufsize=4 * MIB),
            data("dst", node=nodes[other]),
        ]  # fmt: skip
        times = []
        for again in range(4):  # the first ones get their memory from the system
            session = f"{case}{again}"
            graph = [spec | {"island": HOST} for spec in specs]
            times.append(run(client, session, graph, ["gen"])["run_s"])
            client.destroy_session(session)
        emit(
            bench="copy", system=machines.system, case=case, mebibytes=mebibytes, runs_s=times,
            gb_per_s=mebibytes * MIB / min(times) / 1e9,
        )  # fmt: skip


def idle(machines: Machines) -> None:
    """What the manager of a node takes of a core while nothing happens."""
    _name, _client, process = machines.node()
    process.cpu_percent()
    threading.Event().wait(2.0)  # after what follows on starting
    process.cpu_percent()
    threading.Event().wait(IDLE_S)
    emit(bench="idle", system=machines.system, percent_of_a_core=process.cpu_percent())


def _listen(pipe: Connection, count: int) -> None:
    """Receive news in a process of its own."""
    done = threading.Event()
    heard = 0

    def hear(news: list[News]) -> None:
        nonlocal heard
        heard += len(news)
        if heard == count:
            done.set()

    links = EventLinks("", Address(HOST, 0), hear, where=lambda node: read_address(node).events)
    links.node = f"{HOST}:1:{links.address.port}:1"
    pipe.send(links.node)
    done.wait(60)
    pipe.send(heard)
    links.close()


def throughput(count: int = NEWS) -> None:
    """How many news pass between two processes in a second."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_listen, args=(theirs, count))
    process.start()
    listener = str(ours.recv())
    links = EventLinks(
        "", Address(HOST, 0), lambda _news: None, where=lambda node: read_address(node).events
    )
    links.node = f"{HOST}:2:{links.address.port}:1"
    begun = perf_counter()
    for i in range(count):
        links.tell(listener, News("s", f"drop-{i}", links.node, int(DROPStates.COMPLETED)))
    heard = ours.recv()
    took = perf_counter() - begun
    process.join()
    links.close()
    emit(bench="throughput", system="dlg", news=heard, per_s=heard / took)


CASES = ("rest", "cross", "copy", "idle", "throughput")


def main() -> None:
    """Run the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--only", default=",".join(CASES))
    peer_option(parser)
    asked = parser.parse_args()
    wanted = asked.only.split(",")
    sizes = [int(size) for size in asked.sizes.split(",")]
    systems = [("", sizes)] + ([(asked.peer, [10_000])] if asked.peer else [])
    work: dict[str, Callable[[Machines, list[int]], Any]] = {
        "rest": rest,
        "cross": lambda machines, _of: cross(machines),
        "copy": lambda machines, _of: copy(machines),
        "idle": lambda machines, _of: idle(machines),
    }
    for case, do in work.items():
        for peer, of in systems:
            if case in wanted and not (case == "copy" and peer):  # it knows no such app
                with Machines(peer) as machines:
                    do(machines, of)
    if "throughput" in wanted:
        throughput()
    emit(bench="machine", cores=psutil.cpu_count(), load=psutil.getloadavg()[0])


if __name__ == "__main__":
    main()
