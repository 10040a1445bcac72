"""A job as a physical graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import InvalidGraphException
from dlg.graph.reading import read_physical_graph
from dlg.jobs.errors import JobError
from dlg_translator.formats.job import Spec, is_job_file, job_specs, specs_of

JOBS = Path(__file__).parents[3] / "graphs" / "jobs"
LOOP: dict[str, Any] = {
    "task": "execution_for_loop", "name": "l", "parameter": "x", "values": [1, 2],
    "task_list": [{"task": "null", "outputs": {"f": "'f{x}'.format(**metadata)"}}],
}  # fmt: skip


def by_oid(*tasks: Any) -> dict[str, Spec]:
    return {spec["oid"]: spec for spec in specs_of({"task_list": list(tasks)})}


def test_tasks_are_apps_and_products_are_files() -> None:
    specs = by_oid(
        {"task": "null", "name": "a", "outputs": {"y": "made"}, "retries": 2},
        {"task": "null", "name": "b", "inputs": {"x": "made"}},
    )
    assert specs["file made"]["filepath"] == "made"
    assert specs["a"]["outputs"] == [{"file made": "output:y"}]
    assert specs["b"]["inputs"] == [{"file made": "input:x"}]
    assert specs["a"]["n_tries"] == 3
    assert len(specs) == 3


def test_what_a_task_tells_is_data_only_if_somebody_asks() -> None:
    specs = by_oid(
        {"task": "values", "name": "a"},
        {"task": "null", "name": "b", "requires_metadata_from": ["a"]},
    )
    assert specs["a"]["outputs"] == [{"record of a": "record"}]
    assert specs["b"]["inputs"] == [{"record of a": "metadata:a"}]
    assert not specs["b"]["outputs"]


def test_who_waits_for_a_loop_waits_for_a_join() -> None:
    waiting = [{"task": "null", "name": f"w{n}", "wait_for": ["l"]} for n in range(3)]
    specs = by_oid(LOOP, *waiting)
    assert specs["w2"]["inputs"] == [{"end of l": "wait"}]
    assert specs["join of l"]["inputs"] == [
        {"record of l[0]/null-0": "record"}, {"record of l[1]/null-0": "record"},
        {"start of the job": "wait"},
    ]  # fmt: skip


def test_links_of_groups_are_as_many_as_tasks_and_not_as_pairs() -> None:
    loop = {**LOOP, "values": "(range(200))"}
    specs = by_oid(loop, {**loop, "name": "m", "wait_for": ["l"], "task_list": [{"task": "null"}]})
    links = sum(
        len(spec.get("inputs", ())) + len(spec.get("outputs", ())) for spec in specs.values()
    )
    assert links < 5 * 200


def test_types_of_users_name_the_function_whose_code_nodes_need() -> None:
    specs = by_oid({"task": "mine", "name": "a"}, {"task": "null", "name": "b"})
    assert specs["a"]["func_name"] == "task_mine.run"
    assert "func_name" not in specs["b"]


FILES = sorted([*JOBS.glob("*.json"), *JOBS.glob("*.yaml")])


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_each_job_that_is_shipped_is_a_graph(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(JOBS)
    specs = json.loads(json.dumps(job_specs(file)))
    assert len(read_physical_graph(specs)) == len(specs)


def test_problems_of_a_job_are_those_of_a_graph() -> None:
    with pytest.raises(InvalidGraphException, match="did you mean") as caught:
        specs_of(
            {"task_list": [{"task": "null", "name": "abc"}, {"task": "x", "wait_for": ["abd"]}]}
        )
    assert caught.value.problems[0].pointer == "/task_list/1"


def test_a_file_that_is_no_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"task_list": [')
    with pytest.raises(JobError, match=r"job\.json: it cannot be read as JSON"):
        job_specs(tmp_path / "job.json")


@pytest.mark.parametrize(
    ("name", "head", "meant"),
    [
        ("a.json", b'{"task_list": []}', True), ("a.yaml", b"task_list: []", True),
        ("a.graph", b'{"nodeDataArray": [{"text": "task_list"}], "task_list": 1}', False),
        ("a.json", b'[{"oid": "task_list"}]', False), ("-", b' \n{"task_list": []}', True),
    ],
)  # fmt: skip
def test_jobs_are_told_from_graphs(name: str, head: bytes, meant: bool) -> None:
    assert is_job_file(name, head) is meant
