"""What each check says to facts that are made up, and that it can measure real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dlg import settings
from dlg.exceptions import UsageError
from dlg.support.hosts import Listener
from dlg_engine.doctor import databases, keys, network, nodes, ports, resources, software
from dlg_engine.doctor.contract import Check, Scope
from dlg_engine.doctor.databases import Reached
from dlg_engine.doctor.keys import DAY_S, Keys
from dlg_engine.doctor.network import Heard, Name
from dlg_engine.doctor.nodes import Node, Nodes
from dlg_engine.doctor.ports import Port
from dlg_engine.doctor.resources import GIGABYTE, MEGABYTE, Disk, Limits
from dlg_engine.doctor.software import Docker, Setup, Software
from dlg_engine.doctor.table import CHECKS, examine
from dlg_engine.doctor.verdicts import Outcome, Verdict, ok, problem, warning, worst

FINE, W, P = Outcome.OK, Outcome.WARNING, Outcome.PROBLEM
HERE = Path("/data/dlg")
OWN = Node("here", "1.0", "3.11.7")


def disk(**facts: Any) -> list[Disk]:
    return [Disk("root", HERE, **{"free": 99 * GIGABYTE, "total": 500 * GIGABYTE, **facts})]


def cluster(*found: Node, **facts: Any) -> Nodes:
    return Nodes("http://head:8002", found, **{"own": OWN, **facts})


def node(name: str = "n1", **facts: Any) -> Node:
    return Node(name, **{"dlg": "1.0", "python": "3.11.9", "ahead_s": (-0.6, 0.5), **facts})


def taken(command: str, pid: int | None = 5) -> list[Port]:
    return [Port(8000, Listener(pid, command))]


CASES: Sequence[tuple[Check[Any], Any, Outcome, str]] = [
    (ports.CHECK, [Port(8000), Port(8001)], FINE, "free: 8000, 8001"),
    (ports.CHECK, taken("/usr/bin/nginx -g x"), W, "taken by process 5 (/usr/bin/nginx"),
    (ports.CHECK, taken("", None), W, "a process of another user"),
    (ports.CHECK, taken("/venv/bin/python /venv/bin/dlg nm"), FINE, "is used by process 5"),
    (ports.CHECK, taken("python -m dlg_engine.cli mm --json"), FINE, "is used by"),
    (
        network.NAME,
        Name("head", ["10.0.0.1"], ["127.0.0.1", "10.0.0.1"]),
        FINE,
        "head is 10.0.0.1",
    ),
    (network.NAME, Name("head", ["127.0.1.1"], ["127.0.0.1", "10.0.0.1"]), W, "find themselves"),
    (network.NAME, Name("laptop", ["127.0.1.1"], ["127.0.0.1"]), FINE, "laptop is"),
    (network.NAME, Name("head", ["10.0.0.9"], ["10.0.0.1"]), W, "does not have"),
    (network.NAME, Name("head", [], ["10.0.0.1"]), W, "nobody knows the name"),
    (network.MULTICAST, Heard("10.0.0.1", True), FINE, "is heard"),
    (network.MULTICAST, Heard("10.0.0.1", False), W, "is not heard"),
    (network.MULTICAST, Heard("10.0.0.1", False, "No such device"), W, "No such device"),
    (network.ZEROCONF, Heard("10.0.0.1", True), FINE, "was found"),
    (network.ZEROCONF, Heard("10.0.0.1", False), W, "was not found within"),
    (network.ZEROCONF, Heard("10.0.0.1", False, "No such device"), W, "No such device"),
    (resources.DISKS, disk(), FINE, "99 GiB free"),
    (resources.DISKS, disk(free=MEGABYTE), P, "1 MiB free"),
    (resources.DISKS, disk(free=2 * GIGABYTE), W, "only 2 GiB free"),
    (resources.DISKS, disk(free=2 * GIGABYTE, total=8 * GIGABYTE), FINE, "2 GiB free"),
    (resources.DISKS, disk(fsync_s=0.8), W, "800 ms to write"),
    (resources.DISKS, disk(error="Read-only file system"), P, "Read-only file system"),
    (resources.LIMITS, Limits(1 << 20, 8 * GIGABYTE, GIGABYTE), FINE, "1,048,576 files"),
    (resources.LIMITS, Limits(-1, 8 * GIGABYTE), FINE, "any number of files"),
    (resources.LIMITS, Limits(1024, 8 * GIGABYTE), W, "only 1024 files"),
    (resources.LIMITS, Limits(-1, 100 * MEGABYTE), W, "only 100 MiB of memory"),
    (resources.LIMITS, Limits(-1, 8 * GIGABYTE, MEGABYTE), W, "1 MiB of shared memory"),
    (software.SOFTWARE, Software((3, 11, 0), "1.0", {"dask": ()}), FINE, "installed: dask"),
    (software.SOFTWARE, Software((3, 12, 0), "1.0", {"s3": ["s3fs"]}), FINE, "not installed: s3"),
    (software.SOFTWARE, Software((3, 10, 9), "1.0", {}), P, "Python 3.10.9 is too old"),
    (software.DOCKER, Docker(installed=True, version="26.1"), FINE, "version 26.1"),
    (software.DOCKER, Docker(installed=False), FINE, "only apps in containers"),
    (software.DOCKER, Docker(installed=True, error="cannot connect"), W, "cannot connect"),
    (software.DOCKER, Docker(installed=True, error="Permission denied"), W, "may not be used"),
    (software.SETTINGS, Setup("/data/dlg"), FINE, "/data/dlg"),
    (software.SETTINGS, Setup("", "config.toml: no setting 'rot'"), P, "no setting 'rot'"),
    (keys.CHECK, Keys(HERE), FINE, "this host only"),
    (keys.CHECK, Keys(HERE, error="others can read this file (mode 0644)"), P, "0644"),
    (keys.CHECK, Keys(HERE, error="is no file of a cluster"), P, "is no file"),
    (keys.CHECK, Keys(HERE, "night", "f" * 64), W, "in the clear"),
    (keys.CHECK, Keys(HERE, "night", "f" * 64, 0.0, 100 * DAY_S), FINE, "valid for 100 days"),
    (keys.CHECK, Keys(HERE, "night", "f" * 64, 0.0, 9 * DAY_S), W, "expires in 9 days"),
    (keys.CHECK, Keys(HERE, "night", "f" * 64, 0.0, 0.0, DAY_S), P, "expired 1 days ago"),
    (keys.CHECK, Keys(HERE, "night", "f" * 64, DAY_S, 99 * DAY_S), P, "not valid yet"),
    (databases.CHECK, [], FINE, "no database"),
    (databases.CHECK, [Reached("postgresql://db/eas")], FINE, "answers"),
    (databases.CHECK, [Reached("postgresql://db/eas", "refused")], P, "refused"),
    (databases.CHECK, [Reached("/data/eas.db", absent=True)], W, "not there yet"),
    (nodes.NODES, cluster(node(), node("n2")), FINE, "2 nodes of http://head:8002 answer"),
    (nodes.NODES, cluster(node(), Node("n2", error="no route")), P, "n2 does not answer"),
    (nodes.NODES, cluster(), W, "there are no nodes"),
    (nodes.NODES, cluster(missing="no manager answers"), FINE, "no manager answers"),
    (nodes.NODES, cluster(node(disk_free=1e6)), W, "only 977 KiB free"),
    (nodes.VERSIONS, cluster(node(), node("n2")), FINE, "dlg 1.0, Python 3.11"),
    (nodes.VERSIONS, cluster(node(), node("n2", dlg="0.9")), P, "n2 has 0.9"),
    (nodes.VERSIONS, cluster(node(), node("n2", python="3.12.1")), P, "n2 has 3.12.1"),
    (nodes.VERSIONS, cluster(node(python="3.12.1")), W, "this host has Python 3.11"),
    (nodes.VERSIONS, cluster(node(dlg="0.9")), W, "this host has dlg 1.0"),
    (nodes.VERSIONS, cluster(node(python="")), FINE, "Python ?"),
    (nodes.VERSIONS, cluster(Node("n1", error="no route")), FINE, ""),
    (nodes.CLOCKS, cluster(node(), node("n2", ahead_s=None)), FINE, "clocks of 1 nodes agree"),
    (nodes.CLOCKS, cluster(node(ahead_s=(4.0, 5.1))), W, "4 s ahead"),
    (nodes.CLOCKS, cluster(node(ahead_s=(-99.0, -98.0))), P, "98 s behind"),
]


@pytest.mark.parametrize(
    ("check", "fact", "outcome", "said"), CASES, ids=[f"{c[0].name}: {c[3]}" for c in CASES]
)
def test_a_check_judges_facts(check: Check[Any], fact: Any, outcome: Outcome, said: str) -> None:
    verdicts = list(check.judge(fact))
    assert worst(verdicts) is outcome
    assert any(said in one.says for one in verdicts if one.outcome is outcome) or not said
    assert not any(one.says.endswith(".") for one in verdicts)


def test_every_check_is_tried_with_what_is_well_and_what_is_not() -> None:
    for check in CHECKS:
        assert {FINE, W} <= {outcome for one, _, outcome, _ in CASES if one is check} | (
            {W} if check in (software.SOFTWARE, software.SETTINGS) else set()
        )


def test_each_check_has_a_name_of_its_own_and_says_what_it_is_about() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.says.startswith("Say whether") for check in CHECKS)


def test_a_verdict_says_what_to_do_exactly_if_something_is_not_well() -> None:
    assert worst([]) is FINE
    assert worst([ok("a"), problem("b", "c"), warning("d", "e")]) is P
    for outcome, todo in ((W, ""), (P, ""), (FINE, "do this")):
        with pytest.raises(ValueError, match="something to do"):
            Verdict(outcome, "it is so", todo)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.name))
def test_a_check_measures_this_host(
    check: Check[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path / "root"))
    for verdict in check.run(Scope(host="127.0.0.1")):
        assert "could not be found out" not in verdict.says
    assert not (tmp_path / "root").exists(), "it has made something"


def test_what_cannot_be_measured_is_told_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_scope: Scope) -> int:
        raise UsageError("nobody knows")

    def judge(_fact: int) -> Iterator[Verdict]:
        yield ok("it is known")

    (verdict,) = Check("broken", fail, judge).run(Scope())
    assert (verdict.outcome, verdict.says) == (W, "could not be found out: nobody knows")
    monkeypatch.setenv("DLG_WORKERS", "many")
    with pytest.raises(settings.SettingsError):
        settings.current()
    found = {f.check: f for f in examine(Scope(), {"settings", "limits", "disks"})}
    assert found["settings"].is_problem
    assert found["disks"].verdicts[0].outcome is W
    assert not found["limits"].is_problem
