"""How much memory the servers are given: usually, and where 4 GB must do (ADR 025)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Memory:
    """Sizes in MiB; each is set by `RVA_MEMORY_<NAME>`. Together the servers stay below 6 GB."""

    pulsar_heap: int = 512
    pulsar_direct: int = 384
    catalog_heap: int = 192
    flink_jobmanager: int = 1200
    """Of the whole process; Flink divides it."""
    flink_taskmanager: int = 2200
    """Of the whole process; Python workers and RocksDB are beside it."""
    trino_heap: int = 1024
    minio: int = 256
    """Above it Go collects garbage more often; a soft limit."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What goes together; each setting that is made by hand wins over it."""

    memory: Memory
    task_slots: int
    airflow_tasks: int
    """How many of them run at the same time; Airflow's own default forks 32 workers, 7 GB."""
    jvm_flags: tuple[str, ...]
    """Of every server's JVM, after its own."""
    pulsar_flags: tuple[str, ...]
    """Of Pulsar's JVM, beside these."""
    environment: tuple[tuple[str, str], ...]
    """Of every server of Java."""
    config: str | None
    """Folder of `config/` whose values come after the servers' own."""


DEFAULT = Profile(
    memory=Memory(),
    task_slots=8,
    airflow_tasks=4,
    jvm_flags=(),
    pulsar_flags=("-XX:+UseG1GC",),
    environment=(),
    config=None,
)
SMALL = Profile(
    memory=Memory(
        pulsar_heap=192,
        pulsar_direct=160,
        catalog_heap=96,
        flink_jobmanager=800,
        flink_taskmanager=1200,
        trino_heap=400,
        minio=128,
    ),
    # three streams and a batch
    task_slots=4,
    # each takes some 130 MiB
    airflow_tasks=2,
    jvm_flags=(
        # no tables beside the heap, and no threads that work on it while the server does
        "-XX:+UseSerialGC",
        # what a burst has taken is given back
        "-XX:MinHeapFreeRatio=20",
        "-XX:MaxHeapFreeRatio=40",
    ),
    # the first compiler only, as Trino and the catalogue have it: less code, and a shorter start
    pulsar_flags=("-XX:TieredStopAtLevel=1",),
    # glibc would keep up to eight heaps for each core
    environment=(("MALLOC_ARENA_MAX", "2"),),
    config="small",
)
