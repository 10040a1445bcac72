from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from dlg.exceptions import UsageError
from dlg_engine.cli import progress, summary
from dlg_engine.sessions.report import DropError


@dataclass(frozen=True)
class Far:
    total: int = 1000
    done: int = 250
    failed: int = 0
    running: int = 4
    skipped: int = 0
    elapsed_s: float = 10.0


def test_a_plain_line_says_how_far_how_fast_and_how_long() -> None:
    assert progress.describe(Far()) == "250 of 1,000 drops (25 %), 4 running, 25/s, 30.0 s left"


def test_failures_and_skips_are_told_when_there_are_some() -> None:
    text = progress.describe(Far(failed=2, skipped=3))
    assert "2 failed, 3 skipped" in text


def test_the_last_line_promises_nothing() -> None:
    assert "left" not in progress.describe(Far(done=1000))
    assert progress.describe(Far(done=0, elapsed_s=0)).endswith("0/s, ? left")


def test_plain_lines_come_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.PlainProgress(every_s=5) as show:
        for tenth in range(120):
            show(Far(elapsed_s=tenth / 10))
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_nothing_is_shown_when_quiet_and_lines_where_there_is_no_terminal() -> None:
    assert progress.show_progress(quiet=True) is None
    assert isinstance(progress.show_progress(quiet=False), progress.PlainProgress)


def test_a_live_bar_waits_until_it_is_worth_it_and_goes_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.LiveProgress(after_s=1.0) as show:
        show(Far(elapsed_s=0.5))
        assert capsys.readouterr().err == ""
        show(Far(elapsed_s=2, failed=3))
        show(Far(elapsed_s=3, done=500))
        shown = capsys.readouterr().err
    assert "250/1000" in shown
    assert "3 failed" in shown
    assert "4 running" in shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.004, "0.00 s"), (3.14159, "3.14 s"), (42.123, "42.1 s"), (61, "1 min 01 s"),
     (7322, "2 h 02 min")],
)  # fmt: skip
def test_times_are_written_for_people(seconds: float, text: str) -> None:
    assert progress.span(seconds) == text


def error(k: int, **more: object) -> DropError:
    facts = {"uid": f"u{k}", "name": f"n{k}", "exception": "ValueError: x", "traceback": "T\n"}
    return DropError(**{**facts, **more})  # type: ignore[arg-type]


def test_only_the_worst_errors_are_shown_and_the_rest_counted() -> None:
    text = "\n".join(summary.error_lines([error(k) for k in range(9)]))
    assert text.count("failed: ValueError") == summary.SHOWN_ERRORS
    assert "and 4 more failed" in text


def test_an_error_shows_causes_and_the_end_of_its_traceback() -> None:
    trace = "\n".join(f"line {k}" for k in range(100))
    lines = list(summary.error_lines([error(1, causes=("OSError: y",), traceback=trace)]))
    assert "drop 'n1' (u1) failed: ValueError: x" in lines[0]
    assert "  because of OSError: y" in lines
    assert "  | line 99" in lines
    assert "  | line 50" not in lines


def test_a_mistake_in_a_graph_is_told_without_a_traceback() -> None:
    facts = {"exception": "dlg.exceptions.UsageError: not so", "error": UsageError("not so")}
    lines = list(summary.error_lines([error(1, **facts)]))
    assert "failed: UsageError: not so" in lines[0]
    assert lines[1:] == [""]


def test_the_rest_of_a_text_that_says_it_all_stands_where_a_traceback_would() -> None:
    facts = {"exception": "UsageError: two are wrong:\n* a\n* b", "error": UsageError("two")}
    lines = list(summary.error_lines([error(1, **facts)]))
    assert "failed: UsageError: two are wrong:" in lines[0]
    assert lines[1:] == ["  | * a", "  | * b", ""]


def test_values_are_shown_shortly() -> None:
    assert summary.shown_value(np.zeros((3, 4))) == "array of 3 x 4 float64"
    assert summary.shown_value(5) == "5"
    assert summary.shown_value("as it is") == "as it is"
    assert summary.shown_value(b"") == "(empty)"
    assert len(summary.shown_value("long " * 1000)) < 100
    assert summary.shown_value(b"\0" * 2048) == "bytes (2.0 KiB)"
    assert summary.shown_value("a table\n\n  1  2") == "a table\n\n  1  2"
    assert "\n" not in summary.shown_value("line\n" * 100)
    assert "\n" not in summary.shown_value("a\n\x1b[2J")
    assert len(summary.shown_value(list(range(1000)))) < 100


def test_paths_are_as_short_as_they_can_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert summary.shown_path(tmp_path / "a" / "b") == "a/b"
    assert summary.shown_path(Path("/elsewhere/b")) == "/elsewhere/b"
