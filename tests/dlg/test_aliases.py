"""Paths of later releases of the existing system give the same objects as ours."""

from __future__ import annotations

import datetime
import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import dlg
from dlg.data.memory import InMemoryDROP
from dlg.drops.waiting import DROPWaiterCtx
from dlg.exceptions import InvalidPath
from dlg.graph.categories import OURS, THEIR_MODULES, resolve_class
from dlg.support import clock
from dlg.support.serialize import ENCODINGS

ALIASES = {
    "dlg.apps.app_base": "dlg.drops.app_base: AppDROP BarrierAppDROP InputFiredAppDROP",
    "dlg.apps.bash_shell_app": "dlg.apps.bash: BashShellApp StreamingInputBashApp "
    "StreamingInputOutputBashApp StreamingOutputBashApp",
    "dlg.apps.pyfunc": "dlg.apps.python_function: PyFuncApp PyMemberApp",
    "dlg.data.drops.container": "dlg.data.container: ContainerDROP",
    "dlg.data.drops.data_base": "dlg.data.null: EndDROP NullDROP",
    "dlg.data.drops.directory": "dlg.data.directory: DirectoryDROP",
    "dlg.data.drops.file": "dlg.data.file: FileDROP",
    "dlg.data.drops.json_drop": "dlg.data.json_data: JsonDROP",
    "dlg.data.drops.memory": "dlg.data.memory: InMemoryDROP PythonObjectDROP",
    "dlg.data.drops.parset_drop": "dlg.data.parameter_set: ParameterSetDROP",
    "dlg.data.io": "dlg.drops.io: DataIO ErrorIO NullIO OpenMode",
    "dlg.drop_loaders": "dlg.drops.contents: load_binary load_dill load_npy load_pickle load_utf8 "
    "save_binary save_npy save_pickle",
    "dlg.meta": "dlg.drops.parameters: dlg_bool_param dlg_dict_param dlg_enum_param "
    "dlg_float_param dlg_int_param dlg_list_param dlg_string_param",
}
PAIRS = [
    (alias, home.partition(": ")[0], name)
    for alias, home in ALIASES.items()
    for name in home.partition(": ")[2].split()
]
NOT_A_MODULE = {"DirectoryContainer"}
"""Known in graph files, where it means a directory; as a class it went away with release 6."""
DOTTED = [
    (module, name)
    for module, names in THEIR_MODULES.items()
    for name in names.split()
    if name not in NOT_A_MODULE
]


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize(("alias", "home", "name"), PAIRS)
def test_an_alias_is_the_same_object(alias: str, home: str, name: str) -> None:
    theirs = getattr(importlib.import_module(alias), name)
    assert theirs is getattr(importlib.import_module(home), name)


@pytest.mark.parametrize(("module", "name"), DOTTED)
def test_a_graph_file_and_an_import_mean_the_same_class(module: str, name: str) -> None:
    found = resolve_class(f"{module}.{name}")
    assert found.__module__.startswith("dlg.")
    if _is_there(module):
        assert getattr(importlib.import_module(module), name) is found


@pytest.mark.parametrize("name", ["dlg.drop.InMemoryDROP", "dfms.drop.InMemoryDROP"])
def test_the_oldest_names_of_a_class_in_graph_files_mean_the_same(name: str) -> None:
    assert resolve_class(name) is InMemoryDROP


def test_no_alias_module_is_missing_from_the_table() -> None:
    found = {m.name for m in pkgutil.walk_packages(dlg.__path__, "dlg.")}
    theirs = {m for m in THEIR_MODULES if m in found and m not in OURS}
    assert theirs <= {*ALIASES, "dlg.drop", "dlg.apps.simple", "dlg.data.drops"}
    assert set(ALIASES) <= found


def test_running_a_graph_loads_no_alias() -> None:
    program = (
        "import sys, dlg_engine.embedded as e\n"
        "from dlg.testing.graphs import chain\n"
        "e.run_graph(chain(10), runner='inline')\n"
        f"loaded = set({sorted(ALIASES)!r}) | {{'dlg.drop', 'dlg.droputils', 'dlg.apps.simple'}}\n"
        "sys.exit(', '.join(loaded & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_component_written_for_the_existing_system_runs() -> None:
    from dlg.apps.app_base import BarrierAppDROP as Barrier
    from dlg.data.drops.memory import InMemoryDROP as Memory
    from dlg.drop import track_current_drop
    from dlg.drop_loaders import load_pickle, save_pickle
    from dlg.meta import (
        dlg_batch_input,
        dlg_batch_output,
        dlg_component,
        dlg_float_param,
        dlg_streaming_input,
    )

    class Scale(Barrier):
        component_meta = dlg_component(
            "Scale",
            "Multiplies a number",
            [dlg_batch_input("binary/*", [])],
            [dlg_batch_output("binary/*", [])],
            [dlg_streaming_input("binary/*")],
        )
        factor = dlg_float_param("factor", 1.0)

        def initialize(self, **kwargs: object) -> None:
            super().initialize(**kwargs)
            self.times_run = 0

        @track_current_drop
        def run(self) -> None:
            assert track_current_drop.tlocal.drop is self
            self.times_run += 1
            save_pickle(self.outputs[0], load_pickle(self.inputs[0]) * self.factor)

    source, app, sink = Memory("a", "a"), Scale("b", "b", factor="2.5"), Memory("c", "c")
    app.addInput(source)
    app.addOutput(sink)
    with DROPWaiterCtx(None, sink, 5):
        save_pickle(source, 4)
        source.setCompleted()
    assert (load_pickle(sink), app.times_run) == (10.0, 1)
    assert app.component_meta.batch_inputs[0].mime_type == "binary/*"


def test_what_has_a_path_is_a_path_based_drop() -> None:
    from dlg.data.drops.data_base import PathBasedDrop
    from dlg.data.drops.file import FileDROP

    assert isinstance(FileDROP("a", "a"), PathBasedDrop)
    assert not isinstance(InMemoryDROP("a", "a"), PathBasedDrop)


def test_a_class_of_ones_own_may_be_path_based() -> None:
    from dlg.drop import DataDROP, PathBasedDrop

    class Tape(DataDROP, PathBasedDrop):
        @property
        def path(self) -> str:
            return "/dev/tape"

    assert Tape("a", "a").path == "/dev/tape"


def test_a_parameter_may_be_the_encoding_of_a_port() -> None:
    from dlg.drop import BarrierAppDROP
    from dlg.meta import dlg_enum_param
    from dlg.named_port_utils import DropParser

    class Reader(BarrierAppDROP):
        parser = dlg_enum_param(DropParser, "how the input is read", DropParser.PICKLE)

    assert Reader("a", "a").parser is DropParser.PICKLE
    assert Reader("a", "a", parser="utf-8").parser is DropParser.UTF8


def test_every_encoding_of_a_port_is_one_of_ours() -> None:
    from dlg.named_port_utils import DropParser

    assert {parser.value for parser in DropParser} <= set(ENCODINGS)


def test_a_port_reader_reads_what_its_encoding_says() -> None:
    from dlg.named_port_utils import DropParser, get_port_reader_function

    drop = InMemoryDROP("a", "a")
    drop.write("[1, 2]")
    drop.setCompleted()
    assert get_port_reader_function(DropParser.EVAL)(drop) == [1, 2]
    assert get_port_reader_function(DropParser.UTF8)(drop) == "[1, 2]"


def test_the_names_in_braces_of_a_file_name_are_found() -> None:
    from dlg.data.path_builder import find_dlg_fstrings

    assert find_dlg_fstrings("{uid}_x_{datetime}.dat") == ["uid", "datetime"]
    assert find_dlg_fstrings("plain.dat") == []


def test_a_file_name_is_filled_in_and_put_in_its_directory() -> None:
    from dlg.data.path_builder import filepath_from_string

    assert filepath_from_string("{uid}.dat", "/data", uid="7") == "/data/7.dat"
    assert filepath_from_string("d{datetime}", datetime="2025-08-17") == "d2025-08-17"


def test_the_date_in_a_file_name_is_todays() -> None:
    from dlg.data.path_builder import filepath_from_string

    noon = datetime.datetime(2024, 2, 29, 12).astimezone()
    with clock.replaced(clock.ManualClock(noon.timestamp())):
        assert filepath_from_string("{datetime}") == "2024-02-29"


def test_a_placeholder_that_nobody_explains_is_refused() -> None:
    from dlg.data.path_builder import filepath_from_string

    with pytest.raises(InvalidPath, match=r"\{uid\}"):
        filepath_from_string("{uid}.dat")


def test_the_name_of_a_drop_is_its_date_and_its_label() -> None:
    from dlg.data.path_builder import base_uid_pathname

    assert base_uid_pathname("2024-02-29T12:00:00_1_0/1", "0/1") == "2024-02-29T12:00:00_0_1"


def test_the_url_of_a_file_of_this_host_can_be_read(tmp_path: Path) -> None:
    from dlg.data.io import IOForURL
    from dlg.drop import FileDROP

    drop = FileDROP("a", "a", filepath=str(tmp_path / "odd name?.txt"))
    drop.write(b"abc")
    drop.setCompleted()
    reader = IOForURL(drop.dataURL)
    assert reader is not None
    assert bytes(reader.buffer()) == b"abc"


def test_the_url_of_nothing_gives_nothing() -> None:
    from dlg.data.io import IOForURL

    reader = IOForURL("null://")
    assert reader is not None
    assert bytes(reader.buffer()) == b""


@pytest.mark.parametrize("url", ["file://elsewhere.invalid/a", "mem://host/1/a", "a"])
def test_a_url_out_of_reach_gives_no_access(url: str) -> None:
    from dlg.data.io import IOForURL

    assert IOForURL(url) is None
