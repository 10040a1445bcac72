"""What a page draws of a graph, without a manager."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UsageError
from dlg.graph import read_physical_graph
from dlg.http.answers import as_json
from dlg_engine.rest.view import By, Drawable, links_of

MEMORY, APP = "dlg.data.memory.InMemoryDROP", "dlg.apps.sleep.SleepApp"
Specs = list[dict[str, Any]]


def pipelines(count: int, steps: int = 2) -> Specs:
    """Return pipelines from one start: `steps` apps each, with data between and after them."""
    specs: Specs = [{"oid": "sky", "categoryType": "Data", "dropclass": MEMORY, "name": "sky"}]
    for k in range(count):
        before = "sky"
        for step in range(steps):
            made = f"d{step}-{k}"
            names = {"name": f"step {'abc'[step]} {k}", "lg_key": f"app{step}"}
            specs.append(
                {"oid": f"a{step}-{k}", "categoryType": "Application", "dropclass": APP,
                 "inputs": [before], "outputs": [made], **names}
            )  # fmt: skip
            name = f"image {step} {k}"
            specs.append({"oid": made, "categoryType": "Data", "dropclass": MEMORY, "name": name})
            before = made
    return specs


def drawable(specs: Specs) -> Drawable:
    return Drawable(read_physical_graph(specs))


@st.composite
def graphs(draw: st.DrawFn) -> Specs:
    """Return data and apps in turn, each app with inputs among the data before it."""
    specs: Specs = [{"oid": "d0", "categoryType": "Data", "dropclass": MEMORY}]
    for k in range(draw(st.integers(0, 30))):
        inputs = draw(st.sets(st.integers(0, k), min_size=1, max_size=3))
        kind = draw(st.sampled_from("xyz"))
        specs.append(
            {"oid": f"a{k}", "categoryType": "Application", "dropclass": APP, "lg_key": kind,
             "inputs": [f"d{i}" for i in sorted(inputs)], "outputs": [f"d{k + 1}"]}
        )  # fmt: skip
        key = draw(st.sampled_from("uvw"))
        specs.append(
            {"oid": f"d{k + 1}", "categoryType": "Data", "dropclass": MEMORY, "lg_key": key}
        )
    return specs


def overlapping(found: dict[str, Any]) -> int:
    width, height = found["room"]
    x, y = np.asarray(found["x"]), np.asarray(found["y"])
    apart = np.abs(x[:, None] - x[None, :]) < width - 0.2, np.abs(y[:, None] - y[None, :])
    return int((apart[0] & (apart[1] < height - 0.2)).sum()) - len(x)


@given(graphs())
def test_links_of_drops_lead_forward_and_no_two_drops_overlap(specs: Specs) -> None:
    found = drawable(specs).view(By.DROPS)
    assert found["rows"].tolist() == list(range(len(specs)))
    assert all(found["x"][a] < found["x"][b] for a, b in found["edges"].tolist())
    assert overlapping(found) == 0


@given(graphs())
def test_every_link_is_drawn_once(specs: Specs) -> None:
    row = {spec["oid"]: k for k, spec in enumerate(specs)}
    wanted = {(row[i], row[s["oid"]]) for s in specs for i in s.get("inputs", ())}
    wanted |= {(row[s["oid"]], row[o]) for s in specs for o in s.get("outputs", ())}
    edges = drawable(specs).view(By.DROPS)["edges"].tolist()
    assert sorted(map(tuple, edges)) == sorted(wanted)


@given(graphs())
def test_groups_have_all_drops_and_all_links(specs: Specs) -> None:
    graph = read_physical_graph(specs)
    found = Drawable(graph).view(By.GROUPS)
    sizes = [group["size"] for group in found["groups"]]
    assert sum(sizes) == found["drops"] == len(specs)
    assert np.bincount(found["group_of"], minlength=len(sizes)).tolist() == sizes
    assert found["rows"].tolist() == [-1 - k for k in range(len(sizes))]
    ends = found["group_of"][links_of(graph)]
    across = int((ends[:, 0] != ends[:, 1]).sum())
    assert sum(weight for _, _, weight in found["edges"].tolist()) == across
    assert overlapping(found) == 0


@given(graphs(), st.data())
def test_an_opened_group_shows_its_drops_between_the_groups_around_it(
    specs: Specs, data: st.DataObject
) -> None:
    graph = read_physical_graph(specs)
    prepared = Drawable(graph)
    group = data.draw(st.integers(0, len(prepared.groups) - 1))
    found = prepared.view(group=group)
    members = np.flatnonzero(prepared.group_of == group).tolist()
    rows = found["rows"].tolist()
    assert rows[: len(members)] == members
    around = {-1 - row for row in rows[len(members) :]}
    ends = prepared.group_of[links_of(graph)]
    touching = ends[(ends == group).any(axis=1)]
    assert around == set(touching.reshape(-1).tolist()) - {group}
    left, _, right, _ = found["frame"]
    inside = [left < x < right for x in found["x"]]
    assert inside == [True] * len(members) + [False] * len(around)
    assert overlapping(found) == 0


def test_small_graphs_are_drawn_by_drops_and_big_ones_by_groups() -> None:
    assert drawable(pipelines(499)).view()["by"] == "drops"
    assert drawable(pipelines(501)).view()["by"] == "groups"


def test_groups_are_named_after_what_their_drops_have_in_common() -> None:
    found = drawable(pipelines(3)).view()
    names = [(group["name"], group["kind"], group["size"]) for group in found["groups"]]
    assert names == [
        ("sky", "data", 1), ("step a 0", "app", 3), ("image * *", "data", 6),
        ("step b 0", "app", 3),
    ]  # fmt: skip


def test_a_wide_graph_is_folded_to_fit_a_screen() -> None:
    found = drawable(pipelines(499)).view()
    width = found["x"].max() - found["x"].min()
    height = found["y"].max() - found["y"].min()
    assert 1.0 < width / height < 2.5


def test_of_a_very_big_group_only_the_drop_in_front_has_links() -> None:
    found = drawable(pipelines(3000)).view(group=1)
    assert len(found["rows"]) == 3000 + 2
    assert sorted(found["edges"].tolist()) == [[0, 3001, 3000], [3000, 0, 3000]]


def test_a_group_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="there is no group 7; there are 4"):
        drawable(pipelines(2)).view(group=7)


def test_what_is_drawn_is_json() -> None:
    body = as_json(drawable(pipelines(2)).view()).body
    assert isinstance(body, bytes)
    found = msgspec.json.decode(body)
    assert len(found["rows"]) == len(found["x"]) == len(found["y"]) == len(found["labels"]) == 9


@pytest.mark.slow
def test_a_hundred_thousand_drops_are_arranged_in_two_seconds() -> None:
    specs = pipelines(25_000)
    begun = time.process_time()
    found = drawable(specs).view()
    answer = as_json(found)
    assert time.process_time() - begun < 2.0
    assert len(found["rows"]) == 4
    assert isinstance(answer.body, bytes)
    assert len(answer.body) < 1_000_000
