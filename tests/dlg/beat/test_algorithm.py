from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.beat.algorithm import Algorithm, load_algorithm_prototype
from dlg.beat.dataformat import DataFormatCache
from dlg.beat.hash import toUserPath
from dlg.beat.library import LibraryCache
from dlg.exceptions import InvalidAssetError
from tests.dlg.beat.small import NUMBER, SCALE, SUMMARY, declare, fill

LOOP = {"request": {"type": "me/number/1"}, "answer": {"type": "me/pair/1"}}


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    fill(tmp_path)
    return str(tmp_path)


def changed(declaration: dict[str, Any], **what: Any) -> dict[str, Any]:
    return {**copy.deepcopy(declaration), **what}


def in_a_loop(kind: str, **what: Any) -> dict[str, Any]:
    made = changed(SCALE, schema_version=3, type=kind, **what)
    made["groups"][0]["loop"] = LOOP
    if kind.endswith("evaluator"):
        del made["splittable"]
    return made


def errors_of(prefix: str, declaration: Any, **how: Any) -> list[str]:
    return Algorithm(prefix, (declaration, "class Algorithm: ...\n"), **how).errors


def test_an_algorithm_is_loaded_with_what_it_needs(prefix: str) -> None:
    scale = Algorithm(prefix, "me/scale/1")
    assert scale.valid
    assert scale.input_map == {"in": "me/number/1"}
    assert scale.output_map == {"out": "me/number/1"}
    assert list(scale.dataformats) == ["me/number/1"]
    assert list(scale.libraries) == ["me/tools/1"]
    assert (scale.splittable, scale.isAnalyzer, scale.schema_version) == (True, False, 2)


def test_an_algorithm_runs_with_its_libraries(prefix: str) -> None:
    runner = Algorithm(prefix, "me/scale/1").runner()
    runner.setup({"factor": 4})
    assert runner.process(inputs=1, data_loaders=2, outputs=3) == 8


def test_parameters_are_cleaned(prefix: str) -> None:
    scale = Algorithm(prefix, "me/scale/1")
    assert scale.parameters == {
        "factor": {"type": np.dtype("int8"), "default": 2, "range": [0, 9]}
    }
    assert scale.clean_parameter("factor", "3") == 3
    with pytest.raises(ValueError, match="must be picked within"):
        scale.clean_parameter("factor", 10)
    with pytest.raises(KeyError):
        scale.clean_parameter("other", 1)


def test_what_is_written_can_be_loaded_again(prefix: str) -> None:
    scale = Algorithm(prefix, "me/scale/1")
    before = scale.hash()
    scale.write()
    again = Algorithm(prefix, "me/scale/1")
    assert again.valid
    assert again.data["parameters"]["factor"]["type"] == np.dtype("int8")
    assert again.hash() == before


def test_an_analyzer_has_results_of_a_format_of_its_own(prefix: str) -> None:
    summary = Algorithm(prefix, "me/summary/1")
    assert summary.isAnalyzer
    assert summary.output_map == {}
    results = summary.result_dataformat()
    assert results.name == "analysis:me/summary/1"
    assert results.resolved["total"] == "int32"
    assert results.resolved["picture"].name == "plot/points/1"
    with pytest.raises(TypeError, match="not an analyzer"):
        Algorithm(prefix, "me/scale/1").result_dataformat()


@pytest.mark.parametrize(
    ("kind", "autonomous", "sequential", "evaluates"),
    [
        ("legacy", False, False, False),
        ("sequential", False, True, False),
        ("autonomous", True, False, False),
        ("sequential_loop_processor", False, True, False),
        ("autonomous_loop_processor", True, False, False),
        ("sequential_loop_evaluator", False, True, True),
        ("autonomous_loop_evaluator", True, False, True),
    ],
)
def test_each_kind_is_known(
    prefix: str, kind: str, autonomous: bool, sequential: bool, evaluates: bool
) -> None:
    declaration = in_a_loop(kind) if "loop" in kind else changed(SCALE, type=kind)
    made = Algorithm(prefix, (declaration, "pass"))
    assert made.valid
    assert (made.type, made.is_autonomous, made.is_sequential, made.is_loop) == (
        kind,
        autonomous,
        sequential,
        evaluates,
    )
    if "loop" in kind:
        assert made.loop_map == {"request": "me/number/1", "answer": "me/pair/1"}


def test_the_first_version_is_legacy_whatever_it_says(prefix: str) -> None:
    old = changed(SCALE)
    for key in ("schema_version", "api_version", "type"):
        del old[key]
    made = Algorithm(prefix, (old, "pass"))
    assert made.valid
    assert (made.schema_version, made.api_version, made.type) == (1, 1, "legacy")


@pytest.mark.parametrize(
    "declaration",
    [
        {},
        changed(SCALE, splittable=None),
        changed(SCALE, groups=[]),
        changed(SCALE, groups=[{"inputs": {"in": {"type": "me/number/1"}}}]),
        changed(SCALE, results={"total": {"type": "int32"}}),
        changed(SCALE, type="sequential_loop_processor"),
        changed(SUMMARY, results={"total": {"type": "int64"}}),
        changed(SUMMARY, results={}),
        changed(SUMMARY, splittable=True),
        changed(SUMMARY, parameters={"factor": {"type": "int8"}}),
        changed(SCALE, parameters={"factor": {"type": "text"}}),
        changed(SCALE, description="x" * 101),
        changed(SCALE, schema_version=3, type="sequential_loop_evaluator"),
        {**in_a_loop("sequential_loop_evaluator"), "splittable": True},
    ],
)
@pytest.mark.parametrize("compat", [True, False])
def test_what_the_schema_does_not_know_is_one_error(
    prefix: str, declaration: dict[str, Any], compat: bool
) -> None:
    assert len(errors_of(prefix, declaration, compat=compat)) == 1


@pytest.mark.parametrize(
    "declaration",
    [
        changed(SCALE, parameters={"factor": {"type": "int8", "more": 1}}),
        changed(SCALE, parameters={"factor": {"type": "int8", "range": [1, 2, 3]}}),
        changed(SCALE, parameters={"factor": {"type": "int8", "default": 300}}),
        changed(SCALE, api_version=7),
    ],
)
def test_the_holes_of_the_schema_are_closed(prefix: str, declaration: dict[str, Any]) -> None:
    assert len(errors_of(prefix, declaration)) == 1
    assert errors_of(prefix, declaration, compat=True) == []


def test_a_name_used_twice_is_an_error(prefix: str) -> None:
    group = {"inputs": {"in": {"type": "me/number/1"}}}
    (error,) = errors_of(prefix, changed(SCALE, groups=[*SCALE["groups"], group]))  # type: ignore[misc]
    assert "repeated input name" in error
    assert error.endswith("in, in")


def test_an_invalid_format_is_told_for_each_endpoint(prefix: str) -> None:
    groups = [{"inputs": {"in": {"type": "me/none/1"}}, "outputs": {"out": {"type": "me/none/1"}}}]
    first, second = errors_of(prefix, changed(SCALE, groups=groups))
    assert "for inputs `in' on algorithm" in first
    assert "for outputs `out' on algorithm" in second
    assert "file not found" in first


def test_an_invalid_library_is_an_error(prefix: str) -> None:
    errors = errors_of(prefix, changed(SCALE, uses={"x": "me/none/1"}))
    assert errors[0] == "referred library `me/none/1' (x) is not valid"
    assert "cannot be inferred" in errors[1]


def test_a_library_of_another_language_cannot_be_used(prefix: str) -> None:
    (error,) = errors_of(prefix, changed(SCALE, language="r"))
    assert "this algorithm (`r')" in error


def test_code_that_is_not_there_is_an_error(prefix: str) -> None:
    Path(prefix, "algorithms/me/scale/1.py").unlink()
    (error,) = Algorithm(prefix, "me/scale/1").errors
    assert error.startswith("algorithm code not found: ")


def test_the_prototype_has_the_newest_format_of_integers(prefix: str) -> None:
    made = Algorithm(prefix, None)
    assert made.valid
    assert made.input_map == {"in_data": "me/integers/10"}
    compile(made.code or "", "prototype", "exec")


def test_the_format_of_the_prototype_is_found_in_a_sharded_prefix(tmp_path: Path) -> None:
    shards = toUserPath("me").removesuffix("/me")
    declare(tmp_path, f"dataformats/{shards}", "me/integer/3", NUMBER)
    assert Algorithm(str(tmp_path), None).input_map == {"in_data": "me/integer/3"}


def test_a_prefix_without_a_format_of_integers_has_no_prototype(tmp_path: Path) -> None:
    (error,) = Algorithm(str(tmp_path), None).errors
    assert "integers" in error
    with pytest.raises(RuntimeError, match="integers"):
        load_algorithm_prototype(str(tmp_path))


def test_what_was_loaded_is_used_again(prefix: str) -> None:
    formats: DataFormatCache = {}
    libraries: LibraryCache = {}
    first = Algorithm(prefix, "me/scale/1", formats, libraries)
    second = Algorithm(prefix, "me/scale/1", formats, libraries)
    assert first.dataformats["me/number/1"] is second.dataformats["me/number/1"]
    assert first.libraries["me/tools/1"] is second.libraries["me/tools/1"]


def test_an_algorithm_is_exported_with_all_it_needs(prefix: str, tmp_path: Path) -> None:
    for name in ("me/scale/1", "me/summary/1"):
        Algorithm(prefix, name).export(str(tmp_path / "other"))
        exported = Algorithm(str(tmp_path / "other"), name)
        assert exported.valid
        assert exported.hash() == Algorithm(prefix, name).hash()


def test_what_cannot_be_run_says_why(prefix: str) -> None:
    with pytest.raises(InvalidAssetError, match="no name"):
        Algorithm(prefix, (SCALE, "pass")).runner()
    declare(Path(prefix), "algorithms", "me/scale/1", SCALE, "class Other: ...\n")
    with pytest.raises(ValueError, match="me_scale_1 defines no class `Algorithm'"):
        Algorithm(prefix, "me/scale/1").runner(exc=ValueError)
    declare(Path(prefix), "algorithms", "me/scale/1", SCALE, "class :\n")
    with pytest.raises(ValueError, match="invalid syntax"):
        Algorithm(prefix, "me/scale/1").runner(exc=ValueError)


def test_parts_of_a_declaration_can_be_set(prefix: str) -> None:
    made = Algorithm(prefix, "me/scale/1")
    made.splittable, made.uses, made.parameters = False, {}, {}
    assert made.data["splittable"] is False
    made.name = "me/plain/1"
    made.write()
    assert Algorithm(prefix, "me/plain/1").valid


def test_the_declaration_that_was_handed_over_stays_as_it_is(prefix: str) -> None:
    declaration = changed(SCALE)
    Algorithm(prefix, (declaration, "pass"))
    assert declaration == SCALE


@pytest.mark.parametrize("given", [3, [], [1, 2, 3], {"a": 1}, (None, None, None), b"x"])
def test_what_is_no_declaration_is_an_error(prefix: str, given: Any) -> None:
    assert Algorithm(prefix, given).errors
