"""The options of `dlg nm` that say how long data lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from dlg import settings
from dlg.exceptions import UsageError
from dlg_engine.lifecycle.options import LifecycleOptions

Command = Callable[..., Any]
DEFAULTS = LifecycleOptions()
SECONDS = click.FloatRange(0, min_open=True)
OPTIONS = [
    click.option(
        "--dlm-check-period", type=SECONDS, default=DEFAULTS.check_period_s, show_default=True,
        metavar="SECONDS", help="How long data in use at its date may wait to be looked at again.",
    ),
    click.option(
        "--dlm-cleanup-period", type=SECONDS, default=DEFAULTS.cleanup_period_s, show_default=True,
        metavar="SECONDS", help="After how long a deletion that failed is tried again.",
    ),
    click.option(
        "--dlm-enable-replication", is_flag=True, help="Keep replicas of data that persists."
    ),
    click.option(
        "--replica-dir", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
        help="Where they are kept (enables them); replicas in the root directory by default.",
    ),
    click.option("--no-dlm", is_flag=True, help="Expire nothing before its session is deleted."),
]  # fmt: skip


def lifecycle_options(command: Command) -> Command:
    """Add the options to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def lifecycle_of(how: Mapping[str, Any]) -> LifecycleOptions:
    """Return what the options say; raise UsageError for those that contradict each other."""
    directory: Path | None = how["replica_dir"]
    replicating = how["dlm_enable_replication"] or directory is not None
    if replicating and how["no_dlm"]:
        raise UsageError("--no-dlm: without it looking after data there are no replicas either")
    replicas = (directory or settings.current().root / "replicas") if replicating else None
    return LifecycleOptions(
        enabled=not how["no_dlm"],
        check_period_s=how["dlm_check_period"],
        cleanup_period_s=how["dlm_cleanup_period"],
        replicas=None if replicas is None else replicas.absolute(),
    )
