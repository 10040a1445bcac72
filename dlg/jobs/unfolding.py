"""Which steps of a plan are to be done, as far as that is known: more of them as decisions fall.

A plan has both ways of a branch, and as many iterations of a loop as there may be. A step is known
to be done when all decisions about it have fallen: those of its own gate, and those about what it
needs. One that needs what is skipped is skipped too; one that gathers, or waits for a group, is
content with what is left. Who keeps what is to be done elsewhere, such as in a database, so never
has more than that.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from enum import IntEnum

from dlg.jobs.plan import Plan, PlannedTask, Region


class Fate(IntEnum):
    """What is known of a step."""

    UNKNOWN = 0
    LIVE = 1
    SKIPPED = 2


class _Need(IntEnum):
    """What it means to one that another is skipped."""

    HARD = 0
    """It is skipped as well."""
    SOFT = 1
    """Nothing, but that must be known."""
    CHOICE = 2
    """It is skipped if all others are, too; the first that is not decides."""


class Unfolding:
    """What is known of the steps of a plan. A group that somebody waits for is a node as well.

    Nodes are numbers: steps those of the plan, groups (`joins`) from there on.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        wanted: dict[Region, bool] = {}
        for step in plan.steps:
            for one in step.requires.values():
                if isinstance(one, Region):
                    wanted[one] = True
            for one in step.waits:
                if isinstance(one, Region):
                    wanted.setdefault(one, False)
        self.joins: list[Region] = list(wanted)
        self.told = frozenset(region for region, is_asked in wanted.items() if is_asked)
        """The groups of which somebody wants to know what their tasks have told."""
        steps = len(plan.steps)
        self._nodes = {region: steps + place for place, region in enumerate(self.joins)}
        self._count = steps + len(self.joins)
        self._fates: list[Fate] = []
        self._after: defaultdict[int, list[tuple[int, _Need]]] = defaultdict(list)
        self._gated: defaultdict[int, list[tuple[int, bool]]] = defaultdict(list)
        self._missing: list[int] = []
        self._choices: list[bool] = []

    def node_of(self, one: int | Region) -> int:
        """Return the number of a step or group."""
        return self._nodes[one] if isinstance(one, Region) else one

    def fate(self, node: int) -> Fate:
        """Return what is known of a step or group."""
        return self._fates[node]

    def begin(self) -> list[int]:
        """Return all nodes that are to be done whatever is decided, in their order."""
        if not any(step.gate for step in self.plan.steps):
            self._fates = [Fate.LIVE] * self._count
            return list(range(self._count))
        self._connect()
        self._fates = [Fate.UNKNOWN] * len(self._missing)
        free = [node for node, missing in enumerate(self._missing) if not missing]
        return self._spread((node, Fate.LIVE) for node in free)

    def decide(self, decision: int, taken: bool) -> list[int]:
        """Return the nodes of which is known now that they are to be done, in their order."""
        found: list[tuple[int, Fate]] = []
        for node, way in self._gated[decision]:
            if way is not taken:
                found.append((node, Fate.SKIPPED))
            elif self._came(node):
                found.append((node, Fate.LIVE))
        return self._spread(found)

    def maker_of(self, product: int) -> int | None:
        """Return the step that makes a product; None if that is not known, or none does."""
        makers = self.plan.products[product].makers
        return next((one for one in makers if self._fates[one] is Fate.LIVE), None)

    def steps_in(self, region: Region) -> list[int]:
        """Return the steps of a group that are to be done."""
        return [node for node in range(region.start, region.end) if self._fates[node] is Fate.LIVE]

    def undecided(self) -> int:
        """Return of how many steps nothing is known yet."""
        return self._fates[: len(self.plan.steps)].count(Fate.UNKNOWN)

    # -- inside ---------------------------------------------------------------------------

    def _connect(self) -> None:
        """Note who needs whom. A product with several makers is a node of its own."""
        self._missing = [0] * self._count
        self._choices = [False] * self._count
        choices: dict[int, int] = {}
        for number, step in enumerate(self.plan.steps):
            if step.gate is not None:
                self._gated[step.gate.decision].append((number, step.gate.taken))
                # That its decision is skipped skips it, that it is made says nothing.
                self._after[step.gate.decision].append((number, _Need.HARD))
                self._missing[number] += 2
            hard = [self.node_of(one) for one in (*step.requires.values(), *step.waits)]
            soft: list[int] = []
            if isinstance(step, PlannedTask):
                hard += [self._product(one, choices) for one in step.inputs.values()]
                gathered = [one for many in step.gathered.values() for one in many]
                soft = [*step.ends, *(self._product(one, choices) for one in gathered)]
            self._link(number, hard, _Need.HARD)
            self._link(number, soft, _Need.SOFT)
        for region in self.joins:
            self._link(self._nodes[region], range(region.start, region.end), _Need.SOFT)

    def _product(self, product: int, choices: dict[int, int]) -> int:
        makers = self.plan.products[product].makers
        if len(makers) == 1:
            return makers[0]
        if product not in choices:
            choices[product] = len(self._missing)
            self._missing.append(0)
            self._choices.append(True)
            self._link(choices[product], makers, _Need.CHOICE)
        return choices[product]

    def _link(self, node: int, needed: Iterable[int], need: _Need) -> None:
        for one in needed:
            self._after[one].append((node, need))
            self._missing[node] += 1

    def _came(self, node: int) -> bool:
        self._missing[node] -= 1
        return not self._missing[node]

    def _spread(self, found: Iterable[tuple[int, Fate]]) -> list[int]:
        """Note fates with all that follows from them; return the nodes that are to be done."""
        made: list[int] = []
        waiting = deque(found)
        while waiting:
            node, fate = waiting.popleft()
            if self._fates[node] is not Fate.UNKNOWN:
                continue
            self._fates[node] = fate
            if fate is Fate.LIVE and node < self._count:
                made.append(node)
            for after, need in self._after[node]:
                follows = self._follows(after, need, fate)
                if follows is not Fate.UNKNOWN:
                    waiting.append((after, follows))
        return sorted(made)

    def _follows(self, node: int, need: _Need, fate: Fate) -> Fate:
        """Return what is known of a node now that something it needs has a fate."""
        if fate is Fate.SKIPPED and need is _Need.HARD:
            return Fate.SKIPPED
        if fate is Fate.LIVE and need is _Need.CHOICE:
            return Fate.LIVE
        if not self._came(node):
            return Fate.UNKNOWN
        return Fate.SKIPPED if self._choices[node] else Fate.LIVE
