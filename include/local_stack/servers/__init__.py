"""The servers of the stack, in the order in which they are listed to people."""

from __future__ import annotations

from local_stack.server import Server
from local_stack.servers import airflow, catalog, flink, minio, pulsar, trino

SERVERS = (
    Server("minio", minio.program, minio.probe, ("minio", "minio_console")),
    Server("pulsar", pulsar.program, pulsar.probe, ("pulsar", "pulsar_admin", "pulsar_bookie")),
    Server("catalog", catalog.program, catalog.probe, ("catalog",)),
    Server(
        "flink-jobmanager",
        flink.jobmanager,
        flink.probe_jobmanager,
        ("flink", "flink_rpc", "flink_blob", "flink_metrics"),
    ),
    Server(
        "flink-taskmanager",
        flink.taskmanager,
        flink.probe_taskmanager,
        ("flink_taskmanager_rpc", "flink_taskmanager_data", "flink_taskmanager_metrics"),
    ),
    Server("trino", trino.program, trino.probe, ("trino",)),
)

AIRFLOW_SERVERS = tuple(
    Server(component.name, component.program, component.probe, component.ports)
    for component in airflow.COMPONENTS
)
"""Started by `make airflow` only, over the running stack."""

ALL_SERVERS = SERVERS + AIRFLOW_SERVERS
