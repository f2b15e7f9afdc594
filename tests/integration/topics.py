"""Topics of the real broker for tests: made, read, waited for, removed."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pulsar
import pytest

PULSAR_URL = os.environ.get("RVA_PULSAR_URL", "pulsar://127.0.0.1:6650")
ADMIN_URL = os.environ.get("RVA_PULSAR_ADMIN_URL", "http://127.0.0.1:8084")


def require_broker() -> None:
    """Fail where no broker is healthy."""
    try:
        httpx.get(f"{ADMIN_URL}/admin/v2/brokers/health", timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        pytest.fail(f"Pulsar at {ADMIN_URL} is not healthy ({error}): run `make up`")


@contextmanager
def new_topic(prefix: str) -> Iterator[str]:
    """A topic of its own in retail/metadata, deleted in the end."""
    name = f"{prefix}-{uuid.uuid4().hex[:12]}"
    yield f"persistent://retail/metadata/{name}"
    httpx.delete(
        f"{ADMIN_URL}/admin/v2/persistent/retail/metadata/{name}",
        params={"force": "true"},
        timeout=30,
    )


def messages_of(topic: str) -> list[Any]:
    """All that the topic holds, from the beginning."""
    client = pulsar.Client(
        PULSAR_URL, logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull)
    )
    try:
        reader = client.create_reader(topic, pulsar.MessageId.earliest, receiver_queue_size=10_000)
        found = []
        while reader.has_message_available():
            found.append(reader.read_next(timeout_millis=10_000))
        return found
    finally:
        client.close()


def wait_for_messages(topic: str, count: int) -> None:
    """Wait until the broker has counted so many messages."""
    name = topic.rpartition("/")[2]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        stats = httpx.get(f"{ADMIN_URL}/admin/v2/persistent/retail/metadata/{name}/stats")
        if stats.is_success and stats.json()["msgInCounter"] >= count:
            return
        time.sleep(0.05)
    pytest.fail(f"{topic} had fewer than {count} messages after 60 s")
