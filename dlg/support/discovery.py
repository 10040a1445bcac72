"""Services found on the local network by zeroconf: the one place that knows this library.

Finding is all it is good for: a service that died is still listed for minutes.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from dlg.support.hosts import to_externally_contactable_host

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


def _type(name: str, protocol: str) -> str:
    return f"_{name}._{protocol}.local."
