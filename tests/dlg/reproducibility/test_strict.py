"""Strict signatures: they see what those of the existing system do not, and nothing more."""

from __future__ import annotations

import copy
import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UsageError
from dlg.graph import read_physical_graph
from dlg.reproducibility.code import installed_version
from dlg.reproducibility.layers import (
    init_lg_repro_data,
    init_lgt_repro_data,
    init_pg_repro_data,
    init_pgt_partition_repro_data,
    init_pgt_unroll_repro_data,
)
from dlg.reproducibility.levels import SEVEN, Level
from dlg.reproducibility.strict import Evidence, Signer, signature_at
from dlg.testing.graphs import Spec, app, chain, data

FUNCTION = "dlg.apps.python_function.PyFuncApp"
BASH = "dlg.apps.bash.BashShellApp"
TAKES = "def f(x=0, y=0, weight=0):\n    return x - y"
STEPS = "strict_steps"
"""The name of a module that tests write."""


def graph_of(**parameters: Any) -> list[Spec]:
    """Return data, an app with some parameters, and more data."""
    dropclass = parameters.pop("dropclass", FUNCTION)
    return [
        data("a", ["b"], category="Memory"),
        app("b", ["c"], dropclass, category="DALiuGEApp", **parameters),
        data("c", category="Memory"),
    ]


def strict(specs: list[Spec], level: Level = Level.RECOMPUTE, **evidence: Any) -> str:
    """Return the strict signature of a graph."""
    graph = read_physical_graph(copy.deepcopy(specs))
    return Signer().sign(graph, level, Evidence(**evidence)).graph


def compat(specs: list[Spec]) -> dict[str, str]:
    """Return the signatures of a graph at all levels of the existing system."""
    drops = copy.deepcopy(specs)
    placed = {"node": "host", "island": "boss", "rank": [0], "iid": "0/0"}
    for drop in drops:
        for key, value in placed.items():
            drop.setdefault(key, value)
    nodes: list[Spec] = [
        {
            "id": drop["oid"],
            "category": drop.get("category", ""),
            "categoryType": drop["categoryType"],
            "fields": [{"name": k, "value": v} for k, v in drop.items()],
        }
        for drop in drops
    ]
    links = [
        {"from": drop["oid"], "to": other if isinstance(other, str) else next(iter(other))}
        for drop in drops
        for key in ("consumers", "outputs")
        for other in drop.get(key, ())
    ]
    logical: Spec = {"nodeDataArray": nodes, "linkDataArray": links}
    init_lg_repro_data(init_lgt_repro_data(logical, Level.ALL))
    for drop, node in zip(drops, nodes, strict=True):
        drop["reprodata"] = node["reprodata"]
    graph: list[Spec] = [*drops, logical["reprodata"]]
    for stage in (init_pgt_unroll_repro_data, init_pgt_partition_repro_data, init_pg_repro_data):
        graph = stage(graph)
    return {level.name: graph[-1][level.name]["signature"] for level in SEVEN}


def assert_only_strict_sees(one: list[Spec], other: list[Spec]) -> None:
    """Fail unless compat is blind for a difference at all levels, and strict is not."""
    assert compat(one) == compat(other)
    assert strict(one) != strict(other)


# -- holes that are closed -------------------------------------------------------------------


def test_a_changed_parameter_is_seen() -> None:
    one, other = (graph_of(dropclass="dlg.apps.hello.HelloWorldApp", greet=g) for g in "ab")
    assert_only_strict_sees(one, other)
    assert strict(one, Level.REPEAT) != strict(other, Level.REPEAT)
    assert strict(one, Level.RERUN) == strict(other, Level.RERUN)


def test_a_changed_argument_is_seen_and_so_is_its_type() -> None:
    def argued(**argument: Any) -> list[Spec]:
        return graph_of(func_code=TAKES, applicationArgs={"x": {"name": "x", **argument}})

    assert_only_strict_sees(argued(value="5"), argued(value="6"))
    assert_only_strict_sees(argued(value="5", type="Integer"), argued(value="5", type="String"))
    assert strict(argued(value="5", description="a")) == strict(argued(value="5"))


def test_an_argument_is_seen_even_if_it_has_the_name_of_a_key_of_dropspecs() -> None:
    def argued(value: int) -> list[Spec]:
        return graph_of(func_code=TAKES, applicationArgs={"weight": {"value": value}})

    assert strict(argued(1)) != strict(argued(2))


def test_a_changed_body_of_a_function_in_the_graph_is_seen() -> None:
    one, other = (graph_of(func_code=f"def f(x):\n    return x + {n}") for n in (1, 2))
    assert_only_strict_sees(one, other)
    assert strict(one, Level.REPEAT) == strict(other, Level.REPEAT)


def test_a_changed_command_is_seen() -> None:
    one, other = (graph_of(dropclass=BASH, command=f"sort -{flag}") for flag in "rn")
    assert_only_strict_sees(one, other)


def test_a_changed_script_that_a_command_names_is_seen(tmp_path: Path) -> None:
    script = tmp_path / "reduce.sh"
    specs = graph_of(dropclass=BASH, command=f"sh '{script}' --in=%i0 > %o0; true")
    script.write_text("sort")
    before, blind = strict(specs), compat(specs)
    told = strict(specs, Level.REPEAT)
    script.write_text("sort -r")
    assert strict(specs) != before
    assert strict(specs, Level.REPEAT) == told
    assert compat(specs) == blind
    script.write_text("sort")
    assert strict(specs) == before


def test_data_that_a_command_writes_where_it_names_them_do_not_count(tmp_path: Path) -> None:
    written = tmp_path / "out.txt"
    specs = graph_of(dropclass=BASH, command=f"date > {written}")
    before = strict(specs)
    written.write_text("now")
    assert strict(specs) == before


def test_another_class_is_seen() -> None:
    one, other = chain(1), chain(1, "dlg.apps.sleep.SleepApp")
    assert_only_strict_sees(one, other)
    assert strict(one, Level.RERUN) != strict(other, Level.RERUN)


def test_a_link_that_is_only_written_on_the_other_side_is_seen() -> None:
    parts = [data("a"), app("b"), data("c")]
    linked = [data("a"), {**app("b"), "inputs": ["a"]}, data("c")]
    assert_only_strict_sees(parts, linked)


def test_a_link_that_is_a_stream_is_seen() -> None:
    plain = [data("a"), app("b", ["c"]), data("c")]
    streamed = [{**data("a"), "streamingConsumers": ["b"]}, *plain[1:]]
    assert_only_strict_sees(plain, streamed)
    whole = [data("a", ["b"]), *plain[1:]]
    assert strict(streamed) != strict(whole)


def two_inputs(first: str, second: str) -> list[Spec]:
    """Return an app with two inputs, of which one is told something."""
    inputs = [{"x": first}, {"y": second}]
    gather = {**app("g", ["z"], FUNCTION, func_code=TAKES), "inputs": inputs}
    return [data("x", ["g"], told=1), data("y", ["g"]), gather, data("z")]


def test_swapped_inputs_are_seen() -> None:
    assert_only_strict_sees(two_inputs("x", "y"), two_inputs("y", "x"))


def test_swapped_outputs_are_seen() -> None:
    def scattered(*outputs: str) -> list[Spec]:
        first, last = data("x", ["n"]), data("y")
        return [app("s", outputs), first, last, app("n", ["z"]), data("z")]

    assert_only_strict_sees(scattered("x", "y"), scattered("y", "x"))


def test_the_content_of_an_input_is_seen() -> None:
    specs = graph_of(func_name="len")
    contents = [{0: "one hash"}, {0: "another hash"}]
    one, other = (strict(specs, contents=content) for content in contents)
    assert one != other
    assert strict(specs, Level.REPEAT, contents=contents[0]) == strict(specs, Level.REPEAT)


def test_the_digest_of_an_image_is_seen() -> None:
    specs = graph_of(dropclass="dlg.apps.null.NullBarrierApp", image="tool:latest")
    one, other = (strict(specs, images={"tool:latest": digest}) for digest in ("1", "2"))
    assert one != other


# -- code ------------------------------------------------------------------------------------


@pytest.fixture
def write_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return what writes a module of the user anew, as a new process would find it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text: str, name: str = STEPS) -> None:
        for known in (STEPS, "strict_helper"):
            sys.modules.pop(known, None)
        (tmp_path / f"{name}.py").write_text(text)
        for cached in tmp_path.glob("__pycache__/*"):
            cached.unlink()
        importlib.invalidate_caches()
        sys.path_importer_cache.clear()
        __import__("linecache").clearcache()

    yield write
    for name in (STEPS, "strict_helper"):
        sys.modules.pop(name, None)


USED = """
import math
FACTOR = {factor}

def helper(x):
    return x * {inner}

class Tool:
    value = {member}

def step(x):
    '''Return something.'''
    return helper(x) * FACTOR + Tool.value + math.pi

def other():
    return {unused}
"""


def used(**changed: Any) -> str:
    return USED.format(**{"factor": 2, "inner": 3, "member": 4, "unused": 5} | changed)


@pytest.mark.parametrize("name", ["factor", "inner", "member"])
def test_what_a_function_uses_in_its_module_is_seen(
    write_steps: Callable[..., None], name: str
) -> None:
    specs = graph_of(func_name=f"{STEPS}.step")
    write_steps(used())
    before, blind = strict(specs), compat(specs)
    write_steps(used(**{name: 100}))
    assert strict(specs) != before
    assert compat(specs) == blind


def test_another_method_that_a_method_uses_by_way_of_its_object_is_seen(
    write_steps: Callable[..., None],
) -> None:
    text = """
class Model:
    def fit(self=None, x=0):
        return self.scale(x)

    def scale(self, x):
        return x * {factor}
"""
    specs = graph_of(func_name=f"{STEPS}.Model.fit")
    write_steps(text.format(factor=1))
    before = strict(specs)
    write_steps(text.format(factor=2))
    assert strict(specs) != before


def test_a_changed_comment_or_layout_or_another_function_changes_nothing(
    write_steps: Callable[..., None],
) -> None:
    specs = graph_of(func_name=f"{STEPS}.step")
    write_steps(used())
    before = strict(specs)
    write_steps("# said anew\n\n" + used(unused=100).replace("x * 3", "(x\n   * 3)  # times"))
    assert strict(specs) == before


LOCAL = """
def noted(function):
    return function

def mass(x):
    return {factor}

@noted
def step(mass):
    total = [mass for mass in range(mass)]
    return {used}(1) + len(total)
"""


def test_what_has_the_name_of_an_argument_is_not_used(write_steps: Callable[..., None]) -> None:
    specs = graph_of(func_name=f"{STEPS}.step")
    write_steps(LOCAL.format(factor=1, used="abs"))
    before = strict(specs)
    write_steps(LOCAL.format(factor=2, used="abs"))
    assert strict(specs) == before
    write_steps(LOCAL.format(factor=2, used="abs").replace("return function", "return abs"))
    assert strict(specs) != before


def test_a_changed_module_of_the_user_that_is_imported_is_seen(
    write_steps: Callable[..., None],
) -> None:
    specs = graph_of(func_name=f"{STEPS}.step")
    text = "import strict_helper\n\ndef step(x):\n    return strict_helper.twice(x)\n"
    write_steps("def twice(x):\n    return 2 * x\n", "strict_helper")
    write_steps(text)
    before = strict(specs)
    write_steps("def twice(x):\n    return x + x\n", "strict_helper")
    assert strict(specs) != before


def test_another_version_of_a_library_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = graph_of(func_name="numpy.mean")
    before, blind = strict(specs), compat(specs)
    installed_version.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(importlib.metadata, "version", lambda name: f"99 of {name}")
        assert strict(specs) != before
        assert compat(specs) == blind
    installed_version.cache_clear()
    assert strict(specs) == before


def test_a_library_imported_by_code_in_the_graph_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = graph_of(func_code="def f(x):\n    import numpy\n    return numpy.mean(x)")
    before = strict(specs)
    installed_version.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(importlib.metadata, "version", lambda name: f"99 of {name}")
        assert strict(specs) != before
    installed_version.cache_clear()


def test_functions_that_are_given_as_they_are_count_with_what_they_close_over() -> None:
    def maker(n: int) -> Callable[[int], int]:
        return lambda x: x + n

    assert strict(graph_of(func=maker(1))) == strict(graph_of(func=maker(1)))
    assert strict(graph_of(func=maker(1))) != strict(graph_of(func=maker(2)))


# -- what changes nothing --------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"node": "elsewhere", "island": "far"}, {"log_level": "DEBUG"}, {"n_tries": 5},
        {"name": "another"}, {"uid": "2026-01-01"}, {"weight": 7}, {"num_cpus": 8},
        {"lifespan": 60}, {"reprodata": {"rmode": "1"}}, {"humanReadableKey": "b"},
    ],
    ids="+".join,
)  # fmt: skip
def test_what_cannot_change_a_result_does_not_count(change: dict[str, Any]) -> None:
    assert strict(graph_of(func_name="len", **change)) == strict(graph_of(func_name="len"))


def test_placement_counts_for_the_existing_system_only() -> None:
    one, other = (graph_of(func_name="len", node=node, island="i") for node in ("a", "b"))
    assert compat(one)["RECOMPUTE"] != compat(other)["RECOMPUTE"]
    assert strict(one) == strict(other)


def test_oids_and_the_order_of_a_file_do_not_count() -> None:
    specs = chain(3)
    renamed = [
        {
            key: [f"new-{oid}" for oid in value] if isinstance(value, list) else f"new-{value}"
            if key == "oid" else value
            for key, value in spec.items()
        }
        for spec in specs
    ]  # fmt: skip
    assert strict(renamed[::-1]) == strict(specs)


def test_values_that_look_alike_are_told_apart() -> None:
    values = [1, 1.0, "1", True, None, float("nan"), [1], b"1", 2**80, np.ones(1), np.float32(1)]
    assert len({strict(graph_of(func_name="len", value=value)) for value in values}) == len(values)


def test_a_value_that_cannot_be_signed_is_refused() -> None:
    graph = read_physical_graph(graph_of(func_name="len", value=(n for n in "ab")))
    with pytest.raises(UsageError, match="cannot be signed"):
        Signer().sign(graph)


@given(st.permutations(range(4)), st.data())
def test_the_order_of_keys_does_not_count(order: list[int], data: st.DataObject) -> None:
    items = [("func_name", "len"), ("p", 1), ("q", {"a": 1, "b": 2}), ("r", [1, 2])]
    assert strict(graph_of(**dict(items[place] for place in order))) == strict(
        graph_of(**dict(items))
    )


def test_signatures_of_drops_say_from_where_on_two_graphs_differ() -> None:
    one, other = (chain(5) for _ in "ab")
    other[5]["told"] = 1
    signed = [Signer().sign(read_physical_graph(specs)).drops for specs in (one, other)]
    assert [a == b for a, b in zip(*signed, strict=True)] == [True] * 5 + [False] * 6


# -- levels ----------------------------------------------------------------------------------


def test_a_joint_level_is_the_same_only_if_both_its_parts_are() -> None:
    known = {Level.RERUN: "a", Level.REPEAT: "b", Level.RECOMPUTE: "c"}
    joined = signature_at(Level.REPLICATE_SCI, known, "results")
    assert joined != signature_at(Level.REPLICATE_SCI, known, "others")
    assert joined != signature_at(Level.REPLICATE_SCI, known | {Level.RERUN: "z"}, "results")
    assert joined == signature_at(Level.REPLICATE_SCI, known | {Level.REPEAT: "z"}, "results")
    assert signature_at(Level.REPRODUCE, known, "results") == "results"
    assert signature_at(Level.REPLICATE_SCI, known) is None


def test_drops_have_no_signature_at_levels_of_contents() -> None:
    with pytest.raises(UsageError, match="REPRODUCE"):
        Signer().sign(read_physical_graph(chain(1)), Level.REPRODUCE)
