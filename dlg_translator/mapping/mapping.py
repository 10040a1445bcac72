"""Turn a divided template into a physical graph whose drops know their host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dlg.exceptions import UsageError
from dlg.graph.physical import PhysicalGraph
from dlg.graph.problems import Problem, Severity
from dlg_translator.mapping.demands import demands
from dlg_translator.mapping.hosts import Host, Hosts, read_hosts
from dlg_translator.mapping.placing import check_demands, place
from dlg_translator.partition.islands import merge
from dlg_translator.partition.partitioning import default_partitioner
from dlg_translator.partition.template import PartitionedTemplate
from dlg_translator.schedule.dag import Rows
from dlg_translator.schedule.quality import without_empty


class TooFewHostsError(UsageError):
    """There are not enough hosts for the islands and the nodes."""


@dataclass(frozen=True, slots=True)
class _Site:
    """The part of each row once parts are merged or moved, and the host of each part."""

    part_of: Rows
    names: list[str]
    warnings: tuple[str, ...] = ()


def map_graph(
    partitioned: PartitionedTemplate,
    nodes: Hosts,
    islands: int | None = None,
    *,
    co_host_dim: bool | None = None,
) -> PhysicalGraph:
    """Return the graph with the host of each drop in `node` and that of its manager in `island`.

    `nodes` is a number, host names (a list, or a text with commas), a resource file, or the
    records that a manager gives of its nodes. The first `islands` hosts (as many as the template
    has islands if None) manage islands; with `co_host_dim` they are nodes as well, which None does
    only where no host would be left. A number stands for nodes only, which stay `#k`. More parts
    than nodes are merged. Where it is known what hosts have, every drop goes where what its
    component needs is there.

    Raises `TooFewHostsError`, `ResourceError` for hosts that cannot be understood, and
    `DemandError` that names the drops which fit nowhere.
    """
    hosts = read_hosts(nodes)
    islands = partitioned.num_islands if islands is None else islands
    if islands < 1:
        raise UsageError(f"islands must be at least 1, not {islands}")
    if isinstance(nodes, int):
        managers, workers = [f"#{j}" for j in range(islands)], hosts
    else:
        managers, workers = _split(hosts, islands, co_host_dim)
    limited = any(host.is_limited for host in workers)
    site = _by_resources(partitioned, workers) if limited else _by_number(partitioned, workers)
    island_of = _islands(partitioned, site, islands)
    places = [(name, managers[j]) for name, j in zip(site.names, island_of.tolist(), strict=True)]
    graph = partitioned.to_physical_graph(site.part_of, places)
    return _with_warnings(graph, site.warnings)


def _split(
    hosts: list[Host], islands: int, co_host_dim: bool | None
) -> tuple[list[str], list[Host]]:
    """Return the names of the hosts that manage islands, and the hosts that are nodes."""
    if len(hosts) < islands:
        raise TooFewHostsError(f"{islands} islands need as many hosts; {len(hosts)} are given")
    managers = [host.name for host in hosts[:islands]]
    if co_host_dim or (co_host_dim is None and len(hosts) == islands):
        return managers, hosts
    if len(hosts) == islands:
        raise TooFewHostsError(
            f"all {len(hosts)} hosts manage islands and none is left as a node: "
            "give more hosts, or let them be both with co_host_dim"
        )
    return managers, hosts[islands:]


def _by_number(partitioned: PartitionedTemplate, hosts: Sequence[Host]) -> _Site:
    """Return part k on host k, after merging parts if there are more of them."""
    parts = partitioned.num_parts
    names = [host.name for host in hosts]
    if parts <= len(hosts):
        return _Site(partitioned.node_of, names[:parts])
    into = merge(partitioned.dag, partitioned.node_of, parts, len(hosts), default_partitioner())
    told = f"{parts} parts were merged into {len(hosts)}, one a node"
    return _Site(into[partitioned.node_of], names, (told,))


def _by_resources(partitioned: PartitionedTemplate, hosts: Sequence[Host]) -> _Site:
    """Return parts on hosts that have what the drops need."""
    template, dag = partitioned.template, partitioned.dag
    needs = demands(template)
    oids = template.to_physical_graph().oids
    fits = check_demands(needs, hosts, oids)
    placement = place(partitioned.node_of, dag.node_weight, needs, fits, hosts)
    used = np.unique(placement.host_of)
    part_of, _ = without_empty(placement.host_of)
    told = []
    if len(placement.moved):
        first = oids[int(placement.moved[0])]
        told.append(
            f"{len(placement.moved)} drops, {first} first, could not stay with their part: "
            "no node has what all of the part needs"
        )
    if len(used) < min(partitioned.num_parts, len(hosts)):
        told.append(f"only {len(used)} of {len(hosts)} nodes have what the parts need")
    return _Site(part_of, [hosts[k].name for k in used.tolist()], tuple(told))


def _islands(partitioned: PartitionedTemplate, site: _Site, islands: int) -> Rows:
    """Return the island of each part: as divided, unless parts or islands are others now."""
    if site.part_of is partitioned.node_of and islands == partitioned.num_islands:
        return partitioned.island_of_part
    partitioner = default_partitioner()
    return merge(partitioned.dag, site.part_of, len(site.names), islands, partitioner)


def _with_warnings(graph: PhysicalGraph, told: Sequence[str]) -> PhysicalGraph:
    problems = (
        Problem(code="mapping", message=text, severity=Severity.WARNING, blocks_run=False)
        for text in told
    )
    return replace(graph, warnings=(*graph.warnings, *problems))
