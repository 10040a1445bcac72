"""The graph of tasks: what the published interface says of it, and its example."""

from __future__ import annotations

import pytest

from dlg.taskgraph import Graph, Task


def the_example() -> dict[str, Task]:
    """Four tasks as the interface document has them."""
    tasks = {f"tid{n}": Task(f"tid{n}", {"msg": f"hello{n}"}, "f") for n in range(1, 5)}
    for needed in ("tid2", "tid3", "tid4"):
        tasks["tid1"].add_require(needed)
    tasks["tid2"].add_require("tid4")
    return tasks


def test_a_graph_is_a_dictionary_of_requirements() -> None:
    graph = Graph(the_example())
    assert graph == {"tid1": ["tid2", "tid3", "tid4"], "tid2": ["tid4"], "tid3": [], "tid4": []}
    assert isinstance(graph, dict)


def test_edges_go_to_what_is_required_and_from_a_free_task_to_itself() -> None:
    assert list(Graph(the_example()).edges()) == [
        ("tid1", "tid2"), ("tid1", "tid3"), ("tid1", "tid4"), ("tid2", "tid4"),
        ("tid3", "tid3"), ("tid4", "tid4"),
    ]  # fmt: skip


def test_isolated_vertices_are_those_without_requirements() -> None:
    assert list(Graph(the_example()).isolated_vertices()) == ["tid3", "tid4"]


def test_removing_a_vertex_frees_those_that_required_only_it() -> None:
    graph = Graph(the_example())
    graph.remove_vertex("tid4")
    assert graph == {"tid1": ["tid2", "tid3"], "tid2": [], "tid3": []}
    assert list(graph.isolated_vertices()) == ["tid2", "tid3"]


def test_a_vertex_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(KeyError):
        Graph({}).remove_vertex("x")


def test_only_fresh_tasks_are_in_the_graph_but_all_count() -> None:
    tasks = the_example()
    tasks["tid4"].state = Task.STATE_SUCCESS
    graph = Graph(tasks)
    assert (sorted(graph), graph.size) == (["tid1", "tid2", "tid3"], 4)
    assert graph["tid2"] == ["tid4"]


@pytest.mark.parametrize("value", ["tid1", ("tid1",), None, {"tid1"}])
def test_requirements_must_be_a_list(value: object) -> None:
    graph = Graph({})
    with pytest.raises(ValueError, match="must be a list"):
        graph["x"] = value  # type: ignore[assignment]


def test_changing_a_graph_leaves_its_tasks_alone() -> None:
    tasks = the_example()
    Graph(tasks).remove_vertex("tid4")
    assert tasks["tid2"].require == ["tid4"]
