"""A streaming job of a newer version, which fills one column more: its name, then its arguments."""

from __future__ import annotations

import importlib
import sys

from flink_jobs import sql

FILLED = {
    "bronze_ingest": ("bronze/bronze_raw.sql", "properties['schema_version'] AS schema_version"),
    "silver_detections": ("silver/silver_detection.sql", "(x2 - x1) * (y2 - y1) AS area_px"),
}
"""By job: the text of its query, and what that selects besides."""
LAST = "\n  ingest_ts\nFROM"
"""How both queries end their list of columns."""

job = sys.argv.pop(1)
text_of_query, besides = FILLED[job]
_render = sql.render


def with_the_column(name: str, **values: object) -> str:
    text = _render(name, **values)
    if name != text_of_query:
        return text
    if text.count(LAST) != 1:
        raise ValueError(f"{name} ends its columns in another way than {LAST!r}")
    return text.replace(LAST, f"\n  ingest_ts,\n  {besides}\nFROM")


sql.render = with_the_column
importlib.import_module(f"flink_jobs.{job}").main()
