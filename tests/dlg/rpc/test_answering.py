from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dlg.rpc.answering import Answerer
from dlg.rpc.failures import put_together, take_apart
from dlg.rpc.messages import Answer, Call, pack_body, pack_call, unpack_answer
from dlg.support import clock
from dlg.support.clock import ManualClock


class Counter:
    """A method that counts how often it was called."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


def ask(answerer: Answerer, **facts: Any) -> Answer:
    usual: dict[str, Any] = {
        "caller": b"someone", "number": 1, "settled": 0, "incarnation": answerer.incarnation,
        "sent_s": clock.monotonic(), "remaining_s": 10.0, "body": pack_body("count", (), {}),
    }  # fmt: skip
    return unpack_answer(answerer.answer(pack_call(Call(**(usual | facts)))))


def failure_of(answer: Answer) -> str:
    assert answer.failure is not None
    return answer.failure.name


def test_a_greeting_tells_which_life_it_is_and_what_time() -> None:
    with clock.replaced(ManualClock()):
        clock.sleep(5)
        answer = ask(Answerer({}), incarnation="")
    assert answer.now_s == 5
    assert len(answer.value) == 32


def test_a_call_that_comes_twice_is_carried_out_once_and_answered_twice() -> None:
    count = Counter()
    answerer = Answerer({"count": count})
    assert [ask(answerer).value, ask(answerer).value] == [1, 1]
    assert ask(answerer, number=2).value == 2


def test_a_big_answer_is_not_kept_and_its_call_not_carried_out_again() -> None:
    count = Counter()
    answerer = Answerer({"count": lambda: bytes(1 << 20) * bool(count())})
    assert len(ask(answerer).value) == 1 << 20
    again = ask(answerer)
    assert again.failure is not None
    assert "the call was answered before" in str(put_together(again.failure, "here"))
    assert count() == 2


def test_the_second_of_two_at_once_waits_for_the_answer_to_the_first() -> None:
    entered, go_on, count = threading.Event(), threading.Event(), Counter()

    def slow() -> int:
        entered.set()
        go_on.wait(10)
        return count()

    answerer = Answerer({"slow": slow})
    body = pack_body("slow", (), {})
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(ask, answerer, body=body)]
        entered.wait(10)
        both.append(pool.submit(ask, answerer, body=body))
        go_on.set()
        assert [one.result(10).value for one in both] == [1, 1]


def test_a_call_whose_caller_has_given_up_is_not_carried_out() -> None:
    count = Counter()
    answerer = Answerer({"count": count})
    with clock.replaced(ManualClock()):
        sent = clock.monotonic()
        clock.sleep(10.5)
        assert failure_of(ask(answerer, sent_s=sent)) == "LateCallError"
    assert count.count == 0


def test_a_call_for_an_earlier_life_is_not_carried_out() -> None:
    count = Counter()
    answerer = Answerer({"count": count})
    assert failure_of(ask(answerer, incarnation="another")) == "OtherLifeError"
    assert count.count == 0


def test_calls_are_forgotten_when_they_would_be_too_late() -> None:
    answerer = Answerer({"count": Counter()})
    with clock.replaced(ManualClock()):
        for i in range(100):
            ask(answerer, caller=str(i).encode())
            clock.sleep(1)
        remembered = len(answerer._callers)
    assert remembered <= 11


def test_a_caller_is_remembered_until_the_last_of_its_calls_would_be_too_late() -> None:
    count = Counter()
    answerer = Answerer({"count": count})
    with clock.replaced(ManualClock()):
        for number in range(1, 4):
            sent = clock.monotonic()
            ask(answerer, number=number)
            clock.sleep(8)
        again = ask(answerer, number=3, sent_s=sent)
    assert again.value == 3
    assert count.count == 3


def test_answers_that_nobody_waits_for_are_forgotten_and_their_calls_refused() -> None:
    count = Counter()
    answerer = Answerer({"count": count})
    for number in range(1, 1001):
        ask(answerer, number=number, settled=number)
    (caller,) = answerer._callers.values()
    assert len(caller.answers) == 1
    assert failure_of(ask(answerer, number=7)) == "LateCallError"
    assert count.count == 1000


def test_only_what_is_in_the_table_can_be_called() -> None:
    answerer = Answerer({"count": Counter()})
    for name in ("answer", "__class__", "incarnation", "_zerorpc_inspect"):
        answer = ask(answerer, caller=name.encode(), body=pack_body(name, (), {}))
        assert failure_of(answer) == "UnknownMethodError"


class Bomb:
    """Something that must not be unpickled."""

    went_off = False

    def __reduce__(self) -> Any:
        return setattr, (Bomb, "went_off", True)


def test_a_pickle_is_refused_and_not_opened() -> None:
    answer = unpack_answer(Answerer({}).answer(pickle.dumps(Bomb())))
    assert failure_of(answer) == "UsageError"
    assert not Bomb.went_off


def test_an_exception_without_a_plain_constructor_is_made_all_the_same() -> None:
    for error in (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), FileNotFoundError(2, "gone")):
        back = put_together(take_apart(error), "here")
        assert type(back) is type(error)
        assert back.args == error.args


def test_a_group_of_exceptions_arrives_as_text() -> None:
    back = put_together(take_apart(ExceptionGroup("two", [ValueError("a")])), "here")
    assert "ExceptionGroup: two" in str(back)


def test_a_class_that_is_no_exception_is_not_made() -> None:
    taken = take_apart(ValueError("x"))
    for module, name in (("builtins", "exec"), ("builtins", "SystemExit"), ("os", "system")):
        forged = type(taken)(module, name, "x", ["x"], {}, "")
        assert type(put_together(forged, "here")).__name__ == "RemoteError"


@pytest.mark.parametrize("size", [10**6, 10**8])
def test_an_exception_with_much_in_it_is_cut(size: int) -> None:
    error = ValueError("x" * size)
    error.detail = "y" * size  # type: ignore[attr-defined]
    taken = take_apart(error)
    assert len(taken.message) + len(str(taken.args)) + len(taken.traceback) < 100_000
    assert taken.attributes == {}
