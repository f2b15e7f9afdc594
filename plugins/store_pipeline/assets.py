"""The tables as Airflow's assets: who has new rows says so, and what follows from them begins."""

from __future__ import annotations

from airflow.sdk import Asset

SILVER = Asset("silver_detection", uri="x-iceberg://lakehouse/silver_detection")
"""Its events carry `days`: the UTC days of which there are new detections."""
GOLD = Asset("gold", uri="x-iceberg://lakehouse/gold")
"""Its events carry `days`: the UTC days that were rebuilt, audited and published."""
