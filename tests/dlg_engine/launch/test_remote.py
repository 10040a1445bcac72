"""Jobs at another host: a real sshd on loopback, reached by the programs of OpenSSH."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UsageError
from dlg.testing import graphs
from dlg_engine.launch.facilities import BUILT_IN, Facility
from dlg_engine.launch.submitting import SubmissionError, _quoted, fetch, remote, send, ssh_command
from tests.dlg_engine.launch.conftest import Dlg
from tests.dlg_engine.launch.slurm import end, free_ports, program, until

SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host
PidFile none
AuthorizedKeysFile {home}/mine.pub
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
"""
SSH = """
Host there
    HostName 127.0.0.1
    Port {port}
    UserKnownHostsFile {home}/known
    StrictHostKeyChecking yes
"""


@pytest.fixture(scope="module")
def there() -> Iterator[Facility]:
    """A facility without a batch system at a host that is reached by ssh."""
    sshd = program("sshd")
    if sshd is None or shutil.which("ssh-keygen") is None:
        pytest.skip("needs sshd and ssh-keygen (Debian: openssh-server)")
    home = Path(tempfile.mkdtemp(prefix="dlg-sshd-", dir="/tmp"))
    try:
        for name in ("host", "mine"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)], check=True
            )
        (port,) = free_ports(1)
        (home / "sshd_config").write_text(SSHD.format(port=port, home=home))
        (home / "ssh_config").write_text(SSH.format(port=port, home=home))
        key = (home / "host.pub").read_text().rpartition(" ")[0]
        (home / "known").write_text(f"[127.0.0.1]:{port} {key}\n")
        if os.geteuid() == 0:  # where it drops its rights, without a service that would make it
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with ExitStack() as stack, (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [sshd, "-D", "-e", "-f", str(home / "sshd_config")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
            stack.callback(end, process)
            told = home / "log"
            until(lambda: "listening" in told.read_text() or process.poll() is not None, "sshd")
            if process.poll() is not None:
                pytest.skip(f"sshd cannot run here: {told.read_text().strip()[-200:]}")
            yield msgspec.structs.replace(
                BUILT_IN["local"], host="there", user=getpass.getuser(), key=str(home / "mine"),
                ssh_config=str(home / "ssh_config"), root=str(home / "a place" / "jobs"),
            )  # fmt: skip
    finally:
        shutil.rmtree(home, ignore_errors=True)


def describe(alone: Dlg, facility: Facility, **changes: str) -> None:
    said = {**{key: str(getattr(facility, key)) for key in
               ("host", "user", "key", "ssh_config", "root")}, **changes}  # fmt: skip
    pairs = [f"{key}={value}" for key, value in said.items()]
    done = alone("config", "set", "ours", "like=local", *pairs)
    assert done.returncode == 0, done.stderr


def dlg_there(tmp_path: Path) -> str:
    """Return what is `dlg` at the other host: this one, by another name."""
    path = tmp_path / "dlg-there"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dlg_engine.cli "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.services
@pytest.mark.timeout(240)
def test_a_graph_is_run_at_another_host_and_what_came_of_it_is_fetched(
    alone: Dlg, there: Facility, tmp_path: Path
) -> None:
    describe(alone, there, dlg=dlg_there(tmp_path))
    graph = tmp_path / "g.json"
    graph.write_text(json.dumps(graphs.chain(3)))
    done = alone("remote-submit", "-P", "g.json", "-f", "ours", "--name", "far", "--wait")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "far\n"
    here = tmp_path / "dlg-jobs" / "far"
    assert json.loads((here / "report.json").read_text())["state"] == "FINISHED"
    assert (here / "reprodata.out").exists()
    assert (Path(there.root) / "far" / "work").is_dir()
    assert not (here / "work").exists()
    told = alone("remote-submit", "-a", "analyse", "far", "-f", "ours", "-w", "later", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["state"] == "FINISHED"


@pytest.mark.services
def test_words_for_the_other_host_are_not_taken_for_commands(there: Facility) -> None:
    odd = '/tmp/a b\'; echo "$HOME" > `x`'
    done = remote(there, f"printf %s {_quoted(odd)}")
    assert done.stdout.decode() == odd


@pytest.mark.services
def test_a_job_that_is_not_there_is_told(there: Facility, tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="no such job nothing"):
        fetch(there, "nothing", tmp_path)


@pytest.mark.services
def test_a_job_that_is_there_is_not_overwritten(there: Facility, tmp_path: Path) -> None:
    taken = Path(there.root) / "taken"
    taken.mkdir(parents=True)
    (taken / "job.sh").write_text("of another")
    mine = tmp_path / "taken"
    mine.mkdir()
    (mine / "job.sh").write_text("mine")
    with pytest.raises(SubmissionError, match="exists"):
        send(there, mine)
    assert (taken / "job.sh").read_text() == "of another"


@pytest.mark.services
def test_data_and_keys_of_a_job_stay_there(there: Facility, tmp_path: Path) -> None:
    job = Path(there.root) / "stays"
    for name in ("work/data", "code/work/module.py", "cluster.toml", "job.json"):
        (job / name).parent.mkdir(parents=True, exist_ok=True)
        (job / name).write_text("{}")
    here = fetch(there, "stays", tmp_path)
    found = {str(one.relative_to(here)) for one in here.rglob("*") if one.is_file()}
    assert found == {"code/work/module.py", "job.json"}


def test_a_log_that_grows_while_it_is_fetched_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "job.json").write_text("{}")
    packed = subprocess.run(
        ["tar", "-c", "-z", "job"], cwd=tmp_path, capture_output=True, check=True
    )
    told = subprocess.CompletedProcess([], 1, packed.stdout, b"tar: job.log: file changed")
    with patch("dlg_engine.launch.submitting.remote", return_value=told):
        assert (fetch(Facility(host="login"), "job", tmp_path / "here") / "job.json").exists()


@pytest.mark.parametrize("name", ["..", "--checkpoint=1", "a/b", ""])
def test_what_cannot_be_a_job_is_not_fetched(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a job"):
        fetch(Facility(host="login"), name, tmp_path)


@pytest.mark.services
def test_a_key_that_is_not_let_in_is_told_as_ssh_says_it(
    alone: Dlg, there: Facility, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    describe(alone, there, key=str(other))
    (tmp_path / "g.json").write_text(json.dumps(graphs.chain(1)))
    done = alone("remote-submit", "g.json", "-f", "ours")
    assert done.returncode == 1
    assert "there is not reached by ssh" in done.stderr
    assert "Permission denied" in done.stderr


def test_a_host_that_is_not_there_is_told(alone: Dlg, tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text(json.dumps(graphs.chain(1)))
    config = tmp_path / "ssh_config"
    config.write_text("Host nowhere\n  HostName 127.0.0.1\n  Port 9\n")
    alone("config", "set", "ours", "like=slurm", "host=nowhere", f"ssh_config={config}")
    done = alone("remote-submit", "g.json", "-f", "ours")
    assert done.returncode == 1
    assert "nowhere is not reached by ssh" in done.stderr


def test_ssh_never_asks_and_takes_a_host_for_nothing_else() -> None:
    words = ssh_command(Facility(host="login", user="me", key="~/k"))
    assert words[-2:] == ["--", "login"]
    assert "BatchMode=yes" in words
    assert words[words.index("-l") + 1] == "me"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_a_path_stays_one_word_of_a_shell(path: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {_quoted('/' + path)}"], capture_output=True, check=True
    )
    assert done.stdout.decode() == "/" + path


def test_a_path_below_the_home_directory_is_found_there() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {_quoted('~/a b')}"], capture_output=True, check=True,
        env={"HOME": "/home/me"},
    )  # fmt: skip
    assert done.stdout == b"/home/me/a b"
