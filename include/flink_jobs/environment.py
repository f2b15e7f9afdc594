"""A table environment set up as every job here needs it."""

from __future__ import annotations

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import EnvironmentSettings, StreamTableEnvironment, TableEnvironment

from flink_jobs import sql
from flink_jobs.settings import JobSettings

STATE_MEMORY = "128 mb"
"""Of RocksDB, beside the TaskManager's managed memory: a slot's share of that, 28 MB, is less than
the write buffers take, so that each few keys made a file."""


def create(settings: JobSettings, *, streaming: bool) -> TableEnvironment:
    """Return an environment in UTC with the catalogue `lakehouse` and this job's checkpoints."""
    mode = EnvironmentSettings.new_instance()
    environment = TableEnvironment.create(
        (mode.in_streaming_mode() if streaming else mode.in_batch_mode()).build()
    )
    _set_up(environment, settings, streaming=streaming)
    return environment


def create_over_streams(settings: JobSettings) -> StreamTableEnvironment:
    """Return a streaming environment as `create` does, whose tables can become streams and back."""
    environment = StreamTableEnvironment.create(
        StreamExecutionEnvironment.get_execution_environment(),
        EnvironmentSettings.in_streaming_mode(),
    )
    _set_up(environment, settings, streaming=True)
    return environment


def _set_up(environment: TableEnvironment, settings: JobSettings, *, streaming: bool) -> None:
    options = {
        "pipeline.name": settings.pipeline_name,
        "parallelism.default": str(settings.parallelism),
        "table.local-time-zone": "UTC",
        # rows that a NOT NULL column cannot take must stop the job, not vanish
        "table.exec.sink.not-null-enforcer": "ERROR",
        # operators of one task hand rows on as they are; by default each takes a copy, which was a
        # third of the time (docs/performance.md)
        "pipeline.object-reuse": "true",
    }
    if streaming:
        options |= {
            "execution.checkpointing.interval": f"{settings.checkpoint_interval_seconds} s",
            "execution.checkpointing.mode": "EXACTLY_ONCE",
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            "execution.checkpointing.dir": settings.checkpoint_uri,
            "execution.checkpointing.savepoint-dir": f"{settings.checkpoint_uri}/savepoints",
        }
    else:
        # merging what was sorted in a thread beside the task's, Flink 1.20.5 mixes rows up now and
        # then when a sort has written more files than it reads at once, and nothing fails (ADR 022)
        options["table.exec.sort.async-merge-enabled"] = "false"
    for name, value in options.items():
        environment.get_config().set(name, value)
    environment.execute_sql(sql.catalog(settings.connections))


def remember_keys(tables: TableEnvironment, seconds: int) -> None:
    """Let the job remember each key that it has seen for so many seconds, on disk (ADR 012)."""
    options = {
        "table.exec.state.ttl": f"{seconds} s",
        # on the heap a key takes 250 bytes, and each checkpoint writes them all
        "state.backend.type": "rocksdb",
        "execution.checkpointing.incremental": "true",
        "state.backend.rocksdb.memory.fixed-per-slot": STATE_MEMORY,
        # nearly every key that is looked up is new: the filter says so without reading a file
        "state.backend.rocksdb.use-bloom-filter": "true",
        # a whole filter of 2 million keys has no place in the cache: it was read anew for each key
        "state.backend.rocksdb.memory.partitioned-index-filters": "true",
    }
    for name, value in options.items():
        tables.get_config().set(name, value)
