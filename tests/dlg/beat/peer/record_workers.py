"""Record what the existing system's controller and worker say to each other.

A program for the Python of the existing packages (`make beat-peer`), run by hand when they change:

    build/beat-peer/.venv/bin/python tests/dlg/beat/peer/record_workers.py build/beat-peer/prefix \
        tests/dlg/beat/vectors/worker_frames.json

Its own scripts stand between the two and write down every frame, what the controller was asked to
do, what it returned, and what it told its callbacks.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import zmq

Experiment: Any = import_module("beat.core.experiment").Experiment
WorkerController: Any = import_module("beat.core.worker").WorkerController

PATIENCE_S = 30.0
CODES = {
    "slow": "import time\ntime.sleep(600)\nreturn True",
    "failing": "raise ValueError('no good')",
}
"""What the methods of our algorithms do."""
EXPERIMENT = "user/user/single/1/single"
ALGORITHM = "v1/integers_echo/1"


class Recorder:
    """Stands between a controller and its workers."""

    def __init__(self, controller: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self._controller = controller
        self._context = zmq.Context()
        self._front = self._context.socket(zmq.ROUTER)
        self._front.router_handover = 1
        self.port = self._front.bind_to_random_port("tcp://127.0.0.1")
        self._backs: dict[bytes, Any] = {}
        self._poller = zmq.Poller()
        self._poller.register(self._front, zmq.POLLIN)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def note(self, **event: Any) -> None:
        """Write something down."""
        self.events.append(event)

    def _run(self) -> None:
        while not self._ended.is_set():
            for socket, _ in self._poller.poll(50):
                if socket is self._front:
                    name, *frames = socket.recv_multipart()
                    self.note(worker=[frame.decode() for frame in frames])
                    self._back(name).send_multipart(frames)
                else:
                    name = next(one for one, back in self._backs.items() if back is socket)
                    frames = socket.recv_multipart()
                    self.note(controller=[frame.decode() for frame in frames])
                    self._front.send_multipart([name, *frames])

    def _back(self, name: bytes) -> Any:
        if name not in self._backs:
            back = self._context.socket(zmq.DEALER)
            back.identity = name
            back.connect(self._controller.address)
            self._backs[name] = back
            self._poller.register(back, zmq.POLLIN)
        return self._backs[name]

    def close(self) -> None:
        """End."""
        time.sleep(0.5)  # what is on its way still comes
        self._ended.set()
        self._thread.join()
        self._context.destroy(linger=0)


class Play:
    """What happens, step by step."""

    def __init__(self, prefix: Path, cache: Path) -> None:
        self.prefix, self.cache = prefix, cache
        self.controller = WorkerController("127.0.0.1", None)
        self.recorder = Recorder(self.controller)
        self.controller.callbacks.onWorkerReady = lambda name: self._told("ready", name)
        self.controller.callbacks.onWorkerGone = lambda name: self._told("gone", name)
        self.told: list[str] = []

    def _told(self, what: str, name: bytes) -> None:
        self.told.append(what)
        self.recorder.note(callback=what, name=name.decode())

    def do(self, what: str, *args: Any) -> None:
        """Ask the controller to do something."""
        self.recorder.note(do=what, args=list(args))
        getattr(self.controller, what)(*args)

    def until_said(self) -> None:
        """Wait until the controller returns what a worker says."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = self.controller.process(100)
            if found is not None:
                name, word, number, rest = found
                self.recorder.note(
                    returned=[name.decode(), word.decode(), number, [one.decode() for one in rest]]
                )
                return
        raise TimeoutError("the worker says nothing")

    def until_told(self, what: str) -> None:
        """Wait until the controller has called back."""
        deadline = time.monotonic() + PATIENCE_S
        while what not in self.told:
            self.controller.process(100)
            if time.monotonic() > deadline:
                raise TimeoutError(what)
        self.told.remove(what)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the worker of the existing system."""
        self.recorder.note(start="w1")
        program = Path(sys.executable).with_name("worker")
        places = [f"--prefix={self.prefix}", f"--cache={self.cache}"]
        address = f"tcp://127.0.0.1:{self.recorder.port}"
        return subprocess.Popen([sys.executable, program, "--name=w1", *places, address])

    def terminate(self, worker: subprocess.Popen[bytes]) -> None:
        """Let it end."""
        time.sleep(0.5)  # what is on its way comes first
        self.recorder.note(signal="TERM")
        worker.send_signal(signal.SIGTERM)
        worker.wait(PATIENCE_S)


def play(prefix: Path, cache: Path) -> list[dict[str, Any]]:
    """Return what was written down of a whole conversation."""
    blocks = {
        name: one["configuration"]
        for name, one in Experiment(str(prefix), EXPERIMENT).setup().items()
    }
    first, last = blocks["echo"], blocks["analysis"]
    it = Play(prefix, cache)
    worker = it.start()
    it.until_told("ready")
    it.do("execute", "w1", 1, first)
    it.until_said()
    it.do("execute", "w1", 2, last)
    it.until_said()
    it.do("cancel", "w1", 77)
    it.until_said()
    it.do("execute", "w1", 3, {**first, "algorithm": "user/nobody_has_it/1"})
    it.until_said()
    it.do("execute", "w1", 4, with_other_output({**first, "algorithm": "own/failing/1"}, "f"))
    it.until_said()
    it.do("execute", "w1", 5, with_other_output({**first, "algorithm": "own/slow/1"}, "5"))
    time.sleep(1.0)
    it.do("cancel", "w1", 5)
    it.until_said()
    it.do("ack", "w1")
    it.terminate(worker)
    it.until_told("gone")
    worker = it.start()
    it.until_told("ready")
    it.do("destroy")
    it.recorder.close()
    worker.terminate()
    worker.wait(PATIENCE_S)
    return it.recorder.events


def with_other_output(block: dict[str, Any], letter: str) -> dict[str, Any]:
    """Return a block that writes elsewhere."""
    name, output = next(iter(block["outputs"].items()))
    digest = letter * 64
    path = f"{digest[:2]}/{digest[2:4]}/{digest[4:6]}/{digest[6:]}"
    return {**block, "outputs": {name: {**output, "hash": digest, "path": path}}}


def add_algorithms(prefix: Path) -> None:
    """Put our algorithms into a prefix."""
    declaration = prefix / "algorithms" / f"{ALGORITHM}.json"
    for name, code in CODES.items():
        target = prefix / "algorithms" / "own" / name
        target.mkdir(parents=True)
        shutil.copyfile(declaration, target / "1.json")
        body = "".join(f"        {line}\n" for line in code.splitlines())
        head = "class Algorithm:\n    def process(self, inputs, outputs):\n"
        (target / "1.py").write_text(head + body)


def main() -> None:
    """Record, into the file that is named."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        prefix, cache = Path(scratch, "prefix"), Path(scratch, "cache")
        cache.mkdir()
        shutil.copytree(source, prefix)
        add_algorithms(prefix)
        index = Path(sys.executable).with_name("index")
        subprocess.run([sys.executable, index, prefix, cache, "simple/1"], check=True)
        events = play(prefix, cache)
        text = json.dumps(events, indent=1, default=list).replace(scratch, "/scratch")
        text = re.sub(r"/tmp/[\w.]+/prefix", "/scratch/prefix", text)
    target.write_text(text.replace(os.uname().nodename, "host") + "\n")


if __name__ == "__main__":
    main()
