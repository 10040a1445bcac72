"""Tests of dlg.support.context and dlg.support.logs."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator

import pytest

from dlg.support import context, logs
from dlg.support.context import working_for


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Return what the logger `test.logs` writes."""
    stream, logger = io.StringIO(), logging.getLogger("test.logs")
    handler = logs.stream_handler(stream, logging.INFO)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)


def test_a_record_says_for_which_session_and_drop_it_was_written(out: io.StringIO) -> None:
    with working_for(session="s1"), working_for(drop="d7"):
        logging.getLogger("test.logs").info("hello")
    assert "INFO    [s1/d7] test.logs: hello\n" in out.getvalue()


def test_outside_of_sessions_a_record_says_nothing_of_them(out: io.StringIO) -> None:
    logging.getLogger("test.logs").info("hello")
    assert "INFO    test.logs: hello\n" in out.getvalue()


def test_records_below_the_level_are_not_written(out: io.StringIO) -> None:
    logging.getLogger("test.logs").debug("hello")
    assert not out.getvalue()


def test_the_context_ends_with_its_block() -> None:
    with working_for(session="s1", drop="d1"):
        with working_for(drop="d2"):
            assert (context.session_id.get(), context.drop_uid.get()) == ("s1", "d2")
        assert context.drop_uid.get() == "d1"
    assert (context.session_id.get(), context.drop_uid.get()) == ("", "")


def test_another_thread_does_not_see_it() -> None:
    seen = []
    with working_for(drop="d1"):
        thread = threading.Thread(target=lambda: seen.append(context.drop_uid.get()))
        thread.start()
        thread.join()
    assert seen == [""]


def test_importing_sets_up_no_handler() -> None:
    assert not logging.getLogger("dlg").handlers
