"""By which address hosts reach each other."""

from __future__ import annotations

import ipaddress

import pytest

from dlg.exceptions import UsageError
from dlg.support.hosts import get_local_ip_addr
from dlg_engine.launch.reaching import address_towards, own_address


def test_a_job_on_one_host_stays_on_loopback() -> None:
    assert own_address(alone=True) == "127.0.0.1"
    assert address_towards("127.0.0.1") == "127.0.0.1"


@pytest.mark.skipif(not get_local_ip_addr(), reason="needs a network")
def test_hosts_are_reached_in_the_network_that_was_named() -> None:
    mine = get_local_ip_addr()[-1]
    network = ipaddress.ip_network(f"{mine}/30", strict=False)
    assert ipaddress.ip_address(own_address(str(network))) in network
    assert not ipaddress.ip_address(own_address()).is_loopback
    assert address_towards(mine) == mine


@pytest.mark.parametrize(
    ("network", "told"), [("203.0.113.0/24", "has no address in"), ("ours", "is no network")]
)
def test_a_network_that_this_host_is_not_in_is_told(network: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        own_address(network)
