"""Data that are made by another process and asked for unit by unit, by messages."""

from __future__ import annotations

from typing import Any

from dlg.beat.blocks.assembly import Request
from dlg.beat.blocks.loops import ask
from dlg.beat.formats import Formats, type_named
from dlg.beat.outputs import Socket
from dlg.beat.sources import DataSource

__all__ = ["RemoteDataSource", "RemoteDatabases"]


class RemoteDataSource(DataSource):
    """The units of an input that is served at the other end of a socket."""

    def __init__(self) -> None:
        super().__init__()
        self._server: Socket | None = None
        self._name = b""

    def setup(
        self,
        server: Socket,
        input_name: str,
        dataformat_name: str,
        prefix: str,
        unpack: bool = True,
        *,
        dataformat_cache: Formats | None = None,
    ) -> bool:
        """Get to know which units there are; tell whether that worked.

        Without `unpack` data are bytes. Raises `RemoteError` for what goes wrong there.
        """
        self._server, self._name, self.unpack = server, input_name.encode(), unpack
        self.kind = type_named(prefix, dataformat_name, dataformat_cache) if unpack else None
        count, *edges = map(int, ask(server, b"ifo", self._name))
        self._has(list(zip(edges[: 2 * count : 2], edges[1 : 2 * count : 2], strict=True)))
        return True

    def close(self) -> None:
        """Ask no more."""
        super().close()
        self._server = None

    def _packed(self, index: int) -> bytes:
        server: Any = self._server
        return ask(server, b"get", self._name, str(index).encode())[-1]


class RemoteDatabases:
    """Gives sources that are served at the other end of a socket."""

    def __init__(self, server: Socket, prefix: str, formats: Formats) -> None:
        self._server, self._prefix, self._formats = server, prefix, formats

    def source(self, request: Request) -> DataSource:
        """Return the source of an input."""
        source = RemoteDataSource()
        source.setup(
            *(self._server, request.input, request.format, self._prefix),
            dataformat_cache=self._formats,
        )
        return source
