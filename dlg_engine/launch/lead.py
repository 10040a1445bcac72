"""What leads a job, on its first host: it has the ranks started, and the managers by rank.

Ranks tell it that they are there, over encrypted calls with the keys of this one job; who is what
is the table of `roles`. No port is agreed upon before: each manager takes a free one, and the lead
tells those above.
"""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dlg import settings
from dlg.exceptions import DaliugeException
from dlg.rpc import Address, Answerer, Peer, ZeroRPCTransport
from dlg.rpc.curve import keys_of
from dlg.support import clock
from dlg.support.cluster_file import ClusterFile
from dlg_engine.daemon.processes import end_with_parent
from dlg_engine.launch.jobs import LOGS, Job, JobError
from dlg_engine.launch.rank import CALL_S
from dlg_engine.launch.roles import ENDING, Post, Role, posts, ranks_of

logger = logging.getLogger(__name__)

ARRIVAL_S = 300.0
"""How long it may take until all ranks are there."""
LEAVE_S = 60.0
"""How long ranks may take to end; then what started them is killed."""


class Lead:
    """A cluster of the ranks of a job, until the end of a `with` block."""

    def __init__(self, directory: Path, job: Job, host: str, keys: ClusterFile) -> None:
        """Listen for ranks at `host`."""
        self.directory, self.job = directory, job
        self.table: Sequence[Post] = posts(job.ranks, job.islands, apart=job.apart)
        self.broken: str = ""
        """Why the cluster is none any more; "" as long as it is one."""
        self._changed = threading.Condition()
        self._peers: dict[int, Peer] = {}
        self._launchers: list[subprocess.Popen[bytes]] = []
        self._watchers: list[threading.Thread] = []
        self._ending = False
        self._on_break: Any = None
        self._stack = ExitStack()
        self._transport = ZeroRPCTransport(keys_of(keys.curve_public, keys.curve_secret))
        self._stack.callback(self._transport.close)
        answerer = Answerer({"arrived": self._arrived, "died": self._died})
        serving = self._transport.serve(Address(host, 0), answerer.answer)
        self._stack.callback(serving.close)
        self.address = serving.address

    def __enter__(self) -> Lead:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    # -- the ranks ----------------------------------------------------------------------------

    def launch(self, commands: Sequence[Sequence[str]]) -> None:
        """Start the ranks by these commands, and wait until all are there; JobError if not."""
        for number, command in enumerate(commands):
            log = self.directory / LOGS / f"ranks-{number}.log"
            with log.open("wb") as output:
                self._launchers.append(self._launched(command, output))
        for number, process in enumerate(self._launchers):
            watcher = threading.Thread(
                target=self._watch, args=(number, process), name=f"dlg-ranks-{number}", daemon=True
            )
            self._watchers.append(watcher)
            watcher.start()
        wanted = len(self.table)
        with self._changed:
            self._changed.wait_for(lambda: self.broken or len(self._peers) == wanted, ARRIVAL_S)
            missing = [post.rank for post in self.table if post.rank not in self._peers]
        if self.broken:
            raise JobError(self.broken)
        if missing:
            raise JobError(
                f"ranks {missing} have not come after {ARRIVAL_S:g} s: see {LOGS}/ranks-0.log"
            )

    def _launched(self, command: Sequence[str], output: Any) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                list(command), cwd=self.directory, env=settings.environment(),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                preexec_fn=end_with_parent,  # noqa: PLW1509  ranks without a lead serve nobody
            )  # fmt: skip
        except OSError as error:
            raise JobError(f"ranks cannot be started by {command[0]}: {error.strerror}") from error

    def _watch(self, number: int, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        with self._changed:
            if not self._ending and not self.broken:
                self._break(f"ranks ended early, with code {code}: see {LOGS}/ranks-{number}.log")

    def _break(self, why: str) -> None:
        """Note that the cluster is none any more; the caller has the lock."""
        self.broken = why
        self._changed.notify_all()
        if self._on_break is not None:
            self._on_break()

    def when_broken(self, stop: Any) -> None:
        """Have `stop` called when the cluster breaks, or now if it has."""
        with self._changed:
            self._on_break = stop
            if self.broken and stop is not None:
                stop()

    # -- calls of ranks -----------------------------------------------------------------------

    def _arrived(self, rank: int, host: str, port: int) -> None:
        with self._changed:
            self._peers[int(rank)] = Peer(self._transport, Address(str(host), int(port)))
            self._changed.notify_all()

    def _died(self, rank: int, role: str, how: str) -> None:
        logger.error("the %s of rank %d %s", role, rank, how)
        if role == Role.NODE:
            return  # its sessions find out themselves, and some survive it
        with self._changed:
            if not self._ending and not self.broken:
                self._break(f"the {role} of rank {rank} {how}")

    # -- the managers -------------------------------------------------------------------------

    def start_managers(self) -> str:
        """Start nodes, islands and the master; return the address of the master."""
        names = self._start(Role.NODE, {rank: [] for rank in ranks_of(self.table, Role.NODE)})
        shares = {post.rank: post.below for post in self.table if Role.ISLAND in post.roles}
        below = {rank: [names[one][0] for one in share] for rank, share in shares.items()}
        islands = self._start(Role.ISLAND, below)
        master = self._start(Role.MASTER, {0: [name for name, _ in islands.values()]})
        return master[0][1]

    def _start(self, role: Role, below: dict[int, list[str]]) -> dict[int, tuple[str, str]]:
        """Start the managers of a kind, all at once; return name and address by rank."""
        answers: dict[int, Future[Any]] = {
            rank: self._peers[rank].submit("start", str(role), names, timeout_s=CALL_S)
            for rank, names in below.items()
        }
        found: dict[int, tuple[str, str]] = {}
        for rank, answer in answers.items():
            try:
                name, url = answer.result()
            except DaliugeException as error:
                raise JobError(f"the {role} of rank {rank} does not start: {error}") from error
            found[rank] = (str(name), str(url))
        return found

    # -- the end ------------------------------------------------------------------------------

    def end(self) -> None:
        """End all managers, those above first, and the ranks."""
        with self._changed:
            self._ending = True
        try:
            if not self.broken:
                self._end_managers()
        finally:
            self._end_ranks()
            self._stack.close()

    def _end_managers(self) -> None:
        for role in ENDING:
            ranks = [rank for rank in ranks_of(self.table, role) if rank in self._peers]
            told = [self._peers[r].submit("end", str(role), timeout_s=LEAVE_S) for r in ranks]
            for rank, answer in zip(ranks, told, strict=True):
                try:
                    answer.result()
                except DaliugeException as error:  # it is killed in the end
                    logger.warning("the %s of rank %d does not end: %s", role, rank, error)
        for peer in self._peers.values():
            peer.submit("leave")  # what started them tells when they are gone

    def _end_ranks(self) -> None:
        deadline = clock.monotonic() + LEAVE_S
        if self.broken or len(self._peers) < len(self.table):
            for process in self._launchers:
                process.terminate()
        for process in self._launchers:
            try:
                process.wait(max(0.1, deadline - clock.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("what started ranks does not end and is killed")
                process.kill()
        for watcher in self._watchers:
            watcher.join(LEAVE_S)
