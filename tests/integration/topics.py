"""Topics of the real broker for tests: made, read, waited for, removed."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pulsar
import pytest

from integration.conftest import ANSWER_SECONDS, wait_until

PULSAR_URL = os.environ.get("RVA_PULSAR_URL", "pulsar://127.0.0.1:6650")
ADMIN_URL = os.environ.get("RVA_PULSAR_ADMIN_URL", "http://127.0.0.1:8084")
HEALTHY_SECONDS = 180.0
"""How long the broker may be ill: to check itself it sends a message, which must not be slow."""
PUBLISHED_SECONDS = 240.0


def require_broker() -> None:
    """Fail where no broker is healthy, at once where none listens."""
    give_up_at = time.monotonic() + HEALTHY_SECONDS
    while True:
        try:
            url = f"{ADMIN_URL}/admin/v2/brokers/health"
            httpx.get(url, timeout=ANSWER_SECONDS).raise_for_status()
        except httpx.HTTPError as error:
            if isinstance(error, httpx.ConnectError) or time.monotonic() > give_up_at:
                pytest.fail(f"Pulsar at {ADMIN_URL} is not healthy ({error}): run `make up`")
            time.sleep(1)
        else:
            return


@contextmanager
def new_topic(prefix: str) -> Iterator[str]:
    """A topic of its own in retail/metadata, deleted in the end."""
    name = f"{prefix}-{uuid.uuid4().hex[:12]}"
    yield f"persistent://retail/metadata/{name}"
    httpx.delete(
        f"{ADMIN_URL}/admin/v2/persistent/retail/metadata/{name}",
        params={"force": "true"},
        timeout=2 * ANSWER_SECONDS,
    )


def messages_of(topic: str) -> list[Any]:
    """All that the topic holds, from the beginning."""
    client = pulsar.Client(
        PULSAR_URL,
        operation_timeout_seconds=120,
        logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull),
    )
    try:
        reader = client.create_reader(topic, pulsar.MessageId.earliest, receiver_queue_size=10_000)
        found = []
        while reader.has_message_available():
            found.append(reader.read_next(timeout_millis=120_000))
        return found
    finally:
        client.close()


def wait_for_messages(topic: str, count: int) -> None:
    """Wait until the broker has counted so many messages."""

    def are_there() -> bool:
        with suppress(httpx.HTTPError):
            return message_count(topic) >= count
        return False

    wait_until(f"{topic} has {count} messages", are_there, PUBLISHED_SECONDS)


def message_count(topic: str) -> int:
    """How many messages the broker has counted."""
    name = topic.rpartition("/")[2]
    url = f"{ADMIN_URL}/admin/v2/persistent/retail/metadata/{name}/stats"
    return int(httpx.get(url, timeout=ANSWER_SECONDS).raise_for_status().json()["msgInCounter"])
