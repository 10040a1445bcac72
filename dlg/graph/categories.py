"""The names that graph files use for classes, and the class each of them builds.

The names are a wire format: dotted paths of several generations of the existing system, storage
names, categories. One table maps them to ours. A dotted path that stands in no table is imported,
so that users bring their own components.
"""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Iterable, Mapping

from dlg.exceptions import InvalidGraphException

OURS: Mapping[str, tuple[str, ...]] = {
    "dlg.data.memory": ("InMemoryDROP", "PythonObjectDROP"),
    "dlg.data.shared_memory": ("SharedMemoryDROP",),
    "dlg.data.file": ("FileDROP",),
    "dlg.data.directory": ("DirectoryDROP",),
    "dlg.data.null": ("NullDROP", "EndDROP"),
    "dlg.data.json_data": ("JsonDROP",),
    "dlg.data.parameter_set": ("ParameterSetDROP",),
    "dlg.data.container": ("ContainerDROP",),
    "dlg.apps.python_function": ("PyFuncApp", "PyMemberApp"),
    "dlg.apps.bash": (
        "BashShellApp", "StreamingOutputBashApp", "StreamingInputBashApp",
        "StreamingInputOutputBashApp",
    ),
    "dlg.apps.branch": ("BranchAppDrop", "SimpleBranch", "Branch"),
    "dlg.apps.copy": ("CopyApp", "SleepAndCopyApp"),
    "dlg.apps.sleep": ("SleepApp",),
    "dlg.apps.null": ("NullBarrierApp",),
    "dlg.apps.arrays": ("RandomArrayApp", "AverageArraysApp"),
    "dlg.apps.scatter_gather": (
        "GenericScatterApp", "GenericNpyScatterApp", "GenericGatherApp", "DictGatherApp",
        "ArrayGatherApp", "GenericNpyGatherApp",
    ),
    "dlg.apps.hello": ("HelloWorldApp",),
    "dlg.apps.lists": ("PickOne", "ListAppendThrashingApp"),
    "dlg.apps.url": ("UrlRetrieveApp",),
    "dlg.apps.socket_listener": ("SocketListenerApp",),
    "dlg.apps.checksum": ("CRCApp", "CRCStreamApp"),
    "dlg.apps.task": ("TaskApp",),
    "dlg.apps.lightcurves": (
        "LightcurveIngestApp", "LightcurveVerifyApp", "LightcurveBinApp", "LightcurveMultiplyApp",
        "LightcurveResampleApp",
    ),
    "dlg.apps.lightcurve_transits": (
        "TransitSynthesisApp", "TransitSearchApp", "TransitQualityApp", "LightcurvePlotApp",
    ),
}  # fmt: skip
"""Our classes by the module they live in."""

_HOMES = {name: f"{module}.{name}" for module, names in OURS.items() for name in names}
_HOMES |= {name: f"dlg.drops.app_base.{name}" for name in ("BarrierAppDROP", "InputFiredAppDROP")}
_HOMES["AppDROP"] = "dlg.drops.app_base.AppDROP"
_HOMES["DataDROP"] = "dlg.drops.data_base.DataDROP"

THEIR_MODULES: Mapping[str, str] = {
    "dlg.drop": "InMemoryDROP PythonObjectDROP SharedMemoryDROP FileDROP DirectoryDROP NullDROP "
    "EndDROP JsonDROP ParameterSetDROP ContainerDROP BarrierAppDROP InputFiredAppDROP AppDROP "
    "DataDROP DirectoryContainer",
    "dlg.data.drops": "InMemoryDROP FileDROP NullDROP ContainerDROP DirectoryDROP",
    "dlg.data.drops.memory": "InMemoryDROP PythonObjectDROP SharedMemoryDROP",
    "dlg.data.drops.file": "FileDROP",
    "dlg.data.drops.directory": "DirectoryDROP",
    "dlg.data.drops.directorycontainer": "DirectoryContainer",
    "dlg.data.drops.container": "ContainerDROP",
    "dlg.data.drops.json_drop": "JsonDROP",
    "dlg.data.drops.parset_drop": "ParameterSetDROP",
    "dlg.data.drops.data_base": "DataDROP NullDROP EndDROP",
    "dlg.parset_drop": "ParameterSetDROP",
    "dlg.json_drop": "JsonDROP",
    "dlg.apps.app_base": "AppDROP BarrierAppDROP InputFiredAppDROP",
    "dlg.apps.simple": "NullBarrierApp SleepApp CopyApp SleepAndCopyApp RandomArrayApp "
    "AverageArraysApp GenericScatterApp GenericNpyScatterApp GenericGatherApp DictGatherApp "
    "ArrayGatherApp GenericNpyGatherApp HelloWorldApp UrlRetrieveApp PickOne "
    "ListAppendThrashingApp SimpleBranch Branch",
    "dlg.apps.pyfunc": "PyFuncApp PyMemberApp",
    "dlg.apps.bash_shell_app": "BashShellApp StreamingOutputBashApp StreamingInputBashApp "
    "StreamingInputOutputBashApp",
    "dlg.apps.branch": "BranchAppDrop Branch",
    "dlg.apps.socket_listener": "SocketListenerApp",
    "dlg.apps.crc": "CRCApp CRCStreamApp",
}
"""Modules of the existing system and the names in them that graph files use."""

_ALIASES = {"DirectoryContainer": "DirectoryDROP"}

STORAGES: Mapping[str, str] = {
    "memory": "InMemoryDROP",
    "inmemory": "InMemoryDROP",
    "pythonobject": "PythonObjectDROP",
    "sharedmemory": "SharedMemoryDROP",
    "file": "FileDROP",
    "directory": "DirectoryDROP",
    "null": "NullDROP",
    "json": "JsonDROP",
    "parameterset": "ParameterSetDROP",
    "data": "FileDROP",
    "end": "EndDROP",
}
"""Storage names and categories of data, in lower case."""

APP_CATEGORIES: Mapping[str, str] = {
    "bashshellapp": "BashShellApp",
    "pyfuncapp": "PyFuncApp",
    "pymemberapp": "PyMemberApp",
    "pythonmemberfunction": "PyMemberApp",
    "branch": "Branch",
}
"""Categories of apps, in lower case, that imply a class."""

COMING: Mapping[str, str] = {
    "dlg.apps.dockerapp.DockerApp": "containers",
    "dlg.apps.mpi.MPIApp": "MPI programs",
    "dlg.apps.dynlib.DynlibApp": "shared libraries",
    "dlg.apps.dynlib.DynlibStreamApp": "shared libraries",
    "dlg.apps.dynlib.DynlibProcApp": "shared libraries",
    "dlg.apps.scp.ScpApp": "copies over SSH",
    "dlg.apps.archiving.NgasArchivingApp": "NGAS archives",
    "dlg.apps.archiving.ExternalStoreApp": "external stores",
    "dlg.apps.subgraph.SubGraphLocal": "graphs within graphs",
    "dlg.data.drops.ngas.NgasDROP": "NGAS archives",
    "dlg.data.drops.rdbms.RDBMSDrop": "databases",
    "dlg.data.drops.s3_drop.S3DROP": "S3 buckets",
    "dlg.data.drops.plasma.PlasmaDROP": "Plasma stores",
    "dlg.data.drops.plasma.PlasmaFlightDROP": "Plasma stores",
    "dlg.drop.PlasmaDROP": "Plasma stores",
    "dlg.drop.NgasDROP": "NGAS archives",
    "dlg.drop.RDBMSDrop": "databases",
    "dlg.s3_drop.S3DROP": "S3 buckets",
}
"""Classes of the existing system that are not here yet."""


def _known_names() -> dict[str, str]:
    known = {path: path for path in _HOMES.values()}
    for module, names in THEIR_MODULES.items():
        for name in names.split():
            known[f"{module}.{name}"] = _HOMES[_ALIASES.get(name, name)]
    return known


CLASSES: Mapping[str, str] = _known_names()
"""Each dotted name known in graph files, and the dotted name of our class."""


def canonical(name: str) -> str:
    """Return the dotted name of our class for a name in a graph file, or the name itself.

    `dfms`, the package's name before 2017, is read as `dlg`.
    """
    if name.startswith("dfms."):
        name = "dlg." + name.removeprefix("dfms.")
    return CLASSES.get(name, name)


def storage_class(storage: str) -> str:
    """Return the class for a storage name or category of data; empty if there is none."""
    name = STORAGES.get(storage.lower().replace("_", ""))
    return _HOMES[name] if name else ""


def app_class(category: str) -> str:
    """Return the class for a category of apps; empty if it implies none."""
    name = APP_CATEGORIES.get(category.lower())
    return _HOMES[name] if name else ""


@functools.cache
def resolve_class(name: str) -> type:
    """Return the class that `name` in a graph file stands for, importing it.

    Raises `InvalidGraphException` with the nearest known name if there is no such class.
    """
    path = canonical(name)
    if name in COMING:
        raise InvalidGraphException(f"{name} ({COMING[name]}) is not available in this version")
    module, dot, attribute = path.rpartition(".")
    if not dot:
        raise InvalidGraphException(f"{name!r} is not the dotted path of a class{_nearest(name)}")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is not None and (
            module == error.name or module.startswith(f"{error.name}.")
        ):
            text = f"there is no module {error.name!r}{_nearest(name)}"
        else:
            text = f"{module} needs {error.name!r}, which is not installed"
        raise InvalidGraphException(f"{name}: {text}") from error
    except AttributeError as error:
        near = _nearest(name, vars(importlib.import_module(module)))
        text = f"{module} has no {attribute!r}{near}"
        raise InvalidGraphException(text) from error
    except (Exception, SystemExit) as error:  # a script that ends itself is no module to import
        text = f"{name} cannot be imported: {type(error).__name__}: {error}"
        raise InvalidGraphException(text) from error
    if not isinstance(found, type):
        raise InvalidGraphException(f"{name} is no class")
    return found


def _nearest(name: str, local: Iterable[str] = ()) -> str:
    last = name.rpartition(".")[2]
    for known in (CLASSES, local):
        if close := difflib.get_close_matches(name, known, n=1, cutoff=0.75):
            return f"; did you mean {close[0]!r}?"
    if close := difflib.get_close_matches(last, [*_HOMES, *local], n=1, cutoff=0.75):
        return f"; did you mean {_HOMES.get(close[0], close[0])!r}?"
    return ""
