"""Waits that go on in the triggerer, so that they hold no worker slot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from flink_rest.client import FlinkClient
from flink_rest.commits import committed_checkpoints
from flink_rest.errors import FlinkRestError
from flink_rest.hooks import FlinkHook
from flink_rest.waits import CheckpointCommitted, JobFinishes, JobRuns, Wait, look_kindly

KIND_OF_WAIT = "job_runs", "job_finishes", "checkpoint_committed"


class FlinkWaitTrigger(BaseTrigger):
    """Wait for a Flink job to run, to finish, or to commit a checkpoint.

    The event's payload has `done` (bool), `job_id`, and `error` with `may_heal` when it is not
    done; for a checkpoint also `checkpoint_id`, `committed_id` and `nothing_new`.

    :param flink_conn_id: reference to the Airflow Connection.
    :param job_id: the job.
    :param wait_for: `job_runs`, `job_finishes` or `checkpoint_committed`.
    :param deadline: epoch seconds when the wait is given up; absolute, so that a triggerer that
        is started again does not start the time again.
    :param timeout_seconds: how long the wait was to be, for the error.
    :param poll_interval_seconds: pause before each look, the first one too: an event that fires
        at once can meet a task that is not yet recorded as deferred.
    :param table: for a checkpoint: `database.table` that the job commits to.
    :param cancel_on_kill: cancel the job when a user marks the deferred task or clears it.
    """

    def __init__(
        self,
        *,
        flink_conn_id: str,
        job_id: str,
        wait_for: str,
        deadline: float,
        timeout_seconds: float,
        poll_interval_seconds: float,
        table: str | None = None,
        cancel_on_kill: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if wait_for not in KIND_OF_WAIT:
            raise ValueError(f"wait_for is {wait_for!r}, not one of {', '.join(KIND_OF_WAIT)}")
        self.flink_conn_id = flink_conn_id
        self.job_id = job_id
        self.wait_for = wait_for
        self.deadline = deadline
        self.timeout_seconds = timeout_seconds
        self.poll_interval_seconds = poll_interval_seconds
        self.table = table
        self.cancel_on_kill = cancel_on_kill

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give the class path and the arguments that make this trigger again elsewhere."""
        return (
            "flink_rest.triggers.FlinkWaitTrigger",
            {
                "flink_conn_id": self.flink_conn_id,
                "job_id": self.job_id,
                "wait_for": self.wait_for,
                "deadline": self.deadline,
                "timeout_seconds": self.timeout_seconds,
                "poll_interval_seconds": self.poll_interval_seconds,
                "table": self.table,
                "cancel_on_kill": self.cancel_on_kill,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until it has come about, cannot any more, or the deadline has passed."""
        try:
            client = await FlinkHook(flink_conn_id=self.flink_conn_id).aget_conn()
        except FlinkRestError as error:
            yield self._event(error=error)
            return
        with closing(client):
            wait = self._wait(client)
            while True:
                await asyncio.sleep(self.poll_interval_seconds)
                try:
                    done = await asyncio.to_thread(look_kindly, wait, self.log.warning)
                except FlinkRestError as error:
                    yield self._event(error=error)
                    return
                if done:
                    yield self._event(wait=wait)
                    return
                if time.time() > self.deadline:
                    late = await asyncio.to_thread(wait.too_late, self.timeout_seconds)
                    yield self._event(error=late)
                    return

    async def on_kill(self) -> None:
        """Cancel the job when a user acts on the deferred task."""
        if not self.cancel_on_kill:
            return
        self.log.info("The task was killed: cancelling Flink job %s", self.job_id)
        with closing(await FlinkHook(flink_conn_id=self.flink_conn_id).aget_conn()) as client:
            await asyncio.to_thread(client.cancel, self.job_id)

    def _wait(self, client: FlinkClient) -> Wait:
        match self.wait_for:
            case "job_runs":
                return JobRuns(client, self.job_id)
            case "job_finishes":
                return JobFinishes(client, self.job_id)
            case _:
                committed = self.table and committed_checkpoints(self.table, self.job_id)
                return CheckpointCommitted(client, self.job_id, committed or None)

    def _event(
        self, *, wait: Wait | None = None, error: FlinkRestError | None = None
    ) -> TriggerEvent:
        payload: dict[str, Any] = {"done": error is None, "job_id": self.job_id}
        if error is not None:
            payload |= {"error": str(error), "may_heal": error.may_heal}
        if isinstance(wait, CheckpointCommitted):
            payload |= wait.outcome()
        return TriggerEvent(payload)  # type: ignore[no-untyped-call]
