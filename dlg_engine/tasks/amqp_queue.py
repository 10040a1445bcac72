"""Queues of RabbitMQ: durable, with messages that survive a restart of the broker.

The owner of pika. What is published is confirmed by the broker, what is taken is acknowledged by
hand; when a taker dies, the broker sees that his connection is gone and delivers again.
"""

from __future__ import annotations

import importlib.util
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from dlg.exceptions import MissingExtraError
from dlg_engine.tasks.errors import QueueUnavailableError, TaskSystemError
from dlg_engine.tasks.patience import Patience
from dlg_engine.tasks.queue_contract import LEASE_S, Delivery, TaskQueue

logger = logging.getLogger(__name__)
T = TypeVar("T")
_NONE = Patience(0.0)


class TaskQueueAmqp(TaskQueue):
    """Queues of a broker; the connection is made on first use, and again when it is lost."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 5672,
        user: str = "guest",
        password: str = "guest",  # noqa: S107  that of a broker as it is installed
    ) -> None:
        if importlib.util.find_spec("pika") is None:
            raise MissingExtraError("pika", "rabbitmq")
        self._where = host, port, user, password
        self._connection: Any = None
        self._channel: Any = None
        self._together: Any = None
        self._was_there = False
        self._declared: set[str] = set()
        self._arrived: deque[Delivery] = deque()

    def close(self) -> None:
        """Close the connection: the broker delivers again what was not acknowledged."""
        import pika.exceptions  # noqa: PLC0415  as above

        connection, self._connection = self._connection, None
        self._channel = self._together = None
        self._arrived.clear()
        self._declared.clear()
        if connection is not None and connection.is_open:
            with suppress(pika.exceptions.AMQPError):  # it is lost just now
                connection.close()

    def _open(self) -> Any:
        import pika  # noqa: PLC0415  an optional library

        if self._channel is not None and self._channel.is_open:
            return self._channel
        self.close()
        host, port, user, password = self._where
        login = pika.PlainCredentials(user, password)
        # No heartbeats: nobody would answer them while a task runs. A taker that dies closes its
        # socket, and what it had taken for good is in the database.
        parameters = pika.ConnectionParameters(host, port, credentials=login, heartbeat=0)
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._channel.basic_qos(prefetch_count=1, global_qos=True)
        self._was_there = True
        return self._channel

    def _do(self, what: Callable[[Any], T]) -> T:
        """Do something on the channel; after the loss of the connection again on a new one.

        What was published may then be there twice, and what was taken is delivered again.
        """
        # That one which was never there comes is not waited for.
        patience = self.patience if self._was_there else _NONE
        return patience.through(lambda: self._try(what), _is_lost, self._unavailable)

    def _try(self, what: Callable[[Any], T]) -> T:
        import pika.exceptions  # noqa: PLC0415  as above

        try:
            return what(self._open())
        except pika.exceptions.AMQPError:
            self.close()
            raise

    def _unavailable(self, error: BaseException, waited_s: float) -> QueueUnavailableError:
        host, port = self._where[:2]
        said = f"{type(error).__name__} {error}".rstrip()
        tried = f" (tried for {waited_s:.0f} s)" if waited_s else ""
        return QueueUnavailableError(f"the broker at {host}:{port}: {said}{tried}")

    def _answer(self, delivery: Delivery, how: Callable[[Any, int], object]) -> None:
        """Answer a delivery, if the connection is still there by which it came."""
        import pika.exceptions  # noqa: PLC0415  as above

        channel, tag = delivery.tag
        if channel is not self._channel:
            return
        try:
            how(channel, tag)
        except pika.exceptions.AMQPError as error:
            self.close()
            logger.info("the broker will deliver %s again: %r", delivery.item_id, error)

    def _declare(self, channel: Any, name: str) -> None:
        if name not in self._declared:
            channel.queue_declare(name, durable=True)
            self._declared.add(name)

    def queue_declare(self, queue_name: str) -> None:
        """Make a durable queue, if it is not there."""
        self._do(lambda channel: self._declare(channel, queue_name))

    def queue_publish(self, queue_name: str, item_id: int) -> None:
        """Put a number at the end of a queue; the broker has confirmed it when this returns."""
        import pika  # noqa: PLC0415  as above

        def publish(channel: Any) -> None:
            self._declare(channel, queue_name)
            persistent = pika.BasicProperties(delivery_mode=2)
            channel.basic_publish("", queue_name, str(item_id).encode(), persistent, True)

        self._do(publish)

    def queue_publish_many(self, items: Sequence[tuple[str, int]]) -> None:
        """Put numbers at the ends of queues; the broker has them all when this returns."""
        if len(items) == 1:
            self.queue_publish(*items[0])
        elif items:
            self._do(lambda channel: self._publish_many(channel, items))

    def _publish_many(self, channel: Any, items: Sequence[tuple[str, int]]) -> None:
        import pika  # noqa: PLC0415  as above

        for queue_name in {queue_name for queue_name, _ in items}:
            self._declare(channel, queue_name)
        if self._together is None:
            # One answer for all of them. A channel has this or confirmations, never both.
            self._together = self._connection.channel()
            self._together.tx_select()
        persistent = pika.BasicProperties(delivery_mode=2)
        for queue_name, item_id in items:
            self._together.basic_publish("", queue_name, str(item_id).encode(), persistent)
        self._together.tx_commit()

    def queue_length(self, queue_name: str) -> int:
        """Return how many numbers wait in a queue."""

        def count(channel: Any) -> int:
            return int(channel.queue_declare(queue_name, durable=True).method.message_count)

        return self._do(count)

    def queue_fetch_list(self, queue_name: str) -> list[int]:
        """Return the numbers that wait in a queue: they are taken and given back."""

        def look(channel: Any) -> list[int]:
            self._declare(channel, queue_name)
            found, tag = [], None
            while (message := channel.basic_get(queue_name))[0] is not None:
                tag = message[0].delivery_tag
                found.append((tag, _number(message[2])))
            for taken, _ in reversed(found):
                channel.basic_nack(taken, requeue=True)
            return [number for _, number in found]

        return self._do(look)

    def claim(
        self, queue_names: Sequence[str], worker: str, lease_s: float = LEASE_S
    ) -> Delivery | None:
        """Take the next number; it is the taker's as long as his connection lives."""
        del worker, lease_s
        return self._do(lambda channel: self._claim(channel, queue_names))

    def _claim(self, channel: Any, queue_names: Sequence[str]) -> Delivery | None:
        if self._arrived:
            return self._arrived.popleft()
        for name in queue_names:
            self._declare(channel, name)
            method, _, body = channel.basic_get(name)
            if method is not None:
                more = method.message_count > 0
                return Delivery(name, _number(body), (channel, method.delivery_tag), more)
        return None

    def acknowledge(self, delivery: Delivery) -> None:
        """Let the broker forget it; nothing happens if its connection is lost, as is the claim."""
        self._answer(delivery, lambda channel, tag: channel.basic_ack(tag))

    def give_back(self, delivery: Delivery) -> None:
        """Let somebody else have it."""
        self._answer(delivery, lambda channel, tag: channel.basic_nack(tag, requeue=True))

    def wait(self, queue_names: Sequence[str], timeout_s: float) -> None:
        """Return when the broker has sent something, or after so many seconds."""
        self._do(lambda channel: self._wait(channel, queue_names, timeout_s))

    def _wait(self, channel: Any, queue_names: Sequence[str], timeout_s: float) -> None:
        if self._arrived:
            return
        tags = []
        for name in queue_names:
            self._declare(channel, name)
            tags.append(channel.basic_consume(name, _receiver(self._arrived, name)))
        self._connection.process_data_events(timeout_s)
        for tag in tags:  # or the broker would send the next one, while we are busy with this
            channel.basic_cancel(tag)


def _receiver(arrived: deque[Delivery], name: str) -> Callable[[Any, Any, Any, bytes], None]:
    def receive(channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        arrived.append(Delivery(name, _number(body), (channel, method.delivery_tag)))

    return receive


def _is_lost(error: BaseException) -> bool:
    import pika.exceptions  # noqa: PLC0415  as above

    return isinstance(error, pika.exceptions.AMQPError)


def _number(body: bytes) -> int:
    if not body.isdigit():
        raise TaskSystemError(f"a message is not the number of an attempt: {body[:50]!r}")
    return int(body)
