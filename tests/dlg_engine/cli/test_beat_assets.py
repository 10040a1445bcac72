"""`dlg beat`: looking at a prefix, checking it, drawing, beginning and copying assets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from dlg.beat.catalogue import CLASSES, Catalogue, Named
from dlg.beat.code_checks import code_warnings
from dlg.beat.experiment import Experiment
from dlg.beat.hash import toUserPath
from dlg.beat.prefixes import FOLDERS, names_in
from dlg.beat.signatures import experiment_signatures
from dlg.beat.toolchain import Toolchain
from dlg.exceptions import InvalidAssetError, UsageError
from dlg_engine.cli.beat import BEAT_COMMANDS, beat
from dlg_engine.cli.beat_files import MADE
from tests.dlg.beat.random_experiments import random_experiment, write_prefix

LABEL = "user/user/drawn/1/first"
Dlg = Callable[..., Result]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a prefix with an experiment that has a loop and two blocks."""
    root = tmp_path_factory.mktemp("prefix")
    write_prefix(root)
    for number in range(2000):
        declaration, drawn = random_experiment(number)
        if declaration["loops"] and len(declaration["blocks"]) > 1:
            toolchain = Toolchain(str(root), drawn)
            experiment = Experiment(str(root), (declaration, toolchain))
            if experiment.valid:
                toolchain.name = "user/drawn/1"
                toolchain.write()
                experiment.label = LABEL
                experiment.description = "made by chance"
                experiment.write()
                return root
    raise AssertionError("none of them has a loop and two blocks")


@pytest.fixture
def dlg(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> Dlg:
    monkeypatch.setenv("DLG_PREFIX", str(prefix))

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(beat, [str(one) for one in arguments])

    return run


def test_the_table_names_only_commands_that_are_there() -> None:
    listed = CliRunner().invoke(beat, ["--help"])
    assert listed.exit_code == 0
    for name in BEAT_COMMANDS:
        assert CliRunner().invoke(beat, [name, "--help"]).exit_code == 0, name


def test_all_assets_of_a_prefix_are_listed(dlg: Dlg) -> None:
    text = dlg("list").stdout
    assert "experiments (1)\n  user/user/drawn/1/first\n" in text
    assert dlg("list", "library").stdout == "user/tools/1\n"
    assert json.loads(dlg("list", "database", "--json").stdout) == {"database": ["data/1"]}


def test_a_prefix_that_is_right_is_said_to_be(dlg: Dlg) -> None:
    done = dlg("check")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1].startswith("all ")
    assert dlg("check", "drawn/1").exit_code == 2
    assert dlg("check", "user/drawn/1").stdout == "toolchains/user/drawn/1 is valid\n"


def test_what_is_wrong_is_told_with_its_asset(tmp_path: Path, dlg: Dlg) -> None:
    write_prefix(tmp_path)
    (tmp_path / "dataformats/user/real/1.json").write_text('{"value": "float33"}')
    (tmp_path / "algorithms/user/one/1.py").write_text("class Algorithm(:")
    (tmp_path / "algorithms/odd.json").write_text("{}")
    done = dlg("check", "--prefix", tmp_path)
    assert done.exit_code == 2
    assert "\ndataformats/user/real/1: /value: " in "\n" + done.stdout
    assert "algorithms/odd: invalid algorithm name" in done.stdout
    assert "algorithms/user/one/1: warning: line 1 is no Python: " in done.stdout
    found = json.loads(dlg("check", "--prefix", tmp_path, "--json", "user/real/1").stdout)
    assert [(one["kind"], one["name"], one["valid"]) for one in found] == [
        ("dataformat", "user/real/1", False)
    ]


def test_code_without_the_class_that_is_run_is_warned_of(prefix: Path) -> None:
    database = Catalogue(str(prefix)).load(Named("database", "data/1"))
    assert list(code_warnings(database)) == [
        "the code has no class `View', which is the view of the set `set' of protocol `protocol'"
    ]


def test_an_experiment_is_shown_in_the_order_to_run_it(dlg: Dlg, prefix: Path) -> None:
    text = dlg("show", LABEL).stdout
    assert text.startswith(f"experiment {LABEL}: made by chance\n")
    order = list(Experiment(str(prefix), LABEL).setup())
    words = [line.partition(" ")[0] for line in text.splitlines()]
    shown = [word for word in words if word in order]
    assert shown == order


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("dataformats/user/more/1", "extends: user/integer/1"),
        ("user/one/1", "type: legacy, API 1, python, splittable"),
        ("user/analyzer/1", "result"),
        ("data/1", "root folder: /data"),
        ("user/drawn/1", "in this order"),
        ("user/tools/1", "library user/tools/1"),
    ],
)
def test_each_kind_of_asset_is_shown(name: str, told: str, dlg: Dlg) -> None:
    done = dlg("show", name)
    assert done.exit_code == 0
    assert told in done.stdout
    assert isinstance(json.loads(dlg("show", name, "--json").stdout), dict)


def test_parameters_are_shown_as_they_are_declared(dlg: Dlg) -> None:
    row = next(line for line in dlg("show", "user/one/1").stdout.splitlines() if "int8" in line)
    assert row.split() == ["p", "int8", "3", "[0,", "9]"]


def test_names_are_completed(dlg: Dlg, prefix: Path) -> None:
    command = beat.get_command(click.Context(beat), "draw")
    assert command is not None
    found = ShellComplete(command, {}, "draw", "_COMPLETE").get_completions([], "user/")
    assert [(one.value, one.help) for one in found] == [
        ("user/drawn/1", "toolchain"),
        (LABEL, "experiment"),
    ]


def test_code_is_shown_where_there_is_some(dlg: Dlg) -> None:
    assert dlg("show", "user/one/1", "--code").stdout == "# algorithms/user/one/1\n"
    assert dlg("show", "user/drawn/1", "--code").exit_code == 2


def test_hashes_of_assets_and_of_blocks_are_printed(dlg: Dlg, prefix: Path) -> None:
    experiment = Experiment(str(prefix), LABEL)
    assert dlg("hash", LABEL).stdout == f"{experiment.hash()}  {LABEL}\n"
    found = json.loads(dlg("hash", "--blocks", "--json", "user/drawn/1/first").stdout)[LABEL]
    assert {name: one["signature"] for name, one in found.items()} == experiment_signatures(
        experiment
    )
    loop = experiment.setup()["loop"]["configuration"]
    outputs = {"po": loop["outputs"]["o0"], "eo": loop["loop"]["outputs"]["o0"]}
    assert found["loop"]["outputs"] == {name: one["hash"] for name, one in outputs.items()}
    assert loop["outputs"]["o0"]["hash"] in dlg("hash", "--blocks", LABEL).stdout


@pytest.mark.parametrize("form", ["svg", "html", "dot"])
def test_experiments_and_toolchains_are_drawn(form: str, dlg: Dlg, tmp_path: Path) -> None:
    for name in (LABEL, "user/drawn/1"):
        file = tmp_path / f"drawn.{form}"
        assert dlg("draw", name, "-o", file).exit_code == 0
        assert "loop" in file.read_text()
    assert dlg("draw", LABEL, "-o", tmp_path / "drawn.xyz").exit_code == 2
    assert not (tmp_path / "drawn.xyz").exists()


@pytest.mark.parametrize("kind", MADE)
def test_what_is_begun_is_written_and_never_overwritten(
    kind: str, dlg: Dlg, tmp_path: Path
) -> None:
    write_prefix(tmp_path)
    if kind == "database":
        assert dlg("new", "protocoltemplate", "set/1", "--prefix", tmp_path).exit_code == 0
    name = "new/1" if kind in {"database", "protocoltemplate"} else "me/new/1"
    done = dlg("new", kind, name, "--prefix", tmp_path)
    assert done.exit_code == 0, done.output
    files = done.stdout.split()
    assert files
    assert all(Path(file).is_relative_to(tmp_path) and Path(file).exists() for file in files)
    assert name in names_in(tmp_path, kind)
    again = dlg("new", kind, name, "--prefix", tmp_path)
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)


def test_an_experiment_is_copied_into_another_prefix(dlg: Dlg, tmp_path: Path) -> None:
    assert dlg("export", LABEL, tmp_path / "other").exit_code == 0
    assert dlg("check", "--prefix", tmp_path / "other").exit_code == 0
    assert names_in(tmp_path / "other", "experiment") == [LABEL]


def test_a_folder_without_assets_is_no_prefix(dlg: Dlg, tmp_path: Path) -> None:
    done = dlg("list", "--prefix", tmp_path)
    assert (done.exit_code, "is no prefix" in done.stderr) == (2, True)


def test_an_asset_of_another_kind_is_said_to_be_one(dlg: Dlg) -> None:
    done = dlg("draw", "user/split/1", "-o", "x.svg")
    assert done.exit_code == 2
    assert "user/split/1 is an algorithm, not an experiment or a toolchain" in done.stderr


def test_a_kind_may_be_named_as_its_folder_is(dlg: Dlg) -> None:
    assert "user/split/1" in dlg("list", "algorithm").stdout
    assert dlg("list", "algorithms").stdout == dlg("list", "algorithm").stdout
    wrong = dlg("list", "algoritm")
    assert (wrong.exit_code, "'algoritm' is not one of" in wrong.stderr) == (2, True)


def test_warnings_are_counted_beside_the_verdict(dlg: Dlg, tmp_path: Path) -> None:
    write_prefix(tmp_path)
    (tmp_path / "algorithms/user/split/1.py").write_text("def broken(:\n")
    done = dlg("check", "user/split/1", "--prefix", tmp_path)
    assert done.exit_code == 0
    assert done.stdout.endswith("algorithms/user/split/1 is valid; 1 warning\n")


def test_a_name_that_several_have_is_asked_about(tmp_path: Path) -> None:
    write_prefix(tmp_path)
    for folder in ("toolchains", "libraries"):
        (tmp_path / folder / "user/one").mkdir(parents=True)
        (tmp_path / folder / "user/one/1.json").write_text("{}")
    catalogue = Catalogue(str(tmp_path))
    with pytest.raises(
        UsageError, match="libraries/user/one/1, algorithms/user/one/1, toolchains"
    ):
        catalogue.find("user/one/1")
    assert catalogue.find("algorithms/user/one/1") == Named("algorithm", "user/one/1")
    assert catalogue.find("user/one/1", ("algorithm",)) == Named("algorithm", "user/one/1")
    with pytest.raises(UsageError, match="did you mean user/split/1"):
        catalogue.find("user/splt/1")
    with pytest.raises(InvalidAssetError, match="does not leave its prefix"):
        catalogue.find("../../etc/passwd")


def test_what_is_loaded_once_is_not_loaded_again(prefix: Path) -> None:
    catalogue = Catalogue(str(prefix))
    experiment = catalogue.load(Named("experiment", LABEL))
    assert catalogue.load(Named("experiment", LABEL)) is experiment
    assert isinstance(experiment, Experiment)
    for name, algorithm in experiment.algorithms.items():
        assert catalogue.load(Named("algorithm", name)) is algorithm
    assert CLASSES.keys() == FOLDERS.keys()


def test_names_are_the_same_in_a_sharded_prefix(tmp_path: Path) -> None:
    plain = tmp_path / "toolchains/other/line/1.json"
    sharded = tmp_path / "toolchains" / toUserPath("user") / "line/1.json"
    for file in (plain, sharded):
        file.parent.mkdir(parents=True)
        file.write_text("{}")
    assert names_in(tmp_path, "toolchain") == ["other/line/1", "user/line/1"]
    assert Catalogue(str(tmp_path)).find("user/line/1").name == "user/line/1"
