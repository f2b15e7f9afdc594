"""What Flink's REST API answers, as typed records; `of` reads one from the answer's JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from flink_rest.root_cause import root_cause


class JobStatus(StrEnum):
    """State of a job, in Flink's words."""

    INITIALIZING = "INITIALIZING"
    CREATED = "CREATED"
    RUNNING = "RUNNING"
    RESTARTING = "RESTARTING"
    RECONCILING = "RECONCILING"
    FAILING = "FAILING"
    CANCELLING = "CANCELLING"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    FINISHED = "FINISHED"
    SUSPENDED = "SUSPENDED"

    @property
    def is_terminal(self) -> bool:
        """The job will never do anything again."""
        return self in _TERMINAL

    @property
    def is_ending(self) -> bool:
        """The job still holds its slots, and is on its way out."""
        return self in (JobStatus.FAILING, JobStatus.CANCELLING)


_TERMINAL = frozenset(
    {JobStatus.FAILED, JobStatus.CANCELED, JobStatus.FINISHED, JobStatus.SUSPENDED}
)


@dataclass(frozen=True)
class ClusterOverview:
    """The cluster at one moment."""

    flink_version: str
    taskmanagers: int
    slots_total: int
    slots_free: int

    @classmethod
    def of(cls, answer: Any) -> Self:
        """Read the answer of `/overview`."""
        return cls(
            flink_version=str(answer["flink-version"]),
            taskmanagers=int(answer["taskmanagers"]),
            slots_total=int(answer["slots-total"]),
            slots_free=int(answer["slots-available"]),
        )


@dataclass(frozen=True)
class JobSummary:
    """One job in the cluster's list; `tasks` counts its parallel subtasks."""

    job_id: str
    name: str
    status: JobStatus
    started_at_ms: int
    tasks: int

    @classmethod
    def of(cls, job: Any) -> Self:
        """Read one entry of `/jobs/overview`."""
        return cls(
            job_id=str(job["jid"]),
            name=str(job["name"]),
            status=JobStatus(job["state"]),
            started_at_ms=int(job["start-time"]),
            tasks=int(job["tasks"]["total"]),
        )


@dataclass(frozen=True)
class Vertex:
    """One step of a job's graph, with how many of its parallel subtasks are RUNNING.

    Or FINISHED: a list of constants in a streaming job's SQL is a source that ends at once.
    """

    name: str
    parallelism: int
    running: int

    @classmethod
    def of(cls, vertex: Any) -> Self:
        """Read one entry of a job's `vertices`."""
        return cls(
            name=str(vertex["name"]),
            parallelism=int(vertex["parallelism"]),
            running=int(vertex["tasks"]["RUNNING"]) + int(vertex["tasks"].get("FINISHED", 0)),
        )

    @property
    def runs(self) -> bool:
        """Every subtask is RUNNING, or has done its work."""
        return self.running == self.parallelism


@dataclass(frozen=True)
class JobDetail:
    """One job with the steps of its graph."""

    job_id: str
    name: str
    status: JobStatus
    vertices: tuple[Vertex, ...]

    @classmethod
    def of(cls, answer: Any) -> Self:
        """Read the answer of `/jobs/<id>`."""
        return cls(
            job_id=str(answer["jid"]),
            name=str(answer["name"]),
            status=JobStatus(answer["state"]),
            vertices=tuple(Vertex.of(vertex) for vertex in answer["vertices"]),
        )

    @property
    def runs_with_all_tasks(self) -> bool:
        """The job is RUNNING and so is each subtask of each step."""
        return (
            self.status is JobStatus.RUNNING
            and bool(self.vertices)
            and all(vertex.runs for vertex in self.vertices)
        )

    @property
    def waiting_tasks(self) -> str:
        """The steps that do not run yet, for people: `Source: x 0/2, Writer 1/2`."""
        return ", ".join(
            f"{vertex.name} {vertex.running}/{vertex.parallelism}"
            for vertex in self.vertices
            if not vertex.runs
        )


@dataclass(frozen=True)
class JobFailure:
    """One failure of a job: when (epoch milliseconds), and its root cause in a line or a few."""

    at_ms: int
    cause: str

    @classmethod
    def all_of(cls, answer: Any) -> tuple[Self, ...]:
        """Read the answer of `/jobs/<id>/exceptions`."""
        entries = [
            cls(at_ms=int(entry["timestamp"]), cause=root_cause(entry["stacktrace"]))
            for entry in answer["exceptionHistory"]["entries"]
        ]
        if not entries and answer["root-exception"]:
            entries = [
                cls(at_ms=int(answer["timestamp"]), cause=root_cause(answer["root-exception"]))
            ]
        return tuple(sorted(entries, key=lambda failure: failure.at_ms, reverse=True))


@dataclass(frozen=True)
class CheckpointRequest:
    """How a checkpoint that was asked for stands; `checkpoint_id` is known once complete."""

    complete: bool
    checkpoint_id: int | None
    failure: str | None

    @classmethod
    def of(cls, answer: Any) -> Self:
        """Read the answer of `/jobs/<id>/checkpoints/<request>`; a failed one says COMPLETED."""
        operation = answer.get("operation") or {}
        failure = operation.get("failureCause")
        return cls(
            complete=answer["status"]["id"] == "COMPLETED" and failure is None,
            checkpoint_id=operation.get("checkpointId"),
            failure=None if failure is None else root_cause(failure["stack-trace"]),
        )


@dataclass(frozen=True)
class SavepointRequest:
    """How a savepoint that was asked for stands; `location` is known once complete."""

    complete: bool
    location: str | None
    failure: str | None

    @classmethod
    def of(cls, answer: Any) -> Self:
        """Read the answer of `/jobs/<id>/savepoints/<request>`; a failed one says COMPLETED."""
        operation = answer.get("operation") or {}
        failure = operation.get("failure-cause")
        return cls(
            complete=answer["status"]["id"] == "COMPLETED" and failure is None,
            location=operation.get("location"),
            failure=None if failure is None else root_cause(failure["stack-trace"]),
        )


_OF_STOP = "SYNC_SAVEPOINT"
"""The type of a savepoint with which a job is stopped; others are a SAVEPOINT."""


@dataclass(frozen=True)
class CheckpointHistory:
    """A job's checkpoints since it was started."""

    completed: int
    failed: int
    latest_completed_id: int | None
    latest_completed_path: str | None
    latest_completed_triggered_ms: int | None = None
    """When it was triggered: epoch milliseconds, by the JobManager's clock."""
    stopped_at: str | None = None
    """Directory of the savepoint with which the job was stopped."""

    @classmethod
    def of(cls, answer: Any) -> Self:
        """Read the answer of `/jobs/<id>/checkpoints`."""
        latest = answer["latest"]["completed"] or {}
        savepoint = answer["latest"].get("savepoint") or {}
        of_stop = savepoint.get("checkpoint_type") == _OF_STOP
        return cls(
            completed=int(answer["counts"]["completed"]),
            failed=int(answer["counts"]["failed"]),
            latest_completed_id=latest.get("id"),
            latest_completed_path=latest.get("external_path"),
            latest_completed_triggered_ms=latest.get("trigger_timestamp"),
            stopped_at=savepoint.get("external_path") if of_stop else None,
        )
