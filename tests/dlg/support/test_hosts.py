"""Tests of dlg.support.hosts."""

from __future__ import annotations

import ipaddress

import pytest

from dlg.support import hosts

ANY = ["0.0.0.0", "", "*", "::", "[::]"]


def test_all_addresses_contain_loopback_and_are_addresses() -> None:
    found = hosts.get_all_ipv4_addresses()
    assert "127.0.0.1" in found
    assert all(ipaddress.IPv4Address(address) for address in found)


def test_local_addresses_are_all_but_loopback() -> None:
    found = hosts.get_local_ip_addr()
    assert set(found) <= set(hosts.get_all_ipv4_addresses())
    assert not any(address.startswith("127.") for address in found)


@pytest.mark.parametrize("host", ["10.1.2.3", "example.org", "localhost", "fe80::1"])
def test_a_particular_host_is_contactable_as_it_is(host: str) -> None:
    assert hosts.to_externally_contactable_host(host) == host


@pytest.mark.parametrize("host", ANY)
def test_all_interfaces_are_contacted_by_one_of_them(host: str) -> None:
    assert hosts.to_externally_contactable_host(host) in hosts.get_all_ipv4_addresses()
    assert hosts.to_externally_contactable_host(host, prefer_local=True) == "127.0.0.1"


@pytest.mark.parametrize("host", ANY)
def test_zmq_binds_all_interfaces_by_a_star(host: str) -> None:
    assert hosts.zmq_safe(host) == "*"


@pytest.mark.parametrize(
    ("host", "safe"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("localhost", "127.0.0.1"),
        ("::1", "[::1]"),
        ("[fe80::1]", "[fe80::1]"),
    ],
)
def test_zmq_gets_addresses_instead_of_names(host: str, safe: str) -> None:
    assert hosts.zmq_safe(host) == safe


def test_an_unknown_name_is_an_error_and_not_an_interface() -> None:
    with pytest.raises(OSError, match=r"."):
        hosts.zmq_safe("no-such-host.invalid")
