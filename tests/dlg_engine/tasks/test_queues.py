"""The task queues: all keep one contract."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, text

from dlg.exceptions import UsageError
from dlg.support.clock import ManualClock, replaced
from dlg.support.database import Database
from dlg_engine.tasks import migrating, sql_queue
from dlg_engine.tasks.amqp_queue import TaskQueueAmqp
from dlg_engine.tasks.errors import QueueUnavailableError
from dlg_engine.tasks.memory_queue import MemoryQueues, TaskQueueMemory
from dlg_engine.tasks.queue_contract import Delivery, TaskQueue
from dlg_engine.tasks.schema import queue_item
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.testing.queue_contract import Connect, TaskQueueContract
from tests.dlg_engine.tasks.databases import ENGINES, empty_database


class TestMemory(TaskQueueContract):
    @pytest.fixture
    def connect(self) -> Connect:
        shared = MemoryQueues()
        return lambda: TaskQueueMemory(shared)


class TestSql(TaskQueueContract):
    @pytest.fixture(params=ENGINES)
    def database(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
        with empty_database(request.param, tmp_path) as url:
            database = Database(url)
            migrating.upgrade(database)
            yield database
            database.close()

    @pytest.fixture
    def connect(self, database: Database) -> Iterator[Connect]:
        made: list[TaskQueue] = []

        def connect() -> TaskQueue:
            made.append(TaskQueueSQL(database))
            return made[-1]

        yield connect
        for queue in made:
            queue.close()

    def test_another_gets_what_is_held_when_the_lease_is_over(
        self, queue: TaskQueue, connect: Connect
    ) -> None:
        with replaced(ManualClock(1000.0)) as clock:
            queue.queue_publish("a", 1)
            first = queue.claim(["a"], "me", lease_s=10.0)
            clock.sleep(9.0)
            assert connect().claim(["a"], "you") is None
            clock.sleep(2.0)
            second = connect().claim(["a"], "you", lease_s=10.0)
            assert first is not None
            assert second is not None
            assert second.item_id == 1
            queue.acknowledge(first)  # too late: it is not ours any more
            clock.sleep(11.0)
            assert connect().claim(["a"], "them") is not None


def test_the_next_number_of_a_file_is_found_by_an_index(tmp_path: Path) -> None:
    with empty_database("sqlite", tmp_path) as url:
        database = Database(url)
        migrating.upgrade(database)
        query = select(queue_item).where(*sql_queue._free("a")).order_by(queue_item.c.id).limit(1)
        sql = str(query.compile(database.engine, compile_kwargs={"literal_binds": True}))
        with database.engine.connect() as connection:
            plan = str(connection.execute(text(f"explain query plan {sql}")).all())
        database.close()
    assert "USING INDEX eas_queue_item_free" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.services
class TestAmqp(TaskQueueContract):
    @pytest.fixture
    def connect(self) -> Iterator[Connect]:
        made: list[Prefixed] = []
        prefix = f"dlg-{secrets.token_hex(6)}-"

        def connect() -> TaskQueue:
            made.append(Prefixed(prefix))
            return made[-1]

        try:
            with TaskQueueAmqp() as broker:
                broker.queue_declare(prefix + "a")
        except QueueUnavailableError as error:
            pytest.skip(f"needs RabbitMQ at its usual port of this host: {error}")
        yield connect
        for queue in made:
            queue.close()
        with TaskQueueAmqp() as broker:
            broker._do(lambda channel: [channel.queue_delete(prefix + name) for name in "ab"])

    def test_a_lost_connection_is_made_again(self, queue: TaskQueue) -> None:
        queue.queue_publish("a", 1)
        assert isinstance(queue, TaskQueueAmqp)
        queue._connection.close()
        queue.queue_publish("a", 2)
        assert queue.queue_fetch_list("a") == [1, 2]

    def test_what_is_no_number_is_refused(self, queue: TaskQueue) -> None:
        assert isinstance(queue, Prefixed)
        name = queue.prefix + "a"
        queue._do(lambda channel: channel.basic_publish("", name, b"__import__"))
        with pytest.raises(UsageError, match="not the number"):
            queue.claim(["a"], "me")


@pytest.mark.services
def test_many_are_taken_in_their_order_and_the_rest_is_there_after_closing() -> None:
    name, other = (f"dlg-{secrets.token_hex(6)}" for _ in range(2))
    with TaskQueueAmqp() as queue, TaskQueueAmqp() as neighbour:
        try:
            queue.queue_declare(other)
        except QueueUnavailableError as error:
            pytest.skip(f"needs RabbitMQ at its usual port of this host: {error}")
        try:
            queue.queue_publish_many([(name, number) for number in range(40)])
            found = queue.claim_many([other, name], "me", 32)
            assert [delivery.more for delivery in found] == [True] * 32
            found += queue.claim_many([other, name], "me", 32)
            assert not found[-1].more
            assert [delivery.item_id for delivery in found] == list(range(40))
            assert neighbour.claim_many([other, name], "you", 32) == []
            for delivery in found[:30]:
                queue.acknowledge(delivery)
            queue.close()
            neighbour.wait([name], 30.0)
            rest = {delivery.item_id for delivery in neighbour.claim_many([name], "you", 40)}
            assert rest <= set(range(30, 40))
            assert 30 in rest
        finally:
            neighbour._do(lambda channel: [channel.queue_delete(each) for each in (name, other)])


class Prefixed(TaskQueueAmqp):
    """Queues with names of their own, as tests share a broker."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = prefix

    def queue_declare(self, queue_name: str) -> None:
        super().queue_declare(self.prefix + queue_name)

    def queue_publish(self, queue_name: str, item_id: int) -> None:
        super().queue_publish(self.prefix + queue_name, item_id)

    def queue_publish_many(self, items: Sequence[tuple[str, int]]) -> None:
        if len(items) == 1:
            super().queue_publish_many(items)  # one is published by the method above
        else:
            super().queue_publish_many([(self.prefix + name, item) for name, item in items])

    def queue_length(self, queue_name: str) -> int:
        return super().queue_length(self.prefix + queue_name)

    def queue_fetch_list(self, queue_name: str) -> list[int]:
        return super().queue_fetch_list(self.prefix + queue_name)

    def claim(self, queue_names: object, worker: str, lease_s: float = 60.0) -> Delivery | None:
        assert isinstance(queue_names, list)
        found = super().claim([self.prefix + name for name in queue_names], worker, lease_s)
        if found is None:
            return None
        return Delivery(found.queue.removeprefix(self.prefix), found.item_id, found.tag)

    def wait(self, queue_names: object, timeout_s: float) -> None:
        assert isinstance(queue_names, list)
        super().wait([self.prefix + name for name in queue_names], timeout_s)


def test_an_unreachable_broker_is_named() -> None:
    with pytest.raises(QueueUnavailableError, match=r"127\.0\.0\.1:1"):
        TaskQueueAmqp(port=1).queue_length("a")
