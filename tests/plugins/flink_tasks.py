"""What a task on Flink meets in its tests: its context, and Flink's answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from scripted_http import Answer, ScriptedServer

Serve = Callable[[dict[str, list[Answer]]], ScriptedServer]

NO_FAILURES: Answer = 200, {"root-exception": None, "exceptionHistory": {"entries": []}}
DISK_FULL: Answer = (
    200,
    {
        "root-exception": None,
        "exceptionHistory": {
            "entries": [
                {"timestamp": 1, "stacktrace": "a.B: x\nCaused by: java.io.IOException: full"}
            ]
        },
    },
)
NOT_FOUND: Answer = 404, {"errors": ["not found"]}


class TaskInstance(SimpleNamespace):
    def xcom_push(self, *, key: str, value: object) -> None:
        self.pushed[key] = value


class TaskState(dict[str, Any]):
    """The store that Airflow keeps for a task from one try to the next."""

    def set(self, key: str, value: object) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)

    def __bool__(self) -> bool:
        return True


def context(
    try_number: int = 1,
    *,
    map_index: int = -1,
    run_id: str = "manual",
    state: TaskState | None = None,
) -> dict[str, Any]:
    ti = TaskInstance(
        dag_id="d",
        run_id=run_id,
        task_id="t",
        map_index=map_index,
        try_number=try_number,
        pushed={},
    )
    run = SimpleNamespace(run_after=datetime(2026, 11, 24, tzinfo=UTC))
    return {"ti": ti, "dag_run": run, "task_state_store": state}


def detail(job_id: str, state: str, name: str = "gold_batch") -> Answer:
    """One job, of which each task runs when it does."""
    tasks = {"RUNNING": 1 if state == "RUNNING" else 0}
    vertex = {"name": "Source", "parallelism": 1, "tasks": tasks}
    return 200, {"jid": job_id, "name": name, "state": state, "vertices": [vertex]}


def listed(*jobs: tuple[str, str, str, int]) -> Answer:
    """The cluster's list, of (id, name, state, start)."""
    return 200, {
        "jobs": [
            {
                "jid": job_id,
                "name": name,
                "state": state,
                "start-time": start,
                "tasks": {"total": 1},
            }
            for job_id, name, state, start in jobs
        ]
    }


def checkpoints(
    completed: dict[str, Any] | None = None, savepoint: dict[str, Any] | None = None
) -> Answer:
    """A job's checkpoints: the newest of its own, and the newest savepoint."""
    return 200, {
        "counts": {"completed": 1, "failed": 0},
        "latest": {"completed": completed, "savepoint": savepoint},
    }
