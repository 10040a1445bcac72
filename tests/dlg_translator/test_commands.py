from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dlg.testing import graphs
from dlg_engine.cli.main import cli
from dlg_translator.testing.drawing import Drawing

Dlg = Callable[..., Result]


@pytest.fixture
def dlg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dlg:
    monkeypatch.chdir(tmp_path)

    def call(*args: str, stdin: Any = None) -> Result:
        text = json.dumps(stdin) if isinstance(stdin, dict | list) else stdin
        return CliRunner().invoke(cli, list(args), input=text, prog_name="dlg")

    return call


def scatter(copies: Any = 4) -> dict[str, Any]:
    drawing = Drawing()
    drawing.data("in")
    drawing.app("load")
    drawing.data("all")
    split = drawing.scatter("split", copies)
    drawing.embed(split, "splitter")
    drawing.data("part", inside=split)
    for src, dst in (("in", "load"), ("load", "all"), ("all", split), (split, "part")):
        drawing.link(src, dst)
    return drawing.document()


def test_a_logical_graph_is_unrolled_from_a_pipe(dlg: Dlg) -> None:
    result = dlg("unroll", stdin=scatter())
    assert result.exit_code == 0
    assert result.stderr == ""
    specs = json.loads(result.stdout)
    assert len(specs) == 8
    assert all(spec["oid"].startswith("1_") for spec in specs)


def test_oids_begin_with_the_prefix(dlg: Dlg) -> None:
    specs = json.loads(dlg("unroll", "-p", "night7", stdin=scatter()).stdout)
    assert all(spec["oid"].startswith("night7_") for spec in specs)


def test_parameters_are_set(dlg: Dlg) -> None:
    result = dlg("unroll", "--set", "split.num_of_copies=7", stdin=scatter())
    assert len(json.loads(result.stdout)) == 11


def test_files_are_read_and_written_and_compressed_by_their_name(dlg: Dlg, tmp_path: Path) -> None:
    (tmp_path / "g.graph").write_text(json.dumps(scatter()))
    result = dlg("unroll", "-L", "g.graph", "-o", "g.pgt.gz")
    assert (result.exit_code, result.stdout) == (0, "")
    specs = json.loads(gzip.decompress((tmp_path / "g.pgt.gz").read_bytes()))
    assert len(specs) == 8
    assert dlg("partition", "-P", "g.pgt.gz", "-a", "chunks", "-N", "2").exit_code == 0


def test_people_can_ask_for_an_indented_file(dlg: Dlg) -> None:
    result = dlg("unroll", "-f", stdin=scatter())
    assert '\n "oid"' in result.stdout
    assert len(json.loads(result.stdout)) == 8


def app_to_app() -> dict[str, Any]:
    drawing = Drawing()
    drawing.app("one")
    drawing.app("two")
    drawing.link("one", "two")
    return drawing.document()


def test_warnings_go_to_standard_error_and_do_not_fail(dlg: Dlg) -> None:
    result = dlg("unroll", stdin=app_to_app())
    assert result.exit_code == 0
    assert "warning[app-to-app]" in result.stderr
    assert len(json.loads(result.stdout)) == 2


def test_strict_makes_errors_of_warnings_that_keep_a_graph_from_running(dlg: Dlg) -> None:
    result = dlg("unroll", "--strict", stdin=app_to_app())
    assert result.exit_code == 2
    assert "app-to-app" in result.stderr
    assert result.stdout == ""


def test_a_broken_graph_is_told_about_and_nothing_is_written(dlg: Dlg, tmp_path: Path) -> None:
    broken = scatter("many")
    broken["linkDataArray"][0]["from"] = "gone"
    result = dlg("unroll", "-o", "out.pgt", stdin=broken)
    assert result.exit_code == 2
    assert "dangling-link" in result.stderr
    assert "num_of_copies" in result.stderr
    assert not (tmp_path / "out.pgt").exists()


def test_compat_writes_the_keys_of_the_existing_engine(dlg: Dlg) -> None:
    lean = json.loads(dlg("unroll", stdin=scatter()).stdout)
    full = json.loads(dlg("unroll", "--compat", stdin=scatter()).stdout)
    assert full[-1] == {}
    assert set(lean[0]) < set(full[0])
    assert {"storage", "rank", "fields", "ports"} <= set(full[0])


def test_the_steps_make_a_pipeline(dlg: Dlg) -> None:
    template = dlg("unroll", stdin=scatter(40)).stdout
    divided = dlg("partition", "-N", "4", "-i", "2", "-a", "chunks", stdin=template)
    assert divided.exit_code == 0
    nodes = {spec["node"] for spec in json.loads(divided.stdout)}
    assert nodes == {"#0", "#1", "#2", "#3"}
    mapped = dlg("map", "-N", "i1,i2,a,b,c,d", "-i", "2", stdin=divided.stdout)
    assert mapped.exit_code == 0
    specs = json.loads(mapped.stdout)
    assert {spec["node"] for spec in specs} == {"a", "b", "c", "d"}
    assert {spec["island"] for spec in specs} == {"i1", "i2"}
    assert dlg("check", "-", stdin=mapped.stdout).exit_code == 0


def test_two_steps_in_one_give_the_same(dlg: Dlg) -> None:
    apart = dlg(
        "partition", "-N", "3", "-a", "chunks", stdin=dlg("unroll", stdin=scatter()).stdout
    )
    together = dlg("unroll-and-partition", "-N", "3", "-a", "chunks", stdin=scatter())
    assert json.loads(together.stdout) == json.loads(apart.stdout)


def test_the_last_object_of_a_file_stays_the_last(dlg: Dlg) -> None:
    template = [*graphs.chain(3), {"rmode": "1"}]
    divided = json.loads(dlg("partition", "-a", "chunks", stdin=template).stdout)
    assert divided[-1] == {"rmode": "1"}
    assert json.loads(dlg("map", "-N", "a", stdin=divided).stdout)[-1] == {"rmode": "1"}


def test_figures_of_a_division_go_to_standard_error(dlg: Dlg) -> None:
    result = dlg("partition", "--objectives", "-a", "chunks", "-N", "2", stdin=graphs.fan(4))
    assert "total data movement" in result.stderr
    assert "num parts             2" in result.stderr
    assert json.loads(result.stdout)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["partition", "-a", "magic"], "there is no algorithm 'magic'"),
        (["partition", "-a", "metis", "-A", "speed=9"], "has no option 'speed'"),
        (["partition", "-A", "speed"], "'speed' is not written as NAME=VALUE"),
        (["partition", "-N", "0"], "parts must be at least 1"),
        (["partition", "-N", "1", "-i", "5", "-a", "chunks"], "island"),
        (["map", "-N", "a", "-i", "3"], "3 islands need as many hosts"),
        (["map"], "Missing option"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_mistakes_are_told_in_a_line(dlg: Dlg, args: list[str], message: str) -> None:
    result = dlg(*args, stdin=graphs.fan(4))
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_logical_graph_cannot_be_divided_before_it_is_unrolled(dlg: Dlg) -> None:
    result = dlg("partition", stdin=scatter())
    assert result.exit_code == 2
    assert "has to be unrolled first" in result.stderr


def test_templates_of_text_are_filled(dlg: Dlg) -> None:
    text = json.dumps(scatter("~copies"))
    filled = dlg("fill", "-p", "copies=3", stdin=text)
    assert filled.exit_code == 0
    assert len(json.loads(dlg("unroll", stdin=filled.stdout).stdout)) == 7
    several = dlg("fill", "-p", '{"copies": 3}', stdin=text)
    assert json.loads(several.stdout) == json.loads(filled.stdout)
    misspelt = dlg("fill", "-p", "copys=3", stdin=text)
    assert misspelt.exit_code == 2
    assert "unknown-parameter" in misspelt.stderr


def test_a_configuration_is_applied(dlg: Dlg) -> None:
    document = scatter()
    (node,) = (n for n in document["nodeDataArray"] if n["id"] == "split")
    (field,) = (f for f in node["fields"] if f["name"] == "num_of_copies")
    entry = {"split": {"fields": {field["id"]: {"value": 2}}}}
    document["graphConfigurations"] = {"c": {"modelData": {"name": "small"}, "nodes": entry}}
    configured = dlg("fill-config", "--graph_config", "small", stdin=document)
    assert configured.exit_code == 0
    assert len(json.loads(dlg("unroll", stdin=configured.stdout).stdout)) == 6
    assert dlg("fill-config", "-g", "large", stdin=document).exit_code == 2


def test_what_a_graph_needs_is_told(dlg: Dlg) -> None:
    result = dlg("lgt-info", stdin=scatter())
    assert result.exit_code == 0
    assert "   1  Scatter" in result.stdout
    needs = json.loads(dlg("lgt-info", "--json", stdin=scatter()).stdout)
    assert needs["constructs"] == {"Scatter": 1}
    assert needs["nodes"] == 5


def test_a_place_that_cannot_be_written_to_is_the_users_mistake(dlg: Dlg) -> None:
    result = dlg("unroll", "-o", "no/such/place", stdin=scatter())
    assert result.exit_code == 2
    assert "cannot write no/such/place" in result.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[]", "it is a list, as physical graphs are"),
        (b'"hi"', "it is a text"),
        (b"null", "it is null"),
        (b"", "the file is empty"),
        (b"\xff\xfe{}", "cannot read it: it is no text (UTF-8 is expected)"),
    ],
    ids=["list", "text", "null", "empty", "bytes"],
)
@pytest.mark.parametrize("command", ["fill", "fill-config", "unroll", "lgt-info"])
def test_what_is_no_logical_graph_is_refused_by_the_name_of_its_file(
    dlg: Dlg, tmp_path: Path, command: str, content: bytes, why: str
) -> None:
    (tmp_path / "g.graph").write_bytes(content)
    result = dlg(command, "-L", "g.graph")
    assert result.exit_code == 2
    assert result.stderr.startswith("dlg: g.graph: 1 problem\n")
    assert why in result.stderr


LOGICAL = ("fill", "fill-config", "unroll", "unroll-and-partition", "lgt-info")


@pytest.mark.parametrize(
    "command",
    [[name] for name in LOGICAL] + [["partition"], ["map", "-N", "a"]],
    ids=lambda c: c[0],
)
def test_the_graph_is_an_argument_an_option_or_standard_input(
    dlg: Dlg, tmp_path: Path, command: list[str]
) -> None:
    graph = scatter() if command[0] in LOGICAL else graphs.fan(4)
    if command[0] == "fill-config":
        graph = {
            **scatter(),
            "graphConfigurations": {"c": {"modelData": {"name": "c"}, "nodes": {}}},
        }
        command = [*command, "-g", "c"]
    (tmp_path / "g").write_text(json.dumps(graph))
    option = "-L" if command[0] in LOGICAL else "-P"
    piped = dlg(*command, stdin=graph)
    assert piped.exit_code == 0, piped.stderr
    for way in (["g"], [option, "g"]):
        result = dlg(*command, *way)
        assert (result.exit_code, result.stdout) == (0, piped.stdout)
    assert dlg(*command, "-", stdin=graph).stdout == piped.stdout
    twice = dlg(*command, "g", option, "g")
    assert twice.exit_code == 2
    assert f"the graph is given twice, as g and by {option} g: give one" in twice.stderr


@pytest.mark.parametrize("command", [*LOGICAL, "partition", "map", "tm"])
def test_the_help_of_a_command_ends_with_examples_of_it(dlg: Dlg, command: str) -> None:
    told = dlg(command, "--help").stdout
    examples = told.partition("\nExamples:\n")[2].splitlines()
    assert len(examples) > 1
    assert all(f"dlg {command} " in line for line in examples), examples
