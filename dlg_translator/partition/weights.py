"""The weighted graph of a template: what its drops say, or what an earlier run recorded."""

from __future__ import annotations

import numpy as np

from dlg_translator.partition.constraints import MEMORY_KEYS, size_in_gb, stated
from dlg_translator.partition.profile import Profile
from dlg_translator.partition.template import Template
from dlg_translator.schedule.dag import Dag, Numbers, Rows


def dag_of(template: Template, profile: Profile | None = None, *, memory: bool = False) -> Dag:
    """Return the graph to divide; with `memory`, what each drop needs of it is looked up too.

    A link moves the volume of its data drop: at least 1 if stated, what was measured otherwise.
    """
    src, dst = _links_once(template)
    is_app = np.asarray(template.is_app, np.bool_)
    weights, volumes = np.asarray(template.weights), np.asarray(template.volumes)
    if profile is not None:
        weights, volumes = profile.apply(template, weights, volumes)
    return Dag(
        n=len(template),
        src=src,
        dst=dst,
        node_weight=np.where(is_app, weights, 0),
        edge_weight=np.maximum(
            np.where(is_app[src], volumes[dst], volumes[src]), 1 if profile is None else 0
        ),
        is_app=is_app,
        num_cpus=np.where(is_app, template.num_cpus, 0).astype(np.int64),
        memory=_memory(template) if memory else None,
    )


def _links_once(template: Template) -> tuple[Rows, Rows]:
    """Return the links; drops that are linked twice exchange their data once all the same."""
    src, dst = (np.asarray(end, np.int32) for end in template.edges)
    key = src.astype(np.int64) * len(template) + dst
    ordered = np.sort(key)
    if (ordered[1:] != ordered[:-1]).all():
        return src, dst
    _, first = np.unique(key, return_index=True)
    first.sort()
    return src[first], dst[first]


def _memory(template: Template) -> Numbers:
    rows = range(len(template))
    needs = (size_in_gb(stated(template.spec(row), MEMORY_KEYS)) for row in rows)
    return np.fromiter(needs, np.float64, len(template))
