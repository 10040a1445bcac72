from __future__ import annotations

import io
import socket
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.data.directory import DirectoryDROP
from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.exceptions import NoDropException
from dlg.rpc import Address
from dlg_engine.managers import cargo
from dlg_engine.managers.data_channel import DataClient, DataLostError, DataServer

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


def test_a_wrong_token_gets_nothing(
    serve: Serve, client: DataClient, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(full(b"secret"), token="right")
    with pytest.raises(DataLostError, match="cannot be brought"):
        brought(client, server)
    assert "wrong token" in caplog.text
    assert "right" not in caplog.text


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
