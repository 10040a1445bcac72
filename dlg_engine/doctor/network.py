"""How this host is found: by its name, by multicast, by zeroconf."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from dlg.support.discovery import Neighbours
from dlg.support.hosts import get_all_ipv4_addresses, to_externally_contactable_host
from dlg_engine.doctor.contract import Check, Scope
from dlg_engine.doctor.verdicts import Verdict, ok, warning

GROUP = "239.255.77.77"
"""A group of this site only, that nobody else uses."""
PATIENCE_S = 3.0
ZEROCONF_S = 6.0
KIND = "DlgDoctor"
WITHOUT = (
    "let UDP pass to 224.0.0.251, port 5353, in the firewall and switches; or name the nodes: "
    "dlg daemon --no-zeroconf -N host1,host2"
)


@dataclass(frozen=True)
class Name:
    """What this host is called, and which addresses that stands for."""

    name: str
    addresses: Sequence[str] = ()
    own: Sequence[str] = ()
    """The addresses that it really has."""


def measure_name(_scope: Scope) -> Name:
    """Look the name of this host up."""
    name = socket.gethostname()
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET)
    except OSError:
        return Name(name, (), get_all_ipv4_addresses())
    addresses = sorted({str(info[4][0]) for info in found})
    return Name(name, addresses, get_all_ipv4_addresses())


def judge_name(fact: Name) -> Iterator[Verdict]:
    """Say whether the name of this host stands for its address."""
    cure = f"give {fact.name} its address on the network in /etc/hosts, or in the name server"
    if not fact.addresses:
        yield warning(f"nobody knows the name {fact.name!r}", cure)
        return
    shown = ", ".join(fact.addresses)
    strange = [a for a in fact.addresses if a not in fact.own]
    others = [a for a in fact.own if not ipaddress.ip_address(a).is_loopback]
    loopback = all(ipaddress.ip_address(a).is_loopback for a in fact.addresses)
    if loopback and others:
        yield warning(
            f"{fact.name} stands for {shown}: other hosts that are told so find themselves", cure
        )
    elif strange and not loopback:
        yield warning(f"{fact.name} stands for {shown}, which this host does not have", cure)
    else:
        yield ok(f"{fact.name} is {shown}")


@dataclass(frozen=True)
class Heard:
    """Whether what was said to all on a network has come back."""

    address: str
    """The address of this host on that network."""
    heard: bool
    error: str = ""


def measure_multicast(scope: Scope) -> Heard:
    """Send to a group, and wait for it as a member."""
    address = to_externally_contactable_host(scope.host)
    said = secrets.token_bytes(16)
    try:
        return Heard(address, _hears(address, said))
    except OSError as error:
        return Heard(address, False, error.strerror or str(error))


def _hears(address: str, said: bytes) -> bool:
    own = socket.inet_aton(socket.gethostbyname(address))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
    ):
        ear.bind((GROUP, 0))
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + own)
        ear.settimeout(PATIENCE_S)
        mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        mouth.sendto(said, (GROUP, ear.getsockname()[1]))
        try:
            return ear.recv(len(said)) == said
        except TimeoutError:
            return False


def judge_multicast(fact: Heard) -> Iterator[Verdict]:
    """Say whether multicast works on this host: daemons find each other by it."""
    if fact.heard:
        yield ok(f"what is sent by multicast from {fact.address} is heard")
        return
    why = f": {fact.error}" if fact.error else ""
    yield warning(f"what is sent by multicast from {fact.address} is not heard{why}", WITHOUT)


def measure_zeroconf(scope: Scope) -> Heard:
    """Announce a service, and look for it as another would."""
    address = to_externally_contactable_host(scope.host)
    name = f"doctor-{os.getpid()}-{secrets.token_hex(4)}"
    seen = threading.Event()

    def came(service: str, is_there: bool) -> None:
        if is_there and service.startswith(name):
            seen.set()

    try:
        with closing(Neighbours(scope.host)) as one, closing(Neighbours(scope.host)) as other:
            other.browse(KIND, came)
            one.announce(KIND, name, 9, {})
            return Heard(address, seen.wait(ZEROCONF_S))
    except OSError as error:
        return Heard(address, False, error.strerror or str(error))


def judge_zeroconf(fact: Heard) -> Iterator[Verdict]:
    """Say whether a service that is announced by zeroconf is found."""
    if fact.heard:
        yield ok("a service that was announced by zeroconf was found")
        return
    why = f": {fact.error}" if fact.error else f" within {ZEROCONF_S:g} s"
    yield warning(f"a service that was announced by zeroconf was not found{why}", WITHOUT)


NAME = Check("name", measure_name, judge_name)
MULTICAST = Check("multicast", measure_multicast, judge_multicast)
ZEROCONF = Check("zeroconf", measure_zeroconf, judge_zeroconf)
