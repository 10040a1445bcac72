from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest

from dlg.testing import graphs
from dlg_translator.testing.drawing import Drawing
from tests.dlg_engine.cli.conftest import Dlg, Write


def logical() -> dict[str, Any]:
    drawing = Drawing()
    drawing.data("in")
    drawing.app("work")
    drawing.data("out")
    drawing.link("in", "work")
    drawing.link("work", "out")
    return drawing.document()


def test_a_graph_whose_classes_are_elsewhere_can_be_drawn(
    dlg: Dlg, write: Write, tmp_path: Path
) -> None:
    graph = write("g.json", [graphs.app("a", ["b"], "no_such_module.App"), graphs.data("b")])
    assert dlg("draw", graph, "-o", "g.svg").exit_code == 0
    assert ">App<" in (tmp_path / "g.svg").read_text()


def test_a_sound_graph_is_called_so(dlg: Dlg, write: Write) -> None:
    for graph, kind in (
        (graphs.chain(2), "physical graph of 5 drops"),
        (logical(), "logical graph"),
    ):
        result = dlg("check", write("g.json", graph))
        assert result.exit_code == 0
        assert f"{kind}" in result.stdout
        assert "0 errors" in result.stdout
        assert "it can be run" in result.stdout


def test_all_problems_are_listed_each_with_its_place(dlg: Dlg, write: Write) -> None:
    specs = [
        graphs.data("a", ["gone"]),
        graphs.app("b", ["c"], "no.such.Class"),
        graphs.data("c", ["d"]),
        graphs.app("d", ["c"]),
        graphs.data("a"),
    ]
    result = dlg("check", write("g.json", specs))
    assert result.exit_code == 2
    for words in ("unknown-link-target] /0/consumers/0", "unknown-class] /1/dropclass",
                  "duplicate-oid] /4/oid", "cycle"):  # fmt: skip
        assert words in result.stdout
    assert "it cannot be run" in result.stdout


def test_problems_as_json(dlg: Dlg, write: Write) -> None:
    result = dlg("check", write("g.json", [graphs.data("a", ["gone"])]), "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 2
    assert (found["kind"], found["drops"], found["can_run"]) == ("physical", 1, False)
    (problem,) = found["problems"]
    assert (problem["code"], problem["pointer"]) == ("unknown-link-target", "/0/consumers/0")


def test_warnings_alone_do_not_fail_the_check(dlg: Dlg, write: Write) -> None:
    drawing = Drawing()
    drawing.data("in")
    drawing.app("work")
    drawing.link("in", "work")
    drawing.data("lonely")
    result = dlg("check", write("g.graph", drawing.document()))
    assert result.exit_code == 0
    assert "warning[unconnected-node]" in result.stdout


def test_warnings_that_keep_a_graph_from_running_fail_the_check(dlg: Dlg, write: Write) -> None:
    drawing = Drawing()
    drawing.app("one")
    drawing.app("two")
    drawing.link("one", "two")
    result = dlg("check", write("g.graph", drawing.document()))
    assert result.exit_code == 2
    assert "[cannot be run so]" in result.stdout


@pytest.mark.parametrize("content", [b"", b"nonsense", b"{}", b"\x1f\x8bjunk", b"[1, 2"])
def test_files_that_are_no_graphs_are_refused(dlg: Dlg, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "g").write_bytes(content)
    for command in (["check", "g"], ["run", "g"], ["draw", "g", "-o", "g.svg"]):
        result = dlg(*command)
        assert result.exit_code == 2
        assert "Traceback" not in result.output


@pytest.mark.parametrize("graph", [graphs.fan_gather(5), logical()], ids=["physical", "logical"])
@pytest.mark.parametrize("ending", ["svg", "html", "dot", "png"])
def test_graphs_are_drawn_in_every_format(
    dlg: Dlg, write: Write, tmp_path: Path, graph: Any, ending: str
) -> None:
    if ending == "png":
        pytest.importorskip("matplotlib")
    result = dlg("draw", write("g.json", graph), "-o", f"out.{ending}")
    assert result.exit_code == 0
    starts = {"svg": b"<svg", "html": b"<!DOCTYPE html>", "dot": b"digraph", "png": b"\x89PNG"}
    assert (tmp_path / f"out.{ending}").read_bytes().startswith(starts[ending])


def test_drawings_go_to_standard_output_too(dlg: Dlg) -> None:
    result = dlg("draw", "-", "-o", "-", "-f", "svg", stdin=json.dumps(graphs.chain(1)))
    assert Tree.fromstring(result.stdout).tag.endswith("svg")


def test_big_graphs_are_collapsed_unless_all_is_asked_for(dlg: Dlg, write: Write) -> None:
    graph = write("g.json", graphs.fan_gather(200))
    few = dlg("draw", graph, "-o", "-", "-f", "svg").stdout
    every = dlg("draw", graph, "-o", "-", "-f", "svg", "--all").stdout
    assert few.count('class="box') == 5
    assert every.count('class="box') == 403


def test_an_ending_that_is_no_format_is_refused(dlg: Dlg, write: Write) -> None:
    result = dlg("draw", write("g.json", graphs.chain(1)), "-o", "g.gif")
    assert result.exit_code == 2
    assert ".svg, .png, .html, .dot" in result.stderr


def calling(function: str) -> dict[str, Any]:
    """Return a scatter of apps that call `function`."""
    drawing = Drawing()
    drawing.data("in")
    each = drawing.scatter("each", 3)
    app_class = "dlg.apps.python_function.PyFuncApp"
    drawing.app("work", inside=each, dropclass=app_class, func_name=function)
    drawing.data("out", inside=each)
    drawing.link("in", "work")
    drawing.link("work", "out")
    return drawing.document()


@pytest.mark.parametrize("command", [["check"], ["run", "--quiet"]], ids=lambda c: c[0])
def test_a_function_that_is_not_there_keeps_a_logical_graph_from_running(
    dlg: Dlg, write: Write, command: list[str]
) -> None:
    graph = write("g.graph", calling("json.dmps"))
    result = dlg(*command, graph)
    assert result.exit_code == 2
    told = "func_name 'json.dmps' cannot be found: json has no 'dmps'; did you mean 'dumps'?"
    assert result.output.count(told) == 1
    assert not Path("dlg-runs").exists()


def test_a_function_that_is_not_there_keeps_no_graph_from_being_unrolled(
    dlg: Dlg, write: Write
) -> None:
    result = dlg("unroll", write("g.graph", calling("json.dmps")))
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)) == 7


def test_a_function_beside_a_logical_graph_is_found(
    dlg: Dlg, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "functions_of_a_scatter.py").write_text("def f(data): return data\n")
    result = dlg("check", write("g.graph", calling("functions_of_a_scatter.f")))
    assert result.exit_code == 0, result.stdout
