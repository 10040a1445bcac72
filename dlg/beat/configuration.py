"""What each block of an experiment is run with: the execution blocks, in execution order.

An execution block is what executors take: the algorithm and its parameters, where each input is
and where each output goes. Places in a cache follow from hashes (`dlg.beat.hash`): of the set for
a dataset, of the algorithm, parameters, environment and the hashes of its inputs for a block.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlg.beat import hash as hashes
from dlg.beat.uses import EVALUATOR_PREFIX, Use
from dlg.beat.wiring import Connection, Kind, Wiring
from dlg.exceptions import InvalidAssetError

__all__ = ["Settings", "configurations", "merged_parameters"]

INDEX_SUFFIX = ".db"
Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What an experiment says: datasets, globals, and how the hash of an algorithm is found."""

    datasets: Mapping[str, Mapping[str, str]]
    global_settings: Mapping[str, Any]
    algorithm_hash: Callable[[str], str]

    def of(self, use: Use, key: str) -> Any:
        """Return the queue or environment of a use: its own, or that of all."""
        own = getattr(use, key)
        if own is None and key not in self.global_settings:
            raise InvalidAssetError(
                f"{use.at(key)}: there is none, neither here nor in /globals/{key}"
            )
        return self.global_settings[key] if own is None else own


@dataclass(slots=True)
class _Layout:
    """Where everything is, as far as it is known by now; endpoints are `node.endpoint`."""

    settings: Settings
    feeds: dict[str, Connection]
    channels: dict[str, str]
    drains: dict[str, str]
    made: dict[str, str] = field(default_factory=dict)


def configurations(
    wiring: Wiring,
    order: Mapping[str, set[str]],
    uses: Iterable[Use],
    settings: Settings,
) -> OrderedDict[str, dict[str, Any]]:
    """Return `dependencies` and `configuration` of all that runs, in the order of `order`.

    Raises `InvalidAssetError` if a block has no queue or no environment.
    """
    layout = _Layout(
        settings,
        feeds={one.target: one for one in wiring.connections},
        channels={node.name: node.channel for node in wiring.nodes},
        # What flows from an output does so on the channel of its connections, the last one's.
        drains={one.source: one.channel for one in wiring.connections},
    )
    by_block: dict[str, dict[str, Use]] = {}
    for use in uses:
        by_block.setdefault(use.block, {})[use.part] = use
    found: OrderedDict[str, dict[str, Any]] = OrderedDict()
    for name, needs in order.items():
        parts = by_block[name]
        evaluator = parts.pop(EVALUATOR_PREFIX, None)
        (use,) = parts.values()
        configuration = _configuration(use, layout)
        configuration["nb_slots"] = use.slots
        if evaluator is not None:
            configuration["loop"] = _configuration(evaluator, layout)
        found[name] = {"dependencies": set(needs), "configuration": configuration}
    return found


def merged_parameters(use: Use, global_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a use: those of all uses of the algorithm, then its own."""
    return {**global_settings.get(use.algorithm, {}), **use.parameters}


def _configuration(use: Use, layout: _Layout) -> Block:
    settings = layout.settings
    inputs = {
        name: _input(f"{use.block}.{endpoint}", endpoint, layout)
        for name, endpoint in use.inputs.items()
    }
    block: Block = {
        "inputs": inputs,
        "channel": layout.channels[use.block],
        "algorithm": use.algorithm,
        "parameters": merged_parameters(use, settings.global_settings),
        "queue": settings.of(use, "queue"),
        "environment": dict(settings.of(use, "environment")),
    }
    made_of = (
        use.algorithm,
        settings.algorithm_hash(use.algorithm),
        block["parameters"],
        block["environment"],
        {name: one["hash"] for name, one in inputs.items()},
    )
    if use.kind is Kind.ANALYZER:
        digest = hashes.hashAnalyzer(use.block, *made_of)
        block["result"] = {"hash": digest, "path": hashes.toPath(digest, "")}
        return block
    block["outputs"] = {}
    for name, endpoint in use.outputs.items():
        digest = hashes.hashBlockOutput(use.block, *made_of, name)
        source = f"{use.block}.{endpoint}"
        layout.made[source] = digest
        block["outputs"][name] = {
            "channel": layout.drains.get(source, block["channel"]),
            "endpoint": endpoint,
            "hash": digest,
            "path": hashes.toPath(digest, ""),
        }
    return block


def _input(target: str, endpoint: str, layout: _Layout) -> Block:
    """Return where an input of a block comes from: a set of a database, or another block."""
    feed = layout.feeds.get(target)
    if feed is None:
        raise InvalidAssetError(f"the toolchain has no connection to {target}")
    dataset = layout.settings.datasets.get(feed.start)
    if dataset is None:
        digest = layout.made[feed.source]
        origin: Block = {}
        path = hashes.toPath(digest, "")
    else:
        digest = hashes.hashDataset(dataset["database"], dataset["protocol"], dataset["set"])
        origin = {
            "database": dataset["database"],
            "protocol": dataset["protocol"],
            "set": dataset["set"],
            "output": feed.source.partition(".")[2],
        }
        path = hashes.toPath(digest, INDEX_SUFFIX)
    return {**origin, "endpoint": endpoint, "channel": feed.channel, "hash": digest, "path": path}
