"""Graphs that people drew unroll to what the existing translator makes of them.

Counts and order-free fingerprints are compared. Where this translator does something else, the
table says what and why; `docs/explanation/differences.md` says it to users.
"""

from __future__ import annotations

import importlib.util
import json
import types
from pathlib import Path
from typing import Any

import pytest

from dlg_translator import unroll_graph

SHARED = Path(__file__).parents[3] / "../shared/graphs"
COUNTS = ("n_data", "n_app", "n_edges", "longest_path_nodes", "acyclic")
PRINTS = ("wl_topology_sha1", "wl_sha1", "wl_named_sha1", "name_iid_multiset_sha1")

COMMENT = ("a comment inside a construct is no drop", PRINTS)
NAME = (
    "an empty field called name does not take the name of its node away",
    ("wl_named_sha1", "name_iid_multiset_sha1"),
)
CLASS = (
    "a node that names no class gets the one of its category",
    ("wl_sha1", "wl_named_sha1"),
)
GROUP = ("the data of a group-by has a category", ("wl_sha1", "wl_named_sha1"))

# By the end of the file's name: why it differs, and in which fingerprints.
DIFFERENT: dict[str, tuple[str, tuple[str, ...]]] = {
    "chilies_daliuge_split": NAME,
    "examples_wsclean_named_ports": NAME,
    "leap_MS_Plasma_Stream": CLASS,
    ".archive_summit_summit-20201109-121245": CLASS,
    "nifty_test": CLASS,
    "daliuge_tests_reproGraphs_apps": CLASS,
    "Plasma_test": CLASS,
    "logical_graphs_test_grpby_gather": GROUP,
    "SDP_Pipelines_cont_img_YAN-963-delta": COMMENT,
    "SDP_Pipelines_cont_img_YAN-971": COMMENT,
    "repo__cont_img_YAN-963-delta": COMMENT,
    "daliuge-translator_test_dropmake_logical_graphs_cont_img": CLASS,
    "test_grpby_gather@c099bc25": GROUP,
}


def _oracle() -> dict[str, Any]:
    path = SHARED / "expected.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _fingerprints() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("fingerprint", SHARED / "fingerprint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ORACLE = _oracle()
ACCEPTED = sorted(name for name, expected in ORACLE.items() if expected["status"] == "ok")
REFUSED = sorted(name for name, expected in ORACLE.items() if expected["status"] != "ok")

pytestmark = pytest.mark.skipif(not ORACLE, reason=f"{SHARED} is not there")


@pytest.fixture(scope="module")
def made() -> dict[str, dict[str, Any]]:
    """Return the fingerprint of each graph, made when it is asked for."""
    fingerprint = _fingerprints().fingerprint

    class Made(dict[str, dict[str, Any]]):
        def __missing__(self, name: str) -> dict[str, Any]:
            self[name] = fingerprint(unroll_graph(SHARED / name).to_dropspecs())
            return self[name]

    return Made()


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_real_graph_has_as_many_drops_and_links_as_the_existing_translator_makes(
    name: str, made: dict[str, dict[str, Any]]
) -> None:
    keys = COUNTS
    assert {k: made[name][k] for k in keys} == {k: ORACLE[name][k] for k in keys}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_real_graph_has_the_fingerprints_the_existing_translator_makes(
    name: str, made: dict[str, dict[str, Any]]
) -> None:
    differing = next(
        (keys for end, (_why, keys) in DIFFERENT.items() if name.endswith(f"{end}.graph")), ()
    )
    keys = [key for key in PRINTS if key not in differing]
    assert {k: made[name][k] for k in keys} == {k: ORACLE[name][k] for k in keys}


@pytest.mark.parametrize("end", sorted(DIFFERENT))
def test_a_difference_that_is_listed_is_one(end: str, made: dict[str, dict[str, Any]]) -> None:
    (path,) = (name for name in ACCEPTED if name.endswith(f"{end}.graph"))
    _why, differing = DIFFERENT[end]
    assert all(made[path][key] != ORACLE[path][key] for key in differing)


@pytest.mark.parametrize("name", REFUSED)
def test_a_graph_that_the_existing_translator_refuses_is_unrolled(name: str) -> None:
    assert len(unroll_graph(SHARED / name)) > 0
