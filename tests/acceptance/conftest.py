from __future__ import annotations

import pytest

from dlg.drops.app_base import AppDROP


@pytest.fixture
def time_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let apps that only wait be done at once: the real graphs wait for minutes in all."""
    monkeypatch.setattr(AppDROP, "wait", lambda self, _seconds: self.is_running)
