"""What every partitioner must do: derive from `PartitionerContract` and give it yours."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any, cast

import numpy as np
import pytest

from dlg_translator.partition.contract import Partitioner
from dlg_translator.schedule.dag import Dag, make_dag
from dlg_translator.testing.dags import chain, pipelines

GRAPHS = {
    "one row": make_dag(1, [], []),
    "rows without edges": make_dag(9, [], []),
    "a chain": chain(40),
    "pipelines": pipelines(30),
    "two graphs side by side": make_dag(6, [0, 1, 3, 4], [1, 2, 4, 5]),
    "no times": replace(pipelines(5), node_weight=np.zeros(33, np.int64)),
    "measured times": replace(pipelines(5), node_weight=pipelines(5).node_weight * 0.01),
}


class PartitionerContract:
    """Tests that hold for every algorithm."""

    exact_parts = True
    """Whether the algorithm gives as many parts as asked for wherever there are enough rows."""

    @pytest.fixture
    def partitioner(self) -> Partitioner:
        """Return the partitioner to test."""
        raise NotImplementedError

    @pytest.fixture(params=list(GRAPHS))
    def dag(self, request: pytest.FixtureRequest) -> Dag:
        """Return one graph after the other."""
        return GRAPHS[request.param]

    def test_options_are_the_fields_of_a_frozen_dataclass(self, partitioner: Partitioner) -> None:
        options: Any = fields(cast("Any", partitioner))  # refuses what is no dataclass
        assert "name" not in {option.name for option in options}
        with pytest.raises(FrozenInstanceError):
            setattr(partitioner, "anything", 1)  # noqa: B010  mypy knows that this is refused

    @pytest.mark.parametrize("parts", [1, 2, 4, None])
    def test_every_row_is_in_one_part_and_no_part_is_empty(
        self, partitioner: Partitioner, dag: Dag, parts: int | None
    ) -> None:
        part_of = partitioner.divide(dag, parts).part_of
        assert part_of.shape == (dag.n,)
        assert set(part_of.tolist()) == set(range(int(part_of.max()) + 1))

    def test_the_same_graph_gives_the_same_parts(self, partitioner: Partitioner, dag: Dag) -> None:
        first, second = (partitioner.divide(dag, 3).part_of for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_fewer_parts_than_asked_for_are_told(self, partitioner: Partitioner, dag: Dag) -> None:
        division = partitioner.divide(dag, 4)
        found = int(division.part_of.max()) + 1
        assert found == 4 or division.warnings or not self.exact_parts
        assert found <= 4 or not self.exact_parts
