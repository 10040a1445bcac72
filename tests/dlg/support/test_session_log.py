from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.support import context
from dlg.support.session_log import FULL, MOST_BYTES, MOST_OPEN, NAME, SessionLogs, read_log


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def make(root: Path, most_bytes: int = MOST_BYTES) -> tuple[logging.Logger, SessionLogs]:
    """A logger of its own, whose records go to the sessions that have a directory."""
    logger = logging.Logger(f"test-{root.name}")  # noqa: LOG001  of this test alone
    handler = SessionLogs(
        lambda session: root / session if (root / session).is_dir() else None,
        node="n1",
        most_bytes=most_bytes,
    )
    logger.addHandler(handler)
    return logger, handler


@pytest.fixture
def logger(root: Path) -> Iterator[logging.Logger]:
    found, handler = make(root)
    yield found
    handler.close()


def test_a_record_goes_to_the_session_it_was_written_for(
    root: Path, logger: logging.Logger
) -> None:
    (root / "a").mkdir()
    (root / "b").mkdir()
    with context.working_for(session="a", drop="d1"):
        logger.info("for %s", "a")
    with context.working_for(session="b"):
        logger.warning("for b")
    logger.error("for nobody")
    with context.working_for(session="gone"):
        logger.error("for nobody either")
    (one,) = read_log(root / "a")
    assert (one["level"], one["node"], one["drop"], one["message"]) == (
        "INFO",
        "n1",
        "d1",
        "for a",
    )
    assert one["function"] == "test_a_record_goes_to_the_session_it_was_written_for"
    assert [line["message"] for line in read_log(root / "b")] == ["for b"]


def test_a_log_is_read_by_drop_and_from_its_end(root: Path, logger: logging.Logger) -> None:
    (root / "a").mkdir()
    for i in range(10):
        with context.working_for(session="a", drop=f"d{i % 2}"):
            logger.info("line %d\nof two", i)
    assert [one["message"][5] for one in read_log(root / "a", drop="d1", most=3)] == list("579")
    assert read_log(root / "none") == []


def test_an_exception_is_written_with_where_it_happened(
    root: Path, logger: logging.Logger
) -> None:
    (root / "a").mkdir()
    with context.working_for(session="a"):
        try:
            int("cloudy")
        except ValueError:
            logger.exception("failed")
    (one,) = read_log(root / "a")
    assert one["message"].startswith("failed\nTraceback")
    assert "ValueError: invalid literal" in one["message"]


def test_a_log_grows_to_its_limit_and_says_so(root: Path) -> None:
    (root / "a").mkdir()
    logger, handler = make(root, most_bytes=2_000)
    with context.working_for(session="a"):
        for _ in range(100):
            logger.info("x" * 100)
    handler.close()
    lines = read_log(root / "a")
    assert [line["message"] for line in lines].count(FULL) == 1
    assert lines[-1]["message"] == FULL
    assert (root / "a" / NAME).stat().st_size < 2_500


def test_a_session_that_comes_again_after_its_directory_has_gone_has_a_log(
    root: Path, logger: logging.Logger
) -> None:
    for text in ("first", "second"):
        (root / "a").mkdir()
        with context.working_for(session="a"):
            logger.info(text)
        assert [line["message"] for line in read_log(root / "a")] == [text]
        shutil.rmtree(root / "a")


def test_the_logs_of_many_sessions_take_few_open_files(root: Path) -> None:
    logger, handler = make(root)
    for _again in range(2):
        for i in range(3 * MOST_OPEN):
            (root / str(i)).mkdir(exist_ok=True)
            with context.working_for(session=str(i)):
                logger.info("here")
    assert len(handler._open) == MOST_OPEN
    handler.close()
    assert all(len(read_log(root / str(i))) == 2 for i in range(3 * MOST_OPEN))


def test_a_line_that_is_no_record_is_passed_over(root: Path, logger: logging.Logger) -> None:
    (root / "a").mkdir()
    (root / "a" / NAME).write_bytes(b"nonsense\n[1]\n\xff\xfe\n")
    with context.working_for(session="a"):
        logger.info("here")
    assert [line["message"] for line in read_log(root / "a")] == ["here"]
