"""Tests of dlg.plugins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg import plugins
from dlg.plugins import PluginLoadError, UnknownPluginError


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a tiny package with two app drops, one of them broken."""
    (tmp_path / "third_party_apps.py").write_text("class Stack: ...\n")
    info = tmp_path / "third_party-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[dlg.apps]\nstack = third_party_apps:Stack\nbroken = third_party_apps:Gone\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._declared.cache_clear()
    yield
    plugins._declared.cache_clear()
    sys.modules.pop("third_party_apps", None)


@pytest.mark.usefixtures("third_party")
class TestThirdParty:
    def test_a_member_is_found_by_its_name(self) -> None:
        assert plugins.find("dlg.apps", "stack").__name__ == "Stack"

    def test_the_names_are_listed(self) -> None:
        assert plugins.names("dlg.apps") == ["broken", "stack"]

    def test_nothing_is_imported_before_it_is_used(self) -> None:
        plugins.names("dlg.apps")
        assert "third_party_apps" not in sys.modules

    def test_a_member_of_ours_wins_over_one_of_the_same_name(self) -> None:
        assert plugins.find("dlg.apps", "stack", {"stack": "pathlib:Path"}) is Path

    def test_a_member_that_cannot_be_imported_says_why(self) -> None:
        with pytest.raises(PluginLoadError, match="third_party_apps:Gone.*Gone"):
            plugins.find("dlg.apps", "broken")

    def test_a_misspelt_name_gets_a_suggestion(self) -> None:
        with pytest.raises(UnknownPluginError, match="did you mean 'stack'"):
            plugins.find("dlg.apps", "stak")


def test_an_unknown_name_gets_the_list_of_known_ones() -> None:
    with pytest.raises(UnknownPluginError, match="engines.*known are: dask, embedded, managers"):
        plugins.engine("warp-drive")


def test_a_group_of_others_is_refused() -> None:
    with pytest.raises(ValueError, match="not one of our"):
        plugins.names("pytest11")


def test_a_target_needs_a_colon() -> None:
    with pytest.raises(PluginLoadError, match="package.module:name"):
        plugins.resolve("pathlib.Path")
