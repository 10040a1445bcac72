"""Many sessions at once for a while: none may be lost, and nothing may stay behind.

    python tests/bench/soak.py [--seconds 60] [--clients 20]

Each client makes sessions on a master over three nodes, one after another: created, filled,
deployed, watched to the end and deleted. Some fail, some are cancelled, in some a drop waits in
vain. What the managers use is measured after a warm-up, in which every thread has had work, and in
the end, both times when all sessions are deleted.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
from common import emit

from dlg.clients import MasterManagerClient
from dlg.clients.events import follow
from dlg.testing.graphs import Spec, app, data
from dlg_engine.testing.processes import Cluster, Process

ADD = "dlg.apps.python_function.PyFuncApp"
WORKS = "def f(x):\n    return x + 1"
FAILS = "def f(x):\n    raise ValueError(x)"
SLEEP = "dlg.apps.sleep.SleepApp"
WARM_UP = 1.0
"""For so many times the time clients work before anything is measured."""
CALM_S = 40.0
"""How long what was used may take to go: those who watch sessions look every half minute."""

Run = Callable[[MasterManagerClient, str, list[Spec]], str]


def graph(nodes: list[str], chance: random.Random) -> list[Spec]:
    """Return a small graph over the nodes: a chain with branches."""
    specs = [data("d0", node=chance.choice(nodes), pydata=0)]
    for i in range(chance.randint(3, 12)):
        node = chance.choice(nodes)
        before = f"d{chance.randint(max(0, i - 2), i)}"
        made = {"dropclass": ADD, "func_code": WORKS, "node": node}
        specs.append({**app(f"a{i}", inputs=[before], outputs=[f"d{i + 1}"]), **made})
        specs.append(data(f"d{i + 1}", node=chance.choice(nodes)))
    return specs


def finishing(client: MasterManagerClient, session: str, specs: list[Spec]) -> str:
    """Run a session to its end."""
    client.append_graph(session, specs)
    client.deploy_session(session)
    return end_of(client, session)


def failing(client: MasterManagerClient, session: str, specs: list[Spec]) -> str:
    """Run a session of which an app fails."""
    client.append_graph(session, [specs[0], {**specs[1], "func_code": FAILS}, *specs[2:]])
    client.deploy_session(session)
    return end_of(client, session)


def waiting(client: MasterManagerClient, session: str, specs: list[Spec]) -> str:
    """Run a session in which a drop waits for something that nobody does."""
    client.append_graph(session, [*specs, data("root", node=specs[2]["node"])])
    client.deploy_session(session, ["d0"])
    return end_of(client, session)


def cancelled(client: MasterManagerClient, session: str, specs: list[Spec]) -> str:
    """Cancel a session while an app runs that would take ten minutes."""
    sleeps = {**specs[1], "dropclass": SLEEP, "sleep_time": 600}
    client.append_graph(session, [specs[0], sleeps, *specs[2:]])
    client.deploy_session(session)
    client.cancel_session(session)
    return end_of(client, session)


KINDS: list[tuple[Run, str]] = [
    *[(finishing, "FINISHED")] * 5, *[(failing, "FAILED")] * 2, (waiting, "FAILED"),
    (cancelled, "CANCELLED"),
]  # fmt: skip


def end_of(client: MasterManagerClient, session: str) -> str:
    """Watch a session to its end; return how it ended."""
    state = ""
    for event in follow(client.link, session):
        if event.name == "session":
            state = event.data["state"]
    return state


class Soak:
    """Clients in threads."""

    def __init__(self, master: Process, nodes: list[str], clients: int) -> None:
        self.master, self.nodes, self.clients = master, nodes, clients
        self.done: Counter[str] = Counter()
        self.lost: list[str] = []
        self._lock = threading.Lock()

    def run(self, seconds: float) -> None:
        """Let all clients work for so long."""
        end = monotonic() + seconds
        threads = [threading.Thread(target=self._work, args=(k, end)) for k in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, number: int, end: float) -> None:
        client = self.master.client(MasterManagerClient)
        chance = random.Random(number)
        while monotonic() < end:
            run, expected = chance.choice(KINDS)
            with self._lock:
                session = f"s{self.done.total() + len(self.lost)}-{number}-{monotonic():.6f}"
            try:
                client.create_session(session)
                found = run(client, session, graph(self.nodes, chance))
                client.destroy_session(session)
            except Exception as error:  # noqa: BLE001  whatever it is, the session is lost
                found = f"{type(error).__name__}: {error}"
            with self._lock:
                if found == expected:
                    self.done[expected] += 1
                else:
                    self.lost.append(f"{session}: {run.__name__}: {found}")


def usage(cluster: Cluster) -> dict[str, dict[str, float]]:
    """Return what each manager uses."""
    found = {}
    roles = ["node"] * len(cluster.nodes) + ["island", "master"]
    for place, (role, one) in enumerate(zip(roles, cluster.processes, strict=True)):
        process = psutil.Process(one.process.pid)
        found[f"{role}{place}"] = {
            "memory_mib": round(process.memory_info().rss / (1 << 20), 1),
            "threads": process.num_threads(),
            "descriptors": process.num_fds(),
        }
    return found


def calm(cluster: Cluster, seconds: float) -> dict[str, dict[str, float]]:
    """Return what each manager uses at least, in the time in which things still go."""
    least = usage(cluster)
    pause, end = threading.Event(), monotonic() + seconds
    while monotonic() < end:
        pause.wait(0.5)
        for who, now in usage(cluster).items():
            least[who] = {key: min(value, least[who][key]) for key, value in now.items()}
    return least


def main() -> None:
    """Soak a cluster, and tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--calm", type=float, default=CALM_S, help="wait so long to measure")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as place,
        Cluster(3, Path(place), master=True) as cluster,
    ):
        soak = Soak(cluster.master, [node.name for node in cluster.nodes], options.clients)
        soak.run(options.seconds * WARM_UP)
        first, before = soak.done.total(), calm(cluster, options.calm)
        soak.run(options.seconds)
        after = calm(cluster, options.calm)
        report: dict[str, Any] = {
            "what": "soak", "seconds": options.seconds, "clients": options.clients,
            "sessions": soak.done.total(), "while warming up": first, "ended": dict(soak.done),
            "lost": len(soak.lost), "lost_sessions": soak.lost[:10],
            "left": len(cluster.master.client(MasterManagerClient).sessions()),
            "before": before, "after": after,
        }  # fmt: skip
        emit(**report)


if __name__ == "__main__":
    main()
