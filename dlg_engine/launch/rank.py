"""A rank of a job: it starts managers when the lead says so, and ends them with itself.

What the lead asks for is done by the main thread: managers end with the thread that has started
them, and those that answer calls come and go.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

from dlg.rpc import Address, Answerer, Peer, ZeroRPCTransport
from dlg.rpc.curve import keys_of
from dlg.support.cluster_file import read_cluster_file
from dlg_engine.daemon.processes import END_S, ManagerProcess
from dlg_engine.launch.jobs import CLUSTER, CODE, LOGS, Job
from dlg_engine.launch.reaching import address_towards
from dlg_engine.launch.roles import Role

logger = logging.getLogger(__name__)

START_S = 120.0
"""How long a manager may take to listen: hundreds of them read the same files at once."""
CALL_S = START_S + 30.0
COMMANDS = {Role.NODE: "nm", Role.ISLAND: "dim", Role.MASTER: "mm"}


class Order(NamedTuple):
    """What the main thread is to do; without a role, to end."""

    role: Role | None
    below: Sequence[str]
    starting: bool
    answer: Future[tuple[str, str]]


class Rank:
    """A rank, until it is told to leave."""

    def __init__(self, directory: Path, job: Job, rank: int, lead: Address) -> None:
        self.directory, self.job, self.rank = directory, job, rank
        self.host = address_towards(lead.host)
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._managers: dict[Role, ManagerProcess] = {}
        file = read_cluster_file(directory / CLUSTER)
        self._transport = ZeroRPCTransport(keys_of(file.curve_public, file.curve_secret))
        self._lead = Peer(self._transport, lead)

    def run(self) -> None:
        """Tell the lead that this rank is here, and do what it says until it lets it go."""
        answerer = Answerer(
            {"start": self._ask_start, "end": self._ask_end, "leave": self._ask_leave}
        )
        serving = self._transport.serve(Address(self.host, 0), answerer.answer)
        try:
            self._lead.call("arrived", self.rank, self.host, serving.address.port)
            while (order := self._orders.get()).role is not None:
                self._carry_out(order, order.role)
        finally:
            self._end_all()
            serving.close()
            self._transport.close()

    # -- by the threads that answer ----------------------------------------------------------

    def _ask_start(self, role: str, below: list[str]) -> tuple[str, str]:
        return self._ask(Role(role), below, starting=True)

    def _ask_end(self, role: str) -> None:
        self._ask(Role(role), (), starting=False)

    def _ask_leave(self) -> None:
        # Nobody waits for an answer: this process may have ended before it has left.
        self._orders.put(Order(None, (), starting=False, answer=Future()))

    def _ask(self, role: Role, below: Sequence[str], *, starting: bool) -> tuple[str, str]:
        order = Order(role, below, starting, Future())
        self._orders.put(order)
        return order.answer.result(CALL_S)

    # -- by the main thread ------------------------------------------------------------------

    def _carry_out(self, order: Order, role: Role) -> None:
        try:
            order.answer.set_result(
                self._start(role, order.below) if order.starting else self._end(role)
            )
        except Exception as error:  # noqa: BLE001  the lead is told, and decides
            order.answer.set_exception(error)

    def _start(self, role: Role, below: Sequence[str]) -> tuple[str, str]:
        log = f"{role}-{self.rank}.log"
        process = ManagerProcess(
            role, self._arguments(role, below), self.directory / LOGS, self.directory, log,
            orphan=False,
        )  # fmt: skip
        self._managers[role] = process
        process.wait_until_it_listens(START_S)
        process.watch(self._died)
        logger.info("rank %d: the %s %s listens", self.rank, role, process.name)
        return process.name, process.url

    def _arguments(self, role: Role, below: Sequence[str]) -> list[str]:
        job = self.job
        cluster = str(self.directory / CLUSTER)
        found = [COMMANDS[role], "-H", self.host, "-P", "0", "--rpc-port", "0"]
        found += ["--cluster", cluster]
        if role is not Role.NODE:
            return [*found, "-N", ",".join(below)]
        work = self.directory / "work" / f"rank-{self.rank}"
        found += ["--event-port", "0", "-w", str(work), "-t", str(job.threads), "--deadline", "0"]
        found += ["--processes"] if job.processes else []
        return [*found, "--path", str(self.directory / CODE)]

    def _end(self, role: Role) -> tuple[str, str]:
        process = self._managers.pop(role, None)
        if process is not None:
            process.end(END_S)
        return "", ""

    def _end_all(self) -> None:
        """End what is left, all at once: nobody watches any more."""
        for process in self._managers.values():
            process.tell_to_end()
        for process in self._managers.values():
            process.end(END_S)
        self._managers.clear()

    def _died(self, process: ManagerProcess) -> None:
        role = Role(process.role)
        if self._managers.get(role) is not process:
            return  # it was told to end
        code = process.process.returncode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        self._lead.submit("died", self.rank, str(role), f"{how}: {process.tail()}")
