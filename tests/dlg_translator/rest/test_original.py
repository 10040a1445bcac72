from __future__ import annotations

import html
import itertools
import json
import re
from typing import Any

from dlg_translator.testing.services import FakeManager

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
EAGLE = {
    "num_islands": "0", "num_par": "2", "par_label": "Partition", "max_load_imb": "100",
    "max_cpu": "8", "num_parallel_task_streams": "1", "rmode": "0", "test": "false",
}  # fmt: skip
"""What EAGLE sends with every graph, whatever the algorithm."""


def started(page: bytes) -> dict[str, Any]:
    """Return what a page was told to begin with."""
    found = re.search(r"data-start=(['\"])(.*?)\1", page.decode(), re.DOTALL)
    assert found
    value: dict[str, Any] = json.loads(html.unescape(found[2]))
    return value


def test_the_form_of_eagle_opens_a_page_with_the_divided_graph(
    site: Any, graph: dict[str, Any]
) -> None:
    for algorithm in ("metis", "mysarkar", "none"):
        fields = {**EAGLE, "algo": algorithm, "lg_name": "a.graph", "json_data": json.dumps(graph)}
        reply = site.form("/gen_pgt", BROWSER, **fields)
        assert reply.status == 200
        assert reply.headers["Content-Type"].startswith("text/html")
        start = started(reply.body)
        assert len(site.get("/pgt_jsonbody", pgt_name=start["partition"]).json) == 16
        assert site.get(f"/api/graphs/{start['graph']}").json["sound"]


def test_a_graph_with_mistakes_opens_a_page_that_lists_them(
    site: Any, broken: dict[str, Any]
) -> None:
    fields = {**EAGLE, "algo": "metis", "lg_name": "a.graph", "json_data": json.dumps(broken)}
    reply = site.form("/gen_pgt", BROWSER, **fields)
    assert reply.status == 400
    start = started(reply.body)
    assert {"dangling-link", "ill-typed-value"} <= {p["code"] for p in start["problems"]}
    assert not site.get(f"/api/graphs/{start['graph']}").json["sound"]
    assert site.form("/gen_pgt", **fields).json["problems"] == start["problems"]


def test_texts_of_a_graph_cannot_become_markup_of_the_page(
    site: Any, graph: dict[str, Any]
) -> None:
    name = "\"'><script>alert(1)</script>.graph"
    reply = site.form("/gen_pgt", BROWSER, lg_name=name, json_data="{}")
    assert b"<script>alert" not in reply.body
    graph["nodeDataArray"][0]["name"] = "<script>alert(1)</script>"
    key = site.post("/api/graphs", lg_content=json.dumps(graph)).json["id"]
    drawing = site.get(f"/api/graphs/{key}/drawing")
    assert drawing.headers["Content-Type"] == "image/svg+xml"
    assert b"<script" not in drawing.body
    assert b"&lt;script" in drawing.body


def test_testing_mode_puts_sleeping_apps(site: Any, graph: dict[str, Any]) -> None:
    fields = {**EAGLE, "test": "true", "lg_name": "a", "json_data": json.dumps(graph)}
    start = started(site.form("/gen_pgt", BROWSER, **fields).body)
    specs = site.get("/pgt_jsonbody", pgt_name=start["partition"]).json
    apps = [spec for spec in specs if spec["categoryType"] == "Application"]
    assert all(spec["dropclass"].endswith("SleepApp") for spec in apps)


def test_opening_by_address_computes_nothing(site: Any, graph: dict[str, Any]) -> None:
    (site.lg_dir / "a.graph").write_text(json.dumps(graph))
    reply = site.get("/gen_pgt", lg_name="a.graph", algo="heft", num_par=3)
    assert started(reply.body) == {"open": "a.graph", "algorithm": "heft", "parts": 3}
    assert site.get("/gen_pgt", BROWSER, lg_name="b.graph").status == 404


def test_graphs_of_the_folder_are_read_and_written_anew(site: Any, graph: dict[str, Any]) -> None:
    assert site.get("/jsonbody").status == 404
    (site.lg_dir / "a.graph").write_text(json.dumps(graph))
    assert site.get("/jsonbody").json == graph
    assert site.get("/jsonbody", lg_name="a.graph").json == graph
    graph["modelData"]["shortDescription"] = "changed"
    changed = json.dumps(graph)
    assert site.form("/jsonbody", lg_name="a.graph", lg_content=changed).status == 200
    assert (site.lg_dir / "a.graph").read_text() == changed
    assert site.form("/jsonbody", lg_name="b.graph", lg_content=changed).status == 404
    assert site.form("/jsonbody", lg_name="a.graph", lg_content="[]").status == 400
    assert [path.name for path in site.lg_dir.iterdir()] == ["a.graph"]


def test_templates_of_the_folder_are_read_and_viewed(site: Any, graph: dict[str, Any]) -> None:
    assert site.get("/pg_viewer", BROWSER).status == 404
    specs = site.form("/unroll_and_partition", lg_content=json.dumps(graph), num_partitions=2)
    (site.pgt_dir / "a.json").write_bytes(specs.body)
    assert site.get("/pgt_jsonbody", pgt_name="a.json").json == specs.json
    assert started(site.get("/pg_viewer", BROWSER).body) == {"view": "a.json"}
    opened = site.post("/api/templates", pgt_name="a.json").json
    assert opened["drops"] == 16
    assert opened["partition"]["objectives"]["num_parts"] == 2


def test_charts_say_when_what_runs(site: Any, graph: dict[str, Any]) -> None:
    key = site.partitioned(graph)
    chart = site.get("/pgt_gantt_chart", pgt_id=key).json
    bars = [bar for part in chart["parts"] for bar in part["bars"]]
    assert len(bars) == 6
    assert max(bar[2] for bar in bars) == chart["finish"]
    assert all(end - begin == 7 for _, begin, end, name, _ in bars if name == "work")
    for part in chart["parts"]:
        by_lane = sorted((lane, begin, end) for lane, begin, end, _, _ in part["bars"])
        for (lane, _, end), (other, begin, _) in itertools.pairwise(by_lane):
            assert lane != other or end <= begin
    found = site.get("/get_schedule_matrices", pgt_id=key).json
    assert len(found["apps"]) == 6
    assert [len(matrix) for matrix in found["matrices"]] == [p["lanes"] for p in chart["parts"]]
    numbers = {n for matrix in found["matrices"] for row in matrix for n in row}
    assert numbers - {0} == set(range(1, 7))


def test_pages_of_charts_open_at_the_chart(site: Any, graph: dict[str, Any]) -> None:
    key = site.partitioned(graph)
    for path in ("/show_gantt_chart", "/show_schedule_mat"):
        start = started(site.get(path, BROWSER, pgt_id=key).body)
        assert start == {"partition": key, "tab": "gantt"}
    assert site.get("/show_gantt_chart", BROWSER, pgt_id="gone").status == 404


def test_a_division_is_mapped_to_numbers_without_a_manager(
    site: Any, graph: dict[str, Any]
) -> None:
    key = site.partitioned(graph)
    reply = site.get("/gen_pg", pgt_id=key, tpl_nodes_len=1)
    assert {spec["node"] for spec in reply.json} == {"#0", "#1"}
    assert reply.headers["Content-Disposition"].startswith("attachment")
    assert site.get("/gen_pg", pgt_id=key).status == 400


def test_nothing_goes_to_a_manager_by_get(
    site: Any, graph: dict[str, Any], manager: FakeManager
) -> None:
    key = site.partitioned(graph)
    for more in ({"dlg_mgr_deploy": "on"}, {}):
        reply = site.get("/gen_pg", pgt_id=key, dlg_mgr_url=manager.url, **more)
        assert reply.status == 405
        assert "POST" in reply.json["error"]
    assert manager.calls == []


def test_a_division_is_deployed_by_form_and_the_browser_sent_to_the_session(
    site: Any, graph: dict[str, Any], manager: FakeManager
) -> None:
    key = site.partitioned(graph)
    mapped = site.form("/gen_pg", pgt_id=key, dlg_mgr_url=manager.url)
    assert {spec["node"] for spec in mapped.json} == {"node1", "node2"}
    assert manager.sessions == {}
    host, port = manager.url.removeprefix("http://").split(":")
    how = {"dlg_mgr_host": host, "dlg_mgr_port": port, "dlg_mgr_deploy": "on"}
    reply = site.form("/gen_pg", pgt_id=key, **how)
    assert reply.status == 303
    (session,) = manager.sessions
    assert reply.headers["Location"].startswith(f"{manager.url}/session?sessionId=night")
    assert manager.deployed[session] == ["1_in_0"]


def test_a_graph_for_the_browser_to_submit_comes_with_its_roots(
    site: Any, graph: dict[str, Any]
) -> None:
    key = site.partitioned(graph)
    nodes = {"node_list": ["n1", "n2"], "manager_host": "localhost"}
    found = site.post("/gen_pg_spec", pgt_id=key, **nodes).json
    assert {spec["node"] for spec in found["pg_spec"]} == {"n1", "n2"}
    assert {spec["island"] for spec in found["pg_spec"]} == {"127.0.0.1"}
    assert found["root_uids"] == ["1_in_0"]


def test_submission_methods_are_told(site: Any) -> None:
    assert site.get("/api/submission_method").json == {"methods": ["SERVER", "BROWSER"]}


def test_the_page_answers_to_head(site: Any) -> None:
    reply = site.call("HEAD", "/")
    assert reply.status == 200
    assert reply.body == b""
