"""`python -m bench.backfill`: a day of 20 cameras rebuilt, beside DuckDB doing the same.

Silver is filled by PyIceberg from a simulated day. Then the day is rebuilt by the steps of
`gold_nightly_backfill` (Airflow's own time, some ten seconds, is not in it), and DuckDB makes the
same four tables of the same Parquet files, on a local disk. The results must be equal, row for row.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from bench.outcome import conclude
from bench.place import CANNOT_SAY, Place, await_look, own_place, say
from bench.stages.usage import watched
from flink_rest.waits import JobFinishes
from lakehouse import tables
from lakehouse.backfill import auditing, drift, record
from lakehouse.backfill.claims import branch_heads, claim, release
from lakehouse.backfill.publishing import publish
from lakehouse.proving.actual import gold_by_trino, load_gold
from lakehouse.proving.comparing import Comparison, compare, compared
from lakehouse.proving.settings import ProofSettings
from lakehouse.proving.workbench import workbench
from lakehouse.schema import DAILY_GOLD, SILVER_DETECTION
from store_simulator import files
from store_simulator.scenario_file import load

HERE = Path(__file__).parent
RESULT = "backfill.json"
SCENARIO = HERE / "day_of_20_cameras.yaml"
QUICK_STORES = 1
ROWS_A_COMMIT = 500_000
OWNER = "bench"
SERVERS = ("flink-taskmanager", "trino")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run; memory is resident, the highest of each process while the day was rebuilt."""

    measured_at: str
    cores: int
    load_average_before: float
    cameras: int
    frames: int
    detections: int
    step_seconds: dict[str, float]
    backfill_seconds: float
    detections_per_second: int
    peak_mib: dict[str, int]
    duckdb_seconds: float
    duckdb_peak_mib: int
    times_duckdb: float
    """The whole backfill's seconds over DuckDB's."""
    batch_times_duckdb: float
    """The Flink job's alone."""
    rows: dict[str, tuple[int, int]]
    """Of each Gold table: DuckDB's rows, the lakehouse's."""
    equal: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the result; 1 if the two differ, 2 if one cannot say."""
    parser = argparse.ArgumentParser(prog="python -m bench.backfill", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one store, and nothing is written")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING)
    try:
        with own_place() as place, tempfile.TemporaryDirectory(prefix="rva-bench-") as folder:
            result = measure(place, Path(folder), QUICK_STORES if arguments.quick else None)
    except CANNOT_SAY as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return conclude(result, RESULT, is_good=result.equal, keep=not arguments.quick)


def measure(place: Place, folder: Path, stores: int | None) -> Result:
    """Fill Silver, rebuild the day, let DuckDB do it too, and compare."""
    scenario = load(str(SCENARIO))
    scenario = msgspec.structs.replace(scenario, stores=scenario.stores[:stores])
    day = scenario.start.date()
    written = files.write(scenario, folder / "frames", threading.Event())
    fill_silver(place, folder / "frames")
    say(f"{written.frames:,} frames, {written.detections:,} detections in Silver")

    load_average = os.getloadavg()[0]
    seconds: dict[str, float] = {}
    with watched() as usage:
        rebuild(place, day, seconds)
    total = sum(seconds.values())
    say(f"{day} rebuilt in {total:.0f} s")

    by_duckdb = duckdb_gold(place, folder)
    say(f"by DuckDB in {by_duckdb['seconds']:.0f} s")
    comparisons = compare_gold(place, folder / "gold", day)
    for each in comparisons:
        say(f"{each.table}: {'equal' if each.agrees else f'DIFFERS: {each}'}")
    return Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cores=os.cpu_count() or 0,
        load_average_before=round(load_average, 1),
        cameras=sum(len(store.cameras) for store in scenario.stores),
        frames=written.frames,
        detections=written.detections,
        step_seconds={name: round(value, 1) for name, value in seconds.items()},
        backfill_seconds=round(total, 1),
        detections_per_second=round(written.detections / total),
        peak_mib={name: usage.peak_mib[name] for name in SERVERS},
        duckdb_seconds=round(by_duckdb["seconds"], 1),
        duckdb_peak_mib=round(by_duckdb["peak_mib"]),
        times_duckdb=round(total / by_duckdb["seconds"], 2),
        batch_times_duckdb=round(seconds["rebuild_gold"] / by_duckdb["seconds"], 2),
        rows={each.table: (each.expected, each.actual) for each in comparisons},
        equal=all(each.agrees and each.expected > 0 for each in comparisons),
    )


def fill_silver(place: Place, frames: Path) -> None:
    """Put each camera's file into Silver, as the Silver job would have it."""
    table = tables.load(place.catalog, place.database, SILVER_DETECTION.name)
    schema = table.schema().as_arrow()
    names = ", ".join(column.name for column in SILVER_DETECTION.columns)
    query = (HERE / "silver_of_frames.sql").read_text(encoding="utf-8")
    for path in sorted(frames.glob("*.jsonl")):
        with duckdb.connect(config={"threads": 2}) as connection:
            connection.execute("SET VARIABLE path = ?", [str(path)])
            reader = connection.sql(
                f"SELECT {names} FROM ({query})"  # noqa: S608 - our own text
            ).to_arrow_reader(ROWS_A_COMMIT)
            for batch in reader:
                table.append(pa.Table.from_batches([batch]).cast(schema))
        path.unlink()
        say(f"{path.stem} in Silver")


def rebuild(place: Place, day: date, seconds: dict[str, float]) -> None:
    """Take the steps of gold_nightly_backfill; notes how long each took."""
    settings, catalog, database = place.lakehouse, place.catalog, place.database

    @contextmanager
    def step(name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        seconds[name] = time.monotonic() - began

    with step("claim_day"):
        claimed = claim(catalog, database, day, OWNER)
    try:
        with step("rebuild_gold"):
            job = place.start(
                "gold_batch",
                *("--day", day.isoformat(), "--branch", claimed.branch),
                *("--silver-snapshot-id", str(claimed.silver_snapshot_id)),
            )
            await_look(JobFinishes(place.flink, job))
        heads = branch_heads(catalog, database, day)
        with step("audit_day"):
            auditing.audit(settings, claimed, heads)
        with step("measure_drift"):
            found = drift.measure(settings, claimed, heads)
        with step("publish_day"):
            record.write(
                catalog,
                database,
                claimed,
                published=publish(catalog, database, day, OWNER, heads),
                drift=found,
                replaced="stream",
                silver_rows=drift.silver_rows(settings, claimed),
            )
    finally:
        with step("release_day"):
            release(catalog, database, day, OWNER)


def duckdb_gold(place: Place, folder: Path) -> dict[str, float]:
    """Fetch Silver's files and let DuckDB make Gold of them."""
    (folder / "silver").mkdir()
    (folder / "gold").mkdir()
    table = tables.load(place.catalog, place.database, SILVER_DETECTION.name)
    for number, task in enumerate(table.scan().plan_files()):
        content = table.io.new_input(task.file.file_path).open().read()
        (folder / "silver" / f"{number}.parquet").write_bytes(content)
    command = [sys.executable, "-m", "bench.duckdb_gold", str(folder / "silver")]
    printed = subprocess.run(
        [*command, str(folder / "gold")], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return dict(json.loads(printed))


def compare_gold(place: Place, gold: Path, day: date) -> list[Comparison]:
    """Compare what Trino reads with what DuckDB has made, row for row."""
    with workbench(ProofSettings()) as bench:
        for name in DAILY_GOLD:
            bench.execute(f"CREATE TABLE {name} AS FROM '{gold}/{name}.parquet'")
        load_gold(bench, gold_by_trino(place.lakehouse), [day])
        bench.run("difference")
        for name in DAILY_GOLD:
            bench.execute(f"CREATE VIEW expected_{name} AS FROM {name}")
            bench.execute(f"CREATE VIEW shown_{name} AS FROM actual_{name}")
        return [compare(bench, compared(name)) for name in DAILY_GOLD]


if __name__ == "__main__":
    sys.exit(main())
