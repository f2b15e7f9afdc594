"""`python -m bench.duckdb_gold FILES GOLD`: the Gold of Parquet files of Silver, by DuckDB alone.

A process of its own, so that its memory can be told. The SQL is the proof's (include/sql/oracle).
Prints seconds and MiB as JSON; leaves each Gold table as `GOLD/<table>.parquet`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from lakehouse.proving.settings import ProofSettings
from lakehouse.proving.workbench import workbench
from lakehouse.schema import DAILY_GOLD, SILVER_DETECTION

MEMORY_MIB = 4096
"""As much as Flink's TaskManager may have, and more than it needs."""


def main(files: Path, gold: Path) -> None:
    """Aggregate, keep the result, and tell what it took."""
    columns = ", ".join(
        # the oracle has its times without a zone, and DuckDB's own zones are an extension
        f"make_timestamp(epoch_us({column.name})) AS {column.name}"
        if column.name == "capture_ts"
        else column.name
        for column in SILVER_DETECTION.columns
        if column.name != "ingest_ts"
    )
    with workbench(ProofSettings(memory_mib=MEMORY_MIB)) as bench:
        began = time.monotonic()
        bench.execute(
            f"CREATE VIEW silver_detection AS SELECT {columns}, "  # noqa: S608 - our names
            "CAST(NULL AS TIMESTAMP) AS arrived, TRUE AS in_scope "
            f"FROM read_parquet('{files}/*.parquet')"
        )
        bench.compute_gold()
        seconds = time.monotonic() - began
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for name in DAILY_GOLD:
            bench.execute(f"COPY {name} TO '{gold}/{name}.parquet'")
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
