"""A table environment set up as every job here needs it."""

from __future__ import annotations

from pyflink.table import EnvironmentSettings, TableEnvironment

from flink_jobs import sql
from flink_jobs.settings import JobSettings


def create(settings: JobSettings, *, streaming: bool) -> TableEnvironment:
    """Return an environment in UTC with the catalogue `lakehouse` and this job's checkpoints."""
    mode = EnvironmentSettings.new_instance()
    environment = TableEnvironment.create(
        (mode.in_streaming_mode() if streaming else mode.in_batch_mode()).build()
    )
    options = {
        "pipeline.name": settings.pipeline_name,
        "parallelism.default": str(settings.parallelism),
        "table.local-time-zone": "UTC",
        # rows that a NOT NULL column cannot take must stop the job, not vanish
        "table.exec.sink.not-null-enforcer": "ERROR",
    }
    if streaming:
        options |= {
            "execution.checkpointing.interval": f"{settings.checkpoint_interval_seconds} s",
            "execution.checkpointing.mode": "EXACTLY_ONCE",
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "execution.checkpointing.dir": settings.checkpoint_uri,
            "execution.checkpointing.savepoint-dir": f"{settings.checkpoint_uri}/savepoints",
        }
    for name, value in options.items():
        environment.get_config().set(name, value)
    environment.execute_sql(sql.catalog(settings.connections))
    return environment
