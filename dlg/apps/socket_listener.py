"""An app that takes data from a network connection."""

from __future__ import annotations

import contextlib
import socket
from typing import ClassVar

from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_bool_param, dlg_int_param, dlg_string_param
from dlg.exceptions import RunError


class SocketListenerApp(BarrierAppDROP):
    """Listens on a TCP port, takes one connection, and writes what it brings to every output.

    It listens on the loopback interface unless `host` says otherwise.
    """

    __slots__ = ("_sockets",)

    runs_here: ClassVar[bool] = True
    cacheable: ClassVar[bool] = False

    host = dlg_string_param("address to listen on", "127.0.0.1")
    port = dlg_int_param("port to listen on", 1111)
    bufsize = dlg_int_param("bytes taken at a time", 4096)
    reuseAddr = dlg_bool_param("whether to take over a port that was just in use", False)

    _sockets: tuple[socket.socket, ...]

    def run(self) -> None:
        """Wait for a connection and write what it brings until it ends."""
        try:
            server = socket.create_server((self.host, self.port), family=self._family())
        except OSError as error:
            place = f"{self.host}:{self.port}"
            raise RunError(f"drop {self.uid}: cannot listen on {place}: {error}") from error
        with server:
            self._hold(server)
            with self._accept(server) as connection:
                self._hold(server, connection)
                while data := connection.recv(self.bufsize):
                    for output in self.outputs:
                        output.write(data)

    def _family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    def _hold(self, *sockets: socket.socket) -> None:
        """Note what `interrupt` has to end; do so if it has come already."""
        self._sockets = sockets
        if not self.is_running:
            self.interrupt()

    def _accept(self, server: socket.socket) -> socket.socket:
        try:
            return server.accept()[0]
        except OSError as error:
            raise RunError(f"drop {self.uid}: stopped listening: {error}") from error

    def interrupt(self) -> None:
        """Stop listening, and end the connection."""
        for held in getattr(self, "_sockets", ()):
            with contextlib.suppress(OSError):  # it may be closed already
                held.shutdown(socket.SHUT_RDWR)
