"""Facilities: what is known of them, what a file may say, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg_engine.launch.facilities import (
    BUILT_IN,
    FacilityError,
    find,
    from_texts,
    known,
    read_facilities,
    write_tables,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "facilities.toml"


def test_without_a_file_the_generic_ones_are_known(file: Path) -> None:
    assert known(file) == dict(BUILT_IN)
    assert {one.scheduler for one in BUILT_IN.values()} == {"slurm", "pbs", "lsf", "shell"}


def test_a_facility_has_what_it_does_not_say_from_the_one_that_it_is_like(file: Path) -> None:
    file.write_text(
        '[ours]\nlike = "pbs"\nhost = "login"\nnodes = 3\n[night]\nlike = "ours"\nminutes = 600\n'
    )
    night = find("night", file)
    assert (night.scheduler, night.host, night.nodes, night.minutes) == ("pbs", "login", 3, 600)


def test_one_of_the_generic_names_changes_that(file: Path) -> None:
    file.write_text('[slurm]\npartition = "work"\n')
    assert find("slurm", file).partition == "work"
    assert find("slurm", file).about == BUILT_IN["slurm"].about


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[a]\nnode = 3\n", "has no key 'node'; did you mean 'nodes'?"),
        ('[a]\nlike = "b"\n', "like 'b', which nothing above describes"),
        ('[a]\nscheduler = "sge"\n', "Invalid enum value 'sge'"),
        ('[a]\nnodes = "three"\n', "Expected `int`"),
        ("[a]\nnodes = 0\n", "nodes is a number from 1"),
        ("[a]\ncpus = -1\n", "cpus is a number from 0"),
        ('[a]\npartition = "work; rm -r x"\n', "partition is one word"),
        ('[a]\nhost = "-oProxyCommand=evil"\n', "host is one word"),
        ('[a]\nroot = "a\\nb"\n', "root is one line"),
        ('[a]\nsetup = ["a\\nb"]\n', "more than one line"),
        ('["a b"]\n', "cannot be the name of a facility"),
        ("nodes = 3\n", "outside of a table"),
        ("[a\n", "is no TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place(
    file: Path, text: str, told: str
) -> None:
    file.write_text(text)
    with pytest.raises(FacilityError, match="facilities.toml") as caught:
        read_facilities(file)
    assert told in str(caught.value)


def test_a_misspelt_facility_is_told_with_the_nearest(file: Path) -> None:
    with pytest.raises(FacilityError, match="did you mean 'slurm'"):
        find("slrum", file)


def test_values_given_as_texts_are_of_the_kind_that_their_key_has(file: Path) -> None:
    table = from_texts("a", {"nodes": "3", "setup": "module load x ; export A=1"}, file)
    assert table == {"nodes": 3, "setup": ["module load x", "export A=1"]}
    write_tables({"a": table}, file)
    assert find("a", file).setup == ("module load x", "export A=1")
    assert from_texts("a", {"nodes": ""}, file) == {"setup": ["module load x", "export A=1"]}


@pytest.mark.parametrize("pairs", [{"nodes": "many"}, {"colour": "red"}, {"minutes": "0"}])
def test_values_that_could_not_be_read_again_are_not_written(
    file: Path, pairs: dict[str, str]
) -> None:
    with pytest.raises(FacilityError):
        from_texts("a", pairs, file)


@pytest.mark.parametrize("other", ["below", "ours"])
def test_a_facility_cannot_be_made_like_one_that_is_read_later(file: Path, other: str) -> None:
    file.write_text("[ours]\nnodes = 2\n[below]\nnodes = 3\n")
    with pytest.raises(FacilityError, match=f"like '{other}', which nothing above describes"):
        from_texts("ours", {"like": other}, file)


def test_a_file_that_cannot_be_used_can_be_mended(file: Path) -> None:
    file.write_text('[ours]\nlike = "below"\n[below]\nnodes = 3\n')
    assert from_texts("ours", {"like": "slurm"}, file) == {"like": "slurm"}


@given(st.text(max_size=12))
def test_no_text_becomes_more_than_one_word_of_a_script(value: str) -> None:
    try:
        table = from_texts("a", {"partition": value}, Path("/nonexistent/facilities.toml"))
    except FacilityError:
        return
    assert len(str(table.get("partition", "")).split()) <= 1
    assert not set(value) & set("\n\"'`$;&|<>()\\ ")
