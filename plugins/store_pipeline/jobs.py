"""The pipeline's Flink jobs as the operators want them: name, script, command line."""

from __future__ import annotations

from typing import Any

from store_pipeline.settings import PipelineSettings

DEFAULT_DATABASE = "rva"


def job_name(job: str, database: str) -> str:
    """Return a job's `pipeline.name`: the jobs of another database than the default name it."""
    return job if database == DEFAULT_DATABASE else f"{job}@{database}"


def bronze_ingest(settings: PipelineSettings) -> dict[str, Any]:
    """Pulsar to bronze_raw, streaming. A fresh start re-reads the topic into the same table."""
    return _streaming(settings, "bronze_ingest", "--topic", settings.topic) | {
        "refuse_fresh_start_when_rows_in": settings.table("bronze_raw")
    }


def silver_detections(settings: PipelineSettings) -> dict[str, Any]:
    """bronze_raw to Silver, streaming. A fresh start re-reads Bronze into the same tables."""
    return _streaming(settings, "silver_detections") | {
        "refuse_fresh_start_when_rows_in": settings.table("silver_detection")
    }


def gold_streaming(settings: PipelineSettings, *, closed_days_from: str) -> dict[str, Any]:
    """Silver to Gold, streaming. It replaces rows by key, so a fresh start does no harm.

    :param closed_days_from: task that returns the days that batches have closed: they are out of
        the reach of a stream that is started or resumed
    """
    closed = f"{{{{ ti.xcom_pull(task_ids='{closed_days_from}') | join(',') }}}}"
    return _streaming(settings, "gold_streaming", "--closed-days", closed)


def gold_batch(settings: PipelineSettings) -> dict[str, Any]:
    """Silver to Gold, one day, overwriting it; its command line is `gold_batch_arguments`."""
    name = "gold_batch"
    return {
        "job_name": job_name(name, settings.database),
        "script": f"{name}.py",
        "batch": True,
    }


def gold_batch_arguments(settings: PipelineSettings, day: Any) -> list[Any]:
    """Return the command line of the batch of one UTC day (`2026-11-24`, or an XCom of it)."""
    return ["--database", settings.database, "--day", day]


def _streaming(settings: PipelineSettings, job: str, *arguments: str) -> dict[str, Any]:
    return {
        "job_name": job_name(job, settings.database),
        "script": f"{job}.py",
        "arguments": ["--database", settings.database, *arguments],
    }
