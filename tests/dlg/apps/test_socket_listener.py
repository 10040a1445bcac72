"""An app that takes data from a network connection."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

from dlg.apps.socket_listener import SocketListenerApp
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.exceptions import RunError
from dlg.testing.app_contract import run
from dlg.testing.expectations import PATIENCE_S, ending


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def connect(port: int) -> socket.socket:
    """Return a connection to a server that may be only about to listen."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        assert time.monotonic() < deadline


def listening(**parameters: Any) -> tuple[SocketListenerApp, InMemoryDROP]:
    app, out = SocketListenerApp("listen", **parameters), InMemoryDROP("out")
    app.addOutput(out)
    return app, out


def test_what_a_connection_brings_is_the_output() -> None:
    app, out = listening(port=free_port(), bufsize=3)
    with ending(out):
        app.async_execute()
        with connect(app.port) as connection:
            connection.sendall(b"hello ")
            connection.sendall(b"world")
    assert (out.status, out.contents()) == (DROPStates.COMPLETED, b"hello world")


def test_a_port_that_is_taken_is_a_clear_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        app, _out = listening(port=port)
        run(app)
    assert isinstance(app.failure, RunError)
    assert f"cannot listen on 127.0.0.1:{port}" in str(app.failure)


def test_cancelling_ends_the_wait_for_a_connection() -> None:
    app, out = listening(port=free_port())
    app.async_execute()
    with connect_when_listening(app):
        with ending(app):
            app.cancel()
        assert (app.execStatus, out.status) == (AppDROPStates.CANCELLED, DROPStates.CANCELLED)
        assert_no_thread_is_left()


def connect_when_listening(app: SocketListenerApp) -> Any:
    return contextlib.closing(connect(app.port))


def assert_no_thread_is_left() -> None:
    for thread in threading.enumerate():
        if thread.name == "dlg-drops":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_cancelling_before_anybody_connects_ends_the_app() -> None:
    app, _out = listening(port=free_port())
    app.async_execute()
    with ending(app):
        app.cancel()
    assert_no_thread_is_left()
