"""The file of the cluster: whether it is there, kept secret, and its certificate in date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlg.support import clock
from dlg.support.certificates import validity
from dlg.support.cluster_file import ClusterFileError, default_path, find_cluster_file
from dlg_engine.doctor.contract import Check, Scope
from dlg_engine.doctor.verdicts import Verdict, ok, problem, warning

DAY_S = 86400.0
SOON_DAYS = 60
ANEW = "make a new file with  dlg keys new NAME  and copy it to all hosts of the cluster"


@dataclass(frozen=True)
class Keys:
    """What is known of the file."""

    path: Path
    cluster: str = ""
    """Its name; "" where there is no file."""
    fingerprint: str = ""
    not_before: float = 0.0
    not_after: float | None = None
    """Until when its certificate is valid; None for none."""
    now: float = 0.0
    error: str = ""


def measure(scope: Scope) -> Keys:
    """Read the file that was named, or the one in the usual place."""
    path = scope.cluster_file or default_path()
    try:
        file = find_cluster_file(scope.cluster_file)
    except ClusterFileError as error:
        return Keys(path, error=str(error))
    if file is None:
        return Keys(path)
    begins, ends = validity(file.certificate) if file.certificate else (0.0, None)
    return Keys(file.path, file.name, file.fingerprint, begins, ends, clock.now())


def judge(fact: Keys) -> Iterator[Verdict]:
    """Say whether the file of the cluster is there, secret, and in date."""
    if fact.error:
        secret = "others can read" in fact.error
        cure = f"chmod 600 {fact.path}" if secret else ANEW
        yield problem(fact.error, cure)
        return
    if not fact.cluster:
        yield ok(f"no file of a cluster at {fact.path}: managers listen on this host only")
        return
    yield ok(f"cluster {fact.cluster}, fingerprint {fact.fingerprint[:16]}")
    if fact.not_after is None:
        yield warning(
            "the file of the cluster has no certificate: REST and data go in the clear",
            f"where others are on the network, {ANEW}",
        )
        return
    days = (fact.not_after - fact.now) / DAY_S
    if fact.now < fact.not_before:
        yield problem("its certificate is not valid yet", "set the clock of this host")
    elif days < 0:
        yield problem(f"its certificate has expired {-days:.0f} days ago", ANEW)
    elif days < SOON_DAYS:
        yield warning(f"its certificate expires in {days:.0f} days", ANEW)
    else:
        yield ok(f"its certificate is valid for {days:,.0f} days")


CHECK = Check("keys", measure, judge)
