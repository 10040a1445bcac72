"""Record what the programs of BEAT's packages say to each other.

Run it with the Python of their environment, on the prefix of their tests:

    build/beat-peer/.venv/bin/python tests/dlg/beat/peer/record_frames.py build/beat-peer/prefix \
        tests/dlg/beat/vectors/frames

For each experiment of `EXPERIMENTS` and each of its blocks, a file is written with the messages
that went over each socket, in order, as the programs saw them: `execute`, `databases_provider` and
`loop_execute`. A frame is text where it is UTF-8 without control characters, else base64.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import runpy
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

EXPERIMENTS = (
    "user/user/single/1/single",
    "user/user/double/1/double",
    "user/user/inputs_mix/1/test",
    "user/user/integers_addition/1/integers_addition",
    "user/user/integers_labelled/1/test",
    "user/user/loop/1/loop",
    "user/user/two_loops/1/two_loops",
    "user/user/single/1/prepare_success",
    "errors/user/single/1/single_crash",
    "errors/user/single/1/single_db_crash",
    "errors/user/single/1/setup_error",
    "errors/user/single/1/prepare_error",
    "errors/user/single/1/write_error",
    "errors/user/triangle/1/too_many_nexts",
)
MODULES = ("execution", "experiment", "hash")
PROGRAMS = ("execute", "databases_provider", "loop_execute")
MOST = 400
"""Messages that are kept of one conversation."""


def scrubbed(text: str) -> str:
    """Return a text without lines of files of this machine: of a traceback, what it says."""
    if "Traceback" not in text and 'File "' not in text:
        return text
    named = re.findall(r"[A-Za-z]+(?:Error|Exception): [^\\\n]*", text.replace("\\n", "\n"))
    return f"traceback: {named[-1].strip(chr(39))}"


def text_of(frame: bytes) -> str:
    try:
        text = frame.decode()
    except UnicodeDecodeError:
        text = "\x00"
    if any(ord(c) < 32 and c != "\n" for c in text):
        return "base64:" + base64.b64encode(frame).decode()
    return scrubbed(text)


def listen(log: Path) -> None:
    """Write all messages that go over ZeroMQ sockets of this process to `log`."""
    zmq: Any = importlib.import_module("zmq")
    out = log.open("a")
    halves: dict[tuple[int, str], list[str]] = {}
    send, receive = zmq.Socket.send, zmq.Socket.recv

    def note(socket: Any, way: str, frame: Any, more: bool) -> None:
        data = frame.encode() if isinstance(frame, str) else bytes(frame)
        parts = halves.setdefault((id(socket), way), [])
        parts.append(text_of(data))
        if not more:
            place = socket.getsockopt(zmq.LAST_ENDPOINT).decode().strip("\x00")
            out.write(json.dumps([place, way, parts[:]]) + "\n")
            out.flush()
            parts.clear()

    def noting_send(self: Any, data: object, flags: int = 0, **kwargs: object) -> object:
        note(self, "out", data, bool(flags & zmq.SNDMORE))
        return send(self, data, flags, **kwargs)

    def noting_receive(self: Any, *args: object, **kwargs: object) -> object:
        frame = receive(self, *args, **kwargs)
        note(self, "in", frame, bool(self.getsockopt(zmq.RCVMORE)))
        return frame

    zmq.Socket.send, zmq.Socket.recv = noting_send, noting_receive


def be_program(name: str, folder: str) -> None:
    """Be one of the programs of the packages, and note what it says."""
    listen(Path(folder, f"{name}.{os.getpid()}.log"))
    program = Path(sys.executable).with_name(name)
    sys.argv[:] = [str(program), *sys.argv[4:]]
    runpy.run_path(str(program), run_name="__main__")


def make_programs(folder: Path) -> str:
    """Put programs that note what they say beside a Python; return that."""
    folder.mkdir()
    for name in PROGRAMS:
        program = folder / name
        me = Path(__file__).absolute()
        call = f'exec {sys.executable} {me} --be {name} "$RECORD_TO" "$@"'
        program.write_text(f"#!/bin/sh\n{call}\n")
        program.chmod(0o755)
    (folder / "python").symlink_to(sys.executable)
    return str(folder / "python")


def conversations(folder: Path) -> list[dict[str, object]]:
    """Return what the programs said, one conversation a socket."""
    found = []
    for log in sorted(folder.glob("*.log")):
        sockets: dict[str, list[list[object]]] = {}
        for line in log.read_text().splitlines():
            place, way, parts = json.loads(line)
            sockets.setdefault(place, []).append([way, *parts])
        for number, messages in enumerate(sockets.values()):
            found.append(
                {"program": log.name.split(".")[0], "socket": number, "messages": messages[:MOST]}
            )
        log.unlink()
    return found


def record(prefix: str, label: str, python: str, scratch: Path) -> list[dict[str, object]]:
    """Run an experiment until a block fails; return what was said for each block."""
    core: Any = {name: importlib.import_module(f"beat.core.{name}") for name in MODULES}
    hashes = core["hash"]

    cache, logs = scratch / "cache", scratch / "logs"
    for folder in (cache, logs):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    os.environ["RECORD_TO"] = str(logs)
    experiment = core["experiment"].Experiment(prefix, label)
    for dataset in experiment.datasets.values():
        database = dataset["database"]
        view = database.view(dataset["protocol"], dataset["set"])
        digest = hashes.hashDataset(database.name, dataset["protocol"], dataset["set"])
        path = hashes.toPath(digest, suffix=".db")
        view.index(str(cache / path))
    blocks = []
    for name, block in experiment.setup().items():
        executor = core["execution"].SubprocessExecutor(
            prefix=prefix, data=block["configuration"], cache=str(cache), python_path=python
        )
        assert executor.valid, executor.errors
        with executor:
            result = executor.process()
        configuration = json.loads(json.dumps(executor.data))
        blocks.append(
            {
                "block": name,
                "configuration": configuration,
                "status": result["status"],
                "user_error": scrubbed(result["user_error"]),
                "system_error": scrubbed(result["system_error"]),
                "statistics": result["statistics"],
                "result_keys": sorted(result),
                "conversations": conversations(logs),
            }
        )
        if result["status"]:
            break
    return blocks


def main(prefix: str, target: str) -> None:
    """Record all experiments; one file each."""
    Path(target).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        python = make_programs(scratch / "bin")
        for label in EXPERIMENTS:
            blocks = record(str(Path(prefix).absolute()), label, python, scratch)
            file = Path(target, label.replace("/", ".") + ".json")
            text = json.dumps({"experiment": label, "blocks": blocks}, indent=1)
            file.write_text(text.replace(folder, "/scratch") + "\n")
            sys.stdout.write(f"{file} {[(b['block'], b['status']) for b in blocks]}\n")


if __name__ == "__main__":
    if sys.argv[1] == "--be":
        be_program(sys.argv[2], sys.argv[3])
    else:
        main(sys.argv[1], sys.argv[2])
