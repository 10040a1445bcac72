"""Front door: tools for programs that work with drops.

Getting at what a drop holds, walking along the links, waiting for the end of a graph.
"""

from __future__ import annotations

from dlg.drops.contents import (
    DROPFile,
    allDropContents,
    copyDropContents,
    has_path,
    listify,
    load_npy,
    load_pickle,
    save_npy,
    save_pickle,
)
from dlg.drops.neighbours import (
    breadFirstTraverse,
    depthFirstTraverse,
    getDownstreamObjects,
    getLeafNodes,
    getUpstreamObjects,
)
from dlg.drops.placeholders import replace_dataurl_placeholders, replace_path_placeholders
from dlg.drops.waiting import DROPWaiterCtx, EvtConsumer

__all__ = [
    "DROPFile",
    "DROPWaiterCtx",
    "EvtConsumer",
    "allDropContents",
    "breadFirstTraverse",
    "copyDropContents",
    "depthFirstTraverse",
    "getDownstreamObjects",
    "getLeafNodes",
    "getUpstreamObjects",
    "has_path",
    "listify",
    "load_npy",
    "load_pickle",
    "replace_dataurl_placeholders",
    "replace_path_placeholders",
    "save_npy",
    "save_pickle",
]
