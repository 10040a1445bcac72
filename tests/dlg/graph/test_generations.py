"""Three generations of dropspecs, in all the forms that links take."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import InvalidGraphException
from dlg.graph import read_physical_graph
from dlg.graph.dropspec import DropSpec, modernise
from dlg.graph.physical import DropKind, LinkTable, PhysicalGraph
from dlg.testing.graphs import app, chain, data
from dlg_engine.embedded import run_graph

HELLO = "dlg.apps.hello.HelloWorldApp"


def links(graph: PhysicalGraph, name: str) -> list[tuple[str, str]]:
    table: LinkTable = getattr(graph.links, name)
    return [(graph.oids[a], graph.oids[b]) for a, b in zip(table.src, table.dst, strict=True)]


def classes(graph: PhysicalGraph) -> list[str]:
    return [graph.class_names[k].rpartition(".")[2] for k in graph.class_ids]


# -- the same three drops in the words of each time ----------------------------------------------

NEW = [
    {"oid": "src", "categoryType": "Data", "dropclass": "dlg.data.drops.memory.InMemoryDROP",
     "pydata": {"value": "hello", "type": "String"}, "consumers": ["copy"]},
    {"oid": "copy", "categoryType": "Application", "dropclass": "dlg.apps.simple.CopyApp",
     "inputs": ["src"], "outputs": ["dst"], "n_tries": 2, "input_error_threshold": 0},
    {"oid": "dst", "categoryType": "Data", "dropclass": "dlg.data.drops.file.FileDROP",
     "filepath": "out.txt", "producers": ["copy"]},
]  # fmt: skip
FIRST = [
    {"oid": "src", "type": "plain", "storage": "memory", "consumers": ["copy"]},
    {"oid": "copy", "type": "app", "app": "dfms.apps.simple.CopyApp", "outputs": ["dst"]},
    {"oid": "dst", "type": "plain", "storage": "file", "filepath": "out.txt", "precious": True},
]
SECOND = [
    {"oid": "src", "type": "data", "dataclass": "dlg.drop.InMemoryDROP",
     "consumers": [{"copy": "in"}]},
    {"oid": "copy", "type": "app", "appclass": "dlg.apps.simple.CopyApp",
     "outputs": [{"dst": "out"}]},
    {"oid": "dst", "type": "dataclass", "dataclass": "dlg.drop.FileDROP", "filepath": "out.txt"},
]  # fmt: skip
LOWER_CASE = [
    {"oid": "src", "categoryType": "data", "storage": "Memory", "consumers": ["copy"]},
    {"oid": "copy", "categoryType": "app", "dropclass": "dlg.apps.simple.CopyApp",
     "outputs": ["dst"]},
    {"oid": "dst", "categoryType": "DATA", "storage": "File", "filepath": "out.txt"},
]  # fmt: skip
GENERATIONS = {"newest": NEW, "first": FIRST, "second": SECOND, "lower case": LOWER_CASE}


@pytest.mark.parametrize("specs", GENERATIONS.values(), ids=GENERATIONS)
def test_every_generation_says_the_same(specs: list[dict[str, Any]]) -> None:
    graph = read_physical_graph(specs)
    assert classes(graph) == ["InMemoryDROP", "CopyApp", "FileDROP"]
    assert list(graph.kinds) == [DropKind.DATA, DropKind.APP, DropKind.DATA]
    assert links(graph, "consumers") == [("src", "copy")]
    assert links(graph, "outputs") == [("copy", "dst")]


@pytest.mark.parametrize("specs", GENERATIONS.values(), ids=GENERATIONS)
def test_every_generation_runs(tmp_path: Path, specs: list[dict[str, Any]]) -> None:
    report = run_graph(specs, runner="threads", workdir=tmp_path, timeout=30)
    assert report.status == "FINISHED", report.errors
    assert (report.session_dir / "out.txt").exists()
    assert report.drops["dst"].persist is True


def test_the_list_that_is_given_stays_as_it_is(tmp_path: Path) -> None:
    specs = json.loads(json.dumps(FIRST))
    run_graph(specs, runner="threads", workdir=tmp_path, timeout=30)
    assert specs == FIRST


@pytest.mark.parametrize(
    ("storage", "name"),
    [
        ("Memory", "InMemoryDROP"), ("memory", "InMemoryDROP"),
        ("SharedMemory", "SharedMemoryDROP"), ("File", "FileDROP"), ("null", "NullDROP"),
        ("json", "JsonDROP"),
        ("ParameterSet", "ParameterSetDROP"), ("Directory", "DirectoryDROP"),
    ],
)  # fmt: skip
def test_old_storage_names_are_classes(storage: str, name: str) -> None:
    assert classes(read_physical_graph([{"oid": "a", "type": "plain", "storage": storage}])) == [
        name
    ]


def test_old_data_without_a_storage_is_a_file() -> None:
    assert classes(read_physical_graph([{"oid": "a", "categoryType": "data"}])) == ["FileDROP"]


def test_only_the_newest_spelling_prefers_the_class_to_the_storage() -> None:
    spec = {"oid": "a", "dropclass": "dlg.data.drops.memory.InMemoryDROP", "storage": "null"}
    assert classes(read_physical_graph([{**spec, "categoryType": "Data"}])) == ["InMemoryDROP"]
    assert classes(read_physical_graph([{**spec, "categoryType": "data"}])) == ["NullDROP"]


def test_a_socket_is_an_app_with_a_class_of_its_own() -> None:
    for spec in ({"categoryType": "Socket"}, {"type": "socket"}):
        graph = read_physical_graph([{"oid": "a", **spec}])
        assert (classes(graph), graph.kinds[0]) == (["SocketListenerApp"], DropKind.APP)


def test_a_container_needs_no_class() -> None:
    for spec in ({"categoryType": "Container"}, {"type": "container"}):
        graph = read_physical_graph([{"oid": "c", **spec, "children": ["a"]}, data("a")])
        assert classes(graph)[0] == "ContainerDROP"
        assert links(graph, "children") == [("c", "a")]


def test_a_service_was_an_app() -> None:
    spec = {"oid": "a", "type": "serviceapp", "app": HELLO}
    assert read_physical_graph([spec]).kinds[0] == DropKind.APP


# -- links --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    ["a", ["a"], [{"a": "port"}], {"a": "port"}, [["a"]], [{"a": None}], ("a",)],
    ids=str,
)
@pytest.mark.parametrize("side", ["data", "app", "both"])
def test_a_link_has_many_forms_and_two_sides(entry: Any, side: str) -> None:
    mirrored = json.loads(json.dumps(entry).replace('"a"', '"d"'))
    drop, reader = data("d"), app("a")
    if side != "app":
        drop["consumers"] = entry
    if side != "data":
        reader["inputs"] = mirrored
    assert links(read_physical_graph([drop, reader]), "consumers") == [("d", "a")]


def test_an_oid_alone_is_one_link_and_not_one_a_letter() -> None:
    specs = [{**data("d"), "consumers": "ab"}, app("a"), app("b"), app("ab")]
    assert links(read_physical_graph(specs), "consumers") == [("d", "ab")]


def test_every_kind_of_link_has_its_inverse() -> None:
    crc = "dlg.apps.checksum.CRCStreamApp"
    one = [
        {**data("d"), "streamingConsumers": ["s"], "parent": "c"},
        app("s", ["o"], crc),
        data("o"),
        {"oid": "c", "categoryType": "Container"},
    ]
    other = [
        data("d"),
        {**app("s", [], crc), "streamingInputs": ["d"]},
        {**data("o"), "producers": ["s"]},
        {"oid": "c", "categoryType": "Container", "children": ["d"]},
    ]
    for name in ("streaming_consumers", "outputs", "children"):
        assert links(read_physical_graph(one), name) == links(read_physical_graph(other), name)


def test_the_order_is_that_of_the_app_where_both_sides_have_one() -> None:
    specs = [data("x", ["a"]), data("y", ["a"]), app("a", inputs=["y", "x"])]
    assert links(read_physical_graph(specs), "consumers") == [("y", "a"), ("x", "a")]


# -- where graphs come from ----------------------------------------------------------------------


@pytest.mark.parametrize("last", [{}, {"rmode": "1", "merkleroot": "ab"}], ids=["empty", "rmode"])
def test_the_last_object_may_be_about_the_graph(last: dict[str, Any]) -> None:
    graph = read_physical_graph([*chain(1), last])
    assert (len(graph), graph.reprodata) == (3, last)


TEXT = json.dumps(chain(2)).encode()


@pytest.mark.parametrize("suffix", [".json", ".graph", ".json.gz", ".graph.gz", ""])
def test_files_are_read_by_content(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"g{suffix}"
    path.write_bytes(gzip.compress(TEXT) if suffix.endswith("gz") else TEXT)
    assert len(read_physical_graph(path)) == len(read_physical_graph(str(path))) == 5
    assert read_physical_graph(path).source == str(path)


def test_gzip_needs_no_suffix_and_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.graph").write_bytes(gzip.compress(b"\xef\xbb\xbf" + TEXT))
    assert len(read_physical_graph(tmp_path / "a.graph")) == 5


@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT)], ids=["plain", "gzip"])
def test_a_minus_is_standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    graph = read_physical_graph("-")
    assert (len(graph), graph.source) == (5, "standard input")


def test_lists_bytes_and_graphs_are_read_as_well() -> None:
    graph = read_physical_graph(TEXT)
    assert len(graph) == len(read_physical_graph(json.loads(TEXT))) == 5
    assert read_physical_graph(graph) is graph


def test_a_name_and_a_graph_is_what_batch_systems_are_given() -> None:
    assert len(read_physical_graph(["name", chain(2)])) == 5  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"), (b"{]", "this is no JSON"), (b"\x1f\x8bxx", "damaged gzip"),
        (gzip.compress(TEXT)[:-20], "cut short"), (b'{"a": 1}', "expected a list of dropspecs"),
        (b"[]", "the graph has no drops"), (b"[{}]", "the graph has no drops"),
        (b'{"nodeDataArray": []}', "this is a logical graph"), (b"[1]", "expected an object"),
        (b"\xff\xfe", "this is no JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_no_graph_is_refused_in_clear_words(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "g.graph"
    path.write_bytes(content)
    with pytest.raises(InvalidGraphException, match=said) as caught:
        read_physical_graph(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidGraphException, match=r"gone.graph: there is no such file"):
        read_physical_graph(tmp_path / "gone.graph")
    with pytest.raises(InvalidGraphException, match="Is a directory"):
        read_physical_graph(tmp_path)


# -- one spec as a record ------------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
targets = st.sampled_from(["x", "y", "z"])
entries = st.lists(targets | st.dictionaries(targets, st.sampled_from(["", "in"]), max_size=2))
unknown = st.dictionaries(texts.map(lambda t: f"my_{t}"), values, max_size=4)
words = st.sampled_from([
    {"categoryType": "Data", "dropclass": "dlg.data.drops.memory.InMemoryDROP"},
    {"categoryType": "data", "storage": "File"},
    {"type": "plain", "storage": "Memory"},
    {"type": "data", "dataclass": "dlg.drop.FileDROP"},
    {"categoryType": "Application", "dropclass": "dlg.apps.simple.CopyApp"},
    {"type": "app", "app": "dfms.apps.simple.SleepApp"},
    {"type": "app", "appclass": "my.own.App"},
    {"categoryType": "Container"},
    {"categoryType": "Socket"},
])  # fmt: skip


@st.composite
def specs_of_any_time(draw: st.DrawFn) -> dict[str, Any]:
    spec = {"oid": draw(texts.filter(bool)), **draw(words), **draw(unknown)}
    for key in draw(st.sets(st.sampled_from(["consumers", "producers", "inputs", "outputs"]))):
        spec[key] = draw(entries)
    if draw(st.booleans()):
        spec["precious"] = draw(st.booleans())
    if draw(st.booleans()):
        spec["uid"], spec["parent"] = draw(texts), draw(texts)
    return spec


@given(specs_of_any_time())
def test_writing_a_spec_and_reading_it_again_changes_nothing(spec: dict[str, Any]) -> None:
    record = DropSpec.from_dict(spec)
    written = json.loads(json.dumps(record.to_dict()))
    again = DropSpec.from_dict(written)
    assert again == record
    assert again.to_dict() == written


@given(specs_of_any_time())
def test_the_newest_form_is_the_newest_form(spec: dict[str, Any]) -> None:
    modern = modernise(spec)
    assert modernise(modern) == modern
    assert not {"type", "app", "appclass", "dataclass", "precious"} & modern.keys()
    kept = spec.keys() - {"type", "app", "appclass", "dataclass", "precious", "categoryType"}
    assert {key: modern[key] for key in kept - {"dropclass"}} == {
        key: spec[key] for key in kept - {"dropclass"}
    }


@pytest.mark.parametrize("spec", [{"oid": "a"}, {"oid": "a", "categoryType": "Thing"}])
def test_a_spec_that_says_too_little_is_no_record(spec: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        DropSpec.from_dict(spec)


def test_values_of_a_graph_made_in_python_may_be_arrays() -> None:
    array = np.arange(3)
    graph = read_physical_graph([data("a", pydata=array)])
    assert graph.specs[0]["pydata"] is array
