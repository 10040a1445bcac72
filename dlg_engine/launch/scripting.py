"""The script of a job: a template with its gaps filled.

A gap is written `@name@`, which means nothing to a shell nor to a batch system. What fills one is
a number, a word that was checked, quoted, or a line that the user wrote as shell.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from dlg.exceptions import UsageError
from dlg_engine.launch.facilities import Facility
from dlg_engine.launch.jobs import Job

_GAP = re.compile(r"@([a-z_]+)@")
DIRECTIVES: Mapping[str, str] = {
    "slurm": "#SBATCH", "pbs": "#PBS", "lsf": "#BSUB", "shell": "#",
}  # fmt: skip
"""How a line begins that is for the batch system."""
OPTIONS: Mapping[str, Mapping[str, str]] = {
    "slurm": {
        "account": "--account={}", "partition": "--partition={}", "cpus": "--cpus-per-task={}",
    },
    "pbs": {"account": "-A {}", "partition": "-q {}"},
    "lsf": {"account": "-P {}", "partition": "-q {}"},
    "shell": {},
}  # fmt: skip
"""What each batch system calls that which few jobs say."""

GRACE_S = 60
"""How long before its end a job is told, so that it can keep what there is."""


def script_of(job: Job, facility: Facility, template: str | None = None) -> str:
    """Return the script; raise UsageError for a template with gaps that nothing fills."""
    text = template or template_of(facility)
    values = {
        "name": job.name,
        "nodes": str(job.nodes),
        "islands": str(job.islands),
        "ranks": str(job.ranks),
        "ranks_per_node": str(job.ranks_per_node),
        "cpus": str(max(job.cpus, 1)),
        "cpus_per_node": str(max(job.cpus, 1) * job.ranks_per_node),
        "minutes": str(job.minutes),
        "walltime": f"{job.minutes // 60:02d}:{job.minutes % 60:02d}:00",
        "grace_s": str(min(GRACE_S, job.minutes * 60 // 4)),
        "account": facility.account,
        "partition": facility.partition,
        "directives": "\n".join(_directives(job, facility)),
        "setup": "\n".join(facility.setup),
        "dlg": dlg_command(facility),
    }
    missing = sorted(set(_GAP.findall(text)) - set(values))
    if missing:
        raise UsageError(
            f"the template has gaps that nothing fills: {', '.join(missing)}; "
            f"known are {', '.join(values)}"
        )
    return _GAP.sub(lambda found: values[found[1]], text)


def template_of(facility: Facility) -> str:
    """Return the template for the scripts of a facility."""
    if facility.template:
        return read_template(Path(facility.template).expanduser())
    scripts = resources.files("dlg_engine.launch") / "scripts"
    return (scripts / f"{facility.scheduler}.sh").read_text(encoding="utf-8")


def read_template(path: Path) -> str:
    """Return a template of the user's own."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"the template {path} cannot be read: {reason}") from error


def _directives(job: Job, facility: Facility) -> list[str]:
    """Return the lines for the batch system that few jobs need."""
    said = {"account": facility.account, "partition": facility.partition, "cpus": job.cpus}
    names = OPTIONS[facility.scheduler]
    options = [form.format(said[key]) for key, form in names.items() if said[key]]
    start = DIRECTIVES[facility.scheduler]
    return [f"{start} {option}" for option in (*options, *facility.directives)]


def dlg_command(facility: Facility) -> str:
    """Return the words that are `dlg` where the job runs, as a shell reads them."""
    if facility.dlg:
        return facility.dlg
    if facility.host:
        return "dlg"  # this installation is here, and the job is elsewhere
    return shlex.join([sys.executable, "-m", "dlg_engine.cli"])
