"""What a caller of `run_graph` gets wrong is told as his mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg.exceptions import InvalidGraphException, NoDropException, UsageError
from dlg.testing import graphs
from dlg_engine.embedded import run_graph


def test_an_app_has_no_result(tmp_path: Path) -> None:
    report = run_graph(graphs.chain(1), workdir=tmp_path)
    (app,) = [uid for uid, drop in report.drops.items() if not hasattr(drop, "value")]
    with pytest.raises(NoDropException, match="it is an app, and only data has a value"):
        report.result(app)


def test_a_time_before_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="timeout: a number of seconds is expected, not -1"):
        run_graph(graphs.chain(1), workdir=tmp_path, timeout=-1)
    assert not list(tmp_path.iterdir())


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Not a directory: .*file/graph-"):
        run_graph(graphs.chain(1), workdir=tmp_path / "file")


@pytest.mark.parametrize(
    ("content", "what"),
    [("null", "null"), ('"x"', "a text"), ("7", "a number"), ("true", "a truth value")],
)
def test_json_that_is_no_graph_is_called_by_its_name(
    tmp_path: Path, content: str, what: str
) -> None:
    (tmp_path / "g.json").write_text(content)
    with pytest.raises(InvalidGraphException, match=f"expected a list of dropspecs, found {what}"):
        run_graph(tmp_path / "g.json", workdir=tmp_path)
