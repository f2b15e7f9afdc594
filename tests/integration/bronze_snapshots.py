"""Snapshots of Bronze with chosen messages, without Pulsar and without the job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from integration.conftest import Deployment
from lakehouse import tables
from lakehouse.audit.bronze_rows import bronze_row
from replay.retained import RetainedMessage


def append_to_bronze(
    deployment: Deployment, payloads: Sequence[bytes], number: int, *, times: int = 1
) -> None:
    """One snapshot of Bronze with these messages, as the job would have written them.

    `times`: how often it has read them all, as after a start without checkpoint.
    """
    now = datetime.now(UTC)
    rows = [
        bronze_row(
            RetainedMessage(
                message_id=_message_id(number, place % len(payloads)),
                properties={},
                payload=payload,
                publish_ms=int(now.timestamp() * 1000),
            ),
            now + timedelta(milliseconds=place),
        )
        for place, payload in enumerate([*payloads] * times)
    ]
    table = tables.load(deployment.catalog, deployment.database, "bronze_raw")
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))


def _message_id(ledger: int, entry: int) -> bytes:
    """`08 <ledger> 10 <entry>`, for numbers under 128 * 128."""
    return bytes((0x08, *_varint(ledger), 0x10, *_varint(entry)))


def _varint(number: int) -> tuple[int, ...]:
    low, high = number & 0x7F, number >> 7
    return (low | 0x80, high) if high else (low,)
