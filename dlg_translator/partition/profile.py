"""What an earlier run took: seconds of apps and bytes of data, by drop or by logical node.

The file is JSON (with `.gz` compressed): `{"format": "dlg-profile", "version": 1, "bandwidth":
bytes per second, "drops": {key: {"seconds": s, "bytes": b}}}`, where a key is the uid of a drop or
the id of a logical node (`lg_key`), which stands for all its drops. The object of the drops alone
will do, and so will a plain number in place of `{...}`: seconds for an app, bytes for data.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlg.exceptions import UsageError
from dlg_translator.schedule.dag import Bools, Numbers

if TYPE_CHECKING:
    from dlg_translator.partition.template import Template

FORMAT, VERSION = "dlg-profile", 1
FILE_NAME = "profile.json"
"""The profile in the directory of a run."""
BANDWIDTH = 1e9


class ProfileError(UsageError):
    """A profile cannot be read, or says nothing about the graph."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Seconds and bytes by uid or logical node."""

    seconds: Mapping[str, float]
    sizes: Mapping[str, float]
    bandwidth: float = BANDWIDTH
    """Bytes a second between nodes: with it, volumes become seconds as the times of apps are."""

    def apply(
        self, template: Template, weights: Numbers, volumes: Numbers
    ) -> tuple[Numbers, Numbers]:
        """Return times and volumes, both in seconds, instead of those that the graph states.

        A drop that was not recorded counts as the mean of those that were, since what graphs
        state is in other units. Raises `ProfileError` if no drop of the graph was recorded.
        """
        is_app = np.asarray(template.is_app)
        oids = template.to_physical_graph().oids
        found = np.full(len(template), np.nan)
        uses_nodes = not set(oids).issuperset(self.seconds.keys() | self.sizes.keys())
        for row, (oid, app) in enumerate(zip(oids, is_app.tolist(), strict=True)):
            recorded = self.seconds if app else self.sizes
            value = recorded.get(oid)
            if value is None and uses_nodes:
                value = recorded.get(str(template.spec(row).get("lg_key")))
            if value is not None:
                found[row] = value
        if np.isnan(found).all():
            raise ProfileError("the profile has none of the drops or nodes of this graph")
        return (
            _filled(found, is_app, weights),
            _filled(found / self.bandwidth, ~is_app, volumes / self.bandwidth),
        )


def _filled(found: Numbers, kind: Bools, otherwise: Numbers) -> Numbers:
    """Return what was found for one kind of rows, with the mean of it where nothing was."""
    known = found[kind & ~np.isnan(found)]
    if not len(known):
        return otherwise.astype(np.float64)
    return np.where(np.isnan(found), known.mean(), found)


def read_profile(source: str | Path | Mapping[str, Any]) -> Profile:
    """Return the profile in a file, in the directory of a run, or in an object.

    Raises `ProfileError` if there is none.
    """
    where = "<profile>" if isinstance(source, Mapping) else str(source)
    document = source if isinstance(source, Mapping) else _load(Path(source))
    bandwidth = BANDWIDTH
    if isinstance(document, Mapping) and "drops" in document:
        if document.get("format", FORMAT) != FORMAT or document.get("version", 1) != VERSION:
            raise ProfileError(f"{where}: not a profile of version {VERSION}")
        bandwidth = _number(where, "bandwidth", document.get("bandwidth", BANDWIDTH)) or BANDWIDTH
        document = document["drops"]
    if not isinstance(document, Mapping):
        raise ProfileError(f"{where}: expected an object of drops")
    recorded = list(_entries(where, document))
    seconds = {key: value for key, kinds, value in recorded if "seconds" in kinds}
    sizes = {key: value for key, kinds, value in recorded if "bytes" in kinds}
    return Profile(seconds, sizes, bandwidth)


def _entries(where: str, drops: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], float]]:
    for key, entry in drops.items():
        if isinstance(entry, Mapping):
            for kind in ("seconds", "bytes"):
                if kind in entry:
                    yield key, (kind,), _number(where, f"{key}/{kind}", entry[kind])
        else:
            yield key, ("seconds", "bytes"), _number(where, key, entry)


def _number(where: str, place: str, value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise ProfileError(f"{where}: {place}: expected a number of at least 0, not {value!r}")


def _load(path: Path) -> Any:
    if path.is_dir():
        path /= FILE_NAME
    try:
        content = path.read_bytes()
        return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ProfileError(f"{path}: the profile cannot be read: {error}") from error
