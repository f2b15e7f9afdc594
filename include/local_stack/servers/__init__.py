"""The servers of the stack, in the order in which they are listed to people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local_stack.fetch import Distributions
from local_stack.program import Program
from local_stack.servers import catalog, flink, minio, pulsar, trino
from local_stack.settings import StackSettings


@dataclass(frozen=True, slots=True)
class Server:
    """One server: how it runs, how it is asked, and the ports that it takes."""

    name: str
    program: Callable[[StackSettings, Distributions], Program]
    probe: Callable[[StackSettings], None]
    """Returns when the server does what it is for; raises NotReady otherwise."""
    ports: tuple[str, ...]
    """Fields of `Ports`; the first one is where people reach it."""


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
