"""A prefix with formats in a temporary folder, and outputs written into its cache."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dlg.beat.dataformat import DataFormat
from dlg.beat.sinks import CachedDataSink

Units = Iterable[tuple[int, int, dict[str, Any]]]


class Prefix:
    """A prefix at `root`, whose cache has the output `path`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = str(root / "cache" / "ab" / "cd" / "x.data")
        self.folder = Path(self.path).parent

    def format(self, declaration: Any, name: str = "u/f/1") -> DataFormat:
        """Return a format that was written into the prefix."""
        file = self.root / "dataformats" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(declaration))
        return DataFormat(str(self.root), name)

    def write(self, start: int, end: int, units: Units, **how: Any) -> CachedDataSink:
        """Write a part of the output and close it; `how` is the format, and what to set."""
        dataformat = how.pop("dataformat", None) or self.format({"value": "int32"})
        sink = CachedDataSink()
        assert sink.setup(self.path, dataformat, start, end, how.pop("encoding", "binary"))
        for name, value in how.items():
            setattr(sink, name, value)
        for first, last, value in units:
            sink.write(dataformat.type(**value), first, last)
        sink.close()
        return sink

    def numbers(self, *parts: tuple[int, int], **how: Any) -> None:
        """Write parts with a unit for each index, whose value is the index."""
        for start, end in parts:
            self.write(start, end, [(i, i, {"value": i}) for i in range(start, end + 1)], **how)

    def files(self) -> list[str]:
        """Return the names of all files beside the output, without manifests."""
        if not self.folder.exists():
            return []
        names = [file.name for file in self.folder.iterdir()]
        return sorted(name for name in names if not name.endswith(".manifest"))
