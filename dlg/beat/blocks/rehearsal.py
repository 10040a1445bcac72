"""A small block of our own, done before any of a user's: so that what is loaded late is there.

A warden does it once, in a folder that is gone afterwards. Its children then find modules and
caches filled that each of them would fill anew.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from dlg.beat.blocks.running import work
from dlg.beat.dataformat import DataFormat
from dlg.beat.sinks import CachedDataSink

_FORMAT = "dlg/rehearsal/1"
_CODE = """
import numpy


class Algorithm:
    def process(self, inputs, data_loaders, outputs):
        data = inputs["x"].data
        outputs["y"].write({"x": data.x, "s": data.s, "a": data.a})
        return True
"""
_ALGORITHM = {
    "schema_version": 2,
    "api_version": 2,
    "type": "sequential",
    "language": "python",
    "splittable": True,
    "groups": [{"inputs": {"x": {"type": _FORMAT}}, "outputs": {"y": {"type": _FORMAT}}}],
}


def prepare() -> None:
    """Do the block; nothing of it is left but what it has loaded."""
    with tempfile.TemporaryDirectory(prefix="dlg-beat-") as folder:
        report = work(_payload(Path(folder)), [])
    if report["status"]:
        raise RuntimeError(f"a block that cannot fail has failed: {report}")


def _payload(folder: Path) -> dict[str, Any]:
    prefix, cache = folder / "prefix", folder / "cache"
    for name, content in (
        (
            f"dataformats/{_FORMAT}.json",
            json.dumps({"x": "int32", "s": "string", "a": [0, "uint8"]}),
        ),
        (f"algorithms/{_FORMAT}.json", json.dumps(_ALGORITHM)),
        (f"algorithms/{_FORMAT}.py", _CODE),
    ):
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).write_text(content)
    cache.mkdir()
    dataformat = DataFormat(str(prefix), _FORMAT, checked=False)
    sink = CachedDataSink()
    sink.setup(str(cache / "in"), dataformat, 0, 0)
    sink.write(dataformat.type(x=1), 0, 0)
    sink.close()
    channel = {"channel": "c"}
    configuration = {
        "algorithm": _FORMAT,
        "channel": "c",
        "parameters": {},
        "inputs": {"x": {**channel, "path": "in", "hash": ""}},
        "outputs": {"y": {**channel, "path": "out", "hash": ""}},
    }
    return {
        "configuration": configuration,
        "prefix": str(prefix),
        "cache": str(cache),
        "roots": {},
        "mark": "",
    }
