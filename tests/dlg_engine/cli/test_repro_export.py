"""`dlg repro export`: a stranger reads what a run read, made and ran, and when.

These tests know PROV-JSON and RO-Crate, and nothing of what wrote the files.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from prov.model import ProvActivity, ProvAgent, ProvDocument, ProvEntity
from rocrate.rocrate import ROCrate

from dlg.support.content import hash_of
from dlg_engine.cli.repro import read_run

FILE = "dlg.data.file.FileDROP"
MEMORY = "dlg.data.memory.InMemoryDROP"
BASH = "dlg.apps.bash.BashShellApp"
FUNCTION = "dlg.apps.python_function.PyFuncApp"
COPY, SIZE = "cat %i[raw] > %o[copy]", "numpy.mean"
PROCESS = "https://w3id.org/ro/wfrun/process/0.5"
PROFILES = {
    PROCESS, "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
}  # fmt: skip
WORKFLOW = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]


def specs(folder: Path, command: str = COPY) -> list[dict[str, Any]]:
    """Return a copy of a file, whose oid needs quoting, and a mean of three numbers."""
    numbers = {"a": {"value": [1, 2, 6], "type": "Json"}}
    return [
        {"oid": "raw", "name": "raw data", "categoryType": "Data", "dropclass": FILE,
         "filepath": str(folder / "raw.txt"), "consumers": ["a/copy of it"]},
        {"oid": "a/copy of it", "categoryType": "Application", "dropclass": BASH,
         "command": command, "outputs": ["copy"]},
        {"oid": "copy", "categoryType": "Data", "dropclass": FILE},
        {"oid": "mean", "categoryType": "Application", "dropclass": FUNCTION,
         "func_name": SIZE, "applicationArgs": numbers, "inputs": [], "outputs": ["result"]},
        {"oid": "result", "categoryType": "Data", "dropclass": MEMORY},
    ]  # fmt: skip


@pytest.fixture
def run(dlg: Any, tmp_path: Path) -> Any:
    """Return what runs the graph and gives the directory of its session."""

    def call(command: str = COPY, code: int = 0) -> Path:
        (tmp_path / "raw.txt").write_text("raw")
        (tmp_path / "g.json").write_text(json.dumps(specs(tmp_path, command)))
        result = dlg("run", "g.json", "--repro", "all", "-q")
        assert result.exit_code == code, result.output
        (found,) = (tmp_path / "dlg-runs").glob("g-*")
        return Path(found)

    return call


def exported(dlg: Any, run_dir: Path, form: str, target: str) -> Path:
    result = dlg("repro", "export", str(run_dir), "--format", form, "-o", target)
    assert result.exit_code == 0, result.output
    return Path(target).absolute()


@pytest.fixture
def prov(dlg: Any, run: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(exported(dlg, run(), "prov-json", "p.json").read_bytes())
    return found


def crate_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the entities of a crate by their ids."""
    metadata = json.loads((folder / "ro-crate-metadata.json").read_bytes())
    return {entity["@id"]: entity for entity in metadata["@graph"]}


@pytest.fixture
def crate(dlg: Any, run: Any) -> dict[str, dict[str, Any]]:
    return crate_of(exported(dlg, run(), "ro-crate", "crate"))


def actions(crate: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {e["name"]: e for e in crate.values() if e["@type"] == "CreateAction"}


def linked(
    crate: dict[str, dict[str, Any]], action: dict[str, Any], role: str
) -> list[dict[str, Any]]:
    """Return what an action names: JSON-LD writes one alone without a list."""
    held = action.get(role, [])
    return [crate[one["@id"]] for one in (held if isinstance(held, list) else [held])]


def test_inputs_and_outputs_are_listed_from_prov(prov: dict[str, Any]) -> None:
    used = {one["prov:entity"] for one in prov["used"].values()}
    made = {one["prov:entity"] for one in prov["wasGeneratedBy"].values()}
    names = {key: entity["prov:label"] for key, entity in prov["entity"].items()}
    assert {names[key] for key in used - made} == {"raw data"}
    assert {names[key] for key in made - used} == {"copy", "result"}


def test_programs_are_listed_from_prov_with_what_they_did(prov: dict[str, Any]) -> None:
    ran = {
        (prov["activity"][one["prov:activity"]]["prov:label"],
         prov["agent"][one["prov:agent"]]["prov:label"])
        for one in prov["wasAssociatedWith"].values()
    }  # fmt: skip
    assert {("a/copy of it", BASH), ("mean", SIZE)} < ran


def test_times_are_read_from_prov_and_lie_within_the_run(prov: dict[str, Any]) -> None:
    moment = datetime.datetime.fromisoformat
    times = {
        key: (moment(one["prov:startTime"]), moment(one["prov:endTime"]))
        for key, one in prov["activity"].items()
    }
    assert len(times) == 3
    first, last = times["run:session"]
    assert all(first <= began <= ended <= last for began, ended in times.values())


def test_files_are_in_prov_with_place_and_checksum(prov: dict[str, Any], tmp_path: Path) -> None:
    (raw,) = (e for e in prov["entity"].values() if e["prov:label"] == "raw data")
    assert raw["prov:location"] == str(tmp_path / "raw.txt")
    assert raw["schema:sha256"] == hashlib.sha256(b"raw").hexdigest()


def test_the_public_library_reads_prov_and_finds_nothing_dangling(dlg: Any, run: Any) -> None:
    path = exported(dlg, run(), "prov-json", "p.json")
    document = ProvDocument.deserialize(str(path), format="json")
    known = {
        record.identifier
        for kind in (ProvActivity, ProvAgent, ProvEntity)
        for record in document.get_records(kind)
    }
    relations = [record for record in document.get_records() if record.is_relation()]
    assert len(relations) == 1 + 2 + 3
    for relation in relations:
        assert {value for _, value in relation.formal_attributes[:2]} <= known
    again = ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    assert again == document


def test_inputs_outputs_programs_and_times_are_listed_from_a_crate(
    crate: dict[str, dict[str, Any]],
) -> None:
    copy, mean = actions(crate)["a/copy of it"], actions(crate)["mean"]
    assert [one["name"] for one in linked(crate, copy, "object")] == ["raw data"]
    assert [one["name"] for one in linked(crate, copy, "result")] == ["copy"]
    assert [one["name"] for one in linked(crate, mean, "result")] == ["result"]
    assert crate[copy["instrument"]["@id"]]["name"] == BASH
    assert crate[mean["instrument"]["@id"]]["name"] == SIZE
    assert copy["description"] == COPY
    moment = datetime.datetime.fromisoformat
    for action in (copy, mean):
        assert moment(action["startTime"]) <= moment(action["endTime"])


def test_a_crate_is_as_its_profile_demands(crate: dict[str, dict[str, Any]]) -> None:
    descriptor, root = crate["ro-crate-metadata.json"], crate["./"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert {"@id": "https://w3id.org/ro/crate/1.1"} in descriptor["conformsTo"]
    assert root["@type"] == "Dataset"
    assert {"name", "description", "datePublished", "license"} <= root.keys()
    assert {one["@id"] for one in root["conformsTo"]} == PROFILES
    assert all(crate[profile]["@type"] == "CreativeWork" for profile in PROFILES)
    assert {one["@id"] for one in root["mentions"]} == {
        action["@id"] for action in actions(crate).values()
    }
    files = {key for key, e in crate.items() if "File" in e["@type"]}
    assert files == {one["@id"] for one in root["hasPart"]}
    for action in actions(crate).values():
        kinds = crate[action["instrument"]["@id"]]["@type"]
        assert kinds == (WORKFLOW if action["@id"] == "#run" else "SoftwareApplication")
        used = [*linked(crate, action, "object"), *linked(crate, action, "result")]
        assert {one["@type"] for one in used} <= {"File", "PropertyValue"}


def test_the_public_library_reads_a_crate(dlg: Any, run: Any) -> None:
    folder = exported(dlg, run(), "ro-crate", "crate")
    read = ROCrate(folder)
    assert len(read.get_by_type("CreateAction")) == 3
    assert len(read.root_dataset["mentions"]) == 3
    assert read_run(folder / "reprodata.out").drops.keys() >= {"raw", "mean"}


def test_the_graph_file_is_the_workflow_and_the_run_its_action(
    dlg: Any, run: Any, tmp_path: Path
) -> None:
    session = run()
    graph = (tmp_path / "g.json").read_bytes()
    (tmp_path / "g.json").unlink()  # it was kept with the evidence
    folder = exported(dlg, session, "ro-crate", "crate")
    entities = crate_of(folder)
    main = entities[entities["./"]["mainEntity"]["@id"]]
    assert (folder / main["@id"]).read_bytes() == graph
    assert entities[main["programmingLanguage"]["@id"]]["name"] == "DALiuGE physical graph"
    whole = entities["#run"]
    assert whole["instrument"] == {"@id": main["@id"]}
    assert [one["name"] for one in linked(entities, whole, "object")] == ["raw data"]
    assert {one["name"] for one in linked(entities, whole, "result")} == {"copy", "result"}
    assert whole["startTime"] <= whole["endTime"]


def test_a_graph_file_that_was_changed_since_is_no_workflow_of_the_run(dlg: Any, run: Any) -> None:
    session = run()
    (session / "workflow" / "g.json").write_text("[]")
    result = dlg("repro", "export", str(session), "--format", "ro-crate", "-o", "crate")
    assert (result.exit_code, "was changed since the run" in result.stderr) == (2, True)


def test_without_the_graph_file_a_crate_is_that_of_a_process(dlg: Any, run: Any) -> None:
    session = run()
    (session / "workflow" / "g.json").unlink()
    entities = crate_of(exported(dlg, session, "ro-crate", "crate"))
    assert entities["./"]["conformsTo"] == {"@id": PROCESS}
    assert "#run" not in entities


def test_evidence_cannot_bring_other_files_into_a_crate(
    dlg: Any, run: Any, tmp_path: Path
) -> None:
    file = run() / "reprodata.out"
    drops, data = json.loads(file.read_bytes())
    (tmp_path / "secret").write_text("[]")
    data["run"]["workflow"] = {"file": "../../secret", "content": hash_of(b"[]")}
    file.write_text(json.dumps([drops, data]))
    folder = exported(dlg, file, "ro-crate", "crate")
    assert {path.name for path in folder.rglob("*")} == {
        "reprodata.out", "ro-crate-metadata.json",
    }  # fmt: skip


def test_prov_meets_the_constraints_of_the_recommendation(prov: dict[str, Any]) -> None:
    """PROV-CONSTRAINTS (W3C, 2013), as far as what is told here falls under them."""
    kinds = {kind: set(prov[kind]) for kind in ("entity", "activity", "agent")}
    generations, usages = prov["wasGeneratedBy"].values(), prov["used"].values()
    # 55: an entity is no activity.  50: what is named is declared, and of its kind.
    assert kinds["entity"].isdisjoint(kinds["activity"])
    for one in (*generations, *usages):
        assert one["prov:entity"] in kinds["entity"]
        assert one["prov:activity"] in kinds["activity"]
    for one in prov["wasAssociatedWith"].values():
        assert one["prov:activity"] in kinds["activity"]
        assert one["prov:agent"] in kinds["agent"]
    # 24: an entity is generated once.  30: an activity begins before it ends.
    made = [one["prov:entity"] for one in generations]
    assert len(made) == len(set(made))
    for activity in prov["activity"].values():
        assert activity["prov:startTime"] <= activity["prov:endTime"]
    # 37: what is used has been generated before.
    ended = {one["prov:entity"]: prov["activity"][one["prov:activity"]] for one in generations}
    for one in usages:
        if one["prov:entity"] in ended:
            user = prov["activity"][one["prov:activity"]]
            assert ended[one["prov:entity"]]["prov:startTime"] <= user["prov:endTime"]


def test_prov_survives_the_public_library_and_is_told_as_prov_n(dlg: Any, run: Any) -> None:
    path = exported(dlg, run(), "prov-json", "p.json")
    document = ProvDocument.deserialize(str(path), format="json")
    again = ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    assert again == document
    assert document.flattened() == document.unified()  # nothing is said twice, nor otherwise
    told = document.get_provn()
    assert told.startswith("document")
    assert told.count("\n  activity(") == 3


def test_what_failed_is_told_and_what_never_came_to_be_is_not(dlg: Any, run: Any) -> None:
    entities = crate_of(exported(dlg, run("false %i[raw] %o[copy]", 1), "ro-crate", "crate"))
    action = actions(entities)["a/copy of it"]
    assert action["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert not action.get("result")
    assert "startTime" in action


@pytest.mark.parametrize(("form", "library"), [("prov-json", "prov"), ("ro-crate", "rocrate")])
def test_a_library_that_is_missing_is_named_with_its_cure(
    dlg: Any, run: Any, monkeypatch: pytest.MonkeyPatch, form: str, library: str
) -> None:
    session = run()
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    result = dlg("repro", "export", str(session), "--format", form, "-o", "out")
    assert result.exit_code == 2
    assert "pip install 'dlg[provenance]'" in result.output
    assert not Path("out").exists()


def test_a_crate_says_how_it_may_be_used(dlg: Any, run: Any) -> None:
    address = "https://spdx.org/licenses/CC-BY-4.0"
    args = ("--format", "ro-crate", "-o", "crate", "--license", address)
    assert dlg("repro", "export", str(run()), *args).exit_code == 0
    license_told = crate_of(Path("crate"))["./"]["license"]
    assert license_told in (address, {"@id": address})


def test_a_crate_is_not_written_over_what_is_there(dlg: Any, run: Any, tmp_path: Path) -> None:
    result = dlg("repro", "export", str(run()), "--format", "ro-crate", "-o", str(tmp_path))
    assert result.exit_code == 2
    assert "exists already" in result.output


def test_times_enter_no_comparison(dlg: Any, run: Any, tmp_path: Path) -> None:
    first = run().rename(tmp_path / "first")
    result = dlg("repro", "compare", str(first), str(run()))
    assert result.exit_code == 0, result.output


def test_an_app_whose_result_was_reused_has_no_times(dlg: Any, tmp_path: Path) -> None:
    (tmp_path / "raw.txt").write_text("raw")
    Path("g.json").write_text(json.dumps(specs(tmp_path)))
    for place in ("first", "second"):
        options = ("--repro", "all", "--reuse", "--store", "store", "--workdir", place, "-q")
        assert dlg("run", "g.json", *options).exit_code == 0
    told = []
    for place in ("first", "second"):
        (session,) = Path(place).glob("g-*")
        entities = crate_of(exported(dlg, session, "ro-crate", f"crate-{place}"))
        told.append("startTime" in actions(entities)["a/copy of it"])
    assert told == [True, False]


def test_a_run_that_noted_no_times_is_exported_all_the_same(dlg: Any, run: Any) -> None:
    file = run() / "reprodata.out"
    drops, data = json.loads(file.read_bytes())
    del data["run"]
    for drop in drops.values():
        drop["reprodata"].pop("times", None)
    file.write_text(json.dumps([drops, data]))
    found = json.loads(exported(dlg, file, "prov-json", "p.json").read_bytes())
    assert {one.get("prov:label") for one in found["activity"].values()} >= {"mean"}
    assert not any("prov:startTime" in one for one in found["activity"].values())
