"""Messages between processes that begin and end as they like."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dlg.beat import messages

SIZE = 50_000_000
ANSWER_AND_END = f"""
import sys
from dlg.beat import messages

with messages.delivered():
    socket = messages.bind("127.0.0.1:*")
    print(messages.address_of(socket), flush=True)
    socket.recv_multipart()
    socket.send_multipart([bytes({SIZE})])
    socket.close()
    sys.exit(3)
"""


@pytest.mark.timeout(60)
def test_the_last_answer_of_a_process_that_ends_arrives_whole() -> None:
    command = [sys.executable, "-c", ANSWER_AND_END]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with messages.connect(process.stdout.readline().strip()) as socket:
            socket.send_multipart([messages.DONE])
            assert socket.poll(30_000)
            assert [len(part) for part in socket.recv_multipart()] == [SIZE]
        assert process.wait(30) == 3
