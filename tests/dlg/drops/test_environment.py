"""Parameters that are looked up: in the session's variables, and in drops beside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlg.data.parameter_set import ParameterSetDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.exceptions import InvalidDropException
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph
from dlg_engine.sessions.report import RunReport

HELLO = "dlg.apps.hello.HelloWorldApp"
SLEEP = "dlg.apps.sleep.SleepApp"


def run(tmp_path: Path, *specs: dict[str, Any]) -> RunReport:
    return run_graph(list(specs), runner="threads", workdir=tmp_path, timeout=30)


def store(tmp_path: Path, values: Any, **spec: Any) -> dict[str, Any]:
    path = tmp_path / "values.json"
    path.write_text(json.dumps(values))
    return {
        "oid": "values", "name": "store", "categoryType": "Data", "filepath": str(path),
        "dropclass": "dlg.data.json_data.JsonDROP", **spec,
    }  # fmt: skip


def test_a_variable_of_the_environment_is_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_WHOM", "Perth")
    report = run(tmp_path, app("a", ["d"], HELLO, greet="$DLG_WHOM"), data("d"))
    assert report.result("d") == b"Hello Perth"


def test_what_is_filled_in_is_of_the_type_that_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_PAUSE", "0.25")
    report = run(tmp_path, app("a", [], SLEEP, sleep_time="$DLG_PAUSE"))
    drop = report.drops["a"]
    drop.autofill_environment_variables()
    assert drop.sleep_time == 0.25


def test_what_is_filled_in_and_is_not_of_that_type_fails_the_drop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_PAUSE", "long")
    report = run(tmp_path, app("a", [], SLEEP, sleep_time="$DLG_PAUSE"))
    assert "'sleep_time' must be a number, not 'long'" in report.errors[0].exception


def test_a_variable_that_is_not_set_fails_the_drop_and_is_named(tmp_path: Path) -> None:
    report = run(tmp_path, app("a", [], HELLO, greet="$DLG_NO_SUCH_THING"))
    assert "drop a: the environment variable DLG_NO_SUCH_THING is not set" in (
        report.errors[0].exception
    )


def test_nothing_but_the_systems_own_variables_is_told_to_graphs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    report = run(tmp_path, app("a", ["d"], HELLO, greet="$SECRET_KEY"), data("d"))
    assert report.result("d") == b"Hello $SECRET_KEY"


def test_a_value_is_looked_up_in_an_input(tmp_path: Path) -> None:
    source = store(tmp_path, {"city": "Perth"}, consumers=["a"])
    report = run(
        tmp_path, source, app("a", ["d"], HELLO, greet="$store.city", inputs=[]), data("d")
    )
    app_drop = report.drops["a"]
    app_drop.autofill_environment_variables()
    assert app_drop.greet == "Perth"


def test_a_value_deep_inside_is_looked_up_by_its_path(tmp_path: Path) -> None:
    source = store(tmp_path, {"place": {"city": "Perth"}}, consumers=["a"])
    report = run(tmp_path, source, app("a", [], SLEEP, name="$store.place.city"))
    assert report.drops["a"].get_environment_variable("$store.place.city") == "Perth"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("$elsewhere.city", "no input or producer named 'elsewhere' has values"),
        ("$store.gone", "'store' has no value named 'gone'"),
    ],
)
def test_what_is_not_there_is_a_clear_failure(tmp_path: Path, reference: str, said: str) -> None:
    source = store(tmp_path, {"city": "Perth"}, consumers=["a"])
    report = run(tmp_path, source, app("a", [], HELLO, greet=reference))
    assert said in report.errors[0].exception


def test_several_are_looked_up_at_once() -> None:
    source, reader = ParameterSetDROP("p", name="store", one=1, two="2"), BarrierAppDROP("a")
    reader.addInput(source)
    assert reader.get_environment_variables(["$store.one", "$store.two"]) == [1, "2"]


def test_outside_a_session_there_are_no_variables() -> None:
    with pytest.raises(InvalidDropException, match="variable DLG_ROOT is not set"):
        BarrierAppDROP("a").get_environment_variable("$DLG_ROOT")


def test_a_dollar_sign_alone_means_nothing(tmp_path: Path) -> None:
    for text in ("$5", "$", "$HOME/data", "a $DLG_X", "$a b.c"):
        report = run(tmp_path, app("a", ["d"], HELLO, greet=text), data("d"))
        assert report.result("d").decode() == f"Hello {text}"
