"""Silver filled without its job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
from silver_items import items

from frame_contract import Frame, encode
from integration.conftest import Deployment
from lakehouse import tables


def put_into_silver(deployment: Deployment, frames: Sequence[Frame], ingest_ts: datetime) -> None:
    """Append the frames' detections in one commit."""
    rows = [item.row for frame in frames for item in items(encode(frame), b"id", ingest_ts)]
    table = tables.load(deployment.catalog, deployment.database, "silver_detection")
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
