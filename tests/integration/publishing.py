"""Publishing plain payloads to a deployment's topic."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import count
from threading import Event

import pulsar

from integration.conftest import Deployment

PADDING_BYTES = 300
"""To have Flink parse: it must be slower than the publishing, to be inside a batch at any time."""


def publish(deployment: Deployment, payloads: Iterable[bytes]) -> None:
    """Publish one by one, as ours do, without properties."""
    with deployment.producer() as producer:
        for payload in payloads:
            producer.send_async(payload, lambda *_: None)
        producer.flush()


def publish_in_batches(deployment: Deployment, payloads: Iterable[bytes], *, of: int) -> int:
    """Publish in batches of so many, as producers of Pulsar do unless told otherwise.

    Returns how many messages it were.
    """
    client = pulsar.Client(
        deployment.variables["RVA_PULSAR_URL"],
        logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error),
    )
    producer = client.create_producer(
        deployment.topic,
        batching_enabled=True,
        batching_max_messages=of,
        batching_max_publish_delay_ms=1000,
        block_if_queue_full=True,
        send_timeout_millis=0,
    )
    sent = 0
    for payload in payloads:
        producer.send_async(payload, lambda *_: None)
        sent += 1
    producer.flush()
    client.close()
    return sent


def numbered(name: str, count: int) -> list[bytes]:
    """Payloads that are no frames, each another."""
    return [b"%s %d" % (name.encode(), number) for number in range(count)]


def until(end: Event, name: str) -> Iterator[bytes]:
    """Payloads that are no frames, each another, as many as are taken before the end."""
    for number in count():
        if end.is_set():
            return
        yield json.dumps({"name": name, "number": number, "more": "." * PADDING_BYTES}).encode()
