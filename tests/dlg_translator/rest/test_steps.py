from __future__ import annotations

import json
from typing import Any

from dlg_translator.testing.services import FakeManager


def test_a_graph_is_unrolled(site: Any, graph: dict[str, Any]) -> None:
    specs = site.form("/unroll", lg_content=json.dumps(graph)).json
    assert len(specs) == 16
    assert all(spec["oid"].startswith("1_") for spec in specs)


def test_a_graph_of_the_folder_is_unrolled(site: Any, graph: dict[str, Any]) -> None:
    (site.lg_dir / "night").mkdir()
    (site.lg_dir / "night" / "a.graph").write_text(json.dumps(graph))
    assert len(site.form("/unroll", lg_name="night/a.graph", oid_prefix="n").json) == 16


def test_a_name_and_a_content_are_one_too_many(site: Any, graph: dict[str, Any]) -> None:
    reply = site.form("/unroll", lg_name="a.graph", lg_content=json.dumps(graph))
    assert reply.status == 400
    assert "either" in reply.json["error"]
    assert site.form("/unroll").status == 400


def test_all_that_is_wrong_with_a_graph_is_told_with_its_place(
    site: Any, broken: dict[str, Any]
) -> None:
    reply = site.form("/unroll", lg_content=json.dumps(broken))
    assert reply.status == 400
    problems = {problem["code"]: problem for problem in reply.json["problems"]}
    assert set(problems) >= {"dangling-link", "ill-typed-value"}
    place = problems["ill-typed-value"]
    assert place["name"] == "split"
    assert place["id"] == "split"
    assert place["pointer"].startswith("/nodeDataArray/3")
    assert set(place) == {"code", "severity", "message", "hint", "pointer", "name", "id"}


def test_all_that_is_wrong_with_a_request_is_told(site: Any) -> None:
    reply = site.form("/map", num_islands="two", port=99999, isles=2)
    assert reply.status == 400
    assert sorted(reply.codes) == [
        "ill-typed-parameter", "ill-typed-parameter", "unknown-parameter",
    ]  # fmt: skip
    hint = next(p["hint"] for p in reply.json["problems"] if p["name"] == "isles")
    assert "num_islands" in hint


def test_parameters_are_filled_in(site: Any, graph: dict[str, Any]) -> None:
    values = {"split.num_of_copies": 7}
    filled = site.post("/lg_fill", lg_content=json.dumps(graph), parameters=values)
    assert len(site.post("/unroll", lg_content=filled.body.decode()).json) == 25
    assert len(site.post("/unroll", lg_content=json.dumps(graph), parameters=values).json) == 25


def test_a_parameter_that_nothing_has_is_an_error(site: Any, graph: dict[str, Any]) -> None:
    reply = site.post("/lg_fill", lg_content=json.dumps(graph), parameters={"split.copies": 7})
    assert reply.status == 400
    assert reply.codes == ["unknown-parameter"]


def test_apps_are_replaced_and_take_no_time_if_asked(site: Any, graph: dict[str, Any]) -> None:
    how = {"default_app": "dlg.apps.simple.SleepApp", "zero_run": "true"}
    specs = site.form("/unroll", lg_content=json.dumps(graph), **how).json
    apps = [spec for spec in specs if spec["categoryType"] == "Application"]
    assert {spec["dropclass"] for spec in apps} == {"dlg.apps.simple.SleepApp"}
    assert {spec["weight"] for spec in apps} == {0}


def test_options_reach_the_algorithm(site: Any, graph: dict[str, Any]) -> None:
    template = site.form("/unroll", lg_content=json.dumps(graph)).body.decode()
    for processors, parts in ((1, 4), (2, 2), (4, 1)):
        how = {"algorithm": "sarkar", "max_cpu": processors, "num_partitions": 8}
        specs = site.form("/partition", pgt_content=template, **how).json
        assert len({spec["node"] for spec in specs}) == parts
    reply = site.form("/partition", pgt_content=template, algorithm="sarkar", max_cpu=0)
    assert reply.status == 400
    assert "max_cpu" in reply.json["error"]
    wrong = site.form("/partition", pgt_content=template, algorithm="metis", max_cpu=4)
    assert wrong.codes == ["unknown-option"]


def test_options_may_stand_together(site: Any, graph: dict[str, Any]) -> None:
    reply = site.post(
        "/unroll_and_partition", lg_content=json.dumps(graph), algorithm="min_parts",
        algo_params={"deadline": 40, "max_cpu": 2},
    )  # fmt: skip
    assert {spec["node"] for spec in reply.json} >= {"#0"}
    late = {"lg_content": json.dumps(graph), "algorithm": "min_parts"}
    reply = site.post("/unroll_and_partition", **late, algo_params={"deadline": 1})
    assert reply.status == 400
    assert "deadline" in reply.json["error"]


def test_a_graph_is_unrolled_divided_and_mapped(site: Any, graph: dict[str, Any]) -> None:
    divided = site.form(
        "/unroll_and_partition", lg_content=json.dumps(graph), num_partitions=3, num_islands=1
    )
    mapped = site.form("/map", pgt_content=divided.body.decode(), nodes="dim,n1,n2,n3")
    assert {spec["node"] for spec in mapped.json} == {"n1", "n2", "n3"}
    assert {spec["island"] for spec in mapped.json} == {"dim"}


def test_the_nodes_of_a_manager_are_used_where_none_are_given(
    site: Any, graph: dict[str, Any], manager: FakeManager
) -> None:
    divided = site.form("/unroll_and_partition", lg_content=json.dumps(graph), num_partitions=2)
    port = manager.url.rpartition(":")[2]
    mapped = site.form("/map", pgt_content=divided.body.decode(), host="127.0.0.1", port=port)
    assert {spec["node"] for spec in mapped.json} == {"node1", "node2"}


def test_a_manager_that_is_not_there_is_not_the_users_fault(
    site: Any, graph: dict[str, Any]
) -> None:
    template = site.form("/unroll", lg_content=json.dumps(graph)).body.decode()
    reply = site.form("/map", pgt_content=template, host="127.0.0.1", port=9)
    assert reply.status == 502
    assert reply.codes == ["manager"]


def test_what_is_no_graph_is_refused(site: Any) -> None:
    for content in ("no json", "[]", "{}", '{"nodeDataArray": 3}', "[" * 100_000):
        assert site.form("/unroll", lg_content=content).status == 400, content[:20]
        assert site.form("/partition", pgt_content=content).status == 400, content[:20]


def test_a_body_of_another_kind_is_refused(site: Any) -> None:
    pickle = {"Content-Type": "application/x-python-pickle"}
    assert site.call("POST", "/unroll", b"\x80\x04.", pickle).status == 400
    json_kind = {"Content-Type": "application/json"}
    assert site.call("POST", "/unroll", b"{", json_kind).status == 400
    assert site.call("POST", "/unroll", b"[]", json_kind).status == 400
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.call("POST", "/unroll", b"lg_name=%ff%fe", form).status == 400


def test_a_form_with_files_is_read(site: Any, graph: dict[str, Any]) -> None:
    mark = "xxBOUNDxx"
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="lg_content"; filename="a.graph"\r\n'
        f"Content-Type: application/json\r\n\r\n{json.dumps(graph)}\r\n--{mark}--\r\n"
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    assert len(site.call("POST", "/unroll", body.encode(), kind).json) == 16
