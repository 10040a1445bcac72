from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.drops.live import LiveGraph
from dlg.support import clock
from dlg_engine.lifecycle.keeper import Keeper
from dlg_engine.lifecycle.options import LifecycleOptions
from dlg_engine.runners import make_runner
from dlg_engine.sessions.session import Session


class Kept(Session):
    """A session whose data is looked after by a keeper that a test asks to attend."""

    def __init__(self, place: Path, keeper: Keeper, session_id: str = "s") -> None:
        super().__init__(session_id, place / session_id, make_runner("inline", None))
        self.looked_after_by = keeper

    def _make_live(self) -> LiveGraph:
        live = super()._make_live()
        live.surroundings = dataclasses.replace(
            live.surroundings, keeper=self.looked_after_by, created=clock.monotonic()
        )
        self.looked_after_by.adopt(live)
        return live

    def run(self, specs: list[dict[str, Any]], completed: list[str] | None) -> LiveGraph:
        self.add_graph(specs)
        self.deploy(completed)
        assert self.wait(30)
        assert self.live is not None
        return self.live


class Woken:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


class House:
    """A keeper, the sessions it looks after, and a clock that stands still."""

    def __init__(self, place: Path, stopped: clock.Clock) -> None:
        self.place, self.clock = place, stopped
        self.replicas = place / "replicas"
        self.woken = Woken()
        self.keeper = self.make()

    def make(self, **options: Any) -> Keeper:
        self.keeper = Keeper(LifecycleOptions(**options), self.woken)
        return self.keeper

    def run(
        self, *specs: dict[str, Any], session_id: str = "s", completed: list[str] | None = None
    ) -> LiveGraph:
        return Kept(self.place, self.keeper, session_id).run(list(specs), completed)

    def after(self, seconds: float) -> float | None:
        self.clock.sleep(seconds)
        return self.keeper.attend()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with clock.replaced(clock.ManualClock(start=1000)) as stopped:
        yield House(tmp_path, stopped)
