"""From what stands on the command line to a graph: which kind it is, and what it is told.

A physical graph is a list and a logical one an object, so the first character decides; nothing is
parsed twice, and a logical graph with parameters still to be filled in need not be JSON yet.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlg import settings
from dlg.exceptions import InvalidGraphException, UsageError
from dlg.graph.class_checks import check_uses
from dlg.graph.documents import GZIP_MAGIC, read_document
from dlg.graph.physical import PhysicalGraph
from dlg.graph.problems import Problem
from dlg.graph.reading import invalid, read_physical_graph

if TYPE_CHECKING:
    from dlg_translator.formats.job import JobGraph
    from dlg_translator.model.template import PhysicalTemplate
    from dlg_translator.partition.template import Template

STDIN = "-"
_HEAD = 1 << 16
_SHOWN_WARNINGS = 20

GRAPH_PATH = click.Path(exists=True, dir_okay=False, allow_dash=True)
"""The type of arguments that are a graph: a file, or `-` for standard input."""


def parameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that fill the parameters of a logical graph."""
    command = click.option(
        "--config", metavar="NAME|FILE", help="Use this graph configuration, not the active one."
    )(command)
    return click.option(
        "-s", "--set", "assignments", multiple=True, metavar="NAME=VALUE",
        help="Give a parameter of a logical graph a value: NODE.FIELD, or a ~name of its text.",
    )(command)  # fmt: skip


def pick_source(graph: str) -> tuple[str | bytes, bool]:
    """Return what readers take for the argument `graph`, and whether it is a physical graph."""
    if graph == STDIN:
        content = sys.stdin.buffer.read()
        return content, is_physical(content)
    try:
        with Path(graph).open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InvalidGraphException(f"{graph}: {error.strerror}", source=graph) from error
    return graph, is_physical(head)


def label_of(source: str | bytes) -> str:
    """Return how messages and drawings call the graph in `source`."""
    return "standard input" if isinstance(source, bytes) else source


def is_physical(content: bytes) -> bool:
    """Return whether JSON that begins with `content`, gzip or not, is a list, as drops are."""
    if content.startswith(GZIP_MAGIC):
        try:
            content = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(content, _HEAD)
        except zlib.error:
            return True  # the reader of physical graphs says what is wrong with it
    return content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{"


def load_runnable(
    graph: str, assignments: Iterable[str] = (), config: str | None = None
) -> PhysicalGraph:
    """Return the graph to run; a logical one is unrolled, and refused if it would hang or crash.

    Raises `InvalidGraphException` with all problems, and `UsageError` for parameters that a
    physical graph has no use for.
    """
    parameters = read_assignments(assignments)
    source, physical = pick_source(graph)
    if (specs := _experiment(source, parameters, config)) is not None:
        return read_physical_graph(specs, label_of(source))
    if (job := _job(source, parameters, config)) is not None:
        return replace(read_physical_graph(job.specs, label_of(source)), growing=job.growing)
    if not physical:
        template = _unrolled(source, parameters, config)
        unrolled = template.to_physical_graph()
        if problems := unusable_drops(unrolled, template.starts):
            raise invalid(problems, label_of(source))
        return unrolled
    if parameters or config:
        raise UsageError("--set and --config are for logical graphs; this one is physical")
    found = read_physical_graph(source, label_of(source))
    tell_warnings(found.warnings)
    return found


def load_template(
    graph: str, assignments: Iterable[str] = (), config: str | None = None
) -> Template:
    """Return the graph to be divided; a logical one is unrolled, and refused if it would hang.

    Classes and functions are not looked for: those who run the graph must have them. Raises as
    `load_runnable` does.
    """
    from dlg_translator.partition.written import WrittenTemplate  # noqa: PLC0415  as below

    parameters = read_assignments(assignments)
    source, physical = pick_source(graph)
    if (specs := _other_form(source, parameters, config, bring_assets=True)) is not None:
        return WrittenTemplate(specs, label_of(source))
    if not physical:
        return _unrolled(source, parameters, config)
    if parameters or config:
        raise UsageError("--set and --config are for logical graphs; this one is physical")
    document, _ = read_document(source)
    return WrittenTemplate(document, label_of(source))


def _other_form(
    source: str | bytes,
    parameters: Mapping[str, str],
    config: str | None,
    *,
    bring_assets: bool = False,
) -> list[dict[str, Any]] | None:
    """Return the drops of what is no graph of drops: an experiment or a job; None if it is one."""
    found = _experiment(source, parameters, config, bring_assets=bring_assets)
    return job_drops(source, parameters, config) if found is None else found


def job_drops(
    source: str | bytes, parameters: Mapping[str, str], config: str | None
) -> list[dict[str, Any]] | None:
    """Return the drops of the job that a file or a text describes, or None if it is another."""
    found = _job(source, parameters, config)
    return None if found is None else found.specs


def _job(
    source: str | bytes, parameters: Mapping[str, str], config: str | None
) -> JobGraph | None:
    name, head = ("", source) if isinstance(source, bytes) else (source, _head(source))
    if b"task_list" not in head and not name.lower().endswith((".yaml", ".yml")):
        return None
    # Only who runs jobs needs what is imported here.
    from dlg.jobs import reading  # noqa: PLC0415  as above
    from dlg_translator.formats.job import graph_of, is_job_file  # noqa: PLC0415  as above

    if not is_job_file(name, head):
        return None
    if parameters or config:
        raise UsageError("--set and --config are for logical graphs; this is a job")
    if isinstance(source, bytes):
        return graph_of(reading.parse_document(source, label_of(source)), label_of(source))
    return graph_of(reading.read_document(source), source)


def _head(path: str) -> bytes:
    """Return how a file begins."""
    with Path(path).open("rb") as file:
        return file.read(_HEAD)


def _experiment(
    source: str | bytes,
    parameters: Mapping[str, str],
    config: str | None,
    *,
    bring_assets: bool = False,
) -> list[dict[str, Any]] | None:
    """Return the drops of the BEAT experiment that a file declares, or None if it is another."""
    if isinstance(source, bytes) or "experiments" not in Path(source).absolute().parts:
        return None
    # Only who runs experiments needs what is imported here.
    from dlg_translator.formats.experiment import (  # noqa: PLC0415
        ExperimentOptions,
        experiment_at,
        experiment_specs,
    )

    experiment = experiment_at(source)
    if experiment is None:
        return None
    if parameters or config:
        raise UsageError("--set and --config are for logical graphs; this is an experiment")
    cache = "" if bring_assets else str(cache_of(experiment.prefix))
    return experiment_specs(experiment, ExperimentOptions(cache=cache, bring_assets=bring_assets))


def cache_of(prefix: str | Path) -> Path:
    """Return the folder of the cache of a prefix."""
    return Path(prefix).absolute() / "cache"


def _unrolled(
    source: str | bytes, parameters: Mapping[str, str], config: str | None
) -> PhysicalTemplate:
    """Return what a logical graph unrolls to, after telling its warnings."""
    # As much again to import as running a small graph takes; only logical graphs need it.
    from dlg_translator.formats.document import called  # noqa: PLC0415
    from dlg_translator.unroll import unroll_graph  # noqa: PLC0415

    with called(label_of(source)):
        template = unroll_graph(source, parameters=parameters, config=config, strict=True)
    tell_warnings(template.warnings)
    return template


def unusable_drops(graph: PhysicalGraph, starts: Sequence[int]) -> list[Problem]:
    """Return what the classes of an unrolled graph find wrong with its drops.

    `starts` are the first rows of its entities, whose other drops differ in indices only. There is
    no file of drops into which the problems could point.
    """
    examples = [row for row, end in pairwise(starts) if row < end]
    return [replace(problem, pointer="") for problem in check_uses(graph, examples)]


def read_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """Return the values of `name=value` texts by name; refuse what is not written so."""
    values: dict[str, str] = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{text!r} is not written as name=value")
        values[name.strip()] = value
    return values


def tell_warnings(warnings: Iterable[Problem]) -> None:
    """Print problems that do not keep a graph from running, on standard error."""
    found = list(warnings)
    for problem in found[:_SHOWN_WARNINGS]:
        click.echo(str(problem), err=True)
    if len(found) > _SHOWN_WARNINGS:
        more = len(found) - _SHOWN_WARNINGS
        click.echo(f"and {more} more warnings: dlg check lists them", err=True)


def add_user_code(graph: str, directories: Iterable[str]) -> None:
    """Let graphs import users' modules: from `directories`, beside the graph, the code directory.

    A graph of standard input is taken to be in the current directory.

    They come last, so that a file beside a graph cannot take the place of an installed module.
    """
    add_code_directories([*directories, Path() if graph == STDIN else Path(graph).parent])


def add_code_directories(directories: Iterable[str | Path]) -> None:
    """Let users' modules be imported from `directories` and from the code directory."""
    configured = settings.current()
    places = [Path(directory) for directory in directories]
    places.append(configured.path or configured.root / "code")
    for place in places:
        text = str(place.resolve())
        if place.is_dir() and text not in sys.path:
            sys.path.append(text)


def check_place(path: str) -> None:
    """Refuse a path of a file to be written later whose directory is not there."""
    if path != STDIN and not Path(path).parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no directory {Path(path).parent}")


def write_bytes(path: str, content: bytes) -> None:
    """Write to a file, or to standard output for `-`; refuse where that is impossible."""
    if path == STDIN:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def write_text(path: str, text: str) -> None:
    """Write `text` to a file, or to standard output for `-`; refuse where that is impossible."""
    write_bytes(path, text.encode())


def problem_record(problem: Problem) -> Mapping[str, Any]:
    """Return a problem as plain values for JSON."""
    return {
        "severity": str(problem.severity),
        "code": problem.code,
        "message": problem.message,
        "pointer": problem.pointer,
        "name": problem.name,
        "oid": problem.oid,
        "hint": problem.hint,
        "blocks_run": problem.blocks_run,
    }
