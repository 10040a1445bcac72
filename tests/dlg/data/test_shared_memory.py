"""Data in blocks of shared memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.data.shared_memory import SharedMemoryDROP
from dlg.testing.data_contract import DataContract
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph

SHM = Path("/dev/shm")
OURS = f"dlg_{os.getpid()}_*"
FUNCTION = "dlg.apps.python_function.PyFuncApp"


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    gc.collect()  # drops and their graph hold each other
    before = set(SHM.glob(OURS))
    yield
    gc.collect()
    assert not set(SHM.glob(OURS)) - before


class TestSharedMemory(DataContract):
    def make(self, uid: str, **parameters: Any) -> SharedMemoryDROP:
        return SharedMemoryDROP(uid, **parameters)


def whole(content: bytes) -> SharedMemoryDROP:
    drop = SharedMemoryDROP("a")
    drop.write(content)
    drop.setCompleted()
    return drop


def test_another_process_finds_the_data_by_the_name_of_the_block() -> None:
    drop = whole(b"seen from afar")
    code = f"print(open('/dev/shm/{drop.block_name}', 'rb').read({drop.size}).decode())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "seen from afar\n"


def test_two_drops_of_a_name_have_blocks_of_their_own() -> None:
    one, other = whole(b"one"), whole(b"other")
    assert one.block_name != other.block_name
    assert (one.contents(), other.contents()) == (b"one", b"other")


def test_the_block_has_no_name_before_there_is_one_and_after_it_was_deleted() -> None:
    drop = SharedMemoryDROP("a")
    assert drop.block_name == ""
    drop.setCompleted()
    assert drop.dataURL == f"shm://{drop.block_name}"
    drop.delete()
    assert drop.block_name == ""


def test_the_block_goes_with_the_drop() -> None:
    drop = whole(b"x")
    block = SHM / drop.block_name
    assert block.exists()
    del drop
    gc.collect()
    assert not block.exists()


def test_a_value_in_the_graph_is_what_nobody_writes_over() -> None:
    drop = SharedMemoryDROP("a", pydata={"value": "[1, 2]", "type": "Json"})
    drop.setCompleted()
    assert drop.load() == [1, 2]
    drop = SharedMemoryDROP("b", pydata="[1, 2]")
    drop.write(b"new")
    drop.setCompleted()
    assert drop.contents() == b"new"


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_it_carries_data_from_app_to_app(tmp_path: Path, runner: str) -> None:
    shared = {"dropclass": "dlg.data.shared_memory.SharedMemoryDROP"}
    specs = [
        app("make", ["between"], FUNCTION, func_code="def f(): return b'x' * 200_000"),
        {**data("between", ["count"]), **shared},
        app("count", ["total"], FUNCTION, func_code="def f(x): return len(x)"),
        data("total"),
    ]
    report = run_graph(specs, runner=runner, workers=1, workdir=tmp_path, timeout=60)
    assert report.result("total") == 200_000
