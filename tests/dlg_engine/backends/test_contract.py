"""All engines keep the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg_engine.testing.engine_contract import EngineContract


class TestEmbedded(EngineContract):
    engine = "embedded"


@pytest.mark.slow
class TestManagers(EngineContract):
    engine = "managers"

    @pytest.fixture
    def options(self, manager: str) -> dict[str, Any]:
        return {"manager": manager}


@pytest.mark.slow
class TestDask(EngineContract):
    engine = "dask"

    @pytest.fixture
    def options(self, dask: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
        return {**dask, "workdir": tmp_path}
