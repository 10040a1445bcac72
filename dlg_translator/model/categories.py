"""The words files use for what a node is, in all generations, and the class each stands for.

`today` turns a category and its type, as found, into today's words. Only what is an old word, is
missing, or is known to have been wrong is changed: a type that a user's file states stays.
"""

from __future__ import annotations

from collections.abc import Mapping

DATA, APPLICATION, CONSTRUCT = "Data", "Application", "Construct"
CONTROL, OTHER, GLOBAL, SERVICE, UNKNOWN = "Control", "Other", "Global", "Service", "Unknown"

TYPES: Mapping[str, str] = {
    "BashShellApp": APPLICATION,
    "Branch": APPLICATION,
    "Component": APPLICATION,
    "DALiuGEApp": APPLICATION,
    "Docker": APPLICATION,
    "DynlibApp": APPLICATION,
    "DynlibProcApp": APPLICATION,
    "Mpi": APPLICATION,
    "PyFuncApp": APPLICATION,
    "PythonApp": APPLICATION,
    "PythonMemberFunction": APPLICATION,
    "Singularity": APPLICATION,
    "Tool": APPLICATION,
    "UnknownApplication": APPLICATION,
    "Data": DATA,
    "Directory": DATA,
    "EnvironmentVariables": DATA,
    "File": DATA,
    "Memory": DATA,
    "NGAS": DATA,
    "ParameterSet": DATA,
    "Plasma": DATA,
    "PlasmaFlight": DATA,
    "PythonObject": DATA,
    "RDBMS": DATA,
    "S3": DATA,
    "SharedMemory": DATA,
    "json": DATA,
    "null": DATA,
    "ExclusiveForceNode": CONSTRUCT,
    "Gather": CONSTRUCT,
    "GroupBy": CONSTRUCT,
    "Loop": CONSTRUCT,
    "MKN": CONSTRUCT,
    "Scatter": CONSTRUCT,
    "Service": CONSTRUCT,
    "SubGraph": CONSTRUCT,
    "End": CONTROL,
    "Start": CONTROL,
    "Comment": OTHER,
    "Description": OTHER,
    "GlobalVariable": GLOBAL,
}
"""The type of every category there is."""

GROUPS = frozenset(c for c, kind in TYPES.items() if kind == CONSTRUCT)

CATEGORY_ALIASES: Mapping[str, str] = {
    "memory": "Memory",
    "file": "File",
    "ngas": "NGAS",
    "s3": "S3",
    "plasma": "Plasma",
    "sharedmemory": "SharedMemory",
    "Null": "null",
    "Json": "json",
    "JSON": "json",
    "ExclusiveForce": "ExclusiveForceNode",
    "SplitData": "Scatter",
    "DataGather": "Gather",
    "mpi": "Mpi",
    "MPI": "Mpi",
    "docker": "Docker",
    "component": "Component",
    "BashShell": "BashShellApp",
    "Group By": "GroupBy",
    "start": "Start",
    "end": "End",
    "comment": "Comment",
    "description": "Description",
    "GlobalVariables": "GlobalVariable",
    "None": "",
}
"""Old words for categories."""

TYPE_ALIASES: Mapping[str, str] = {
    "DataDrop": DATA,
    "ApplicationDrop": APPLICATION,
    "Group": CONSTRUCT,
    "GroupComponent": CONSTRUCT,
    "ControlComponent": CONTROL,
    "GlobalVariables": GLOBAL,
}
"""Old words for types of categories."""

ALWAYS_TYPED = (GROUPS - {"Service"}) | {"Branch", "GlobalVariable", "Comment", "Description"}
"""Categories whose type files have stated wrongly: the table above wins over the file.

Not "Service": files have both constructs and plain nodes of that category.
"""

DEFAULT_CLASSES: Mapping[str, str] = {
    "BashShellApp": "dlg.apps.bash_shell_app.BashShellApp",
    "Directory": "dlg.data.drops.directory.DirectoryDROP",
    "Docker": "dlg.apps.dockerapp.DockerApp",
    "EnvironmentVariables": "dlg.data.drops.environmentvar_drop.EnvironmentVarDROP",
    "File": "dlg.data.drops.file.FileDROP",
    "Memory": "dlg.data.drops.memory.InMemoryDROP",
    "NGAS": "dlg.data.drops.ngas.NgasDROP",
    "ParameterSet": "dlg.data.drops.parset_drop.ParameterSetDROP",
    "Plasma": "dlg.data.drops.plasma.PlasmaDROP",
    "PlasmaFlight": "dlg.data.drops.plasma.PlasmaFlightDROP",
    "PyFuncApp": "dlg.apps.pyfunc.PyFuncApp",
    "PythonMemberFunction": "dlg.apps.pyfunc.PyFuncApp",
    "PythonObject": "dlg.data.drops.memory.InMemoryDROP",
    "RDBMS": "dlg.data.drops.rdbms.RDBMSDrop",
    "S3": "dlg.data.drops.s3_drop.S3DROP",
    "SharedMemory": "dlg.data.drops.memory.SharedMemoryDROP",
    "json": "dlg.data.drops.json_drop.JsonDROP",
    "null": "dlg.data.drops.data_base.NullDROP",
}
"""The class of a node that names none.

An application without an entry sleeps for its execution time, so that a graph can be tried out
before all of its programs exist; the checks tell of it.
"""

DEFAULT_APP_CLASS = "dlg.apps.simple.SleepApp"


def today(category: str, category_type: str) -> tuple[str, str]:
    """Return the two words as today's files have them."""
    category = CATEGORY_ALIASES.get(category, category)
    category_type = TYPE_ALIASES.get(category_type, category_type)
    if not category_type or category in ALWAYS_TYPED:
        category_type = TYPES.get(category, category_type or UNKNOWN)
    if category == "Component" and category_type == APPLICATION:
        category = "PythonApp"  # its name since 2020
    return category, category_type


def default_class(category: str, category_type: str) -> str:
    """Return the class of a node that names none; "" where there is no sensible one."""
    found = DEFAULT_CLASSES.get(category)
    if found is not None:
        return found
    return DEFAULT_APP_CLASS if category_type == APPLICATION else ""
