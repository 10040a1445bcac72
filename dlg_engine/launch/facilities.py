"""Facilities: where jobs are run, and how one gets in there.

Some generic ones are a table here; the user's own are tables of `facilities.toml` among his
settings. One that is named as another one, or says `like = "slurm"`, has what that has unless it
says otherwise.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from dlg import settings
from dlg.exceptions import UsageError

FILE = "facilities.toml"
"""Its name in the user's configuration directory."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
WORD = re.compile(r"[A-Za-z0-9._,:=@%+/-]*")
"""What stands in a script as one word, and cannot become more than that."""
LAUNCHERS: Mapping[str, str] = {
    "slurm": "srun --nodes={hosts} --ntasks={ranks} --kill-on-bad-exit=1 --cpu-bind=none"
    " --mpi=none",
    "pbs": "pbsdsh -n {rank} --",
    "lsf": "blaunch {host}",
    "shell": "",
}
"""What starts ranks: all at once, or one by one where `{rank}` or `{host}` is said."""


class FacilityError(UsageError):
    """A facility is not known, or is not described rightly."""


class Facility(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where jobs are run; its fields are the keys of a table in the file."""

    about: str = ""
    """A line for people."""
    scheduler: Literal["slurm", "pbs", "lsf", "shell"] = "slurm"
    """Its batch system; with `shell` jobs run at once, on the machine itself."""
    host: str = ""
    """Where jobs are submitted, reached by ssh; "" for the machine of the command."""
    user: str = ""
    key: str = ""
    """A private key for ssh, if not one of the usual ones."""
    ssh_config: str = ""
    """A configuration for ssh, if not the usual one."""
    root: str = "~/dlg/jobs"
    """The directory of jobs, there, on a file system that all hosts of a job share."""
    dlg: str = ""
    """The command `dlg` there; the one of this installation where nothing is said."""
    account: str = ""
    partition: str = ""
    """The partition or queue."""
    nodes: int = 1
    islands: int = 1
    minutes: int = 60
    ranks_per_node: int = 1
    cpus: int = 0
    """Processors for each rank; 0 for what the batch system gives."""
    setup: tuple[str, ...] = ()
    """Lines of shell that come first in the script: `module load python`."""
    directives: tuple[str, ...] = ()
    """More options for the batch system, as on its command line: `--constraint=bigmem`."""
    launcher: str = ""
    """What starts ranks, if not what is usual; may say {ranks}, {hosts}, {rank}, {host}."""
    network: str = ""
    """The network for managers, as 10.1.0.0/16, where hosts have several."""
    template: str = ""
    """A template for the script, if not the one of the batch system."""

    def starts_ranks(self) -> str:
        """Return what starts ranks."""
        return self.launcher or LAUNCHERS[self.scheduler]


BUILT_IN: Mapping[str, Facility] = {
    "local": Facility(
        about="this machine, without a batch system", scheduler="shell", launcher=""
    ),
    "slurm": Facility(about="Slurm, where sbatch is a command of this machine"),
    "pbs": Facility(about="PBS or Torque, where qsub is a command here", scheduler="pbs"),
    "lsf": Facility(about="LSF, where bsub is a command here", scheduler="lsf"),
}
"""What is known without a file."""
LIKE = "like"
FIELDS: Mapping[str, Any] = {field.name: field for field in msgspec.structs.fields(Facility)}


def facilities_file() -> Path:
    """Return where the user's facilities are."""
    return settings.config_dir() / FILE


def known(file: Path | None = None) -> dict[str, Facility]:
    """Return all facilities by name: the generic ones, and those of the file."""
    path = file or facilities_file()
    return {**BUILT_IN, **(read_facilities(path) if path.exists() else {})}


def find(name: str, file: Path | None = None) -> Facility:
    """Return a facility; FacilityError if nobody has described it."""
    all_known = known(file)
    if name not in all_known:
        near = difflib.get_close_matches(name, all_known, 1)
        cure = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(all_known)}"
        raise FacilityError(
            f"there is no facility {name!r}; {cure}; dlg config set {name} describes a new one"
        )
    return all_known[name]


def read_facilities(path: Path) -> dict[str, Facility]:
    """Return the facilities that a file describes; FacilityError for what is wrong with it."""
    return described(read_tables(path), str(path))


def described(tables: Mapping[str, Mapping[str, Any]], where: str) -> dict[str, Facility]:
    """Return the facilities of tables in their order; FacilityError for what is wrong `where`."""
    found: dict[str, Facility] = {}
    for name, table in tables.items():
        found[name] = _described(name, table, {**BUILT_IN, **found}, where)
    return found


def read_tables(path: Path) -> dict[str, dict[str, Any]]:
    """Return the tables of a file as they stand there."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FacilityError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise FacilityError(f"{path} is no TOML: {error}") from error
    for name, table in document.items():
        if not isinstance(table, dict):
            raise FacilityError(f"{path}: {name} stands outside of a table, as [mycluster]")
    return document


def _described(
    name: str, table: Mapping[str, Any], others: Mapping[str, Facility], where: str
) -> Facility:
    """Return the facility that a table describes, on the ground of the one that it is like."""
    if not NAME.fullmatch(name):
        raise FacilityError(f"{where}: {name!r} cannot be the name of a facility")
    like = table.get(LIKE, name if name in BUILT_IN else None)
    if like is not None and like not in others:
        raise FacilityError(f"{where}: [{name}] is like {like!r}, which nothing above describes")
    ground = msgspec.structs.asdict(others[like]) if like is not None else {}
    if like != name:
        ground["about"] = ""  # that was said of the other one
    own = {key: value for key, value in table.items() if key != LIKE}
    for key in own:
        if key not in FIELDS:
            near = difflib.get_close_matches(key, FIELDS, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(FIELDS)}"
            raise FacilityError(f"{where}: [{name}] has no key {key!r}; {cure}")
    try:
        found = msgspec.convert({**ground, **own}, Facility)
    except msgspec.ValidationError as error:
        raise FacilityError(f"{where}: [{name}]: {error}") from None
    check(found, f"{where}: [{name}]")
    return found


ONE_WORD = ("account", "partition", "host", "user")
ONE_LINE = ("root", "dlg", "launcher", "template", "key", "ssh_config", "about", "network")
COUNTS = ("nodes", "islands", "minutes", "ranks_per_node")


def check(facility: Facility, where: str) -> None:
    """Raise FacilityError for values that could not stand in a script, or mean something else."""
    for key in ONE_WORD:
        value = str(getattr(facility, key))
        if not WORD.fullmatch(value) or value.startswith("-"):
            raise FacilityError(f"{where}: {key} is one word, not {value!r}")
    for key in ONE_LINE:
        value = str(getattr(facility, key))
        if not value.isprintable() and value:
            raise FacilityError(f"{where}: {key} is one line, not {value!r}")
    for line in (*facility.setup, *facility.directives):
        if "\n" in line:
            raise FacilityError(f"{where}: {line!r} is more than one line")
    for key in COUNTS:
        if getattr(facility, key) < 1:
            raise FacilityError(f"{where}: {key} is a number from 1")
    if facility.cpus < 0:
        raise FacilityError(f"{where}: cpus is a number from 0")


def from_texts(name: str, pairs: Mapping[str, str], file: Path | None = None) -> dict[str, Any]:
    """Return the table of a facility after keys were given values as texts; FacilityError else.

    Numbers are written as such; lists of lines have ` ; ` between them. "" takes a key out.
    """
    path = file or facilities_file()
    tables = read_tables(path) if path.exists() else {}
    table = dict(tables.get(name, {}))
    for key, text in pairs.items():
        if not text:
            table.pop(key, None)
            continue
        table[key] = _value(key, text)
    # All of them, as they will be read: others may be like this one, and must stand below it.
    described({**tables, name: table}, "given")
    return table


def _value(key: str, text: str) -> Any:
    kind = FIELDS[key].type if key in FIELDS else str
    if kind is int:
        if not text.isdecimal():
            raise FacilityError(f"{key} is a number, not {text!r}")
        return int(text)
    if kind == tuple[str, ...]:
        return [line.strip() for line in text.split(" ; ")]
    return text


def write_tables(tables: Mapping[str, Mapping[str, Any]], file: Path | None = None) -> Path:
    """Write the file of the user's facilities, and return where it is."""
    import tomli_w  # noqa: PLC0415  only to write, which few do

    path = file or facilities_file()
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(tomli_w.dumps(tables), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise FacilityError(f"{path} cannot be written: {error.strerror}") from error
    return path
