"""Publishing plain payloads to a deployment's topic."""

from __future__ import annotations

from collections.abc import Iterable

import pulsar

from integration.conftest import Deployment


def publish(deployment: Deployment, payloads: Iterable[bytes]) -> None:
    """Publish one by one, as ours do, without properties."""
    with deployment.producer() as producer:
        for payload in payloads:
            producer.send_async(payload, lambda *_: None)
        producer.flush()


def publish_in_batches(deployment: Deployment, payloads: Iterable[bytes], *, of: int) -> None:
    """Publish in batches of so many, as producers of Pulsar do unless told otherwise."""
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
    )
    for payload in payloads:
        producer.send_async(payload, lambda *_: None)
    producer.flush()
    client.close()


def numbered(name: str, count: int) -> list[bytes]:
    """Payloads that are no frames, each another."""
    return [b"%s %d" % (name.encode(), number) for number in range(count)]
