"""Whatever is done to a declaration, loading it reports, and agrees with its schema."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.algorithm import Algorithm
from dlg.beat.asset import Asset
from dlg.beat.dataformat import DataFormat
from dlg.beat.declarations import prototype, schema_errors, version_of
from dlg.beat.library import Library
from dlg.beat.plotter import Plotter
from dlg.beat.plotterparameter import Plotterparameter
from tests.dlg.beat.composed import part_of, ways
from tests.dlg.beat.small import PLOTTER, SCALE, SUMMARY, declare, fill

LOADERS: dict[str, Callable[..., Asset]] = {
    "dataformat": DataFormat,
    "library": lambda prefix, said, **how: Library(prefix, (said, "pass"), **how),
    "algorithm": lambda prefix, said, **how: Algorithm(prefix, (said, "pass"), **how),
    "plotter": lambda prefix, said, **how: Plotter(prefix, (said, "pass"), **how),
    "plotterparameter": Plotterparameter,
}
EVALUATOR: dict[str, Any] = {
    "schema_version": 3,
    "language": "python",
    "api_version": 2,
    "type": "sequential_loop_evaluator",
    "groups": [
        {
            "inputs": {"in": {"type": "me/number/1"}},
            "outputs": {"out": {"type": "me/number/1"}},
            "loop": {"request": {"type": "me/number/1"}, "answer": {"type": "me/pair/1"}},
        }
    ],
}
BEGINNINGS: list[tuple[str, Any]] = [
    ("dataformat", {"#extends": "me/number/1", "a": [0, 2, {"b": "me/pair/1"}], "c": "string"}),
    ("dataformat", {"#schema_version": 1, "#description": "said", "a": {"b": {"c": "int8"}}}),
    ("library", {"schema_version": 1, "language": "python", "uses": {"x": "me/tools/1"}}),
    ("algorithm", SCALE),
    ("algorithm", SUMMARY),
    ("algorithm", EVALUATOR),
    ("algorithm", {key: SCALE[key] for key in ("language", "splittable", "groups", "parameters")}),
    ("plotter", PLOTTER),
    ("plotterparameter", {"plotter": "me/points/1", "data": {"colour": "blue"}}),
]

texts = st.one_of(
    st.sampled_from(
        ["", "int8", "me/number/1", "me/none/1", "me/round/1", "python", "cxx", "a b"]
    ),
    st.text(max_size=5),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("prefix")
    fill(root)
    declare(root, "dataformats", "me/round/1", {"a": "me/round/1"})
    declare(root, "libraries", "me/round/1", {"language": "python", "uses": {"x": "me/round/1"}})
    return str(root)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any]:
    """Return a kind and a declaration of it in which up to three parts were changed."""
    kind, declaration = draw(st.sampled_from(BEGINNINGS))
    changed = copy.deepcopy(declaration)
    for _ in range(draw(st.integers(1, 3))):
        possible = [way for way in ways(changed) if way]
        if not possible:
            break
        way = draw(st.sampled_from(possible))
        _change(draw, part_of(changed, way[:-1]), way[-1])
    return kind, changed


def _change(draw: st.DrawFn, holder: Any, key: Any) -> None:
    match draw(st.sampled_from(["remove", "replace", "rename", "double", "add"])):
        case "remove":
            del holder[key]
        case "rename" if isinstance(holder, dict):
            holder[draw(texts)] = holder.pop(key)
        case "double" if isinstance(holder, list):
            holder.insert(draw(st.integers(0, len(holder))), copy.deepcopy(holder[key]))
        case "add" if isinstance(holder[key], dict):
            holder[key][draw(texts)] = draw(values)
        case "add" if isinstance(holder, dict):
            holder[draw(st.sampled_from(["description", "schema_version", "uses", "type"]))] = (
                draw(values)
            )
        case _:
            holder[key] = draw(values)


def use(asset: Asset) -> None:
    """Ask an asset for all that can be asked without a name."""
    told = [getattr(asset, name) for name in ("valid", "name", "description", "schema_version")]
    assert told[1]
    asset.json_dumps()
    if isinstance(asset, DataFormat) and asset.valid and not asset.compat:
        made = asset.type()
        assert asset.type().unpack(made.pack()).pack() == made.pack()
    if asset.valid and isinstance(asset, Algorithm):
        assert asset.input_map
        assert asset.isAnalyzer != bool(asset.output_map)


@given(case=mutated(), compat=st.booleans())
def test_a_changed_declaration_is_judged_by_its_schema(
    case: tuple[str, Any], compat: bool, prefix: str
) -> None:
    kind, declaration = case
    before = repr(declaration)
    asset = LOADERS[kind](prefix, declaration, compat=compat)
    key = LOADERS[kind](prefix, {}).version_key
    against = schema_errors(kind, declaration, version=version_of(declaration, key), compat=compat)
    if against:
        assert asset.errors == against
    assert all(asset.errors)
    assert repr(declaration) == before
    use(asset)


@given(case=mutated())
def test_what_is_valid_is_valid_to_the_existing_packages_too(
    case: tuple[str, Any], prefix: str
) -> None:
    kind, declaration = case
    if LOADERS[kind](prefix, declaration).valid:
        assert LOADERS[kind](prefix, declaration, compat=True).valid


@given(kind=st.sampled_from(sorted(LOADERS)), declaration=values, compat=st.booleans())
def test_anything_can_be_handed_over(
    kind: str, declaration: Any, compat: bool, prefix: str
) -> None:
    named = isinstance(declaration, list) and declaration and isinstance(declaration[0], str)
    if isinstance(declaration, str) or named:
        declaration = {"text": declaration}  # it would be a name, which may be refused
    use(LOADERS[kind](prefix, declaration, compat=compat))


@given(case=mutated(), cut=st.integers(0, 400), put=st.sampled_from(['"', "{", "}", ",", "\x00"]))
def test_a_file_that_was_damaged_is_reported(
    case: tuple[str, Any], cut: int, put: str, prefix: str
) -> None:
    kind, declaration = case
    folder = {"library": "libraries"}.get(kind, kind + "s")
    text = json.dumps(declaration)
    declare(Path(prefix), folder, "damaged/one/1", text[:cut] + put + text[cut + 1 :], "pass")
    classes: dict[str, Any] = {
        "dataformat": DataFormat,
        "library": Library,
        "algorithm": Algorithm,
        "plotter": Plotter,
        "plotterparameter": Plotterparameter,
    }
    asset = classes[kind](prefix, "damaged/one/1")
    use(asset)
    assert asset.hash()


@pytest.mark.parametrize("kind", ["dataformat", "library", "algorithm"])
def test_prototypes_agree_with_their_schemas(kind: str) -> None:
    made = prototype(kind)
    assert schema_errors(kind, made, version=version_of(made)) == []
