"""The pipeline's Flink jobs as the operators want them: name, script, command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flink_rest.lineage import DatasetName
from store_pipeline.settings import PipelineSettings

DEFAULT_DATABASE = "rva"
CATALOG = "lakehouse"
"""Trino's name of the Iceberg catalogue."""
DAILY_GOLD = (
    "gold_people_per_minute",
    "gold_track_summary",
    "gold_zone_dwell",
    "gold_zone_heatmap",
)
"""What streaming Gold and the batch of a day both write."""
REBUILDABLE = ("bronze", "silver", "gold_streaming")
"""What the form's `rebuild` can name."""


def job_name(job: str, database: str) -> str:
    """Return a job's `pipeline.name`: the jobs of another database than the default name it."""
    return job if database == DEFAULT_DATABASE else f"{job}@{database}"


def rebuild_asked(*which: str) -> str:
    """Return the template that tells whether the form asks for one of these of `REBUILDABLE`."""
    return f"{{{{ params.rebuild in {which!r} }}}}"


def topic_dataset(settings: PipelineSettings) -> DatasetName:
    """Name the topic for lineage."""
    address = urlsplit(settings.pulsar_url)
    return DatasetName(f"{address.scheme}://{_host(address)}", settings.topic)


def table_dataset(settings: PipelineSettings, table: str) -> DatasetName:
    """Name a table for lineage: as Trino's provider does, so that the checks are about it too."""
    address = urlsplit(settings.trino_url)
    host = _host(address)
    if ":" not in host:
        host += ":443" if address.scheme == "https" else ":80"
    return DatasetName(f"trino://{host}", f"{CATALOG}.{settings.table(table)}")


def _host(address: SplitResult) -> str:
    """Leave out user and password. Whether there can be such a port is not asked of a DAG file."""
    return address.netloc.rpartition("@")[2]


def bronze_ingest(settings: PipelineSettings) -> dict[str, Any]:
    """Pulsar to bronze_raw, streaming. A fresh start re-reads the topic into the same table."""
    return (
        _streaming(settings, "bronze_ingest", "--topic", settings.topic)
        | _appends(settings, "bronze_raw", rebuild="bronze")
        | {"reads": [topic_dataset(settings)], "writes": _datasets(settings, "bronze_raw")}
    )


def silver_detections(settings: PipelineSettings) -> dict[str, Any]:
    """bronze_raw to Silver, streaming. A fresh start re-reads Bronze into the same tables."""
    written = ("silver_detection", "silver_quarantine")
    return (
        _streaming(settings, "silver_detections")
        | _appends(settings, *written, rebuild="silver")
        | {"reads": _datasets(settings, "bronze_raw"), "writes": _datasets(settings, *written)}
    )


def gold_streaming(settings: PipelineSettings) -> dict[str, Any]:
    """Silver to Gold, streaming. It replaces rows by key, so a fresh start does no harm.

    The DAG's macro `closed_days` (`CLOSED_DAYS`) names the days that batches have closed, when the
    job is looked at: they are out of the stream's reach; one that runs without some is restarted.
    """
    return _gold_streaming(
        settings,
        listed="{{ closed_days() | join(',') }}",
        shown="{{ closed_days() | join(';') or 'none' }}",
    )


def gold_streaming_without(settings: PipelineSettings, days: Iterable[str]) -> dict[str, Any]:
    """`gold_streaming` with the closed days themselves, for those who have no task to name."""
    days = tuple(days)
    return _gold_streaming(settings, listed=",".join(days), shown=";".join(days) or "none")


def gold_batch(settings: PipelineSettings) -> dict[str, Any]:
    """Silver to Gold, one day, overwriting it; its command line is `gold_batch_arguments`."""
    name = "gold_batch"
    return {
        "job_name": job_name(name, settings.database),
        "script": f"{name}.py",
        "batch": True,
        "reads": _datasets(settings, "silver_detection"),
        "writes": _datasets(settings, *DAILY_GOLD),
    }


def gold_batch_arguments(
    settings: PipelineSettings, day: Any, *, branch: Any = None, silver: Any = None
) -> list[Any]:
    """Return the command line of the batch of one UTC day; all but the settings may be XComs.

    :param day: `2026-11-24`
    :param branch: where it writes; None: what is published
    :param silver: the snapshot of silver_detection that it reads; None: the newest
    """
    given = {"--branch": branch, "--silver-snapshot-id": silver}
    named = [each for pair in given.items() if pair[1] is not None for each in pair]
    return ["--database", settings.database, *named, "--day", day]


def _gold_streaming(settings: PipelineSettings, *, listed: str, shown: str) -> dict[str, Any]:
    arguments = ["--closed-days", listed]
    # as flink_jobs.gold_streaming shows them
    wanted = {"closed-days": shown}
    if settings.lateness_seconds is not None:
        arguments += ["--lateness-seconds", str(settings.lateness_seconds)]
        wanted["lateness-seconds"] = str(settings.lateness_seconds)
    return _streaming(settings, "gold_streaming", *arguments) | {
        "restart_when_changed": wanted,
        "reads": _datasets(settings, "silver_detection"),
        "writes": _datasets(settings, *DAILY_GOLD, "gold_late_events"),
    }


def _datasets(settings: PipelineSettings, *tables: str) -> list[DatasetName]:
    return [table_dataset(settings, table) for table in tables]


def _streaming(settings: PipelineSettings, job: str, *arguments: str) -> dict[str, Any]:
    interval = settings.checkpoint_interval_seconds
    if interval is not None:
        arguments = (*arguments, "--checkpoint-interval-seconds", str(interval))
    return {
        "job_name": job_name(job, settings.database),
        "script": f"{job}.py",
        "arguments": ["--database", settings.database, *arguments],
    }


def _appends(settings: PipelineSettings, *tables: str, rebuild: str) -> dict[str, Any]:
    """Guard a job that appends to tables, and say how it is rebuilt."""
    return {
        "refuse_fresh_start_when_rows_in": [settings.table(table) for table in tables],
        "how_to_rebuild": f'empty what it writes with `make lakehouse ARGS="empty '
        f'{" ".join(tables)}"` and trigger the DAG retail_video_analytics with '
        f"rebuild={rebuild}",
    }
