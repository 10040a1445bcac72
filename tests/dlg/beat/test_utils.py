"""Small helpers of the published interface."""

from __future__ import annotations

import io
import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from dlg.beat import utils


def test_uniq_keeps_the_first_of_each() -> None:
    assert utils.uniq([3, 1, 3, 2, 1]) == [3, 1, 2]


def test_text_in_a_message_is_encoded_in_place() -> None:
    sent: list[Any] = []

    class Socket:
        def send_multipart(self, msg_parts: Any) -> None:
            sent.append(list(msg_parts))

    parts = ["a", b"b", "\u00e9"]
    utils.send_multipart(Socket(), parts)
    assert sent == [[b"a", b"b", b"\xc3\xa9"]]
    assert parts == sent[0]


def test_a_port_that_is_taken_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert utils.find_free_port_in_range(port, port + 1) is None
    assert utils.find_free_port() > 0
    assert utils.find_free_port_in_range(port, port) is None


def test_an_id_has_the_length_and_the_characters_asked_for() -> None:
    assert len(utils.id_generator()) == 6
    assert set(utils.id_generator(50, "ab")) <= {"a", "b"}


def test_an_environment_is_named_with_its_version() -> None:
    assert utils.build_env_name({"name": "Python", "version": "3"}) == "Python (3)"
    assert utils.build_env_name(None) is None
    assert utils.build_env_name({}) is None


def test_a_temporary_directory_is_there_and_empty() -> None:
    made = Path(utils.temporary_directory("mine_"))
    try:
        assert made.name.startswith("mine_")
        assert not list(made.iterdir())
    finally:
        made.rmdir()


@pytest.mark.parametrize(
    ("verbosity", "told"),
    [
        (0, ["warning"]),
        (1, ["warning", "info"]),
        (2, ["warning", "info", "detail"]),
        (3, ["warning", "info", "detail"]),
    ],
)
def test_verbosity_says_from_which_level_on_is_written(verbosity: int, told: list[str]) -> None:
    stream = io.StringIO()
    name = "dlg.beat.logging_of_a_test"
    for _ in range(2):  # the second call takes the place of the first
        logger = utils.setup_logging(verbosity, "me", name, stream)
    logger.propagate = False
    logger.warning("warning")
    logger.info("info")
    logger.debug("detail")
    lines = stream.getvalue().splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == told
    assert f"- me - {name}] WARNING: warning" in lines[0]
    logger.handlers.clear()


def test_whether_a_method_has_an_argument_can_be_asked() -> None:
    assert utils.has_argument(logging.getLogger, "name")
    assert not utils.has_argument(logging.getLogger, "loop_channel")
