"""What can be wrong with an experiment whose declaration fits its schema.

Each stage is a function that yields all it finds; what a later stage takes for granted, an
earlier one has checked. Where `compat` is given, less is found: what the existing packages find.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlg.beat.algorithm import Algorithm
from dlg.beat.database import Database
from dlg.beat.dataformat import DataFormat
from dlg.beat.uses import PROCESSOR_PREFIX, Use
from dlg.beat.wiring import Connection, Kind, Node, Wiring

__all__ = ["Parts", "check_wiring", "dataset_problems", "global_problems", "use_problems"]

Groups = Counter[tuple[int, int]]
GLOBAL_SETTINGS = ("queue", "environment")
NO_CONVERSION = (KeyError, ValueError, TypeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Parts:
    """An experiment with what it refers to; all of it is valid by itself."""

    declaration: Mapping[str, Any]
    uses: Sequence[Use]
    algorithms: Mapping[str, Algorithm]
    databases: Mapping[str, Database]
    wiring: Wiring
    compat: bool

    def uses_in(self, kind: Kind) -> dict[str, list[Use]]:
        """Return the uses of one kind by the name of their block."""
        found: dict[str, list[Use]] = defaultdict(list)
        for use in self.uses:
            if use.kind is kind:
                found[use.block].append(use)
        return found


def dataset_problems(
    declaration: Mapping[str, Any], databases: Mapping[str, Database]
) -> Iterator[str]:
    """Yield what is wrong with the datasets: databases, protocols, sets that do not exist."""
    for name, dataset in declaration["datasets"].items():
        where, database = f"/datasets/{name}", databases[dataset["database"]]
        protocol, wanted = dataset["protocol"], dataset["set"]
        if not database.valid:
            reasons = "\n".join(database.errors)
            yield f"{where}: database `{dataset['database']}' is invalid:\n{reasons}"
        elif protocol not in database.protocols:
            yield (
                f"{where}: cannot find protocol `{protocol}' on database `{database.name}' - "
                f"valid protocols are {_listed(database.protocol_names)}"
            )
        elif wanted not in database.sets(protocol):
            yield (
                f"{where}: cannot find set `{wanted}' on protocol `{protocol}' from database "
                f"`{database.name}' - valid set names are {_listed(database.set_names(protocol))}"
            )


def use_problems(use: Use, algorithm: Algorithm, compat: bool) -> Iterator[str]:
    """Yield what is wrong with the use of an algorithm, without looking at the toolchain."""
    if not algorithm.valid:
        reasons = "\n".join(algorithm.errors)
        yield f"{use.place}: algorithm `{use.algorithm}' is invalid:\n{reasons}"
        return
    for key, mapped, known in (
        ("input", use.inputs, algorithm.input_map),
        ("output", use.outputs, algorithm.output_map or {}),
    ):
        for name in mapped:
            if name not in known:
                yield (
                    f"{use.at(key)}s/{name}: algorithm `{use.algorithm}' does not have an {key} "
                    f"named `{name}' - valid algorithm {key}s are {_listed(known)}"
                )
        missing = [name for name in known if name not in mapped]
        if missing and not compat:
            yield (
                f"{use.at(key)}s: algorithm `{use.algorithm}' has {key}s that are not mapped: "
                f"{_listed(missing)}"
            )
    if use.slots > 1 and not algorithm.splittable:
        yield (
            f"{use.place}/nb_slots: you have set nb_slots to {use.slots}, but algorithm "
            f"`{use.algorithm}' is not splittable"
        )
    # The existing packages do not look at the parameters of loops.
    if not (compat and use.kind is Kind.LOOP):
        yield from _parameter_problems(use.at("parameters"), use.parameters, algorithm)
    if not compat:
        yield from _misused(use, algorithm)


def global_problems(
    declaration: Mapping[str, Any],
    uses: Iterable[Use],
    algorithms: Mapping[str, Algorithm],
    compat: bool,
) -> Iterator[str]:
    """Yield what is wrong with the settings that hold for all blocks."""
    held = declaration["globals"]
    for name, parameters in held.items():
        if name in GLOBAL_SETTINGS:
            continue
        algorithm = algorithms.get(name)
        if algorithm is None:
            yield (
                f"/globals/{name}: found parameter section for algorithm `{name}' which is not "
                "used anywhere in the experiment"
            )
        elif algorithm.valid:
            yield from _parameter_problems(f"/globals/{name}", parameters, algorithm)
    if compat:
        return
    for use in uses:
        for setting, own in (("queue", use.queue), ("environment", use.environment)):
            if own is None and setting not in held:
                yield f"{use.at(setting)}: there is none, neither here nor in /globals/{setting}"


def check_wiring(parts: Parts) -> Iterator[list[str]]:
    """Yield for each stage what is wrong between experiment and toolchain.

    A stage may take for granted what those before it found right; so do not ask on after one that
    found something.
    """
    yield [*_datasets_differ(parts)]
    for kind in (Kind.BLOCK, Kind.LOOP, Kind.ANALYZER):
        yield [*_blocks_differ(parts, kind)]
    yield [*_format_problems(parts)]
    yield [*_group_problems(parts)]
    yield [*_loop_problems(parts)]


# --- one by one -------------------------------------------------------------------------------


def _parameter_problems(
    where: str, parameters: Mapping[str, Any], algorithm: Algorithm
) -> Iterator[str]:
    for name, value in parameters.items():
        try:
            algorithm.clean_parameter(name, value)
        except NO_CONVERSION as error:
            yield f"{where}/{name}: cannot convert value `{value}' to required type: {error}"


def _misused(use: Use, algorithm: Algorithm) -> Iterator[str]:
    if (use.kind is Kind.ANALYZER) != bool(algorithm.isAnalyzer):
        is_it = "is an analyzer" if algorithm.isAnalyzer else "is no analyzer"
        yield f"{use.at('algorithm')}: algorithm `{use.algorithm}' {is_it}"
    elif (use.kind is Kind.LOOP) != bool(algorithm.loop_map):
        is_it = "is for loops only" if algorithm.loop_map else "is not for loops"
        yield f"{use.at('algorithm')}: algorithm `{use.algorithm}' {is_it}"


def _datasets_differ(parts: Parts) -> Iterator[str]:
    nodes = {node.name: node for node in parts.wiring.nodes if node.kind is Kind.DATASET}
    datasets = parts.declaration["datasets"]
    if nodes.keys() != datasets.keys():
        yield _names_differ("dataset", nodes, datasets)
        return
    for name, dataset in datasets.items():
        known = parts.databases[dataset["database"]].set(dataset["protocol"], dataset["set"])
        missing = [one for one in nodes[name].outputs if one not in known["outputs"]]
        if missing:
            yield (
                f"/datasets/{name}: toolchain endpoints ({_listed(nodes[name].outputs)}) must be "
                f"a subset of what is available on database `{dataset['database']}', protocol "
                f"`{dataset['protocol']}', set `{dataset['set']}' outputs "
                f"({_listed(known['outputs'])})"
            )


def _blocks_differ(parts: Parts, kind: Kind) -> Iterator[str]:
    nodes = {node.name: node for node in parts.wiring.nodes if node.kind is kind}
    used = parts.uses_in(kind)
    if nodes.keys() != used.keys():
        yield _names_differ(kind.name.lower(), nodes, used)
        return
    for name, uses in used.items():
        count = sum(len(use.inputs) for use in uses)
        if count != len(nodes[name].inputs):
            yield (
                f"{uses[0].place}: toolchain {kind.name.lower()} has {len(nodes[name].inputs)} "
                f"inputs while the experiment has {count} inputs"
            )
        else:
            yield from _unknown_endpoints(nodes[name], uses, parts.compat)


def _unknown_endpoints(node: Node, uses: Sequence[Use], compat: bool) -> Iterator[str]:
    for key, known, mapped in (
        ("inputs", node.inputs, [use.inputs for use in uses]),
        ("outputs", node.outputs, [use.outputs for use in uses]),
    ):
        taken: set[str] = set()
        for use, mapping in zip(uses, mapped, strict=True):
            for name, endpoint in mapping.items():
                where = f"{use.at(key)}/{name}"
                if endpoint not in known and not (compat and node.kind is Kind.LOOP):
                    yield f"{where}: the toolchain has no `{endpoint}' on `{node.name}'"
                elif endpoint in taken and not compat:
                    yield f"{where}: `{endpoint}' is mapped already"
                taken.add(endpoint)
        missing = [endpoint for endpoint in known if endpoint not in taken]
        if missing and not compat:
            yield f"{uses[0].place}/{key}: nothing is mapped to {_listed(missing)}"


def _format_problems(parts: Parts) -> Iterator[str]:
    """Yield the connections whose receiver cannot read what comes."""
    produced = _formats(parts, lambda use: use.outputs, lambda one: one.output_map or {})
    accepted = _formats(parts, lambda use: use.inputs, lambda one: one.input_map)
    for name, dataset in parts.declaration["datasets"].items():
        database = parts.databases[dataset["database"]]
        outputs = database.set(dataset["protocol"], dataset["set"])["outputs"]
        for output, form in outputs.items():
            produced[f"{name}.{output}"] = database.dataformats[form]
    for one in parts.wiring.connections:
        source, target = produced.get(one.source), accepted.get(one.target)
        if source is None or target is None:
            if not (parts.compat and _passes_unmapped(one, target is None, parts)):
                lacking = one.source if source is None else one.target
                yield f"{one.place}: nothing in the experiment is mapped to {lacking}"
        elif source.name != target.name and not target.isparent(source):
            yield (
                f"{one.place}: mismatch between data formats: `{one.source}' gives "
                f"`{source.name}', but `{one.target}' takes `{target.name}'"
            )


def _passes_unmapped(one: Connection, at_end: bool, parts: Parts) -> bool:
    """Tell whether the existing packages overlook that nothing is mapped to an endpoint.

    They do for all outputs of loops, and for inputs of evaluators.
    """
    loop = parts.uses_in(Kind.LOOP).get(one.end if at_end else one.start)
    if loop is None or not at_end:
        return loop is not None
    (processor,) = (use for use in loop if use.part == PROCESSOR_PREFIX)
    inputs = {node.name: node.inputs for node in parts.wiring.nodes}[one.end]
    return set(processor.inputs.values()) <= set(inputs)


def _formats(
    parts: Parts,
    endpoints: Callable[[Use], Mapping[str, str]],
    formats: Callable[[Algorithm], Mapping[str, str]],
) -> dict[str, DataFormat]:
    """Return the formats of endpoints of the toolchain, as the algorithms declare them."""
    found: dict[str, DataFormat] = {}
    for use in parts.uses:
        algorithm = parts.algorithms[use.algorithm]
        declared = formats(algorithm)
        for name, endpoint in endpoints(use).items():
            found[f"{use.block}.{endpoint}"] = algorithm.dataformats[declared[name]]
    return found


def _group_problems(parts: Parts) -> Iterator[str]:
    """Yield the blocks whose inputs are synchronized otherwise than their algorithms want."""
    inputs: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    outputs: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in parts.wiring.connections:
        inputs[one.end][one.channel].add(one.target)
        outputs[one.start][one.channel].add(one.source)
    used = {kind: parts.uses_in(kind) for kind in Kind}
    for node in parts.wiring.running():
        if node.kind is Kind.ANALYZER and parts.compat:
            continue
        uses = used[node.kind][node.name]
        found = _drawn_groups(inputs[node.name], outputs[node.name], parts.compat)
        wanted = _wanted_groups([parts.algorithms[use.algorithm] for use in uses])
        if found != wanted:
            names = " and ".join(f"`{use.algorithm}'" for use in uses)
            yield (
                "synchronization mismatch in input/output grouping between "
                f"{node.kind.name.lower()} `{node.name}' and algorithm {names}"
            )


def _drawn_groups(
    inputs: Mapping[str, set[str]], outputs: Mapping[str, set[str]], compat: bool
) -> Groups:
    """Return the sizes of the groups that are drawn, by channel.

    The existing packages do not look at channels on which nothing comes in.
    """
    channels = inputs if compat else {**inputs, **outputs}
    return Counter(
        (len(inputs.get(channel, ())), len(outputs.get(channel, ()))) for channel in channels
    )


def _wanted_groups(algorithms: Sequence[Algorithm]) -> Groups:
    """Return the sizes of groups; those of the parts of a loop are added one to one."""
    sizes: list[list[int]] = []
    for algorithm in algorithms:
        for index, group in enumerate(algorithm.groups):
            if index == len(sizes):
                sizes.append([0, 0])
            sizes[index][0] += len(group["inputs"])
            sizes[index][1] += len(group.get("outputs", ()))
    return Counter((inputs, outputs) for inputs, outputs in sizes)


def _loop_problems(parts: Parts) -> Iterator[str]:
    """Yield the loops whose two parts do not understand each other."""
    for uses in parts.uses_in(Kind.LOOP).values():
        processor, evaluator = sorted(uses, key=lambda use: use.part != PROCESSOR_PREFIX)
        asks = parts.algorithms[processor.algorithm].loop_map or {}
        answers = parts.algorithms[evaluator.algorithm].loop_map or {}
        for what in ("request", "answer"):
            if asks.get(what) != answers.get(what):
                yield (
                    f"{processor.place}: mismatch between the {what}s of the loop: processor "
                    f"`{processor.algorithm}' has `{asks.get(what)}', evaluator "
                    f"`{evaluator.algorithm}' has `{answers.get(what)}'"
                )


def _names_differ(what: str, toolchain: Iterable[str], experiment: Iterable[str]) -> str:
    return (
        f"mismatch between the toolchain {what} names ({_listed(sorted(toolchain))}) and the "
        f"experiment's ({_listed(sorted(experiment))})"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
