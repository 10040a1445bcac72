"""The names of the data plane are where the published interface puts them, with its arguments."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from typing import Any

import pytest

INTERFACE = {
    "baseformat": """
        baseformat.from_dict data casting='safe' add_defaults=False
        baseformat.as_dict
        baseformat.pack_into fd
        baseformat.pack
        baseformat.unpack_from fd
        baseformat.unpack s
        baseformat.isclose other *args **kwargs
        baseformat.copy
        setup_scalar formatname attrname dtype value casting add_defaults
        setup_array formatname attrname shape dtype value casting add_defaults
        pack_array dtype value fd
        pack_scalar dtype value fd
        read_some format fd
        read_string fd
        unpack_array shape dtype fd
        unpack_scalar dtype fd
    """,
    "data": """
        mixDataIndices list_of_data_indices
        getAllFilenames filename start_index=None end_index=None
        load_data_index cache_root hash_path
        load_data_index_db cache_root hash_path
        foundSplitRanges lst n_split
        DataSource.close
        DataSource.reset
        DataSource.first_data_index
        DataSource.last_data_index
        DataSource.data_indices
        DataSource.getAtDataIndex data_index
        DataSource.statistics
        CachedDataSource.setup filename prefix start_index=None end_index=None unpack=True
        DatabaseOutputDataSource.setup view output_name dataformat_name prefix start_index=None \
            end_index=None pack=False
        DataSink.write data start_data_index end_data_index
        DataSink.isConnected
        DataSink.close
        StdoutDataSink.setup dataformat prefix=None display_data=True
        CachedDataSink.setup filename dataformat start_index end_index encoding='binary'
        CachedDataSink.statistics
    """,
    "inputs": """
        first iterable default=None
        Input name data_format data_source
        Input.isDataUnitDone
        Input.hasMoreData
        Input.hasDataChanged
        Input.next
        InputGroup channel synchronization_listener=None restricted_access=True
        InputGroup.add input_
        InputGroup.hasMoreData
        InputGroup.next
        InputList.add group
        InputList.nbGroups
        InputList.groupOf input_name
        InputList.hasMoreData
        InputList.group name_or_index
    """,
    "outputs": """
        SynchronizationListener.onIntervalChanged data_index_start data_index_end
        Output name data_sink synchronization_listener=None force_start_index=0
        Output.write data end_data_index=None
        Output.isDataMissing
        Output.isConnected
        Output.close
        RemotelySyncedOutput name data_sink socket synchronization_listener=None \
            force_start_index=0
        RemotelySyncedOutput.write data end_data_index=None
        OutputList.add output
    """,
    "data_loaders": """
        DataView data_loader data_indices
        DataView.count input_name=None
        DataLoader channel
        DataLoader.reset
        DataLoader.add input_name data_source
        DataLoader.input_names
        DataLoader.count input_name=None
        DataLoader.view input_name index
        DataLoaderList.add data_loader
        DataLoaderList.loaderOf input_name
        DataLoaderList.secondaries
    """,
    "database": """
        Runner module definition prefix root_folder exc=None
        Runner.index filename
        Runner.setup filename start_index=None end_index=None pack=True
        Runner.get output index
        Runner.get_output_mapping output
        Runner.objects
        View.index root_folder parameters
        View.setup root_folder parameters objs start_index=None end_index=None
        View.get output index
        View.get_output_mapping output
        Database.view protocol name exc=None root_folder=None
    """,
}
ROWS = [
    (module, row.strip())
    for module, table in INTERFACE.items()
    for row in table.strip().splitlines()
]


def _arguments(member: Any) -> list[str]:
    """Return the arguments that the interface could have: ours by keyword alone come later."""
    found = []
    for name, parameter in inspect.signature(member).parameters.items():
        if name == "self" or parameter.kind is parameter.KEYWORD_ONLY:
            continue
        # `str` of a parameter has its type in front of the default.
        found.append(str(parameter.replace(annotation=parameter.empty)))
    return found


@pytest.mark.parametrize(("module", "row"), ROWS)
def test_a_name_is_there_with_its_arguments(module: str, row: str) -> None:
    name, *arguments = row.split()
    member: Any = importlib.import_module(f"dlg.beat.{module}")
    for part in name.split("."):
        member = getattr(member, part)
    assert _arguments(member) == arguments


@pytest.mark.parametrize("module", ["data", "inputs", "outputs", "data_loaders", "baseformat"])
def test_a_door_gives_what_it_says(module: str) -> None:
    door = importlib.import_module(f"dlg.beat.{module}")
    assert set(door.__all__) <= set(dir(door))


def test_data_need_no_library_that_is_an_extra() -> None:

    program = "import sys, dlg.beat.data, dlg.beat.database; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert not {"zmq", "jsonschema_rs", "graphviz", "sqlalchemy"} & set(loaded)
