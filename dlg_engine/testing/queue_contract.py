"""What every task queue must do: subclass it, give it a fixture `connect`, and run it with pytest.

`connect` returns a function that makes a new object for the same queues each time; the fixture
closes them at its end. Where a lease ends by time, the fixture `lease_s` says how short it may be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from dlg_engine.tasks.queue_contract import TaskQueue

Connect = Callable[[], TaskQueue]
WAIT_S = 30.0
_MANY = 60


class TaskQueueContract:
    """The tests."""

    @pytest.fixture
    def queue(self, connect: Connect) -> TaskQueue:
        """Return one of the queue objects."""
        found = connect()
        found.queue_declare("a")
        return found

    def test_an_empty_queue_has_nothing(self, queue: TaskQueue) -> None:
        assert queue.queue_fetch_and_acknowledge("a") is None
        assert queue.claim(["a"], "me") is None
        assert queue.queue_length("a") == 0
        assert queue.queue_fetch_list("a") == []

    def test_numbers_come_in_the_order_in_which_they_went(self, queue: TaskQueue) -> None:
        for number in (3, 1, 2):
            queue.queue_publish("a", number)
        assert queue.queue_length("a") == 3
        assert queue.queue_fetch_list("a") == [3, 1, 2]
        assert [queue.queue_fetch_and_acknowledge("a") for _ in range(4)] == [3, 1, 2, None]

    def test_looking_takes_nothing_away(self, queue: TaskQueue) -> None:
        queue.queue_publish("a", 1)
        assert queue.queue_fetch_list("a") == queue.queue_fetch_list("a") == [1]
        assert queue.queue_fetch_and_acknowledge("a", acknowledge=False) == 1
        assert queue.queue_fetch_and_acknowledge("a", set_running=False) == 1
        assert queue.queue_fetch_and_acknowledge("a") is None

    def test_queues_do_not_mix(self, queue: TaskQueue) -> None:
        queue.queue_declare("b")
        queue.queue_publish("b", 7)
        assert queue.queue_fetch_and_acknowledge("a") is None
        found = queue.claim(["a", "b"], "me")
        assert found is not None
        assert (found.queue, found.item_id) == ("b", 7)
        queue.acknowledge(found)

    def test_many_are_published_and_taken_at_once(self, queue: TaskQueue) -> None:
        queue.queue_declare("b")
        queue.queue_publish_many([("a", 1), ("b", 2), ("a", 3)])
        queue.queue_publish_many([])
        assert queue.queue_fetch_list("a") == [1, 3]
        found = queue.claim_many(["a", "b"], "me", 2)
        found += queue.claim_many(["a", "b"], "me", 5)
        assert [(each.queue, each.item_id) for each in found] == [("a", 1), ("a", 3), ("b", 2)]
        for delivery in found:
            queue.acknowledge(delivery)
        assert queue.claim_many(["a", "b"], "me", 5) == []

    def test_what_one_has_nobody_else_gets(self, queue: TaskQueue, connect: Connect) -> None:
        other = connect()
        queue.queue_publish("a", 1)
        found = queue.claim(["a"], "me")
        assert found is not None
        assert other.claim(["a"], "you") is None
        assert other.queue_length("a") == 0
        queue.acknowledge(found)
        assert other.claim(["a"], "you") is None

    def test_what_is_given_back_another_gets(self, queue: TaskQueue, connect: Connect) -> None:
        queue.queue_publish("a", 1)
        found = queue.claim(["a"], "me")
        assert found is not None
        queue.give_back(found)
        again = connect().claim(["a"], "you")
        assert again is not None
        assert again.item_id == 1

    def test_what_was_not_acknowledged_is_there_again_after_closing(
        self, queue: TaskQueue, connect: Connect
    ) -> None:
        other = connect()
        queue.queue_publish("a", 1)
        assert queue.claim(["a"], "me") is not None
        queue.close()
        other.wait(["a"], WAIT_S)
        found = other.claim(["a"], "you")
        assert found is not None
        assert found.item_id == 1

    def test_who_waits_is_told(self, queue: TaskQueue, connect: Connect) -> None:
        found: list[int] = []

        def take() -> None:
            mine = connect()
            while not found:
                mine.wait(["a", "b"], WAIT_S)
                delivery = mine.claim(["a", "b"], "me")
                if delivery is not None:
                    mine.acknowledge(delivery)
                    found.append(delivery.item_id)

        waiting = threading.Thread(target=take)
        waiting.start()
        queue.queue_publish("b", 5)
        waiting.join(WAIT_S)
        assert found == [5]

    def test_what_comes_while_one_is_busy_another_gets(
        self, queue: TaskQueue, connect: Connect
    ) -> None:
        mine, other = connect(), connect()
        queue.queue_publish("a", 1)
        mine.wait(["a"], WAIT_S)
        found = mine.claim(["a"], "me")
        assert found is not None
        mine.acknowledge(found)
        queue.queue_publish("a", 2)
        taken = other.claim(["a"], "you")
        assert taken is not None
        assert taken.item_id == 2

    def test_many_takers_get_everything_once(self, queue: TaskQueue, connect: Connect) -> None:
        for number in range(_MANY):
            queue.queue_publish("a", number)
        found: list[int] = []

        def take() -> None:
            mine = connect()
            while (delivery := mine.claim(["a"], "me")) is not None:
                mine.acknowledge(delivery)
                found.append(delivery.item_id)

        takers = [threading.Thread(target=take) for _ in range(4)]
        for taker in takers:
            taker.start()
        for taker in takers:
            taker.join(WAIT_S)
        assert sorted(found) == list(range(_MANY))
