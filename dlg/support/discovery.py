"""Services found on the local network by zeroconf: the one place that knows this library.

Finding is all it is good for: a service that died is still listed for minutes.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlg.support.hosts import ANY_ADDRESS, to_externally_contactable_host

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, ServiceStateChange, Zeroconf

    Callback = Callable[[Zeroconf, str, str, ServiceStateChange], None]


def register_service(
    zc: Zeroconf | None,
    service_type_name: str,
    service_name: str,
    ipaddr: str,
    port: int,
    protocol: str = "tcp",
) -> tuple[Zeroconf, ServiceInfo]:
    """Announce a service and return the zeroconf object and the description of the service.

    Without `zc` a new one is made, which the caller must close. An `ipaddr` that stands for all
    interfaces is announced as this computer's first address.
    """
    import zeroconf  # noqa: PLC0415  only managers on a network need it

    kind = _type(service_type_name, protocol)
    address = socket.inet_aton(to_externally_contactable_host(ipaddr))
    info = zeroconf.ServiceInfo(kind, f"{service_name}.{kind}", port=port, addresses=[address])
    zc = zeroconf.Zeroconf() if zc is None else zc
    zc.register_service(info)
    return zc, info


def deregister_service(zc: Zeroconf, info: ServiceInfo) -> None:
    """Take back the announcement of the service that `info` describes."""
    zc.unregister_service(info)


def browse_service(
    zc: Zeroconf | None, service_type_name: str, protocol: str, callback: Callback
) -> Zeroconf:
    """Call `callback(zc, service_type, name, state_change)` as services of a type come and go.

    Returns the zeroconf object, which is new if `zc` is None; closing it ends the browsing. The
    calls come from a thread of zeroconf.
    """
    import zeroconf  # noqa: PLC0415  as above

    def on_change(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        callback(zeroconf, service_type, name, state_change)

    zc = zeroconf.Zeroconf() if zc is None else zc
    zeroconf.ServiceBrowser(zc, _type(service_type_name, protocol), handlers=[on_change])
    return zc


@dataclass(frozen=True, slots=True)
class Service:
    """A service that was found."""

    name: str
    """What tells it from others of its type, also when it has gone."""
    host: str
    port: int
    properties: Mapping[str, str]


class Neighbours:
    """Services of this process on a network, and those of others; closing it takes ours back."""

    def __init__(self, host: str) -> None:
        """Use the network on which `host` is an address of this computer, or all of them.

        Raises OSError where there is none that could be used.
        """
        import zeroconf  # noqa: PLC0415  as above

        self._host = to_externally_contactable_host(host)
        self._address = socket.gethostbyname(self._host)
        only = zeroconf.InterfaceChoice.All if host in ANY_ADDRESS else [self._address]
        self._zeroconf = zeroconf.Zeroconf(interfaces=only)
        self._ours: dict[tuple[str, int], ServiceInfo] = {}

    def announce(self, kind: str, name: str, port: int, properties: Mapping[str, str]) -> None:
        """Tell others of a service; it gets another name if this one is taken."""
        import zeroconf  # noqa: PLC0415  as above

        info = zeroconf.ServiceInfo(
            _type(kind, "tcp"), f"{name}.{_type(kind, 'tcp')}", port=port,
            addresses=[socket.inet_aton(self._address)],
            properties=dict(properties), server=f"{name}-{port}.local.",
        )  # fmt: skip
        self._zeroconf.register_service(info, allow_name_change=True)
        self._ours[kind, port] = info

    def withdraw(self, kind: str, port: int) -> None:
        """Take a service back, if it was announced."""
        info = self._ours.pop((kind, port), None)
        if info is not None:
            self._zeroconf.unregister_service(info)

    def browse(self, kind: str, seen: Callable[[str, bool], None]) -> None:
        """Call `seen` in some thread with each name that comes (True) or goes (False)."""

        def on_change(_zc: Zeroconf, _type: str, name: str, change: ServiceStateChange) -> None:
            seen(name, change.name != "Removed")

        browse_service(self._zeroconf, kind, "tcp", on_change)

    def look_up(self, kind: str, name: str, timeout_s: float) -> Service | None:
        """Return what is known of a service; None if it does not tell in time."""
        info = self._zeroconf.get_service_info(_type(kind, "tcp"), name, int(timeout_s * 1000))
        if info is None:
            return None
        hosts = info.parsed_addresses()
        told = {_text(key): _text(value or b"") for key, value in info.properties.items()}
        return Service(name, hosts[0] if hosts else "", info.port or 0, told)

    def close(self) -> None:
        """Take our services back and listen no more."""
        self._zeroconf.close()


def _text(packed: bytes) -> str:
    return packed.decode("utf-8", errors="replace")


def _type(name: str, protocol: str) -> str:
    return f"_{name}._{protocol}.local."
