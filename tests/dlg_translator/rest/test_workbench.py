from __future__ import annotations

import gzip
import json
import threading
from typing import Any

import pytest

from dlg_translator.rest import workbench
from dlg_translator.rest.service import Service
from dlg_translator.rest.shelf import KeptGraph, Shelf
from dlg_translator.testing.services import FakeManager


def _keep(site: Any, graph: dict[str, Any]) -> dict[str, Any]:
    reply = site.post("/api/graphs", lg_content=json.dumps(graph), name="night.graph")
    assert reply.status == 200
    found: dict[str, Any] = reply.json
    return found


def _unrolled(site: Any, graph: dict[str, Any], **how: Any) -> dict[str, Any]:
    key = _keep(site, graph)["id"]
    found: dict[str, Any] = site.post(f"/api/graphs/{key}/templates", **how).json
    return found


def test_a_graph_is_described(site: Any, graph: dict[str, Any]) -> None:
    told = _keep(site, graph)
    assert (told["nodes"], told["constructs"], told["links"]) == (6, 1, 6)
    assert told["sound"]
    assert told["id"].startswith("night-")
    copies = next(p for p in told["parameters"] if p["name"] == "num_of_copies")
    assert copies["key"] == "split.split.num_of_copies"
    assert (copies["value"], copies["main"], copies["owner"]) == (4, True, "split")


def test_every_parameter_can_be_set_by_its_key(site: Any, graph: dict[str, Any]) -> None:
    told = _keep(site, graph)
    values = {p["key"]: p["value"] for p in told["parameters"]}
    assert len(values) == len(told["parameters"])
    reply = site.post(f"/api/graphs/{told['id']}/templates", parameters=values)
    assert reply.status == 200
    assert reply.json["drops"] == 16


def test_a_graph_with_mistakes_is_kept_and_drawn_all_the_same(
    site: Any, broken: dict[str, Any]
) -> None:
    told = _keep(site, broken)
    assert not told["sound"]
    assert {"dangling-link", "ill-typed-value"} <= {p["code"] for p in told["problems"]}
    drawing = site.get(f"/api/graphs/{told['id']}/drawing")
    assert drawing.status == 200
    assert b'data-id="split"' in drawing.body
    assert site.post(f"/api/graphs/{told['id']}/templates").status == 400


def test_configurations_can_be_chosen(site: Any, graph: dict[str, Any]) -> None:
    fields = {"split.num_of_copies": {"value": 9}}
    graph["graphConfigurations"] = {
        "c1": {"modelData": {"name": "wide"}, "nodes": {"split": {"fields": fields}}},
        "c2": {"modelData": {"name": "as drawn"}, "nodes": {}},
    }
    graph["activeGraphConfigId"] = "c1"
    told = _keep(site, graph)
    assert told["active_config"] == "c1"
    assert [c["name"] for c in told["configurations"]] == ["wide", "as drawn"]
    named = {p["name"]: p["value"] for p in told["parameters"] if p["main"]}
    assert named["num_of_copies"] == 9
    other = site.get(f"/api/graphs/{told['id']}", config="as drawn").json
    assert next(p["value"] for p in other["parameters"] if p["name"] == "num_of_copies") == 4
    path = f"/api/graphs/{told['id']}/templates"
    assert site.post(path).json["drops"] == 4 + 9 * 3
    assert site.post(path, config="c2").json["drops"] == 16


def test_names_in_the_text_that_wait_for_a_value_are_found(
    site: Any, graph: dict[str, Any]
) -> None:
    graph["nodeDataArray"][0]["name"] = "~{origin}"
    told = _keep(site, graph)
    assert told["placeholders"] == ["origin"]
    values = {"origin": "sky"}
    made = site.post(f"/api/graphs/{told['id']}/templates", parameters=values).json
    specs = site.get(f"/api/templates/{made['id']}/file").json
    assert "sky" in {spec["name"] for spec in specs}


def test_a_template_is_counted_and_drawn(site: Any, graph: dict[str, Any]) -> None:
    made = _unrolled(site, graph, parameters={"split.num_of_copies": 5})
    assert (made["drops"], made["apps"], made["data"], made["links"]) == (19, 7, 12, 18)
    assert not made["collapsed"]
    drawing = site.get(f"/api/templates/{made['id']}/drawing").body.decode()
    assert drawing.count('class="box') == 19


def test_a_big_template_is_drawn_by_kinds(site: Any, graph: dict[str, Any]) -> None:
    made = _unrolled(site, graph, parameters={"split.num_of_copies": 1000})
    assert made["collapsed"]
    assert made["boxes"] == 7
    reply = site.post(f"/api/templates/{made['id']}/partitions", algorithm="chunks", parts=4)
    boxes = reply.json["boxes"]
    assert len(boxes) == 7
    assert sum(count for box in boxes for _, count in box) == made["drops"]
    drawing = site.get(f"/api/templates/{made['id']}/drawing").body.decode()
    assert drawing.count('class="box') == 7


def test_divisions_are_told_with_figures_parts_and_boxes(site: Any, graph: dict[str, Any]) -> None:
    made = _unrolled(site, graph)
    path = f"/api/templates/{made['id']}/partitions"
    one = site.post(path, algorithm="chunks", parts=2, options={"max_load_imb": 50}).json
    two = site.post(path, algorithm="annealing", parts=2, islands=2).json
    for found in (one, two):
        assert found["objectives"]["num_parts"] == 2
        assert sum(part["drops"] for part in found["parts"]) == 16
        assert len(found["boxes"]) == 16
    assert [part["island"] for part in two["parts"]] == [0, 1]
    assert one["asked"] == {"algorithm": "chunks", "parts": 2, "islands": 1, "max_load_imb": 50}
    assert site.get(f"/api/partitions/{one['id']}").json == one
    specs = site.get(f"/api/partitions/{one['id']}/file").json
    by_box = [int(spec["node"].removeprefix("#")) for spec in specs]
    assert [box[0][0] for box in one["boxes"]] == by_box


def test_what_cannot_be_divided_is_told(site: Any, graph: dict[str, Any]) -> None:
    path = f"/api/templates/{_unrolled(site, graph)['id']}/partitions"
    assert site.post(path, algorithm="meti").status == 400
    assert "did you mean 'metis'" in site.post(path, algorithm="meti").json["error"]
    assert site.post(path, algorithm="min_parts").status == 400
    assert site.post(path, algorithm="metis", parts=0).status == 400
    assert site.post(path, algorithm="metis", options={"seed": "x"}).status == 400


def test_the_table_of_algorithms_has_all_their_options(site: Any) -> None:
    table = {entry["name"]: entry for entry in site.get("/api/algorithms").json}
    assert set(table) >= {"metis", "sarkar", "min_parts", "pso", "annealing", "heft", "none"}
    assert all(entry["summary"] for entry in table.values())
    options = {option["name"]: option for option in table["min_parts"]["options"]}
    assert options["deadline"]["required"]
    assert options["deadline"]["type"] == "real"
    assert "done" in options["deadline"]["help"]
    assert options["max_cpu"] == {
        "name": "max_cpu", "type": "whole", "default": 8, "required": False,
        "help": "Processors of a part.",
    }  # fmt: skip


def test_a_division_is_mapped(site: Any, graph: dict[str, Any]) -> None:
    key = site.partitioned(graph)
    reply = site.post(f"/api/partitions/{key}/map", nodes=["dim", "a", "b"])
    assert {spec["node"] for spec in reply.json} == {"a", "b"}
    few = site.post(f"/api/partitions/{key}/map", nodes="a", islands=2)
    assert few.status == 400
    assert "islands" in few.json["error"]


def test_a_division_is_submitted(site: Any, graph: dict[str, Any], manager: FakeManager) -> None:
    key = site.partitioned(graph)
    path = f"/api/partitions/{key}/submit"
    told = site.post(path, manager=manager.url, session="my night").json
    assert told["session"] == "my night"
    assert told["page"] == f"{manager.url}/session?sessionId=my%20night"
    specs = manager.sessions["my night"]
    assert len(specs) == 16
    assert {spec["node"] for spec in specs} == {"node1", "node2"}
    assert {spec["island"] for spec in specs} == {"127.0.0.1"}
    assert manager.deployed == {"my night": ["1_in_0"]}
    again = site.post(path, manager=manager.url, session="my night")
    assert again.status == 409
    assert len(manager.sessions["my night"]) == 16


def test_a_master_gets_a_graph_for_its_islands(
    site: Any, graph: dict[str, Any], manager: FakeManager
) -> None:
    manager.islands = ["dim1", "dim2", "dim3"]
    key = site.partitioned(graph, islands=2)
    site.post(f"/api/partitions/{key}/submit", manager=manager.url, session="s")
    assert {spec["island"] for spec in manager.sessions["s"]} == {"dim1", "dim2"}


@pytest.mark.parametrize("step", ["append", "deploy"])
def test_a_session_that_could_not_be_deployed_is_removed_again(
    site: Any, graph: dict[str, Any], manager: FakeManager, step: str
) -> None:
    manager.refuse = step
    key = site.partitioned(graph)
    reply = site.post(f"/api/partitions/{key}/submit", manager=manager.url, session="s")
    assert reply.status == 502
    assert "no room" in reply.json["error"]
    assert manager.sessions == {}


@pytest.mark.parametrize(
    "url", ["ftp://a", "file:///etc/passwd", "http://", "http://u:p@a", "a b"]
)
def test_an_address_that_is_none_of_a_manager_is_refused(
    site: Any, graph: dict[str, Any], url: str
) -> None:
    key = site.partitioned(graph)
    reply = site.post(f"/api/partitions/{key}/submit", manager=url)
    assert reply.status == 400
    assert "address" in reply.json["error"]


def test_the_library_lists_what_can_be_opened(start: Any, graph: dict[str, Any]) -> None:
    site = start(manager="http://dim:8001")
    (site.lg_dir / "deep").mkdir()
    (site.lg_dir / "deep" / "a.graph").write_text(json.dumps(graph))
    (site.lg_dir / "b.graph.gz").write_bytes(gzip.compress(json.dumps(graph).encode()))
    (site.lg_dir / "notes.txt").write_text("nothing")
    told = site.get("/api/library").json
    assert told["graphs"] == ["b.graph.gz", "deep/a.graph"]
    assert told["manager"] == "http://dim:8001"
    for name in told["graphs"]:
        assert site.post("/api/graphs", lg_name=name).json["links"] == 6


def test_without_folders_graphs_are_sent(start: Any, graph: dict[str, Any]) -> None:
    site = start(lg_dir=None, pgt_dir=None)
    assert site.get("/api/library").json["graphs"] == []
    assert site.post("/api/graphs", lg_name="a.graph").status == 404
    assert _keep(site, graph)["sound"]


def test_what_is_no_longer_kept_is_not_found(site: Any) -> None:
    for path in ("graphs", "templates", "partitions"):
        reply = site.get(f"/api/{path}/gone")
        assert reply.status == 404
        assert "make it again" in reply.json["error"]


def test_the_shelf_makes_room_for_what_is_new() -> None:
    shelf = Shelf(most_things=2)
    first, second = (shelf.put(KeptGraph(name=n, content=b"")) for n in ("a", "b"))
    shelf.get(first, KeptGraph)
    shelf.put(KeptGraph(name="c", content=b""))
    assert len(shelf) == 2
    assert shelf.find(first) is not None
    assert shelf.find(second) is None


def test_one_big_thing_is_kept_however_big() -> None:
    shelf = Shelf(most_weight=10)
    small = shelf.put(KeptGraph(name="a", content=b""))
    big = shelf.put(KeptGraph(name="b", content=b"x" * 100_000))
    assert shelf.find(small) is None
    assert shelf.find(big) is not None


def test_the_server_answers_while_it_works(
    start: Any, graph: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work fills all threads and all places to wait; the next request is told so."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(service: Service, name: str, content: bytes) -> None:
        del service, name, content
        begun.release()
        assert go_on.wait(20)
        raise RuntimeError("stopped")

    monkeypatch.setattr(workbench, "all_algorithms", lambda: slow(None, "", b""))  # type: ignore[arg-type]
    site = start(workers=2, most_waiting=0)
    threads = [threading.Thread(target=site.get, args=("/api/algorithms",)) for _ in range(2)]
    try:
        threads[0].start()
        assert begun.acquire(timeout=20)
        assert _keep(site, graph)["sound"]
        threads[1].start()
        assert begun.acquire(timeout=20)
        assert site.get("/static/nothing.js").status == 404
        assert site.get("/api/library").status == 503
    finally:
        go_on.set()
        for thread in threads:
            thread.join(20)


def test_the_service_tells_health_checks_that_it_answers(site: Any) -> None:
    assert site.get("/health").json == {"status": "ok"}
