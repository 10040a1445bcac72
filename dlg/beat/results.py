"""What analyzers found, out of a cache, and the plots of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlg.beat.data import CachedDataSource
from dlg.beat.plotter import Plotter
from dlg.beat.plotterparameter import Plotterparameter
from dlg.beat.prefixes import names_in
from dlg.beat.processes.limits import Limits
from dlg.exceptions import MissingExtraError, RunError, UsageError

PLOT = "dlg.beat.results:plot_one"
PLOTTED = "plot/"
"""What the formats of results that are to be plotted begin with."""
MINUTES = 5.0


class PlotError(RunError):
    """The code of a plotter failed."""


class NoResultError(RunError):
    """There is no result in the cache."""


def has_result(place: str | Path) -> bool:
    """Return whether anything has been written to a place of a cache."""
    where = Path(place)
    return any(where.parent.glob(f"{where.name}.*.data"))


def result_at(place: str | Path, prefix: str | Path) -> Any:
    """Return what an analyzer wrote last to a place of a cache, as its format.

    Raises `NoResultError` if there is none, `CacheError` if it is not whole.
    """
    if not has_result(place):
        raise NoResultError(f"{place}: there is no result; run the experiment")
    source = CachedDataSource()
    if not source.setup(f"{place}.data", str(prefix)) or not len(source):
        raise NoResultError(f"{place}: there is no result; run the experiment")
    try:
        data, _, _ = source[len(source) - 1]
    finally:
        source.close()
    return data


def values_of(result: Any) -> dict[str, Any]:
    """Return a result as JSON has it: values by name, those of plots are objects."""
    values: dict[str, Any] = json.loads(json.dumps(result.as_dict(), default=_plain))
    return values


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def plots_of(algorithm: Any) -> dict[str, str]:
    """Return the formats of the results of an analyzer that are to be plotted, by name."""
    return {
        name: one["type"]
        for name, one in (algorithm.results or {}).items()
        if one["type"].startswith(PLOTTED)
    }


def plotter_for(prefix: str | Path, dataformat: str) -> str | None:
    """Return the plotter of a prefix for a format, the last by name, or None without any."""
    found = None
    for name in names_in(prefix, "plotter"):
        plotter = Plotter(str(prefix), name)
        if plotter.valid and plotter.data["dataformat"] == dataformat:
            found = name
    return found


def plot(
    prefix: str | Path,
    plotter: str,
    parameters: Mapping[str, Any],
    results: Mapping[str, tuple[str | Path, str]],
    target: Path,
) -> None:
    """Plot results with the code of a plotter, which runs in a watched process, into a file.

    `results` are the place of each in a cache and the name of what is to be plotted of it, by
    label. Raises `PlotError` if the code fails.
    """
    from dlg.beat.execution.wardens import pool  # noqa: PLC0415  starts processes
    from dlg.beat.processes.calls import Call  # noqa: PLC0415

    payload = {
        "prefix": str(Path(prefix).absolute()),
        "plotter": plotter,
        "parameters": dict(parameters),
        "results": {
            k: [str(Path(place).absolute()), name] for k, (place, name) in results.items()
        },
        "target": str(target.absolute()),
    }
    limits = Limits.of_block(0, 0, MINUTES)
    outcome = pool().run([Call(limits, function=PLOT, payload=payload)])
    if outcome.answer != "plotted":
        text = _told(outcome.answer) or outcome.text or outcome.stderr.strip() or "it ended"
        raise PlotError(f"plotter {plotter}: {text}")


def _told(answer: Any) -> str:
    """Return what a process says of its failure, of a traceback the end."""
    if isinstance(answer, Mapping):
        return str(answer.get("failed", answer)).rstrip().rpartition("\n")[2]
    return str(answer or "")


def plot_one(payload: Mapping[str, Any], _links: object) -> str:
    """Plot; called in a process of its own."""
    plotter = Plotter(payload["prefix"], payload["plotter"])
    try:
        runner = plotter.runner(exc=RuntimeError)
        runner.setup(payload["parameters"])
        given = [
            (label, getattr(result_at(place, payload["prefix"]), name))
            for label, (place, name) in payload["results"].items()
        ]
        picture = runner.process(given)
    except ImportError as error:
        return f"{error}; install what it needs, for pictures: pip install 'dlg[plots]'"
    except (RuntimeError, RunError, MissingExtraError) as error:
        return f"{type(error).__name__}: {error}"
    if not isinstance(picture, bytes):
        return f"it returned {type(picture).__name__} where the bytes of a picture are expected"
    Path(payload["target"]).write_bytes(picture)
    return "plotted"


def parameters_of(prefix: str | Path, name: str, plotter: str) -> dict[str, Any]:
    """Return the values of the parameters of a plotter that the asset `name` has.

    Raises `UsageError` if it is not valid or meant for another plotter.
    """
    asset = Plotterparameter(str(prefix), name)
    if not asset.valid:
        raise UsageError(f"plotterparameter {name}: " + "; ".join(asset.errors))
    if asset.data["plotter"] != plotter:
        raise UsageError(f"plotterparameter {name} is for {asset.data['plotter']}, not {plotter}")
    return dict(asset.values)
