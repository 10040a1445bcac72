"""Executors: each runs one block of an experiment, somewhere, and tells what came of it.

All of them take an execution block (what `Experiment.setup` returns for each block) and return the
same dictionary. Users' code never runs in the process that calls, and is held to its limits.
"""

from __future__ import annotations

from dlg.beat.execution.base import BaseExecutor
from dlg.beat.execution.docker import DockerExecutor
from dlg.beat.execution.local import LocalExecutor
from dlg.beat.execution.remote import RemoteExecutor
from dlg.beat.execution.subprocess import SubprocessExecutor

__all__ = [
    "BaseExecutor",
    "DockerExecutor",
    "LocalExecutor",
    "RemoteExecutor",
    "SubprocessExecutor",
]
