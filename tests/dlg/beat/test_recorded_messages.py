"""Messages that the existing packages have exchanged, said again to this side or that of ours.

`vectors/frames` has them by experiment and block; `peer/record_frames.py` has recorded them.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from dlg.beat import messages
from dlg.beat.baseformat import make_type, packed, unpacked
from dlg.beat.blocks.loops import Evaluator, LoopChannel, RemoteError, ask
from dlg.beat.message_handler import LoopMessageHandler, MessageHandler
from dlg.beat.remote_source import RemoteDataSource
from dlg.beat.sources import DataSource

FILES = sorted(Path(__file__).with_name("vectors").joinpath("frames").glob("*.json"))
REQUEST = make_type("request", {"value": [0, "int32"]})
ANSWER = make_type("answer", {"value": "float32"})
Said = list[tuple[str, list[bytes]]]


def frame(text: str) -> bytes:
    encoded = text.removeprefix("base64:")
    return base64.b64decode(encoded) if encoded != text else text.encode()


def conversations(program: str) -> list[Any]:
    """Return what was said over each socket of a program: who, and the parts of the message."""
    return list(_conversations(program))


def _conversations(program: str) -> Iterator[Any]:
    for file in FILES:
        for block in json.loads(file.read_text())["blocks"]:
            for one in block["conversations"]:
                if one["program"] == program:
                    said = [(way, [frame(p) for p in parts]) for way, *parts in one["messages"]]
                    name = f"{file.stem}-{block['block']}-{one['socket']}"
                    yield pytest.param(said, id=name)


def pairs(said: Said, asks: str) -> list[tuple[list[bytes], list[bytes]]]:
    """Return questions with their answers; `asks` is the way of the questions."""
    found = []
    for (way, question), (back, answer) in zip(said[::2], said[1::2], strict=False):
        assert way == asks
        assert back != asks
        found.append((question, answer))
    return found


def about(said: Said, *commands: bytes) -> bool:
    return any(parts[0] in commands for _, parts in said)


class Recorded(DataSource):
    """A source that has the units that were recorded, and fails where none was."""

    def __init__(self, intervals: list[tuple[int, int]], units: dict[int, bytes]) -> None:
        super().__init__()
        self._has(intervals)
        self._units = units

    def _packed(self, index: int) -> bytes:
        return self._units[index]


def sources(said: Said, asks: str) -> dict[str, Recorded]:
    """Return the sources that a conversation tells of, by the names of inputs."""
    intervals: dict[str, list[tuple[int, int]]] = {}
    units: dict[str, dict[int, bytes]] = {}
    for question, answer in pairs(said, asks):
        if question[0] == b"ifo":
            edges = [int(edge) for edge in answer[1:]]
            name = question[1].decode()
            intervals[name] = list(zip(edges[::2], edges[1::2], strict=True))
        elif question[0] == b"get" and answer[0] != b"err":
            units.setdefault(question[1].decode(), {})[int(question[2])] = answer[2]
    return {name: Recorded(found, units.get(name, {})) for name, found in intervals.items()}


def serving(handler: MessageHandler) -> zmq.Socket[bytes]:
    handler.start()
    return messages.connect(handler.address)


def exchange(socket: zmq.Socket[bytes], parts: list[bytes]) -> list[bytes]:
    socket.send_multipart(parts)
    assert socket.poll(10_000)
    return socket.recv_multipart()


@pytest.mark.parametrize("said", conversations("databases_provider"))
def test_who_serves_databases_answers_as_recorded(said: Said) -> None:
    handler = MessageHandler("127.0.0.1:*", dict(sources(said, "in")))
    with serving(handler) as socket:
        for question, answer in pairs(said, "in"):
            found = exchange(socket, question)
            if answer[0] == b"err":  # the view had failed; here there is no such unit
                assert found[0] == b"err"
                assert len(found) == len(answer)
            else:
                assert found == answer
    handler.stop()


@pytest.mark.parametrize(
    "said", [p for p in conversations("execute") if about(p.values[0], b"ifo")]
)
def test_a_source_asks_and_understands_as_recorded(said: Said) -> None:
    wanted = [(q, a) for q, a in pairs(said, "out") if q[0] in (b"ifo", b"get")]
    server = messages.bind("127.0.0.1:*")
    wrong: list[Any] = []

    def answer() -> None:
        for question, reply in wanted:
            found = server.recv_multipart()
            if found != question:
                wrong.append((found, question))
            server.send_multipart(reply)
            if reply[0] == b"err":
                server.recv_multipart()

    thread = threading.Thread(target=answer)
    thread.start()
    known = sources(said, "out")
    with messages.connect(messages.address_of(server)) as socket:
        made: dict[str, RemoteDataSource] = {}
        for question, reply in wanted:
            name = question[1].decode()
            if question[0] == b"ifo":
                made[name] = RemoteDataSource()
                assert made[name].setup(socket, name, "", "", unpack=False)
                assert made[name].data_indices() == known[name].data_indices()
            elif reply[0] == b"err":
                with pytest.raises(RemoteError, match=r"[\s\S]"):
                    made[name][int(question[2])]
            else:
                start, end = int(reply[0]), int(reply[1])
                assert made[name][int(question[2])] == (reply[2], start, end)
    thread.join(10)
    server.close()
    assert not wrong


@pytest.mark.parametrize(
    "said", [p for p in conversations("execute") if not about(p.values[0], b"ifo", b"val", b"wrt")]
)
def test_an_executor_hears_how_it_ended_as_recorded(said: Said) -> None:
    handler = MessageHandler("127.0.0.1:*")
    with serving(handler) as socket:
        ((question, answer),) = pairs(said, "out")
        assert exchange(socket, question) == answer
    handler.join(10)
    if question[0] == b"don":
        assert handler.statistics == json.loads(question[1])
    else:
        assert question[1] == b"usr"
        assert handler.user_error == question[2].decode()


class Formats:
    """What a loop has to know of its algorithms."""

    loop_map = {"request": "request", "answer": "answer"}  # noqa: RUF012

    class _Format:
        def __init__(self, kind: Any) -> None:
            self.type = kind

    dataformats = {"request": _Format(REQUEST), "answer": _Format(ANSWER)}  # noqa: RUF012


class Recording:
    """An evaluator of a user that answers as another has, and that keeps what it hears."""

    def __init__(self, answers: dict[bytes, tuple[bool, bytes]]) -> None:
        self.answers = answers
        self.heard: list[Any] = []
        self.main_group, self.inputs, self.outputs = None, self, "outputs"

    def validate(self, request: Any) -> tuple[bool, Any]:
        verdict, answer = self.answers[packed(request)]
        return verdict, unpacked(ANSWER, answer)

    def write(self, _outputs: Any, output: str, end: int | None) -> None:
        self.heard.append((output, end))

    def read(self, _inputs: Any) -> None:
        self.heard.append("read")

    def close(self) -> None:
        self.heard.append("done")


@pytest.mark.parametrize(
    "said", [p for p in conversations("loop_execute") if about(p.values[0], b"val", b"wrt")]
)
def test_an_evaluator_answers_as_recorded(said: Said) -> None:
    asked = pairs(said, "in")
    answers = {q[1]: (a[0] == b"True", a[1]) for q, a in asked if q[0] == b"val"}
    recording: Any = Recording(answers)
    formats: Any = Formats()
    handler = LoopMessageHandler("127.0.0.1:*")
    handler.set_evaluator(Evaluator(formats, recording, recording))
    with serving(handler) as socket:
        for question, answer in asked:
            assert exchange(socket, question) == answer
    handler.join(10)
    writes = [(q[1].decode(), int(q[2])) for q, _ in asked if q[0] == b"wrt"]
    assert [one for one in recording.heard if isinstance(one, tuple)] == writes


@pytest.mark.parametrize(
    "said", [p for p in conversations("execute") if about(p.values[0], b"val", b"wrt")]
)
def test_a_processor_asks_its_evaluator_as_recorded(said: Said) -> None:
    asked = pairs(said, "out")
    sent: list[list[bytes]] = []

    class Replies:
        def send_multipart(self, parts: Any) -> None:
            sent.append([bytes(part) for part in parts])

        def recv_multipart(self) -> list[bytes]:
            return asked[len(sent) - 1][1]

    formats: Any = Formats()
    channel = LoopChannel(Replies(), formats)
    for question, answer in asked:
        if question[0] == b"val":
            request = unpacked(REQUEST, question[1])
            verdict, found = channel.validate(request)
            assert (verdict, packed(found)) == (answer[0] == b"True", answer[1])
        else:
            assert ask(Replies(), *question) == answer
    assert sent == [question for question, _ in asked]


def test_there_are_recordings_of_all_programs() -> None:
    for program in ("execute", "databases_provider", "loop_execute"):
        assert len(conversations(program)) > 2


# --- what was not recorded -----------------------------------------------------------------------


def test_an_unknown_command_ends_the_conversation() -> None:
    killed: list[bool] = []
    handler = MessageHandler("127.0.0.1:*", kill_callback=lambda: killed.append(True))
    with serving(handler) as socket:
        answer = exchange(socket, [b"xyz", b"1"])
        assert answer[:2] == [b"err", b"usr"]
        assert answer[2] == b"Command `xyz' is not implemented - stopping user process"
        socket.send_multipart([b"ack"])
    handler.join(10)
    assert killed == [True]
    assert "xyz" in handler.system_error
    assert handler.user_error == ""


@pytest.mark.parametrize(
    "question", [[b"ifo", b"none"], [b"get", b"x", b"9"], [b"get", b"x", b"one"], [b"get"]]
)
def test_a_question_for_what_is_not_there_is_an_error_of_the_system(question: list[bytes]) -> None:
    handler = MessageHandler("127.0.0.1:*", {"x": Recorded([(0, 0)], {0: b"abcd"})})
    with serving(handler) as socket:
        assert exchange(socket, question)[:2] == [b"err", b"sys"]
        socket.send_multipart([b"ack"])
    handler.join(10)
    assert handler.system_error


def test_a_source_without_units_is_told_of() -> None:
    handler = MessageHandler("127.0.0.1:*", {"x": Recorded([], {})})
    with serving(handler) as socket:
        source = RemoteDataSource()
        assert source.setup(socket, "x", "", "", unpack=False)
        assert len(source) == 0
    handler.stop()


def test_a_conversation_can_be_stopped() -> None:
    handler = MessageHandler("127.0.0.1:*")
    with serving(handler):
        handler.stop()
    handler.join(10)
    assert handler.statistics == {}
