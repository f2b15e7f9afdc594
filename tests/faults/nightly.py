"""A backfill by a running Airflow, whose worker can be killed in the middle of a task."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import httpx
import psutil

from faults.stage import Stage, StageFailed
from local_stack import stack
from local_stack.servers import airflow

DAG = "gold_nightly_backfill"
TASK_SECONDS = 180.0
"""How long a run may take until one of its tasks is at work; it needs some 20 s."""
_LOOK_AGAIN_SECONDS = 0.2


class NightlyRun:
    """One run of the DAG for one day, begun by the API as the UI does."""

    def __init__(self, stage: Stage, day: date) -> None:
        stack.airflow_up(stage.settings)
        self._api = httpx.Client(
            base_url=airflow.base_url(stage.settings), timeout=30, trust_env=False
        )
        self._runs = f"/api/v2/dags/{DAG}/dagRuns"
        try:
            self._begin(day, *airflow.login(stage.settings))
        except httpx.HTTPError:
            self.close()
            raise

    def _begin(self, day: date, user: str, password: str) -> None:
        token = self._api.post("/auth/token", json={"username": user, "password": password})
        token.raise_for_status()
        self._api.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        self._api.patch(f"/api/v2/dags/{DAG}", json={"is_paused": False}).raise_for_status()
        begun = self._api.post(
            self._runs, json={"logical_date": None, "conf": {"day": day.isoformat()}}
        )
        begun.raise_for_status()
        self.run_id: str = begun.json()["dag_run_id"]

    def worker(self) -> psutil.Process:
        """Wait for a task at work; returns the worker that runs it.

        :raises StageFailed: none comes
        """
        give_up_at = time.monotonic() + TASK_SECONDS
        while time.monotonic() < give_up_at:
            for task in self._tasks():
                if task["state"] == "running" and task["pid"]:
                    try:
                        worker = psutil.Process(task["pid"]).parent()
                    except psutil.NoSuchProcess:
                        continue
                    if worker is not None and "airflow worker" in " ".join(worker.cmdline()):
                        return worker
            time.sleep(_LOOK_AGAIN_SECONDS)
        raise StageFailed(f"no task of {self.run_id} was at work for {TASK_SECONDS:.0f} s")

    def has_succeeded(self) -> bool:
        """Whether it has ended well.

        :raises StageFailed: it has failed
        """
        answer = self._api.get(f"{self._runs}/{self.run_id}")
        answer.raise_for_status()
        state = answer.json()["state"]
        if state == "failed":
            failed = [task["task_id"] for task in self._tasks() if task["state"] == "failed"]
            raise StageFailed(f"{DAG} run {self.run_id} failed in {', '.join(failed)}")
        return bool(state == "success")

    def close(self) -> None:
        """Close the connection."""
        self._api.close()

    def _tasks(self) -> list[dict[str, Any]]:
        answer = self._api.get(f"{self._runs}/{self.run_id}/taskInstances")
        answer.raise_for_status()
        tasks: list[dict[str, Any]] = answer.json()["task_instances"]
        return tasks
