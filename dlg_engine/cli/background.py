"""The options by which a manager goes to the background, and is stopped or looked at there."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from dlg.exceptions import RunError
from dlg.support.logs import stream_handler
from dlg.support.processes import ExistingProcess
from dlg_engine.daemon.background import log_name, logs_dir, pid_path, put_aside
from dlg_engine.daemon.pid_files import read_pid
from dlg_engine.daemon.processes import ManagerProcess

FOLDER = click.Path(file_okay=False, path_type=Path)
LEVELS = ("ERROR", "WARNING", "INFO", "DEBUG")
NORMAL = 1
KILL_S = 10.0
OWN = frozenset(
    {"in_background", "stop", "status", "timeout", "logdir", "pid_file", "as_json", "more", "less"}
)
"""What is not handed on to the process in the background as it was given."""

Command = Callable[..., Any]


class NotRunningError(RunError):
    """There is no such process in the background."""


OPTIONS = [
    click.option("-d", "--daemon", "in_background", is_flag=True, help="Run in the background."),
    click.option("-s", "--stop", is_flag=True, help="End the one in the background."),
    click.option("--status", is_flag=True, help="Tell whether there is one in the background."),
    click.option(
        "-T", "--timeout", type=click.FloatRange(0), default=30.0, show_default=True,
        metavar="SECONDS", help="How long --stop waits before it kills.",
    ),
    click.option(
        "-l", "--logdir", type=FOLDER,
        help="Where the log is written: also to a file, or in the background to that alone.",
    ),
    click.option("-v", "--verbose", "more", count=True, help="Log more: -v requests, -vv all."),
    click.option("-q", "--quiet", "less", count=True, help="Log less: errors only."),
    click.option("--pid-file", type=click.Path(path_type=Path), hidden=True),
]  # fmt: skip


def can_go_to_background(command: str, usual_port: int) -> Callable[[Command], Command]:
    """Add the options to a command of which there may be several on a host, at other ports.

    One of a group is named with that: `beat scheduler`.
    """
    name = command.replace(" ", "-")

    def add(work: Command) -> Command:
        @functools.wraps(work)
        def call(**how: Any) -> Any:
            suffix = "" if how["port"] == usual_port else f"-{how['port']}"
            if how["status"]:
                return _tell(pid_path(name, suffix))
            if how["stop"]:
                return _stop(pid_path(name, suffix), how["timeout"])
            if how["in_background"]:
                return _start(command, suffix, how)
            _log(name, suffix, how)
            return work(**how)

        found: Command = call
        for option in reversed(OPTIONS):
            found = option(found)
        return found

    return add


def _tell(file: Path) -> int:
    pid = read_pid(file)
    click.echo("it does not run" if pid is None else f"it runs as process {pid}")
    return int(pid is None)


def _stop(file: Path, timeout_s: float) -> None:
    pid = read_pid(file)
    if pid is None:
        raise NotRunningError(f"it does not run in the background: nobody has {file}")
    process = ExistingProcess(pid)
    process.terminate()
    try:
        process.wait(timeout_s)
    except TimeoutError:
        click.echo(f"process {pid} is still there after {timeout_s:g} s and is killed", err=True)
        process.kill()
        process.wait(KILL_S)
    click.echo(f"process {pid} has ended", err=True)


def _start(command: str, suffix: str, how: Mapping[str, Any]) -> None:
    """Start the command as a process of its own, and return when it listens."""
    name = command.replace(" ", "-")
    file, folder = pid_path(name, suffix), logs_dir(how["logdir"])
    pid = read_pid(file)
    if pid is not None:
        raise click.UsageError(f"it runs already, as process {pid}: see {file}")
    log = log_name(name, suffix)
    put_aside(folder / log)
    arguments = [*command.split(), *_given(how), "--pid-file", str(file)]
    arguments += ["-v"] * how["more"] + ["-q"] * how["less"]
    process = ManagerProcess(name, arguments, folder, Path.cwd(), log)
    try:
        process.wait_until_it_listens()
    except BaseException:
        process.kill()
        process.end(0)
        raise
    number = process.process.pid
    process.leave()
    click.echo(f"{process.name} listens at {process.url} as process {number}")
    click.echo(f"its log is {folder / log}", err=True)


def _given(how: Mapping[str, Any]) -> list[str]:
    """Return the arguments that give what was given."""
    context = click.get_current_context()
    found: list[str] = []
    for parameter in context.command.params:
        name, value = parameter.name, how.get(str(parameter.name))
        if name in OWN or not isinstance(parameter, click.Option):
            continue
        if context.get_parameter_source(str(name)) is click.core.ParameterSource.DEFAULT:
            continue
        option = max(parameter.opts, key=len)
        if parameter.is_flag:
            found += [option] if value else []
        elif parameter.multiple:
            found += [word for one in value or () for word in (option, str(one))]
        else:
            found += [option, str(value)]
    return found


def _log(command: str, suffix: str, how: Mapping[str, Any]) -> None:
    """Set what is logged, and write it to a file too if one is asked for."""
    root = logging.getLogger()
    if how["more"] or how["less"]:
        at = max(0, min(NORMAL + how["more"] - how["less"], len(LEVELS) - 1))
        root.setLevel(LEVELS[at])
        for handler in root.handlers:
            handler.setLevel(LEVELS[at])
    if how["logdir"] is not None:
        folder = logs_dir(how["logdir"])
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / log_name(command, suffix)).open("a", encoding="utf-8")
        root.addHandler(stream_handler(file, root.level))
