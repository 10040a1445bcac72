from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from dlg.data.directory import DirectoryDROP
from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.exceptions import NoDropException
from dlg.rpc import Address
from dlg.rpc.curve import new_pair
from dlg.support.certificates import client_context, new_certificate, server_context
from dlg.support.cluster_file import ClusterFile, write_cluster_file
from dlg_engine.managers import cargo, data_channel
from dlg_engine.managers.data_channel import DataClient, DataLostError, DataServer, Request
from dlg_engine.managers.greeting import RIDDLE, StrangerError, greet, welcome
from dlg_engine.managers.wire import WireError, receive_frame, send_frame

LOCAL = Address("127.0.0.1", 0)

Serve = Callable[..., DataServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    made: list[DataServer] = []

    def make(drop: Any = None, provide: Any = None, **more: Any) -> DataServer:
        found = DataServer(LOCAL, provide or (lambda _s, _o: cargo.outgoing(drop)), **more)
        made.append(found)
        return found

    yield make
    for one in made:
        one.close()


@pytest.fixture
def client() -> Iterator[DataClient]:
    found = DataClient()
    yield found
    found.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> ClusterFile:
    path = tmp_path_factory.mktemp("keys") / "cluster.toml"
    return write_cluster_file(path, "night", new_pair(), new_certificate("night"))


def full(value: Any) -> InMemoryDROP:
    drop = InMemoryDROP("d")
    if isinstance(value, bytes):
        drop.write(value)
    else:
        drop.store(value)
    drop.setCompleted()
    return drop


def brought(client: DataClient, server: DataServer, into: Any = None) -> Any:
    target = into or InMemoryDROP("copy")
    client.bring(server.address, "night", "d", target)
    target.setCompleted()
    return target


@pytest.mark.parametrize("size", [0, 1, cargo.PIECE, 3 * cargo.PIECE + 17])
def test_bytes_arrive_as_they_are(serve: Serve, client: DataClient, size: int) -> None:
    content = np.random.default_rng(size).bytes(size)
    assert brought(client, serve(full(content))).contents() == content


@pytest.mark.parametrize("value", [{"a": [1, (2, 3)]}, None, "text", 1.5, lambda x: x + 1])
def test_an_object_arrives_as_an_object(serve: Serve, client: DataClient, value: Any) -> None:
    found = brought(client, serve(full(value))).value()
    assert found(2) == 3 if callable(value) else found == value


def test_an_array_arrives_as_an_array(serve: Serve, client: DataClient) -> None:
    array = np.arange(1 << 20, dtype=np.float64).reshape(1024, 1024)
    found = brought(client, serve(full({"sky": array, "n": 3}))).value()
    np.testing.assert_array_equal(found["sky"], array)


def test_a_file_arrives_as_a_file(serve: Serve, client: DataClient, tmp_path: Path) -> None:
    source = FileDROP("d", filepath=str(tmp_path / "a"))
    source.write(b"x" * (cargo.PIECE + 5))
    source.setCompleted()
    copy = FileDROP("copy", filepath=str(tmp_path / "b"))
    assert brought(client, serve(source), copy).contents() == source.contents()


def test_a_directory_arrives_with_all_in_it(
    serve: Serve, client: DataClient, tmp_path: Path
) -> None:
    (tmp_path / "a/deep").mkdir(parents=True)
    (tmp_path / "a/deep/file").write_bytes(b"y" * (cargo.PIECE + 1))
    (tmp_path / "a/empty").mkdir()
    source = DirectoryDROP("d", dirname=str(tmp_path / "a"))
    source.setCompleted()
    copy = DirectoryDROP("copy", dirname=str(tmp_path / "b"), create_if_missing=True)
    brought(client, serve(source), copy)
    assert (tmp_path / "b/deep/file").read_bytes() == b"y" * (cargo.PIECE + 1)
    assert (tmp_path / "b/empty").is_dir()


def test_an_archive_that_would_leave_its_directory_is_refused(
    serve: Serve, client: DataClient, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../outside"))
    server = serve(provide=lambda _s, _o: (cargo.ARCHIVE, iter([buffer.getvalue()])))
    copy = DirectoryDROP("copy", dirname=str(tmp_path / "b"), create_if_missing=True)
    with pytest.raises(tarfile.OutsideDestinationError):
        client.bring(server.address, "night", "d", copy)
    assert not (tmp_path / "outside").exists()


def test_what_a_node_refuses_is_raised_as_it_was(serve: Serve, client: DataClient) -> None:
    def refuse(_session: str, oid: str) -> Any:
        raise NoDropException(oid)

    with pytest.raises(NoDropException, match="no drop 'd'"):
        brought(client, serve(provide=refuse))


def test_a_failure_in_the_midst_of_data_is_raised_as_it_was(
    serve: Serve, client: DataClient
) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 10
        raise FileNotFoundError(2, "gone")

    server = serve(provide=lambda _s, _o: (cargo.BYTES, broken()))
    with pytest.raises(FileNotFoundError, match="gone"):
        brought(client, server)
    assert brought(client, serve(full(b"next"))).contents() == b"next"


def test_a_transfer_that_broke_off_goes_on_where_it_stopped(
    serve: Serve, client: DataClient
) -> None:
    content = np.random.default_rng(0).bytes(8 * cargo.PIECE)
    servers: list[DataServer] = []
    rounds: list[int] = []

    def breaking(_session: str, _oid: str) -> tuple[str, Iterator[Any]]:
        rounds.append(0)
        return cargo.BYTES, pieces(len(rounds))

    def pieces(round_: int) -> Iterator[bytes]:
        for start in range(0, len(content), cargo.PIECE):
            yield content[start : start + cargo.PIECE]
            if start == round_ * 2 * cargo.PIECE and round_ < 3:
                for link in list(servers[0]._links):
                    link.shutdown(socket.SHUT_RDWR)

    servers.append(serve(provide=breaking))
    assert brought(client, servers[0]).contents() == content
    assert len(rounds) == 3


@pytest.mark.parametrize("tokens", [("right", ""), ("right", "wrong"), ("", "right")])
def test_nothing_is_brought_where_the_tokens_differ(
    serve: Serve, tokens: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(full(b"secret"), token=tokens[0])
    client = DataClient(token=tokens[1])
    with pytest.raises(DataLostError, match="is the same file of the cluster there"):
        brought(client, server)
    client.close()
    assert "right" not in caplog.text


def test_whoever_guesses_the_token_gets_nothing_and_is_told_of(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(full(b"secret"), token="right")
    with socket.create_connection(server.address, timeout=20) as link:
        send_frame(link, bytes(RIDDLE))
        receive_frame(link)
        send_frame(link, bytes(RIDDLE))
        send_frame(link, msgspec.msgpack.encode(Request("night", "d", 0)))
        with pytest.raises(WireError):
            receive_frame(link)
    assert "wrong token" in caplog.text
    assert "right" not in caplog.text


def test_the_token_itself_is_never_sent() -> None:
    sent = bytearray()

    class Overheard(socket.socket):
        def sendall(self, data: Any, flags: int = 0) -> None:
            sent.extend(data)
            super().sendall(data, flags)

    left, right = socket.socketpair()
    ends = [Overheard(fileno=end.detach()) for end in (left, right)]
    with ThreadPoolExecutor() as pool:
        listening = pool.submit(welcome, ends[0], "the token of the cluster")
        greet(ends[1], "the token of the cluster")
        listening.result(20)
    for end in ends:
        end.close()
    assert len(sent) > 3 * RIDDLE
    assert b"token" not in sent


def test_nobody_waits_for_data_of_a_node_that_is_lost(serve: Serve, client: DataClient) -> None:
    asked, held = list[str](), threading.Event()
    waits = threading.Event()

    def provide(_session: str, oid: str) -> tuple[str, Iterator[bytes]]:
        asked.append(oid)
        waits.set()
        held.wait(20)
        return cargo.BYTES, iter([b"late"])

    server = serve(provide=provide)
    with ThreadPoolExecutor() as pool:
        bringing = pool.submit(client.bring, server.address, "night", "d", InMemoryDROP("d"))
        assert waits.wait(20)
        client.forget(server.address)
        with pytest.raises(DataLostError, match="d cannot be brought"):
            bringing.result(10)
        held.set()
    assert asked == ["d"]


def test_an_answer_to_a_riddle_cannot_be_sent_back() -> None:
    left, right = socket.socketpair()
    with left, right, ThreadPoolExecutor() as pool:
        listening = pool.submit(welcome, left, "right")
        send_frame(right, bytes(RIDDLE))
        said = receive_frame(right)
        send_frame(right, said[RIDDLE:])
        with pytest.raises(StrangerError):
            listening.result(20)


def test_data_is_encrypted_where_the_cluster_has_a_certificate(
    serve: Serve, cluster: ClusterFile
) -> None:
    tls = {"tls": server_context(cluster.path)}
    server = serve(full({"an": "object"}), token=cluster.token, **tls)
    client = DataClient(token=cluster.token, tls=client_context(cluster.certificate))
    assert brought(client, server).value() == {"an": "object"}
    client.close()


def test_a_node_with_another_certificate_is_not_believed(
    serve: Serve, cluster: ClusterFile, tmp_path: Path
) -> None:
    server = serve(full(b"x"), token=cluster.token, tls=server_context(cluster.path))
    other, _ = new_certificate("other")
    client = DataClient(token=cluster.token, tls=client_context(other))
    with pytest.raises(DataLostError, match="it belongs to another cluster"):
        brought(client, server)
    client.close()


FAKE_NODE = """
import os, sys
from dlg.rpc import Address
from dlg_engine.managers import cargo
from dlg_engine.managers.data_channel import DataServer
import dlg.support.serialize, dlg.support.checksums, google_crc32c, cloudpickle
os.setuid(65534)
class Harm:
    def __reduce__(self):
        return os.mkdir, (sys.argv[1],)
pieces = lambda session, oid: (cargo.OBJECT, cargo._object("pickle", Harm()))
server = DataServer(Address("127.0.0.1", 0), pieces)
print(server.address.port, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process of another user")
def test_without_a_cluster_an_object_of_another_users_process_is_not_opened(
    client: DataClient, tmp_path: Path
) -> None:
    harm = tmp_path / "harm"
    command = [sys.executable, "-c", FAKE_NODE, str(harm)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        address = Address("127.0.0.1", int(process.stdout.readline()))
        with pytest.raises(DataLostError, match="only a node of the same cluster"):
            client.bring(address, "night", "d", InMemoryDROP("copy"))
        process.kill()
    assert not harm.exists()


def test_without_a_cluster_no_object_is_opened_that_comes_from_who_knows_whom(
    serve: Serve, client: DataClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_channel, "user_of_peer", lambda link: None)
    server = serve(full({"an": "object"}))
    with pytest.raises(DataLostError, match="only a node of the same cluster"):
        brought(client, server)
    assert brought(client, serve(full(b"bytes"))).contents() == b"bytes"
    trusting = DataClient(trusting=True)
    assert brought(trusting, server).value() == {"an": "object"}
    trusting.close()


def test_the_right_token_is_answered(serve: Serve) -> None:
    server = serve(full(b"secret"), token="right")
    client = DataClient(token="right")
    assert brought(client, server).contents() == b"secret"
    client.close()


def test_a_node_that_is_not_there_is_told(client: DataClient) -> None:
    with pytest.raises(DataLostError, match=r"d cannot be brought from 127\.0\.0\.1:1: .*refused"):
        client.bring(Address("127.0.0.1", 1), "night", "d", InMemoryDROP("copy"))


@pytest.mark.parametrize(
    "junk", [b"\xff\xff\xff\xf0", b"\x00\x00\x00\x02{}", b"GET / HTTP/1.1\r\n"]
)
def test_what_is_no_request_ends_the_connection(serve: Serve, junk: bytes) -> None:
    server = serve(full(b"secret"))
    got = b""
    with socket.create_connection(server.address, timeout=20) as link, suppress(ConnectionError):
        link.sendall(junk + b"\r\n" * 40)
        got = link.recv(100)
    assert got == b""


def test_connections_are_kept_for_the_next_time(serve: Serve, client: DataClient) -> None:
    server = serve(full(b"x"))
    for _ in range(5):
        brought(client, server)
    assert len(client._idle[server.address]) == 1
