from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from dlg.rpc import Address, Answerer, CallTimeoutError, Keys, Peer, Transport, ZeroRPCTransport
from dlg.rpc.curve import keys_from_token, keys_of, new_pair

LOCAL = Address("127.0.0.1", 0)
CLUSTER = keys_of(*new_pair())
OTHER = keys_of(*new_pair())
KNOWS_THE_SERVER = Keys(OTHER.public, OTHER.secret, CLUSTER.server)
"""One who has found out the public key of a server, but has keys of his own."""


def refusal(serving: Keys | None, calling: Keys | None) -> str:
    """Return what a caller is told whom nobody answers."""
    inside, outside = ZeroRPCTransport(serving), ZeroRPCTransport(calling)
    server = inside.serve(LOCAL, Answerer({"echo": lambda x: x}).answer)
    try:
        with pytest.raises(CallTimeoutError) as caught:
            Peer(outside, server.address).call("echo", 1, timeout_s=0.3)
        return str(caught.value).replace(str(server.address), "HERE")
    finally:
        server.close()
        for one in (inside, outside):
            one.close()


@pytest.mark.parametrize("calling", [OTHER, KNOWS_THE_SERVER])
def test_whoever_has_other_keys_is_not_answered_and_told_so(calling: Keys) -> None:
    told = refusal(CLUSTER, calling)
    assert told.startswith("HERE did not answer within 0.3")
    assert "does not have the same file of the cluster" in told


def test_whoever_has_no_keys_is_not_answered_and_told_so() -> None:
    assert "has the file of a cluster, which is not used here" in refusal(CLUSTER, None)


def test_whoever_has_keys_gets_nothing_from_one_who_has_none() -> None:
    assert "does not have the same file of the cluster" in refusal(None, CLUSTER)


def test_clusters_in_one_process_are_kept_apart() -> None:
    transports: list[Transport] = [ZeroRPCTransport(CLUSTER), ZeroRPCTransport(OTHER)]
    servers = [one.serve(LOCAL, Answerer({"echo": lambda x: x}).answer) for one in transports]
    try:
        with ThreadPoolExecutor() as pool:
            pairs = zip(transports, servers, strict=True)
            calls = [pool.submit(Peer(t, s.address).call, "echo", 1) for t, s in pairs]
            assert [call.result(30) for call in calls] == [1, 1]
        with pytest.raises(CallTimeoutError):
            Peer(transports[0], servers[1].address).call("echo", 1, timeout_s=0.3)
    finally:
        for server in servers:
            server.close()
        for one in transports:
            one.close()


def test_a_token_makes_the_same_keys_everywhere_and_another_token_others() -> None:
    one, two = keys_from_token("a token"), keys_from_token("another token")
    assert one == keys_from_token("a token")
    assert len({one.public, one.secret, two.public, two.secret}) == 4
    assert one.server == one.public
