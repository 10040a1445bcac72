"""The commands that start the ranks of a job. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from dlg.exceptions import UsageError

RANK_VARIABLES = (
    "SLURM_PROCID", "PMIX_RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "PBS_NODENUM",
    "LSF_PM_TASKID",
)  # fmt: skip
"""Where those that start all ranks at once tell each which it is."""


def commands(
    launcher: str, rank_command: Sequence[str], *, hosts: Sequence[str], per_host: int
) -> list[list[str]]:
    """Return the commands that together start every rank on its host.

    `launcher` goes before the command of a rank; it may say {ranks} and {hosts}, which are
    numbers. Where it says {rank} or {host}, or is empty, there is a command for each rank.
    """
    ranks = len(hosts) * per_host
    if launcher and not ("{rank}" in launcher or "{host}" in launcher):
        words = _filled(launcher, {"ranks": str(ranks), "hosts": str(len(hosts))})
        return [[*words, *rank_command]]
    found = []
    for rank in range(ranks):
        values = {
            "ranks": str(ranks), "hosts": str(len(hosts)), "rank": str(rank),
            "host": hosts[rank // per_host],
        }  # fmt: skip
        found.append([*_filled(launcher, values), *rank_command, "--rank", str(rank)])
    return found


def _filled(launcher: str, values: Mapping[str, str]) -> list[str]:
    try:
        return [word.format_map(values) for word in shlex.split(launcher)]
    except (KeyError, IndexError, ValueError) as error:
        raise UsageError(f"the launcher {launcher!r} cannot be used: {error}") from error


def rank_of(variables: Mapping[str, str]) -> int:
    """Return which rank a process is, by its variables; UsageError if nothing says it."""
    for name in RANK_VARIABLES:
        if variables.get(name, "").isdecimal():
            return int(variables[name])
    raise UsageError(
        "nothing says which rank this is: what starts ranks has to set one of "
        f"{', '.join(RANK_VARIABLES)}, or to say {{rank}}"
    )
