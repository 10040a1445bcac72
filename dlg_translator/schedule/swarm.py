"""Particle swarm: many divisions at once drift towards the best that any of them has met.

A particle is a real number for each cluster of rows; the number's whole part is the cluster's
part. What is made small is the estimated completion time: the longest path with what moves
between parts, or the work of the busiest part if that takes longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dlg_translator.schedule.contraction import Contracted, contract_chains
from dlg_translator.schedule.dag import Dag, Numbers, Rows
from dlg_translator.schedule.paths import completions
from dlg_translator.schedule.quality import quotient

Reals = npt.NDArray[np.float64]

INERTIA, OWN_PULL, COMMON_PULL = 0.72, 1.49, 1.49  # Clerc and Kennedy's constriction


@dataclass(frozen=True, slots=True)
class Flight:
    """How many particles fly for how many rounds, the processors of a part, and the seed."""

    particles: int
    rounds: int
    cpus: int = 1
    seed: int = 0


class Judge:
    """Tells what divisions of clusters cost, a whole swarm at a time."""

    def __init__(self, dag: Dag, cluster_of: Rows, clusters: int, cpus: int) -> None:
        self.small: Contracted = contract_chains(dag, cluster_of)
        between = quotient(dag, cluster_of, clusters)
        self.src, self.dst, self.volume = between.src, between.dst, between.edge_weight
        work = dag.node_weight * np.maximum(dag.num_cpus, 1)
        self.work: Reals = np.bincount(cluster_of, weights=work, minlength=clusters) / cpus
        self.total = float(self.volume.sum()) or 1.0

    def cost(self, assignments: Rows, parts: int) -> Reals:
        """Return the completion times, slightly worse where more volume moves."""
        path = completions(self.small.dag, assignments[:, self.small.cluster_of])
        swarm = len(assignments)
        key = assignments + np.arange(swarm)[:, None] * parts
        load = np.bincount(key.ravel(), weights=np.tile(self.work, swarm), minlength=swarm * parts)
        busiest = load.reshape(swarm, parts).max(axis=1)
        moved = assignments[:, self.src] != assignments[:, self.dst]
        cut: Numbers = (moved * self.volume).sum(axis=1)
        return np.asarray(np.maximum(path, busiest) * (1 + 0.01 * cut / self.total))


def fly(judge: Judge, first: Rows, parts: int, flight: Flight) -> Rows:
    """Return the best parts of the clusters that were met; never worse than `first`."""
    random = np.random.default_rng(flight.seed)
    shape = (flight.particles, len(first))
    place = random.random(shape) * parts
    place[0] = first + 0.5
    # Half the swarm starts near the division given, the rest anywhere.
    near = place[1 : flight.particles // 2]
    near[:] = np.where(random.random(near.shape) < 0.1, near, first + 0.5)  # noqa: PLR2004
    speed = np.zeros(shape)
    own_place, own_cost = place.copy(), judge.cost(_parts(place, parts), parts)
    for _ in range(flight.rounds):
        best = own_place[int(own_cost.argmin())]
        own, common = random.random(shape) * OWN_PULL, random.random(shape) * COMMON_PULL
        speed = INERTIA * speed + own * (own_place - place) + common * (best - place)
        speed = np.clip(speed, -parts / 2, parts / 2)
        place = np.clip(place + speed, 0, np.nextafter(parts, 0))
        cost = judge.cost(_parts(place, parts), parts)
        better = cost < own_cost
        own_place[better], own_cost[better] = place[better], cost[better]
    winner: Rows = _parts(own_place, parts)[int(own_cost.argmin())]
    return winner


def _parts(place: Reals, parts: int) -> Rows:
    return np.minimum(place, parts - 1).astype(np.int32)
