"""Naming an experiment where the file of a graph would stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg.exceptions import UsageError
from dlg_engine.cli.experiment_option import chosen_graph

PREFIX = Path(__file__).parents[3] / "graphs" / "beat" / "prefix"
NAME = "demo/demo/recognition/1/faces"


def test_a_file_is_the_graph() -> None:
    assert chosen_graph("my.graph", None, None) == "my.graph"


def test_the_name_of_an_experiment_stands_for_its_file() -> None:
    pytest.importorskip("jsonschema_rs")
    found = chosen_graph(None, NAME, PREFIX)
    assert Path(found) == PREFIX / "experiments" / f"{NAME}.json"


@pytest.mark.parametrize(
    ("graph", "experiment", "prefix", "told"),
    [
        (None, None, None, "which graph"),
        ("my.graph", NAME, PREFIX, "Only one"),
        ("my.graph", None, PREFIX, "--prefix is for"),
        (None, "demo/demo/recognition/1/none", PREFIX, "no experiment"),
    ],
)
def test_what_is_unclear_is_told(
    graph: str | None, experiment: str | None, prefix: Path | None, told: str
) -> None:
    pytest.importorskip("jsonschema_rs")
    with pytest.raises(UsageError, match=told):
        chosen_graph(graph, experiment, prefix)
