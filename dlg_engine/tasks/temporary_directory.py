"""A directory to work in, which is gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self


class TemporaryDirectory:
    """A directory of its own that only the user can enter; `tmp_dir` is its path."""

    def __init__(self, parent: str | Path | None = None) -> None:
        self.tmp_dir = tempfile.mkdtemp(prefix="eas_", dir=parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clean_up()

    def __del__(self) -> None:
        self.clean_up()

    def clean_up(self) -> None:
        """Remove the directory with all that is in it; what is gone already may be."""
        shutil.rmtree(getattr(self, "tmp_dir", ""), ignore_errors=True)
