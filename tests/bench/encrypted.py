"""What it costs that nodes encrypt what they tell each other: two processes on one host.

    encrypted.py

Data goes in the clear and over TLS, news and calls in the clear and with CURVE.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from common import emit

from dlg.rpc import Address, Answerer, Peer, ZeroRPCTransport
from dlg.rpc.curve import keys_of, new_pair
from dlg.support.certificates import client_context, new_certificate, server_context
from dlg.support.cluster_file import ClusterFile, read_cluster_file, write_cluster_file
from dlg_engine.managers.addresses import read_address
from dlg_engine.managers.data_channel import DataClient, DataServer
from dlg_engine.managers.events import EventLinks
from dlg_engine.managers.news import News

HOST = "127.0.0.1"
PIECE, PIECES = bytes(1 << 20), 2048
NEWS, CALLS, RUNS = 200_000, 500, 3


class Null:
    """A drop that keeps nothing."""

    def write(self, piece: Any) -> None:
        """Take a piece."""


def serve(file: ClusterFile, secured: bool) -> None:
    """Be the other node until the input ends."""
    heard = [0]
    keys = keys_of(file.curve_public, file.curve_secret) if secured else None

    def hear(news: list[News]) -> None:
        heard[0] += len(news)

    data = DataServer(
        Address(HOST, 0), lambda _session, _oid: ("bytes", (PIECE for _ in range(PIECES))),
        token=file.token, tls=server_context(file.path) if secured else None,
    )  # fmt: skip
    links = EventLinks(
        "", Address(HOST, 0), hear, where=lambda n: read_address(n).events, keys=keys
    )
    links.node = f"{HOST}:1:{links.address.port}:2"
    answering = Answerer({"heard": lambda: heard[0]}).answer
    calls = ZeroRPCTransport(keys).serve(Address(HOST, 0), answering)
    print(data.address.port, links.address.port, calls.address.port, flush=True)
    sys.stdin.read()


@contextmanager
def other(file: ClusterFile, secured: bool) -> Iterator[list[int]]:
    """Run the other node; give its ports."""
    command = [sys.executable, __file__, "serve", str(file.path), "yes" if secured else ""]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        yield [int(port) for port in process.stdout.readline().split()]
        process.kill()


def measure(file: ClusterFile, secured: bool) -> None:
    """Measure data, news and calls."""
    keys = keys_of(file.curve_public, file.curve_secret) if secured else None
    how = "encrypted" if secured else "in the clear"
    with other(file, secured) as (data_port, events_port, rpc_port):
        tls = client_context(file.certificate) if secured else None
        client = DataClient(token=file.token, tls=tls)
        spent: list[float] = []
        for _ in range(RUNS):
            begun = perf_counter()
            client.bring(Address(HOST, data_port), "s", "d", Null())
            spent.append(perf_counter() - begun)
        emit(name="data", how=how, gb_per_s=len(PIECE) * PIECES / min(spent) / 1e9)
        client.close()
        transport = ZeroRPCTransport(keys)
        peer = Peer(transport, Address(HOST, rpc_port))
        links = EventLinks(
            "", Address(HOST, 0), print, where=lambda n: read_address(n).events, keys=keys
        )
        links.node = f"{HOST}:1:{links.address.port}:2"
        node = f"{HOST}:1:{events_port}:2"
        links.tell(node, News("s", "first", links.node, 2))
        _wait(peer, 1)
        begun = perf_counter()
        for i in range(NEWS):
            links.tell(node, News("s", f"d{i}", links.node, 2))
        _wait(peer, NEWS + 1)
        emit(name="news", how=how, per_s=NEWS / (perf_counter() - begun))
        begun = perf_counter()
        for _ in range(CALLS):
            peer.call("heard")
        emit(name="call", how=how, ms=(perf_counter() - begun) / CALLS * 1000)
        links.close()
        transport.close()


def _wait(peer: Peer, news: int) -> None:
    while int(peer.call("heard")) < news:
        pass


def main() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cluster.toml"
        file = write_cluster_file(path, "bench", new_pair(), new_certificate("bench"))
        for secured in (False, True):
            measure(file, secured)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(read_cluster_file(Path(sys.argv[2])), bool(sys.argv[3]))
    else:
        main()
