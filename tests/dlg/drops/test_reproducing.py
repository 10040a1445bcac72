"""What drops tell of themselves for reproducibility."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dlg.apps.bash import BashShellApp
from dlg.apps.python_function import PyFuncApp
from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.data.null import NullDROP
from dlg.event import Event, EventHandler
from dlg.reproducibility.levels import SEVEN, Level
from dlg.reproducibility.merkle import root_of_fields
from dlg_engine.embedded import run_graph

HASH = hashlib.sha3_256(b"content").hexdigest()


def written(drop: Any) -> Any:
    """Return a data drop, complete, with some content."""
    drop.write(b"content")
    drop.setCompleted()
    return drop


@pytest.fixture(params=["memory", "file"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "memory":
        return written(InMemoryDROP("a"))
    return written(FileDROP("a", filepath=str(tmp_path / "a")))


def test_data_tell_how_they_ended_and_what_they_hold(data: Any) -> None:
    assert data.generate_rerun_data() == {"status": 2}
    assert data.generate_repeat_data() == {"status": 2}
    assert data.generate_recompute_data() == {"status": 2}
    assert data.generate_reproduce_data() == {"data_hash": HASH}


def test_joint_levels_tell_what_both_their_parts_tell(data: Any) -> None:
    both = {"status": 2, "data_hash": HASH}
    assert data.generate_replicate_sci_data() == both
    assert data.generate_replicate_comp_data() == both
    assert data.generate_replicate_total_data() == both


def test_data_without_content_tell_nothing_of_it() -> None:
    assert NullDROP("a").generate_reproduce_data() == {}
    assert InMemoryDROP("a").generate_reproduce_data() == {}


def test_a_drop_of_which_nobody_asks_anything_has_nothing_to_tell(data: Any) -> None:
    assert data.reproducibility_level is Level.NOTHING
    assert data.generate_merkle_data() == {}


def graph(rmode: str) -> list[dict[str, Any]]:
    """Return a command and a function, with data between."""
    record = {"reprodata": {"rmode": rmode}}
    code = "def f(x=1):\n    return x"
    bash, function = f"dlg.apps.bash.{BashShellApp.__name__}", PyFuncApp.__name__
    return [
        {"oid": "b", "categoryType": "Application", "dropclass": bash,
         "command": "echo out", "outputs": ["d"], **record},
        {"oid": "f", "categoryType": "Application", "func_code": code, "outputs": ["e"],
         "dropclass": f"dlg.apps.python_function.{function}",
         "applicationArgs": {"x": {"value": "5", "type": "Integer"}}, **record},
        {"oid": "d", "categoryType": "Data", "dropclass": "dlg.data.null.NullDROP", **record},
        {"oid": "e", "categoryType": "Data", "dropclass": "dlg.drop.InMemoryDROP", **record},
    ]  # fmt: skip


def test_apps_tell_the_command_and_the_arguments_that_they_ran(tmp_path: Path) -> None:
    drops = run_graph(graph("4"), workdir=tmp_path).drops
    assert drops["b"].generate_recompute_data() == {
        "stdout": "b'out\\n'", "stderr": "b''", "status": "0", "command": "echo out",
    }  # fmt: skip
    assert drops["f"].generate_merkle_data() == {"args": {"x": 5}}


def test_at_all_levels_a_drop_tells_something_by_the_name_of_each(tmp_path: Path) -> None:
    told = run_graph(graph("-1"), workdir=tmp_path).drops["e"].generate_merkle_data()
    assert list(told) == [level.name for level in SEVEN]
    assert told["RERUN"] == {"status": 2}


class Listener(EventHandler):
    """Hears what drops say of themselves."""

    def __init__(self) -> None:
        self.heard: list[Mapping[str, Any]] = []

    def handleEvent(self, e: Event) -> None:
        self.heard.append(vars(e))


class Asked(InMemoryDROP):
    """Data of which the graph wants to know how they ended."""

    __slots__ = ()

    @property
    def spec(self) -> Mapping[str, Any]:
        return {"reprodata": {"rmode": "1"}}


class Broken(Asked):
    """Data that cannot say what they did."""

    __slots__ = ()

    def generate_rerun_data(self) -> Mapping[str, Any]:
        raise ValueError("no idea")


def test_who_listens_hears_at_the_end_what_a_drop_did_with_its_root() -> None:
    drop, listener = Asked("a"), Listener()
    drop.subscribe(listener, "reproducibility")
    written(drop)
    (event,) = listener.heard
    assert event["uid"] == "a"
    told = {"status": 2, "merkleroot": root_of_fields({"status": 2})}
    assert event["reprodata"] == {"rmode": "1", "rg_data": told}


def test_a_component_that_cannot_say_what_it_did_completes_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    drop, listener = Broken("a"), Listener()
    drop.subscribe(listener, "dropCompleted")
    written(drop)
    assert drop.isCompleted()
    assert len(listener.heard) == 1
    assert "cannot say what it did" in caplog.text
