"""Errands: calls that travel to another process, here without one."""

from __future__ import annotations

import pickle
import secrets
from typing import Any

import numpy as np

from dlg.drops.away import Answer, Errand, Luggage, kept
from dlg.drops.surroundings import Surroundings
from dlg.support import parcels


def add(first: int, second: Any) -> Any:
    return first + second


def generator(_first: int) -> Any:
    return (n for n in range(3))


def luggage(value: object) -> Luggage:
    return Luggage(secrets.token_hex(4), pickle.dumps(value))


def there(errand: Errand, *, known: bool = False) -> Answer:
    """Return the answer to an errand that travels as between processes."""
    prefix = f"dlg-test-{secrets.token_hex(4)}-"
    errand.seal(prefix)
    arrived = pickle.loads(pickle.dumps(errand.message(known=known)))
    answer: Answer = arrived.perform(prefix).own().open()
    return answer


def test_an_errand_calls_a_function_with_the_luggage_first() -> None:
    answer = there(Errand(add, luggage(40), (2,)))
    assert (answer.value, answer.trouble) == (42, "")


def test_luggage_goes_once_and_stays() -> None:
    first = luggage(40)
    there(Errand(add, first, (2,)))
    light = Errand(add, Luggage(first.key, None), (3,))
    assert there(light, known=True).value == 43
    assert kept(first.key, b"") == 40


def test_luggage_that_has_not_come_is_told() -> None:
    assert "has not come here" in there(Errand(add, Luggage("nowhere", None), (1,))).trouble


def test_an_errand_knows_whose_log_it_writes_to() -> None:
    first = luggage(1)
    first.belong_to(Surroundings(session_id="night"))
    there(Errand(add, first, (1,)))
    later = Errand(add, Luggage(first.key, None), ())
    later.seal("")
    arrived = pickle.loads(pickle.dumps(later.message(known=True)))
    assert arrived.surroundings.session_id == "night"


def test_arrays_are_not_copied_into_messages_and_leave_nothing_behind() -> None:
    array = np.ones(1_000_000)
    errand = Errand(add, luggage(1), (array,))
    prefix = f"dlg-test-{secrets.token_hex(4)}-"
    errand.seal(prefix)
    message = pickle.dumps(errand.message(known=False))
    assert len(message) < 10_000
    answer = pickle.loads(message).perform(prefix).own().open()
    assert np.array_equal(answer.value, array + 1)
    del errand
    assert parcels.sweep(prefix) == 0


def test_a_result_that_cannot_travel_is_told() -> None:
    assert "cannot be sent" in there(Errand(generator, luggage(1), ())).trouble
