"""What is no message of ours is dropped at every door between nodes, and they go on serving.

Real nodes are sent pickles, garbage and deep nests where MessagePack of closed types is expected.
No pickle is ever opened: each would leave a file behind.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from dlg.clients import DataIslandManagerClient
from dlg.rpc import Peer, ZeroRPCTransport
from dlg_engine.managers.addresses import read_address
from dlg_engine.managers.events import Message
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.managers.conftest import app, data

ADD = "def add(x):\n    return x + 1"
FINISHED = 4
PATIENCE_MS = 20_000
SECRET = b"swordfish-in-a-message"
DEEP = b"\x91" * 100_000 + b"\xc0"
"""Lists in lists in lists."""


class Touch:
    """A pickle that makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def touched(tmp_path: Path) -> Path:
    return tmp_path / "touched"


def parcels(touched: Path) -> list[bytes]:
    """Return what nobody may take for a message."""
    message = Message("nobody", "x", 0, 0, [])
    nested = msgspec.msgpack.encode(message)[:-1] + DEEP
    longer = bytes([0x96]) + msgspec.msgpack.encode(message)[1:] + DEEP
    return [
        pickle.dumps(Touch(touched)), pickle.dumps(Touch(touched), 0), SECRET, b"", DEEP, nested,
        longer, b"\xc1", b"\xdd\xff\xff\xff\xff", b"\x81" * 50_000,
        msgspec.msgpack.encode({"a": 1}),
    ]  # fmt: skip


def runs_on(cluster: Cluster, session: str) -> bool:
    """Return whether a graph still runs over both nodes."""
    client = cluster.island.client(DataIslandManagerClient)
    first, second = (node.name for node in cluster.nodes)
    client.create_session(session)
    client.append_graph(session, [
        data("a", first, pydata=1), app("f", ADD, second, inputs=["a"], outputs=["b"]),
        data("b", first),
    ])  # fmt: skip
    client.deploy_session(session)
    found = cluster.wait_until(lambda: client.session_summary(session), lambda s: s["status"] > 3)
    client.destroy_session(session)
    return bool(found["status"] == FINISHED)


def log_of(cluster: Cluster) -> str:
    return "".join(node.log.read_text() for node in cluster.nodes)


def test_what_is_no_news_is_dropped(cluster: Cluster, touched: Path) -> None:
    context = zmq.Context()
    try:
        for node in cluster.nodes:
            address = read_address(node.name).events
            with context.socket(zmq.DEALER) as peer:
                peer.linger, peer.rcvtimeo = 1000, PATIENCE_MS
                peer.connect(f"tcp://{address.host}:{address.port}")
                for parcel in parcels(touched):
                    peer.send(parcel)
                    peer.send_multipart([parcel, parcel])
                peer.send(msgspec.msgpack.encode(Message("nobody", "x", 0, 0, [])))
                assert peer.recv()  # a receipt: it is still there
    finally:
        context.destroy(linger=0)
    assert not touched.exists()
    assert runs_on(cluster, "after-bad-news")


HEADS: list[Any] = [
    [], [[], "call", []], ["x", "call", []], [{}, "call", []], [{"message_id": []}, "call", []],
    [{"message_id": "1", "response_to": []}, "call", []], [{"message_id": "2"}, [], []],
    [{"message_id": "3", "v": "x"}, "call", []], [{"message_id": {}, "v": None}, {}, {}],
    [{"message_id": "4", "response_to": "5", "v": 3}, "call", [SECRET.decode()]],
    [{"message_id": "6", "v": 3}, "call", 5], [{"message_id": "7", "v": 3}, "other", []],
]  # fmt: skip
"""What is MessagePack, but no call."""


def test_what_is_no_call_is_dropped(cluster: Cluster, touched: Path) -> None:
    context = zmq.Context()
    heads = [msgspec.msgpack.encode(head) for head in HEADS]
    every = [
        frames
        for parcel in (*parcels(touched), *heads)
        for frames in ([parcel], [b"", parcel], [parcel, parcel, parcel])
    ]
    try:
        for node in (*cluster.nodes, cluster.island):
            address = read_address(node.name).rpc
            for kind in (zmq.DEALER, zmq.REQ, zmq.PUSH):
                with context.socket(kind) as peer:
                    peer.linger, peer.sndtimeo = 1000, 1000
                    if kind == zmq.REQ:
                        peer.setsockopt(zmq.REQ_RELAXED, 1)
                    peer.connect(f"tcp://{address.host}:{address.port}")
                    # A socket of a kind that is refused has nobody to send to any more, from
                    # whenever it learns of that.
                    with suppress(zmq.Again) if kind != zmq.DEALER else nullcontext():
                        for frames in every:
                            peer.send_multipart(frames)
    finally:
        context.destroy(linger=1000)
    assert not touched.exists()
    assert runs_on(cluster, "after-bad-calls")
    assert SECRET.decode() not in log_of(cluster)


def test_a_call_with_a_pickle_inside_is_answered_as_no_call(
    cluster: Cluster, touched: Path
) -> None:
    context = zmq.Context()
    try:
        address = read_address(cluster.nodes[0].name).rpc
        with context.socket(zmq.DEALER) as peer:
            peer.linger, peer.rcvtimeo = 0, PATIENCE_MS
            peer.connect(f"tcp://{address.host}:{address.port}")
            for parcel in parcels(touched):
                head = {"message_id": os.urandom(16).hex(), "v": 3}
                peer.send_multipart([b"", msgspec.msgpack.encode([head, "call", [parcel]])])
                answer = msgspec.msgpack.decode(peer.recv_multipart()[-1])
                assert b"this is no call" in msgspec.msgpack.encode(answer)
    finally:
        context.destroy(linger=0)
    assert not touched.exists()
    assert runs_on(cluster, "after-pickled-calls")
    assert SECRET.decode() not in log_of(cluster)


def test_what_asks_for_no_data_is_hung_up_on(cluster: Cluster, touched: Path) -> None:
    for node in cluster.nodes:
        address = _data_address(cluster, node.name)
        for parcel in parcels(touched):
            with socket.create_connection(address, timeout=20) as link:
                link.sendall(struct.pack("!I", len(parcel)) + parcel)
                assert _ended(link)
        with socket.create_connection(address, timeout=20) as link:
            link.sendall(struct.pack("!I", 1 << 25))  # much more than anybody asks with
            assert _ended(link)
    assert not touched.exists()
    assert runs_on(cluster, "after-bad-requests")
    assert "Traceback" not in log_of(cluster)


def _ended(link: socket.socket) -> bool:
    try:
        return link.recv(1) == b""
    except ConnectionResetError:
        return True


def _data_address(cluster: Cluster, node: str) -> tuple[str, int]:
    transport = ZeroRPCTransport()
    try:
        address = read_address(node)
        return address.host, int(Peer(transport, address.rpc).call("about")["data_port"])
    finally:
        transport.close()
