from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import InvalidSessionState, NoDropException, UsageError
from dlg.support.session_log import attached, read_log
from dlg_engine.managers.inspecting import inspect_node, logs_of
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.managers.previews import look, preview, shown
from dlg_engine.runners import make_runner
from tests.dlg_engine.managers.conftest import Specs, app, data

SAY = """
import logging

def say(x):
    logging.getLogger("mine").warning("x is %s", x)
    return x
"""
FILE = {"dropclass": "dlg.data.file.FileDROP"}


@pytest.fixture(params=["threads", "processes"])
def manager(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[NodeManager]:
    found = NodeManager("n0", tmp_path, make_runner(request.param, 2))
    with attached(logs_of(found)):
        yield found
        found.shutdown()


def run(manager: NodeManager, specs: Specs) -> None:
    manager.create_session("night")
    manager.add_graph("night", specs)
    manager.deploy_session("night")
    assert manager.wait("night", 30)


def test_what_an_app_logs_is_found_wherever_it_ran(manager: NodeManager) -> None:
    run(manager, [data("in", pydata=1), app("say", SAY, inputs=["in"], outputs=["out"]),
                  data("out")])  # fmt: skip
    (line,) = inspect_node(manager, "drop_logs", "night", "say", 10)
    assert (line["module"], line["level"], line["message"]) == ("mine", "WARNING", "x is 1")
    every = inspect_node(manager, "session_logs", "night")
    assert {line["node"] for line in every} == {"n0"}
    assert every[-1]["message"] == "session night is FINISHED"


def test_a_failure_is_told_in_full_and_left_in_the_log(manager: NodeManager) -> None:
    fail = "def f(x):\n    raise ValueError('cloudy')"
    run(manager, [data("in", pydata=1), app("bad", fail, inputs=["in"])])
    error = inspect_node(manager, "drop_state", "night", "bad")["error"]
    assert error["message"] == "cloudy"
    assert "ValueError: cloudy" in error["traceback"]
    (line,) = inspect_node(manager, "drop_logs", "night", "bad", 10)
    assert "ValueError: cloudy" in line["message"]


def test_a_session_does_not_show_the_log_of_one_that_had_its_name(manager: NodeManager) -> None:
    specs = [data("in", pydata=1), app("say", SAY, inputs=["in"], outputs=["out"]), data("out")]
    run(manager, specs)
    manager.destroy_session("night")
    run(manager, specs)
    assert len(inspect_node(manager, "drop_logs", "night", "say", 10)) == 1
    ends = [
        line for line in inspect_node(manager, "session_logs", "night")
        if "is FINISHED" in line["message"]
    ]  # fmt: skip
    assert len(ends) == 1


def test_what_is_not_there_is_told(manager: NodeManager) -> None:
    manager.create_session("night")
    manager.add_graph("night", [data("d")])
    with pytest.raises(InvalidSessionState):
        inspect_node(manager, "drop_state", "night", "d")
    manager.deploy_session("night")
    with pytest.raises(NoDropException):
        inspect_node(manager, "drop_preview", "night", "none", 10)
    with pytest.raises(UsageError, match="nothing that can be asked"):
        inspect_node(manager, "session", "night")


def test_records_of_a_session_that_is_deleted_go_nowhere(manager: NodeManager) -> None:
    run(manager, [data("d")])
    directory = manager.session("night").directory
    manager.destroy_session("night")
    before = read_log(directory)
    logging.getLogger("mine").warning("late")
    assert read_log(directory) == before


def test_files_are_shown_only_inside_the_directory_of_the_session(manager: NodeManager) -> None:
    (manager.workdir / "secret").write_text("secret")
    night = manager.workdir / "night"
    night.mkdir()
    (night / "plain").write_text("plain")
    (night / "link").symlink_to(manager.workdir / "secret")
    os.mkfifo(night / "pipe")
    names = ["plain", "link", "pipe", "../secret"]
    run(manager, [data(name) | FILE | {"filepath": name} for name in names if name != "../secret"])
    far = data("far") | FILE | {"filepath": str(manager.workdir / "secret")}
    manager.create_session("far")
    manager.add_graph("far", [far])
    manager.deploy_session("far")
    kinds = {
        name: inspect_node(manager, "drop_preview", "night", name, 100)["kind"]
        for name in names[:3]
    }
    assert kinds == {"plain": "text", "link": "none", "pipe": "none"}
    assert inspect_node(manager, "drop_preview", "far", "far", 100)["kind"] == "none"


def test_an_app_and_data_that_is_not_there_yet_have_no_preview(manager: NodeManager) -> None:
    wait = {"dropclass": "dlg.apps.sleep.SleepApp", "sleep_time": 600}
    manager.create_session("night")
    manager.add_graph(
        "night",
        [data("in", pydata=1), app("a", "", inputs=["in"], outputs=["out"]) | wait, data("out")],
    )
    manager.deploy_session("night")
    for oid in ("a", "out"):
        assert inspect_node(manager, "drop_preview", "night", oid, 100)["kind"] == "none"


@given(st.binary(max_size=64), st.integers(1, 64))
def test_what_is_looked_at_is_never_more_than_asked_for(content: bytes, most: int) -> None:
    found = look(content[:most], len(content))
    assert found["size"] == len(content)
    assert found["whole"] == (len(content) <= most)
    if found["kind"] == "binary":
        assert base64.b64decode(found["base64"]) == content[:most]
    else:
        assert content.decode(errors="replace").startswith(found["text"])


@given(st.text(max_size=40), st.integers(1, 200))
def test_text_that_is_cut_within_a_character_is_still_text(text: str, most: int) -> None:
    content = text.replace("\0", "").encode()
    found = look(content[:most], len(content))
    assert found["kind"] in {"text", "json"}


@given(st.dictionaries(st.text(max_size=5), st.integers()))
def test_json_is_told_from_other_text(value: dict[str, int]) -> None:
    content = json.dumps(value).encode()
    assert look(content, len(content))["kind"] == "json"
    assert look(b"[1, 2", 5)["kind"] == "text"
    assert look(b"[" * 100_000, 100_000)["kind"] == "text"


class Stubborn:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize("value", [list(range(10**6)), "x" * 10**6, Stubborn(), [Stubborn()], 1])
def test_an_object_is_shown_in_few_characters(value: Any) -> None:
    assert 0 < len(shown(value, 100)) <= 100


def test_what_is_no_data_has_no_preview(tmp_path: Path) -> None:
    assert preview(object(), tmp_path, 10)["kind"] == "none"
