"""Alias: how classes of components declare parameters and describe themselves."""

from __future__ import annotations

from dlg.drops.components import (
    dlg_batch_input,
    dlg_batch_output,
    dlg_component,
    dlg_streaming_input,
)
from dlg.drops.parameters import (
    dlg_bool_param,
    dlg_dict_param,
    dlg_enum_param,
    dlg_float_param,
    dlg_int_param,
    dlg_list_param,
    dlg_string_param,
)

__all__ = [
    "dlg_batch_input",
    "dlg_batch_output",
    "dlg_bool_param",
    "dlg_component",
    "dlg_dict_param",
    "dlg_enum_param",
    "dlg_float_param",
    "dlg_int_param",
    "dlg_list_param",
    "dlg_streaming_input",
    "dlg_string_param",
]
