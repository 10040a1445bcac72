"""What third parties add, found by entry points on first use, and engines found by name.

A package of a third party declares its members under one of the groups below, for instance

    [project.entry-points."dlg.apps"]
    stack_images = "my_package.apps:StackImages"

Our own members stand in plain tables next to the contract they fulfil; a family looks there first
and comes here for names it does not know. The table of engines stands here because `dlg` knows
engines by name only: it never imports one.
"""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dlg.exceptions import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUPS: Mapping[str, str] = {
    "dlg.data": "data drops",
    "dlg.apps": "app drops",
    "dlg.engines": "engines that run a physical graph",
    "dlg.partitioners": "algorithms that divide a physical graph",
    "dlg.queues": "task queues",
    "dlg.commands": "commands of the command line",
}

ENGINES: Mapping[str, str] = {
    "embedded": "dlg_engine.backends.embedded:ENGINE",
    "managers": "dlg_engine.backends.managers:ENGINE",
    "dask": "dlg_engine.backends.dask:ENGINE",
}
RUNNERS: Mapping[str, str] = {"embedded": "dlg_engine.runners:make_runner"}
"""What makes the runners that an engine may be given, for those who want them before a graph."""


class UnknownPluginError(UsageError):
    """A member of a family was asked for that neither we nor any installed package has."""

    def __init__(self, group: str, name: str, known: Iterable[str]) -> None:
        kind, known = GROUPS[group], sorted(known)
        near = difflib.get_close_matches(name, known, 1)
        cure = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known) or 'none'}"
        super().__init__(f"there is no {name!r} among the {kind}; {cure}")
        self.group, self.name = group, name


class PluginLoadError(UsageError):
    """A member that is declared cannot be imported; the cause says why."""


def resolve(target: str) -> Any:
    """Return what `target`, written as `package.module:name`, stands for."""
    module, colon, name = target.partition(":")
    if not colon:
        raise PluginLoadError(f"{target!r} is not written as package.module:name")
    try:
        return functools.reduce(getattr, name.split("."), importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        raise PluginLoadError(f"{target} cannot be loaded: {error}") from error


def names(group: str) -> list[str]:
    """Return the names that third parties have added to `group`."""
    return sorted(_declared(group))


def find(group: str, name: str, own: Mapping[str, str] | None = None) -> Any:
    """Return the member `name` of `group`: from our table `own`, or else from a third party.

    Ours win, so that an installed package cannot change what a graph means.
    """
    own = own or {}
    if name in own:
        return resolve(own[name])
    declared = _declared(group)
    if name not in declared:
        raise UnknownPluginError(group, name, [*own, *declared])
    return resolve(declared[name].value)


def engine(name: str = "embedded") -> Any:
    """Return the engine `name`, as `dlg.engines.Engine` says; called with a graph it runs it."""
    return find("dlg.engines", name, ENGINES)


def runner(engine: str, name: str, workers: int | None = None) -> Any:
    """Return a runner for `engine`, to be given to it and closed after that.

    None if the engine has none that can be made before there is a graph.
    """
    return resolve(RUNNERS[engine])(name, workers) if engine in RUNNERS else None


@functools.cache
def _declared(group: str) -> dict[str, EntryPoint]:
    # Reads the metadata of every installed package, so only when a name of ours does not match.
    from importlib.metadata import entry_points  # noqa: PLC0415

    if group not in GROUPS:
        raise ValueError(f"{group} is not one of our entry-point groups")
    return {point.name: point for point in entry_points(group=group)}
