"""Alias: values into drops and out of them, where release 4 and later put these functions."""

from __future__ import annotations

from dlg.drops.contents import (
    load_binary,
    load_dill,
    load_npy,
    load_pickle,
    load_utf8,
    save_binary,
    save_npy,
    save_pickle,
)

__all__ = [
    "load_binary",
    "load_dill",
    "load_npy",
    "load_pickle",
    "load_utf8",
    "save_binary",
    "save_npy",
    "save_pickle",
]
