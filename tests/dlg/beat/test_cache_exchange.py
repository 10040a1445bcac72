"""Caches are exchanged with the existing packages: each reads what the other has written."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dlg.beat.cached_source import CachedDataSource
from dlg.beat.sinks import CachedDataSink
from tests.dlg.beat.caches import Prefix
from tests.dlg.beat.formats import formats, made, values_of

PEER = Path(__file__).parents[3] / "build" / "beat-peer" / ".venv" / "bin" / "python"
PROGRAM = Path(__file__).parent / "peer" / "exchange.py"
CASES = 40

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PEER.exists(), reason="needs BEAT's packages: make beat-peer"),
]


def _cases() -> list[tuple[Any, list[Any]]]:
    """Return declarations with parts of packed units, the same ones at every call."""
    found: list[tuple[Any, list[Any]]] = []

    @settings(
        max_examples=CASES, derandomize=True, database=None, phases=[Phase.generate], deadline=None
    )
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        declaration = data.draw(formats)
        kind = made("u/f/1", declaration)
        values = data.draw(st.lists(values_of(declaration), min_size=1, max_size=4))
        packed = [kind().from_dict(value).pack().hex() for value in values]
        rng = random.Random(len(found))
        edges = [0, *itertools.accumulate(rng.randint(1, 12) for _ in packed)]
        units = [
            [a, b - 1, content]
            for (a, b), content in zip(itertools.pairwise(edges), packed, strict=True)
        ]
        cut = rng.randint(1, len(units))
        parts = [[p[0][0], p[-1][1], p] for p in (units[:cut], units[cut:]) if p]
        found.append((declaration, parts))

    collect()
    return found


def test_each_reads_what_the_other_wrote_and_both_write_the_same(tmp_path: Path) -> None:
    request, expected = [], []
    for number, (declaration, parts) in enumerate(_cases()):
        prefix = Prefix(tmp_path / str(number))
        dataformat = prefix.format(declaration)
        for start, end, units in parts:
            sink = CachedDataSink()
            assert sink.setup(prefix.path, dataformat, start, end)
            for first, last, content in units:
                sink.write(dataformat.type().unpack(bytes.fromhex(content)), first, last)
            sink.close()
        theirs = prefix.root / "theirs"
        theirs.mkdir()
        case = {"prefix": str(prefix.root), "format": "u/f/1", "parts": parts}
        request.append({**case, "read": prefix.path, "write": str(theirs / "x.data")})
        expected.append([unit for _, _, units in parts for unit in units])
    assert len(request) > CASES // 2
    done = subprocess.run(
        [PEER, "-W", "ignore", PROGRAM],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected
    for case, units in zip(request, expected, strict=True):
        ours, theirs = Path(str(case["read"])).parent, Path(str(case["write"])).parent
        for file in theirs.iterdir():
            assert (ours / file.name).read_bytes() == file.read_bytes()
        source = CachedDataSource()
        assert source.setup(str(case["write"]), str(case["prefix"]))
        assert [[a, b, data.pack().hex()] for data, a, b in source if data is not None] == units
