"""Ten broken graphs of different kinds: all that is wrong is told with its place, at once.

Whatever the command, the exit code is 2 and nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlg_engine.cli.main import cli
from dlg_translator.testing.drawing import Drawing

Found = dict[str, str]
"""For each place, a JSON pointer, the kind of problem there."""


def drawn() -> Drawing:
    """Return a sound graph: data, a scatter of four with an app and data in it."""
    drawing = Drawing()
    drawing.data("all")
    host = drawing.scatter("each", 4)
    drawing.app("work", inside=host)
    drawing.data("made", inside=host)
    drawing.link("all", "work")
    drawing.link("work", "made")
    return drawing


def links_to_nowhere() -> tuple[Any, Found]:
    drawing = drawn()
    drawing.links[0]["from"] = drawing.links[1]["to"] = "gone"
    return drawing.document(), {
        "/linkDataArray/0": "dangling-link",
        "/linkDataArray/1": "dangling-link",
    }


def ids_given_twice() -> tuple[Any, Found]:
    drawing = drawn()
    drawing.nodes += [{**drawing.find(name), "name": "twin"} for name in ("all", "made")]
    return drawing.document(), {
        "/nodeDataArray/4": "duplicate-id",
        "/nodeDataArray/5": "duplicate-id",
    }


def constructs_without_numbers() -> tuple[Any, Found]:
    drawing = drawn()
    drawing.find("each")["fields"] = []
    drawing.app("again", inside=drawing.loop("loop", ""))
    return drawing.document(), {
        "/nodeDataArray/1": "no-copies",
        "/nodeDataArray/4": "no-iterations",
    }


def values_of_wrong_types() -> tuple[Any, Found]:
    drawing = drawn()
    drawing.find("each")["fields"][0]["value"] = "many"
    drawing.data("big", data_volume="much")
    drawing.app("slow", execution_time=-1)
    return drawing.document(), {
        "/nodeDataArray/1/fields/0": "ill-typed-value",
        "/nodeDataArray/4/fields/0": "ill-typed-value",
        "/nodeDataArray/5/fields/0": "out-of-range",
    }


def wrong_group_keys() -> tuple[Any, Found]:
    drawing = drawn()
    for key in ("nobody", "each;nobody"):
        host = drawing.construct(f"by {key}", "GroupBy", group_key=key)
        drawing.app(f"reduce {key}", inside=host)
        drawing.link("made", f"reduce {key}")
    return drawing.document(), {
        "/nodeDataArray/4/fields/0": "group-key",
        "/nodeDataArray/6/fields/0": "group-key",
    }


def lost_parents() -> tuple[Any, Found]:
    drawing = drawn()
    drawing.find("work")["parentId"] = "gone"
    drawing.find("made")["parentId"] = "all"
    return drawing.document(), {
        "/nodeDataArray/2": "parent-missing",
        "/nodeDataArray/3": "parent-not-a-construct",
    }


def links_that_no_rule_allows() -> tuple[Any, Found]:
    drawing = drawn()
    other = drawing.scatter("other", 3)
    for name in ("a", "b"):
        drawing.app(name, inside=other)
        drawing.link("made", name)
    return drawing.document(), {
        "/linkDataArray/2": "forbidden-link",
        "/linkDataArray/3": "forbidden-link",
    }


def nodes_without_ids() -> tuple[Any, Found]:
    drawing = drawn()
    drawing.nodes += [{"name": "nameless", "category": "Memory"} for _ in range(2)]
    return drawing.document(), {
        "/nodeDataArray/4": "missing-id",
        "/nodeDataArray/5": "missing-id",
    }


def a_drawing_of_the_wrong_structure() -> tuple[Any, Found]:
    document = drawn().document()
    document["nodeDataArray"].insert(0, "a node")
    document["linkDataArray"].append(7)
    return document, {
        "/nodeDataArray/0": "wrong-structure",
        "/linkDataArray/2": "wrong-structure",
    }


def no_logical_graph() -> tuple[Any, Found]:
    return [{"oid": "a", "categoryType": "Data"}], {"": "not-a-logical-graph"}


BROKEN: list[Callable[[], tuple[Any, Found]]] = [
    links_to_nowhere, ids_given_twice, constructs_without_numbers, values_of_wrong_types,
    wrong_group_keys, lost_parents, links_that_no_rule_allows, nodes_without_ids,
    a_drawing_of_the_wrong_structure, no_logical_graph,
]  # fmt: skip


def test_the_graph_that_is_broken_is_sound_before(tmp_path: Path) -> None:
    (tmp_path / "g.graph").write_text(json.dumps(drawn().document()))
    done = CliRunner().invoke(cli, ["unroll", "-L", str(tmp_path / "g.graph")])
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["unroll", "unroll-and-partition"])
@pytest.mark.parametrize("broken", BROKEN, ids=lambda make: make.__name__)
def test_all_that_is_wrong_is_told_and_nothing_written(
    broken: Callable[[], tuple[Any, Found]], command: str, tmp_path: Path
) -> None:
    document, found = broken()
    graph, output = tmp_path / "broken.graph", tmp_path / "out.pgt"
    graph.write_text(json.dumps(document))
    output.write_text("an older file")
    done = CliRunner().invoke(cli, [command, "-L", str(graph), "-o", str(output)])
    assert done.exit_code == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    for pointer, code in found.items():
        place = f"error[{code}] {pointer}".rstrip()
        assert any(line.strip().startswith(place) for line in lines), (place, lines)
    assert "Traceback" not in done.stderr
    assert output.read_text() == "an older file"
    assert {path.name for path in tmp_path.iterdir()} == {"broken.graph", "out.pgt"}


def test_the_commands_of_the_later_steps_write_nothing_either(tmp_path: Path) -> None:
    specs = [
        {"oid": "a", "categoryType": "Data", "consumers": ["gone"]},
        {"oid": "a", "categoryType": 7},
    ]
    graph, output = tmp_path / "broken.pgt", tmp_path / "out.pg"
    graph.write_text(json.dumps(specs))
    for command in (["partition"], ["map", "-N", "host"]):
        done = CliRunner().invoke(cli, [*command, "-P", str(graph), "-o", str(output)])
        assert done.exit_code == 2
        assert "error[bad-category] /1" in done.stderr
        assert "error[duplicate-oid] /1" in done.stderr
        assert not output.exists()
