"""How many workers a runner has when nobody says."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg_engine.runners import make_runner


def test_the_settings_say_how_many_workers_there_are_unless_the_caller_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLG_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("DLG_WORKERS", "3")
    assert make_runner("threads").workers == 3
    assert make_runner("threads", 5).workers == 5
    monkeypatch.setenv("DLG_WORKERS", "0")
    assert make_runner("threads").workers >= 1
