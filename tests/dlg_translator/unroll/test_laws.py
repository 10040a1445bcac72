"""What holds for every logical graph, whatever it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dlg.graph import read_physical_graph
from dlg_translator import map_graph, partition_graph, unroll_graph
from dlg_translator.testing.drawing import Drawing
from dlg_translator.testing.random_graphs import Drawn, logical_graphs

KEYS = ("inputs", "streamingInputs", "outputs")
Link = tuple[str, str, str]


def ends(links: Iterable[Any]) -> list[str]:
    return [oid for link in links for oid in (link if isinstance(link, Mapping) else [link])]


def links_of(specs: Iterable[Mapping[str, Any]]) -> Counter[Link]:
    """Return every link: they are written once, on the side of the app."""
    return Counter(
        (key, spec["oid"], oid)
        for spec in specs
        for key in KEYS
        for oid in ends(spec.get(key, ()))
    )


@given(logical_graphs())
def test_every_end_of_a_link_exists_and_no_link_is_there_twice(drawn: Drawn) -> None:
    template = unroll_graph(drawn.drawing.document())
    specs = template.to_dropspecs()
    links = links_of(specs)
    assert {oid for _key, _one, oid in links} <= {spec["oid"] for spec in specs}
    assert set(links.values()) <= {1}
    assert links.total() == template.n_edges


@given(logical_graphs())
def test_a_template_that_is_written_and_read_has_the_same_links(drawn: Drawn) -> None:
    template = unroll_graph(drawn.drawing.document())
    written, direct = read_physical_graph(template.to_dropspecs()), template.to_physical_graph()
    assert written.oids == list(direct.oids)
    assert [sorted(rows) for rows in written.neighbours[0]] == [
        sorted(rows) for rows in direct.neighbours[0]
    ]
    assert written.neighbours[1] == direct.neighbours[1]


@given(logical_graphs())
def test_a_node_comes_as_often_as_the_widths_around_it_multiply_to(drawn: Drawn) -> None:
    specs = unroll_graph(drawn.drawing.document()).to_dropspecs()
    assert Counter(spec["name"] for spec in specs) == drawn.counts


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(1, 5))
def test_a_gather_after_scatters_brings_the_pieces_back_in_their_order(
    widths: list[int], per: int
) -> None:
    drawing, host = Drawing(), ""
    for axis, width in enumerate(widths):
        host = drawing.scatter(f"axis{axis}", width, inside=host)
    drawing.data("piece", inside=host)
    drawing.gather("gather", per)
    drawing.embed("gather", "collect")
    drawing.link("piece", "gather")
    specs = unroll_graph(drawing.document()).to_dropspecs()
    pieces = [spec["oid"] for spec in specs if spec["name"] == "piece"]
    bunches = [ends(spec["inputs"]) for spec in specs if spec["name"] == "gather"]
    assert bunches == [pieces[i : i + per] for i in range(0, len(pieces), per)]


@given(logical_graphs())
def test_the_same_graph_unrolls_to_the_same_bytes(drawn: Drawn) -> None:
    document = json.dumps(drawn.drawing.document())
    first, second = (json.dumps(unroll_graph(document).to_dropspecs()) for _ in range(2))
    assert first == second


@settings(max_examples=40)
@given(
    logical_graphs(),
    st.sampled_from(["metis", "mysarkar", "heft", "none"]),
    st.integers(1, 4),
)
def test_dividing_and_mapping_changes_no_link(drawn: Drawn, algorithm: str, parts: int) -> None:
    template = unroll_graph(drawn.drawing.document())
    wanted = min(parts, len(template)) if algorithm == "metis" else None
    divided = partition_graph(template, algorithm, parts=wanted)
    graph = map_graph(divided, divided.num_parts + 1)
    assert links_of(graph.specs) == links_of(template.to_dropspecs())


@settings(max_examples=40)
@given(logical_graphs(), st.integers(1, 4))
def test_the_cut_that_is_reported_is_the_cut(drawn: Drawn, parts: int) -> None:
    template = unroll_graph(drawn.drawing.document())
    divided = partition_graph(template, parts=min(parts, len(template)))
    src, dst = template.edges
    cut = divided.node_of[src] != divided.node_of[dst]
    volumes = np.where(template.is_app[src], template.volumes[dst], template.volumes[src])
    assert divided.objectives.total_data_movement == volumes[cut].sum()
