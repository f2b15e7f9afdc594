"""A broker in memory: one topic that drops what it has by producer name and sequence id."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pulsar
import pytest

from replay import topic

ACKNOWLEDGEMENT_SECONDS = 0.0002
FIRST_PUBLISHED_MS = 1_795_515_341_133
"""When the topic's first message was published; each later one a millisecond after."""


class Stored(NamedTuple):
    """A message that the topic holds."""

    producer_name: str
    sequence_id: int
    payload: bytes
    properties: dict[str, str]
    key: str | None
    event_time_ms: int | None


@dataclass
class FakeBroker:
    """What the topic holds, and how the broker behaves."""

    is_deduplicating: bool = True
    partitions: int = 1
    refuses_from: int | None = None
    """The sequence id from which on it refuses messages."""
    silent_from: int | None = None
    """The sequence id from which on it acknowledges nothing."""
    create_error: Exception | None = None
    stored: list[Stored] = field(default_factory=list)
    last_ids: dict[str, int] = field(default_factory=dict)
    to_do: "queue.Queue[Callable[[], None]]" = field(default_factory=queue.Queue)
    before_send: Callable[[int], None] = lambda _: None
    in_flight: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        threading.Thread(target=self._acknowledge_in_order, daemon=True).start()

    def _acknowledge_in_order(self) -> None:
        while True:
            acknowledge = self.to_do.get()
            time.sleep(ACKNOWLEDGEMENT_SECONDS)
            acknowledge()

    def last_sequence_id(self, name: str) -> int:
        return self.last_ids.get(name, -1) if self.is_deduplicating else -1

    def store(self, message: Stored) -> None:
        self.stored.append(message)
        self.last_ids[message.producer_name] = message.sequence_id


class FakeProducer:
    def __init__(self, broker: FakeBroker, name: str) -> None:
        self.broker, self.name = broker, name
        self.last = broker.last_sequence_id(name)

    def producer_name(self) -> str:
        return self.name

    def last_sequence_id(self) -> int:
        return self.last

    def close(self) -> None:
        pass

    def send_async(
        self,
        content: bytes,
        callback: Callable[[Any, Any], None],
        *,
        properties: dict[str, str],
        partition_key: str | None,
        sequence_id: int,
        event_timestamp: int | None,
    ) -> None:
        broker = self.broker
        broker.before_send(sequence_id)
        broker.in_flight += 1
        broker.most_in_flight = max(broker.most_in_flight, broker.in_flight)
        if broker.silent_from is not None and sequence_id >= broker.silent_from:
            return
        result = pulsar.Result.Ok
        if broker.refuses_from is not None and sequence_id >= broker.refuses_from:
            result = pulsar.Result.ProducerBlockedQuotaExceededError
        elif not broker.is_deduplicating or sequence_id > broker.last_sequence_id(self.name):
            broker.store(
                Stored(self.name, sequence_id, content, properties, partition_key, event_timestamp)
            )

        def acknowledge() -> None:
            broker.in_flight -= 1
            callback(result, None)

        broker.to_do.put(acknowledge)


class FakeMessage:
    """A stored message as a reader hands it out: ledger 1, its place as the entry."""

    def __init__(self, stored: Stored, entry: int) -> None:
        self.stored, self.entry = stored, entry

    def message_id(self) -> pulsar.MessageId:
        return pulsar.MessageId(ledger_id=1, entry_id=self.entry)

    def data(self) -> bytes:
        return self.stored.payload

    def properties(self) -> dict[str, str]:
        return self.stored.properties

    def publish_timestamp(self) -> int:
        return FIRST_PUBLISHED_MS + self.entry


class FakeReader:
    def __init__(self, broker: FakeBroker, start: int) -> None:
        self.broker, self.next = broker, start

    def has_message_available(self) -> bool:
        return self.next < len(self.broker.stored)

    def read_next(self, **_: int) -> FakeMessage:
        self.next += 1
        return FakeMessage(self.broker.stored[self.next - 1], self.next - 1)

    def close(self) -> None:
        pass


class FakeClient:
    def __init__(self, broker: FakeBroker) -> None:
        self.broker = broker

    def create_producer(self, _: str, *, producer_name: str, **settings: Any) -> FakeProducer:
        if self.broker.create_error is not None:
            raise self.broker.create_error
        assert settings["batching_enabled"] is False
        assert settings["send_timeout_millis"] == 0
        return FakeProducer(self.broker, producer_name)

    def create_reader(self, _: str, start: Any, **settings: Any) -> FakeReader:
        assert settings["start_message_id_inclusive"] is True
        return FakeReader(self.broker, max(0, start.entry_id()))

    def get_topic_partitions(self, topic: str) -> list[str]:
        return [topic] * self.broker.partitions

    def close(self) -> None:
        pass

    def shutdown(self) -> None:
        pass


@contextmanager
def running(broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBroker]:
    """Every client talks to this broker for as long as the context lasts."""
    with monkeypatch.context() as patch:
        patch.setattr(topic, "_require_listener", lambda *_: None)
        patch.setattr(pulsar, "Client", lambda *_, **__: FakeClient(broker))
        yield broker
