"""Graphs on a Dask cluster."""

from __future__ import annotations

import functools
import os
import signal
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from dlg import plugins
from dlg.ddap_protocol import DROPStates as S
from dlg.engines import NotOnThisEngineError
from dlg.exceptions import UsageError, WorkerDiedError
from dlg.runtime import compute, delayed
from dlg.support.session_log import read_log
from dlg.testing.graphs import app, chain, data, fan_gather, layered, stencil
from dlg_engine.backends import shipping
from dlg_engine.backends.dask_cluster import SchedulerUnreachableError, connected
from dlg_engine.testing.engine_contract import ends

pytestmark = pytest.mark.slow

OUTCOME = "dlg.testing.apps.OutcomeApp"
JOINING = "dlg.testing.apps.JoiningApp"
KILLER = "killers.KillerApp"


@pytest.fixture
def run(dask: dict[str, Any], tmp_path: Path) -> Any:
    return functools.partial(plugins.engine("dask"), **dask, workdir=tmp_path, timeout=100)


def test_arrays_are_handed_from_worker_to_worker(dask: dict[str, Any]) -> None:
    ones = [delayed(np.full)(1000, number) for number in range(4)]
    total = delayed(sum)(ones)
    assert compute(total, engine="dask", **dask).tolist() == [6] * 1000


def test_an_exception_of_a_delayed_call_is_raised_here(dask: dict[str, Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        compute(delayed(divmod)(1, 0), engine="dask", **dask)


def test_who_writes_the_same_data_writes_it_in_one_place(run: Any) -> None:
    specs = [
        app("a", ["both"], JOINING), app("b", ["both"], JOINING), data("both", persist=True),
    ]  # fmt: skip
    assert sorted(run(specs).result("both")) == sorted(b"(a)(b)")


def test_it_is_seen_how_far_a_chain_has_come(run: Any) -> None:
    told: list[int] = []
    specs = chain(6)
    for spec in specs:
        if "dropclass" in spec and spec["categoryType"] == "Application":
            spec |= {"dropclass": "dlg.apps.sleep.SleepApp", "sleep_time": 0.6}
    assert run(specs, progress=lambda one: told.append(one.done)).status == "FINISHED"
    assert len(set(told)) > 3  # not only before and after


def test_what_apps_log_on_workers_is_in_the_log_of_the_session(run: Any) -> None:
    code = "import logging\ndef f():\n    logging.getLogger('mine').info('looked at it')"
    specs = [app("a", ["d"], "dlg.apps.python_function.PyFuncApp", func_code=code), data("d")]
    records = read_log(run(specs).session_dir)
    assert [(one["drop"], one["message"]) for one in records if one["module"] == "mine"] == [
        ("a", "looked at it")
    ]
    assert all(one["node"].startswith("tls://") for one in records)


def test_an_end_marker_skips_what_has_not_begun(run: Any) -> None:
    specs = fan_gather(3, JOINING)
    report = run(specs)
    assert report.status == "FINISHED"
    assert report.result("end").count(b"(") == 4


def test_what_a_worker_tells_that_nobody_here_can_read_ends_the_run(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    report = run([app("a", ["d"], "killers.OddApp"), data("d")])
    assert report.status == "FAILED"
    assert "cannot be taken here: nobody here knows an odd error" in report.errors[0].exception


class TestDeaths:
    @pytest.fixture(autouse=True)
    def code(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(Path(__file__).parent))
        sys.modules.pop("killers", None)

    def graph(self, log: Path, deaths: int) -> list[dict[str, Any]]:
        specs = layered(
            {0: [], 1: [0], 2: [0], 3: [1, 2]}, JOINING, input_error_threshold=[50] * 4
        )
        killer = next(spec for spec in specs if spec["oid"] == "a1")
        killer |= {"dropclass": KILLER, "deaths": deaths, "log": str(log)}
        return specs

    def test_a_graph_outlives_a_worker(self, run: Any, tmp_path: Path) -> None:
        report = run(self.graph(tmp_path / "log", 1))
        assert (report.status, report.errors) == ("FINISHED", ())
        assert report.result("d3") == b"(a3+1+(a2+(a0+)))"

    def test_a_worker_that_is_killed_in_mid_run_is_made_up_for(
        self, run: Any, dask: dict[str, Any]
    ) -> None:
        with connected(dask) as client:
            victims = sorted(client.run(os.getpid).values())[:1]

        def strike(told: Any) -> None:
            if told.done > 100 and victims:
                os.kill(victims.pop(), signal.SIGKILL)

        with patch.multiple(shipping, FIRST=20, NEXT=100):
            report = run(stencil(12, 40, OUTCOME), progress=strike)
        assert not victims
        assert (report.status, report.errors) == ("FINISHED", ())
        assert set(ends(report).values()) == {S.COMPLETED}

    def test_a_drop_that_kills_three_workers_fails_and_the_rest_goes_on(
        self, run: Any, tmp_path: Path
    ) -> None:
        report = run(self.graph(tmp_path / "log", 100))
        assert [error.uid for error in report.errors] == ["a1"], report.errors
        assert isinstance(report.errors[0].error, WorkerDiedError)
        assert "drop a1" in report.errors[0].exception
        assert (tmp_path / "log").read_text().splitlines() == ["died"] * 3
        assert report.states["d2"] in {S.COMPLETED, S.DELETED}
        assert report.result("d3") == b"(a3+(a2+(a0+)))"


class TestRefusals:
    def test_no_scheduler_is_told_with_its_address(self, tmp_path: Path) -> None:
        with pytest.raises(SchedulerUnreachableError, match="nobody-is-here"):
            plugins.engine("dask")([data("d")], scheduler="nobody-is-here", workdir=tmp_path)

    def test_a_cluster_that_asks_for_a_certificate_says_so(
        self, dask: dict[str, Any], tmp_path: Path
    ) -> None:
        with pytest.raises(SchedulerUnreachableError, match="--tls CA CERT KEY"):
            plugins.engine("dask")([data("d")], scheduler=dask["scheduler"], workdir=tmp_path)

    def test_a_certificate_is_not_shown_in_the_clear(
        self, dask: dict[str, Any], tmp_path: Path
    ) -> None:
        where = dask["scheduler"].replace("tls://", "tcp://")
        with pytest.raises(SchedulerUnreachableError, match="its address begins with tls://"):
            plugins.engine("dask")([data("d")], scheduler=where, tls=dask["tls"], workdir=tmp_path)

    def test_certificates_that_nobody_has_signed_are_refused(self, run: Any) -> None:
        with pytest.raises(UsageError, match="ca_file"):
            run([data("d")], tls={"cert": "a", "key": "b"})

    def test_a_resource_that_is_no_number_is_told_with_its_drop(self, run: Any) -> None:
        with pytest.raises(UsageError, match="drop a: num_cpus is a number, not 'two'"):
            run([app("a", ["d"], num_cpus="two"), data("d")])

    def test_what_only_some_clusters_tell_of_is_no_reason_to_refuse(self, run: Any) -> None:
        assert run([app("a", ["d"], num_cpus=8, memory_mb=10), data("d")]).status == "FINISHED"

    def test_a_resource_that_no_worker_has_is_refused(self, run: Any) -> None:
        with pytest.raises(NotOnThisEngineError, match="drop a needs GPU"):
            run([app("a", ["d"], num_gpus=1), data("d")])

    @pytest.mark.parametrize("option", ["store", "resumable", "completed", "warp"])
    def test_what_it_cannot_do_is_refused(self, run: Any, option: str) -> None:
        with pytest.raises(NotOnThisEngineError, match=option):
            run([data("d")], **{option: "x"})

    def test_consumers_triggered_from_outside_are_refused(self, run: Any) -> None:
        specs = [data("d", ["a"], executionMode=1), app("a", ["e"]), data("e")]
        with pytest.raises(NotOnThisEngineError, match="drop d.*EXTERNAL"):
            run(specs)
