"""The streaming jobs brought onto the cluster without Airflow: after a crash or a restart.

Only what is needed is imported: where nobody has started a job, the catalogue is not asked.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from flink_rest.client import FlinkClient
from flink_rest.commits import rows_of
from flink_rest.errors import EndedByHand, FlinkRestError
from flink_rest.jobs import JobSpec, ensure_job, is_known
from flink_rest.settings import FlinkSettings
from flink_rest.waits import JobRuns, wait_for
from store_pipeline import jobs
from store_pipeline.settings import PipelineSettings

log = logging.getLogger(__name__)

STREAMS: dict[str, Callable[[PipelineSettings], dict[str, Any]]] = {
    "bronze_ingest": jobs.bronze_ingest,
    "silver_detections": jobs.silver_detections,
    "gold_streaming": lambda settings: jobs.gold_streaming_without(
        settings, closed_days_of(settings)
    ),
}
"""Each job's keywords, in the order of the data; the catalogue is asked for Gold's closed days."""
RUNNING_SECONDS = 180.0
"""How long a job may take to run with all its tasks; it needs some 10 s on two busy cores."""
TASKMANAGER_SECONDS = 180.0
"""How long a TaskManager may take to register with a JobManager that was started again."""
_LOOK_AGAIN_SECONDS = 0.5


def ensure_streams(
    client: FlinkClient,
    settings: PipelineSettings,
    flink: FlinkSettings,
    *,
    wanted: Sequence[str] = tuple(STREAMS),
    resume_only: bool = False,
) -> Iterator[str | FlinkRestError]:
    """Ensure the jobs in the order of the data, make their tables, wait until all run; tell each.

    One that cannot be ensured, or does not come to run, keeps none of the others down: its error is
    told in its place. Run again it adopts what runs.

    :param wanted: names of `STREAMS`
    :param resume_only: leave alone what nobody has started yet, or somebody has ended by hand
    :raises FlinkRestError: Flink does not answer.
    :raises LakehouseError: the tables cannot be made, or the database's name cannot be used.
    """
    asked = [job for job in STREAMS if job in wanted]
    known = [job for job in asked if not resume_only or _is_known(client, job, settings, flink)]
    if not known:
        yield "no streaming job to resume: none has left a checkpoint"
        return
    _await_taskmanager(client)
    _ensure_tables(settings)
    ensured = []
    for job in asked:
        if job not in known:
            yield f"{job}: not started, as nobody has started it yet (it has left no checkpoint)"
            continue
        try:
            done = ensure_job(
                client,
                _spec(STREAMS[job](settings), flink),
                checkpoint_dir=flink.checkpoint_dir,
                target_rows=rows_of,
                leave_ended_by_hand=resume_only,
            )
        except EndedByHand as ended:
            yield f"{job}: left alone, as {ended}"
        except FlinkRestError as error:
            yield error
        else:
            came_from = f" from {done.restored_from}" if done.restored_from else ""
            yield f"{job}: {done.how}{came_from}, job {done.job_id}"
            ensured.append(done.job_id)
    for job_id in ensured:
        try:
            wait_for(
                JobRuns(client, job_id),
                RUNNING_SECONDS,
                tell=log.warning,
                every_seconds=_LOOK_AGAIN_SECONDS,
            )
        except FlinkRestError as error:
            yield error


def _is_known(
    client: FlinkClient, job: str, settings: PipelineSettings, flink: FlinkSettings
) -> bool:
    name = jobs.job_name(job, settings.database)
    return is_known(client, name, checkpoint_dir=flink.checkpoint_dir)


def _spec(job: dict[str, Any], flink: FlinkSettings) -> JobSpec:
    """Read an operator's keywords as the operator does."""
    return JobSpec(
        name=job["job_name"],
        script=f"{flink.jobs_dir}/{job['script']}",
        arguments=tuple(job["arguments"]),
        refuse_fresh_start_when_rows_in=tuple(job.get("refuse_fresh_start_when_rows_in", ())),
        restart_when_changed=job.get("restart_when_changed", {}),
        how_to_rebuild=job.get("how_to_rebuild", JobSpec.how_to_rebuild),
    )


def _ensure_tables(settings: PipelineSettings) -> None:
    from lakehouse.catalog import connect
    from lakehouse.settings import LakehouseSettings
    from lakehouse.tables import ensure_tables

    lakehouse = replace(LakehouseSettings.from_env(), database=settings.database)
    ensure_tables(connect(lakehouse), lakehouse.database)


def closed_days_of(settings: PipelineSettings) -> list[str]:
    """Name the days that batches have closed."""
    from lakehouse.catalog import connect
    from lakehouse.closing import closed_days

    return [day.isoformat() for day in closed_days(connect(), settings.database)]


def _await_taskmanager(client: FlinkClient) -> None:
    """Wait for a TaskManager; whether it has room is `ensure_job`'s to say."""
    give_up_at = time.monotonic() + TASKMANAGER_SECONDS
    while client.overview().taskmanagers == 0 and time.monotonic() < give_up_at:
        time.sleep(_LOOK_AGAIN_SECONDS)
