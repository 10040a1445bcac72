from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dlg import plugins
from dlg.exceptions import RunError, UsageError
from dlg_engine.cli.group import guarded
from dlg_engine.cli.main import COMMANDS, SECTIONS, cli
from dlg_translator.testing.drawing import Drawing
from tests.dlg_engine.cli.conftest import Dlg, Shell


def test_help_lists_every_command_and_has_examples(dlg: Dlg) -> None:
    result = dlg("--help")
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert name in result.stdout
        assert entry.help in result.stdout
    assert "Examples:" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_explains_itself(dlg: Dlg, name: str) -> None:
    result = dlg(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: dlg {name} ")


@pytest.mark.parametrize("name", ["run", "check", "draw", "completion"])
def test_our_own_commands_show_examples(dlg: Dlg, name: str) -> None:
    assert f"dlg {name} " in dlg(name, "--help").stdout.partition("Options:")[2]


def imported_by(*args: str) -> set[str]:
    code = f"import sys; from dlg_engine.cli.main import cli\ntry: cli({list(args)!r})\n"
    code += "except SystemExit: pass\nprint(*sys.modules, file=sys.stderr)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(run.stderr.split())


def test_help_imports_no_command_and_nothing_heavy() -> None:
    modules = imported_by("--help")
    heavy = {"numpy", "rich", "msgspec", "dlg_translator", "dlg_engine.cli.run"}
    assert not heavy & modules


def test_checking_a_physical_graph_loads_no_translator_and_no_engine(tmp_path: Path) -> None:
    graph = tmp_path / "graph.json"
    graph.write_text("[]")
    modules = imported_by("check", str(graph))
    assert "dlg.graph.reading" in modules
    assert not {"dlg_translator", "dlg_engine.sessions", "rich"} & modules


def test_the_version_is_that_of_the_package(dlg: Dlg) -> None:
    assert dlg("--version").stdout.startswith(f"dlg {importlib.metadata.version('dlg')} ")


def test_a_misspelt_command_is_answered_with_the_nearest(dlg: Dlg) -> None:
    result = dlg("chek")
    assert result.exit_code == 2
    assert "did you mean 'check'?" in result.stderr


def test_without_a_command_the_help_is_shown(dlg: Dlg) -> None:
    result = dlg()
    assert result.exit_code == 2
    assert "Commands:" in result.output


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("not so"), 2, "dlg: not so\n"),
        (RunError("went wrong"), 1, "dlg: went wrong\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
        (click.ClickException("bad option"), 2, "Error: bad option\n"),
        (click.exceptions.Exit(3), 3, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_errors_become_exit_codes_without_a_traceback(
    error: BaseException, code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        raise error

    assert guarded(work) == code
    assert capsys.readouterr().err == text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("command", ["check {}", "run {} -q --report -", "unroll -L {} --compat"])
def test_a_full_disk_ends_the_command_with_one_line(tmp_path: Path, command: str) -> None:
    drawing = Drawing()
    drawing.data("alone")
    graph = tmp_path / "g.graph"
    graph.write_text(json.dumps(drawing.document()))
    line = f"{sys.executable} -m dlg_engine.cli {command.format(graph)} > /dev/full"
    run = subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, check=False, cwd=tmp_path,
        timeout=60,
    )  # fmt: skip
    assert run.returncode == 2
    assert run.stderr == "dlg: cannot write the output: No space left on device\n"


def test_no_color_is_heeded_on_a_terminal_too(
    dlg: Dlg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty.json").write_text("[]")
    assert "\x1b[31m" in dlg("check", "empty.json", color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in dlg("check", "empty.json", color=True).stdout


def test_what_a_command_returns_is_the_exit_code() -> None:
    assert guarded(lambda: 5) == 5
    assert guarded(lambda: None) == 0


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 / 0)


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path: Path) -> None:
    specs = [{"oid": f"d{k}", "categoryType": "Nonsense"} for k in range(20_000)]
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(specs))
    command = f"{sys.executable} -m dlg_engine.cli check {graph} | head -1"
    run = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.stdout.startswith("error[bad-category]")
    assert run.stderr == ""


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(dlg: Dlg, shell_name: str) -> None:
    result = dlg("completion", shell_name)
    assert result.exit_code == 0
    assert "_DLG_COMPLETE" in result.stdout


def test_commands_options_and_choices_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    for words, expected in (
        ("dlg un", {"unroll", "unroll-and-partition"}),
        ("dlg run --work", {"--workers", "--workdir"}),
        ("dlg run --runner pr", {"processes"}),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        monkeypatch.setenv("_DLG_COMPLETE", "bash_complete")
        code = "from dlg_engine.cli.main import main; main()"
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
        )
        assert {line.partition(",")[2] for line in run.stdout.splitlines()} == expected


@pytest.fixture
def third_party(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point = importlib.metadata.EntryPoint("hello", f"{__name__}:hello", "dlg.commands")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    plugins._declared.cache_clear()
    yield
    plugins._declared.cache_clear()


@click.command()
def hello() -> None:
    click.echo("hello from a package")


@pytest.mark.usefixtures("third_party")
def test_installed_packages_can_add_commands(dlg: Dlg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "resolve", lambda _target: hello)
    assert dlg("hello").stdout == "hello from a package\n"
    assert "hello" in dlg("--help").stdout


def test_log_messages_are_shown_when_asked_for(shell: Shell) -> None:
    graph = '[{"oid": "a", "categoryType": "Data", "dropclass": "dlg.data.memory.InMemoryDROP"}]'
    assert shell("run", "-", stdin=graph).stderr == ""
    assert "DEBUG" in shell("-vv", "run", "-", stdin=graph).stderr


def test_the_group_can_be_called_from_python() -> None:
    assert cli.main(["completion", "bash"], standalone_mode=False) is None


def test_the_help_has_each_command_in_one_section(dlg: Dlg) -> None:
    lines = dlg("--help").stdout.splitlines()
    titles = [line for line in lines if line.endswith(":") and "ommands" in line]
    assert titles == ["Commands:", *(f"{title}:" for title in SECTIONS.values())]
    for name in COMMANDS:
        assert sum(line.startswith(f"  {name} ") for line in lines) == 1
