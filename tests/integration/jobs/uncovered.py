"""A streaming job without what covers a known hole: the hole's name, then the job's arguments."""

from __future__ import annotations

import importlib
import re
import sys

from flink_jobs import sql

COVERS = {
    # fails the job when it cannot go back to its checkpoint
    "bronze_ingest": (
        "bronze/source.sql",
        r"\n  'pulsar\.source\.verifyInitialOffsets' = 'FAIL_ON_MISMATCH',",
    ),
    # takes a message once, though the broker gives it again when the consumer connects anew
    "bronze_ingest reconnecting": (
        "bronze/frame_events.sql",
        r"\nWHERE sending = 1",
    ),
    # reads what is there before what is new
    "silver_detections": ("silver/source.sql", r"\n +'starting-strategy' = '\w+',"),
    # hands out files in the order of arrival
    "gold_streaming": (
        "gold/source_streaming.sql",
        r",\n  'watermark-column' = 'ingest_ts',\n  'split-file-open-cost' = '134217728'",
    ),
}
"""By hole, which begins with the job's name: the text that has the cover, and the cover."""

hole = sys.argv.pop(1)
job = hole.partition(" ")[0]
uncovered_text, cover = COVERS[hole]
_render = sql.render


def without_the_cover(name: str, **values: object) -> str:
    text = _render(name, **values)
    if name != uncovered_text:
        return text
    text, taken_out = re.subn(cover, "", text)
    if taken_out != 1:
        raise ValueError(f"{name} has the cover {taken_out} times, not once")
    return text


sql.render = without_the_cover
importlib.import_module(f"flink_jobs.{job}").main()
