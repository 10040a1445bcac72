"""The names of the package, and that asking for none of them costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dlg_translator
from dlg_translator.mapping import map_graph
from dlg_translator.model.template import PhysicalTemplate
from dlg_translator.partition import PartitionedTemplate, partition_graph
from dlg_translator.unroll import unroll_graph


def test_importing_the_package_imports_nothing_else() -> None:
    program = "import sys, dlg_translator; print('numpy' in sys.modules, 'dlg' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_public_names_are_what_their_modules_have() -> None:
    assert dlg_translator.unroll_graph is unroll_graph
    assert dlg_translator.partition_graph is partition_graph
    assert dlg_translator.map_graph is map_graph
    assert dlg_translator.PhysicalTemplate is PhysicalTemplate
    assert dlg_translator.PartitionedTemplate is PartitionedTemplate
    assert set(dlg_translator.__all__) <= set(dir(dlg_translator))


def test_a_name_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'unrol'"):
        _ = dlg_translator.unrol
