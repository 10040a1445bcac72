"""The commands of the translator: each reads a file or pipe, calls one function, and writes.

They stand in the table of `dlg_engine.cli.main`, which also turns what is raised here into exit
codes. Graphs go to files or standard output, everything that is told to standard error.
"""

from __future__ import annotations

import functools
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import click

from dlg.exceptions import UsageError
from dlg.graph.documents import read_document
from dlg.graph.problems import Problem, Severity
from dlg.support import garbage
from dlg.support.examples import ExampleCommand
from dlg_translator.formats import read_all
from dlg_translator.formats.document import STANDARD_INPUT, Source, called
from dlg_translator.formats.files import write_file
from dlg_translator.formats.filling import configure_graph, fill_graph
from dlg_translator.formats.needs import describe, needs_of
from dlg_translator.formats.specs import pieces
from dlg_translator.mapping import map_graph
from dlg_translator.mapping.hosts import read_hosts
from dlg_translator.model.stand_ins import with_stand_ins
from dlg_translator.model.template import PhysicalTemplate
from dlg_translator.partition import PartitionedTemplate, partition_graph
from dlg_translator.partition.template import Template
from dlg_translator.partition.written import WrittenTemplate, read_partitioned
from dlg_translator.unroll import unroll_graph

STDIN = "-"
SHOWN_WARNINGS = 20
LONG_S = 1.0
"""From how long on people are told what took so long."""
DIVIDING = ("parts", "islands", "algorithm", "options", "profile")
"""The options that say how to divide."""
STAND_INS: Mapping[str, str] = {
    "0": "",
    "1": "dlg.apps.simple.SleepApp",
    "2": "dlg.apps.simple.SleepAndCopyApp",
}
"""The apps that can be put in place of all others."""
Function = Callable[..., Any]
PATH = click.Path(dir_okay=False, allow_dash=True)
IN_PATH = click.Path(exists=True, dir_okay=False, allow_dash=True)
CONTEXT: Mapping[str, Any] = {"help_option_names": ["-h", "--help"]}


def graph_input(name: str, short: str, long: str, what: str) -> Callable[[Function], Function]:
    """Return what gives a command the parameter `name`: a file, by argument or by option."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(*, argument: str | None, option: str | None, **others: Any) -> Any:
            if argument is not None and option is not None:
                text = f"the graph is given twice, as {argument} and by {short} {option}"
                raise UsageError(f"{text}: give one of them")
            source = next((path for path in (argument, option) if path is not None), STDIN)
            return function(**{name: source}, **others)

        file = click.argument("argument", metavar="[GRAPH]", required=False, type=IN_PATH)
        also = click.option(
            short, long, "option", type=IN_PATH, metavar="FILE",
            help=f"The {what}, if not by argument ('-', the default: standard input).",
        )  # fmt: skip
        return file(also(call))

    return decorate


logical_graph = graph_input("graph", "-L", "--logical-graph", "logical graph")
template_file = graph_input(
    "template", "-P", "--physical-graph-template", "physical graph template"
)
output_file = click.option(
    "-o", "--output", type=PATH, default=STDIN,
    help="Where to write ('-', the default: standard output); .gz compresses.",
)  # fmt: skip
pretty = click.option("-f", "--format", "indent", is_flag=True, help="Indent, for people to read.")
parameters = click.option(
    "-p", "--parameter", "pairs", multiple=True, metavar="NAME=VALUE|JSON",
    help="A parameter, NAME=VALUE, or several as a JSON object.",
)  # fmt: skip
settings = click.option(
    "-s", "--set", "pairs", multiple=True, metavar="NAME=VALUE",
    help="Give a parameter a value: NODE.FIELD, or a ~name of the text.",
)  # fmt: skip
oid_prefix = click.option("--oid-prefix", "-p", default="1", help="What every oid begins with.")
parts = click.option("-N", "--partitions", "parts", type=int, default=1, help="How many parts.")
islands = click.option("-i", "--islands", type=int, default=1, help="How many islands of parts.")
algorithm = click.option(
    "-a", "--algorithm", default="metis", help="How to divide.", show_default=True
)
algorithm_options = click.option(
    "-A", "--algorithm-parameters", "options", multiple=True, metavar="NAME=VALUE",
    help="An option of the algorithm.",
)  # fmt: skip
profile = click.option(
    "--profile", metavar="RUN", type=click.Path(exists=True),
    help="Use times and volumes of an earlier run: its profile, or the directory that holds it.",
)  # fmt: skip
stand_in = click.option(
    "--app", "stand_in", type=click.Choice(list(STAND_INS)), default="0",
    help="Put another app in place of all: 1 one that sleeps, 2 one that sleeps and copies.",
)  # fmt: skip
at_once = click.option("-z", "--zerorun", "at_once", is_flag=True, help="Let no app sleep.")
strict = click.option("--strict", is_flag=True, help="Refuse what could be unrolled but not run.")
compat = click.option(
    "--compat", is_flag=True, help="Write every key that DALiuGE's own files have."
)
figures = click.option("--objectives", is_flag=True, help="Print the figures of the division.")


EXAMPLES: Mapping[str, str] = {
    "fill": """
Examples:
  dlg fill my.graph -p copies=16 -o filled.graph             ~copies in its text
  dlg fill my.graph -p Scatter.num_of_copies=16 -o filled.graph
  dlg fill my.graph -p '{"copies": 16, "sky": "north"}' | dlg unroll -o drops.json
""",
    "fill-config": """
Examples:
  dlg fill-config my.graph -o filled.graph                   the active configuration
  dlg fill-config my.graph -g small | dlg unroll -o drops.json
  dlg fill-config my.graph -g night7.graphConfig -o filled.graph
""",
    "unroll": """
Examples:
  dlg unroll my.graph -o drops.json
  dlg unroll my.graph --set Scatter.num_of_copies=16 -o drops.json.gz
  dlg unroll my.graph | dlg partition -N 4 -o parts.json
  dlg unroll my.graph --app 1 | dlg run -                    try it with apps that only sleep
""",
    "partition": """
Examples:
  dlg partition drops.json -N 4 -o parts.json
  dlg partition drops.json -N 4 -a sarkar --objectives -o parts.json
  dlg unroll my.graph | dlg partition -N 4 | dlg map -N 4 -o my.pg
""",
    "unroll-and-partition": """
Examples:
  dlg unroll-and-partition my.graph -N 4 -o parts.json
  dlg unroll-and-partition my.graph -N 4 -i 2 -a metis | dlg map -N 4 -i 2 -o my.pg
""",
    "map": """
Examples:
  dlg map parts.json -N head,node1,node2 -o my.pg            head manages, the others run parts
  dlg map parts.json -N node1,node2 --co-host-dim -o my.pg   node1 manages and runs parts
  dlg map parts.json -N cluster.toml -o my.pg                hosts, and what they have
  dlg map parts.json -N 4 -o my.pg                           four nodes to be named later
""",
    "lgt-info": """
Examples:
  dlg lgt-info my.graph
  dlg lgt-info my.graph --json | jq
""",
}
"""How each command is used, at the end of its help."""


@click.command("fill", cls=ExampleCommand, epilog=EXAMPLES["fill"], context_settings=CONTEXT)
@logical_graph
@parameters
@output_file
@pretty
def fill(*, graph: str, pairs: tuple[str, ...], output: str, indent: bool) -> None:
    """Fill parameters into a logical graph: ~name in its text, NODE.FIELD of its nodes."""
    with called(STANDARD_INPUT):
        document = fill_graph(_source(graph), read_pairs(pairs))
    write_document(document, output, indent=indent)


@click.command(
    "fill-config", cls=ExampleCommand, epilog=EXAMPLES["fill-config"], context_settings=CONTEXT
)
@logical_graph
@click.option(
    "-g", "--graph-config", "--graph_config", "config",
    help="A configuration: a .graphConfig file, or the name or id of one in the graph. "
    "Without it the active one is applied.",
)  # fmt: skip
@output_file
@pretty
def fill_config(*, graph: str, config: str | None, output: str, indent: bool) -> None:
    """Apply a graph configuration to a logical graph."""
    with called(STANDARD_INPUT):
        document, warnings = configure_graph(_source(graph), config)
    tell(warnings)
    write_document(document, output, indent=indent)


@click.command("unroll", cls=ExampleCommand, epilog=EXAMPLES["unroll"], context_settings=CONTEXT)
@logical_graph
@oid_prefix
@settings
@click.option("--config", metavar="NAME|FILE", help="Use this graph configuration.")
@strict
@compat
@stand_in
@at_once
@output_file
@pretty
def unroll(*, graph: str, output: str, indent: bool, **how: Any) -> None:
    """Unroll a logical graph into a physical graph template.

    Warnings go to standard error; with --strict those that would keep it from running are errors.
    """
    template = _unroll(graph, **how)
    write_specs(template.specs, output, indent=indent, last=_last(template))


@click.command(
    "partition", cls=ExampleCommand, epilog=EXAMPLES["partition"], context_settings=CONTEXT
)
@template_file
@parts
@islands
@algorithm
@algorithm_options
@profile
@figures
@output_file
@pretty
def partition(*, template: str, output: str, indent: bool, objectives: bool, **how: Any) -> None:
    """Divide a physical graph template into parts, and the parts into islands."""
    read = read_template(template)
    divided = _partition(read, **how)
    tell(divided.warnings)
    if objectives:
        show_objectives(divided)
    write_specs(divided.specs, output, indent=indent, last=read.reprodata)


@click.command(
    "unroll-and-partition",
    cls=ExampleCommand,
    epilog=EXAMPLES["unroll-and-partition"],
    context_settings=CONTEXT,
)
@logical_graph
@oid_prefix
@settings
@click.option("--config", metavar="NAME|FILE", help="Use this graph configuration.")
@strict
@compat
@stand_in
@at_once
@parts
@islands
@algorithm
@algorithm_options
@profile
@figures
@output_file
@pretty
def unroll_and_partition(
    *, graph: str, output: str, indent: bool, objectives: bool, **how: Any
) -> None:
    """Unroll a logical graph and divide it, in one step."""
    dividing = {name: how.pop(name) for name in DIVIDING}
    template = _unroll(graph, **how)
    divided = _partition(template, **dividing)
    tell(divided.warnings[len(template.warnings) :])
    if objectives:
        show_objectives(divided)
    write_specs(divided.specs, output, indent=indent, last=_last(template))


@click.command("map", cls=ExampleCommand, epilog=EXAMPLES["map"], context_settings=CONTEXT)
@template_file
@click.option(
    "-N", "--nodes", required=True,
    help="Host names with commas between, a number of hosts to be named later, or a file of hosts "
    "and what they have (.toml, .json).",
)  # fmt: skip
@click.option("-i", "--islands", type=int, default=None, help="How many islands.")
@click.option(
    "--co-host-dim/--no-co-host-dim", "co_host_dim", default=None,
    help="Whether hosts that manage islands are nodes too.",
)  # fmt: skip
@output_file
@pretty
def map_(
    *,
    template: str,
    nodes: str,
    islands: int | None,
    co_host_dim: bool | None,
    output: str,
    indent: bool,
) -> None:
    """Assign the parts of a divided template to hosts: the graph that can be deployed."""
    number = int(nodes) if nodes.isdecimal() else None
    hosts = read_hosts(nodes if number is None else number)
    read = read_template(template)
    wanted = hosts if number is None else number
    graph = map_graph(read_partitioned(read), wanted, islands, co_host_dim=co_host_dim)
    tell([*_undivided(read, len(hosts)), *graph.warnings])
    write_specs(graph.specs, output, indent=indent, last=read.reprodata)


@click.command(
    "lgt-info", cls=ExampleCommand, epilog=EXAMPLES["lgt-info"], context_settings=CONTEXT
)
@logical_graph
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def lgt_info(*, graph: str, as_json: bool) -> None:
    """Tell what a logical graph needs: components, packages, programs, storage."""
    with called(STANDARD_INPUT):
        needs = needs_of(read_all(_source(graph)))
    click.echo(json.dumps(needs, indent=1) if as_json else "\n".join(describe(needs)))


# -- what the commands share -------------------------------------------------------------------


def read_pairs(pairs: Iterable[str]) -> dict[str, Any]:
    """Return what `NAME=VALUE` texts and JSON objects say, by name; refuse anything else."""
    values: dict[str, Any] = {}
    for text in pairs:
        if text.lstrip().startswith("{"):
            try:
                values |= json.loads(text)
            except ValueError as error:
                raise UsageError(f"{text!r} is no JSON: {error}") from error
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{text!r} is not written as NAME=VALUE")
        values[name.strip()] = value
    return values


def read_template(path: str) -> WrittenTemplate:
    """Return the template in a file, or on standard input for `-`."""
    with Stage("reading"), garbage.held_off():
        document, name = read_document(path)
        return WrittenTemplate(document, name)


def write_specs(
    specs: Iterable[Mapping[str, Any]],
    path: str,
    *,
    indent: bool = False,
    last: Mapping[str, Any] | None = None,
) -> None:
    """Write a list of dropspecs, and `last` behind them if there is such an object."""
    with Stage("writing"):
        write_file(path, pieces(specs, indent=indent, last=last))


def write_document(document: Mapping[str, Any], path: str, *, indent: bool) -> None:
    """Write a logical graph."""
    text = json.dumps(document, indent=1 if indent else None, ensure_ascii=False)
    write_file(path, [text.encode() + b"\n"])


def tell(warnings: Iterable[Problem]) -> None:
    """Print warnings on standard error, the first few of them."""
    found = list(warnings)
    for problem in found[:SHOWN_WARNINGS]:
        click.echo(str(problem), err=True)
    if len(found) > SHOWN_WARNINGS:
        click.echo(f"and {len(found) - SHOWN_WARNINGS} more warnings", err=True)


def show_objectives(divided: PartitionedTemplate) -> None:
    """Print the figures of a division on standard error."""
    for name, value in divided.objectives.to_dict().items():
        text = f"{value:,.6g}" if isinstance(value, float) else value
        click.echo(f"{name.replace('_', ' '):<22}{text}", err=True)


class Stage:
    """A step of a command; people are told that it goes on, and for how long, if that is long."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._notice = threading.Timer(LONG_S, self._tell, ["..."])
        self._notice.daemon = True

    def __enter__(self) -> None:
        """Look at the clock."""
        self._begun = time.perf_counter()
        self._notice.start()

    def __exit__(self, kind: object, *_: object) -> None:
        """Tell how long it took, if that was long and all went well."""
        self._notice.cancel()
        took = time.perf_counter() - self._begun
        if kind is None and took >= LONG_S:
            self._tell(f" took {took:.1f} s")

    def _tell(self, rest: str) -> None:
        click.echo(f"{self._doing}{rest}", err=True)


def _source(path: str) -> Source:
    return sys.stdin.buffer.read() if path == STDIN else path


def _unroll(
    graph: str, pairs: tuple[str, ...], stand_in: str, at_once: bool, **how: Any
) -> PhysicalTemplate:
    source = _source(graph)
    with Stage("unrolling"), called(STANDARD_INPUT):
        template = unroll_graph(source, parameters=read_pairs(pairs), **how)
    tell(template.warnings)
    if at_once or STAND_INS[stand_in]:
        return with_stand_ins(template, STAND_INS[stand_in], at_once=at_once)
    return template


def _last(template: PhysicalTemplate) -> Mapping[str, Any] | None:
    """Return what ends the list: DALiuGE's own files have an object there, ours need none."""
    return {} if template.compat else None


def _undivided(template: WrittenTemplate, hosts: int) -> Iterator[Problem]:
    """Yield a warning if a graph that nobody has divided is to go to several hosts."""
    if hosts > 1 and not any(spec.get("node") for spec in template.specs):
        yield Problem(
            code="not-partitioned",
            message=f"the graph is not divided into parts, so one of {hosts} hosts gets all of it",
            hint="dlg partition divides it",
            severity=Severity.WARNING,
            blocks_run=False,
        )


def _partition(
    template: Template,
    parts: int,
    islands: int,
    algorithm: str,
    options: tuple[str, ...],
    profile: str | None,
) -> PartitionedTemplate:
    how = read_pairs(options)
    with Stage("dividing"):
        return partition_graph(template, algorithm, parts, islands, profile=profile, **how)
