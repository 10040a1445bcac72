from __future__ import annotations

import os
import socket
from contextlib import ExitStack

import pytest

from dlg.support import peers
from dlg.support.peers import user_of_peer


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_user_of_a_process_of_this_host_is_known(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server((host, 0), family=family))
        address = listening.getsockname()[:2]
        link = stack.enter_context(socket.create_connection(address, timeout=20))
        taken = stack.enter_context(listening.accept()[0])
        assert user_of_peer(link) == os.geteuid()
        assert user_of_peer(taken) == os.geteuid()


def test_where_the_system_does_not_tell_nobody_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "TABLES", ("/nowhere",))
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        address = listening.getsockname()
        link = stack.enter_context(socket.create_connection(address, timeout=20))
        assert user_of_peer(link) is None
