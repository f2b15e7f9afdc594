"""Waits that go on in the triggerer, so that they hold no worker slot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from flink_rest.errors import FlinkRestError
from flink_rest.hooks import FlinkHook, PulsarAdminHook
from flink_rest.kinds import PULSAR_ADMIN, WaitFor, make_wait
from flink_rest.waits import TellingWait, Wait, look_kindly


class FlinkWaitTrigger(BaseTrigger):
    """Wait for something of a Flink job: that it runs, ends, makes a checkpoint, commits, …

    The event's payload has `done` (bool) and `job_id`; `error` with `may_heal` when it is not done;
    `outcome` when the wait has more to tell.

    :param flink_conn_id: reference to the Airflow Connection.
    :param job_id: the job.
    :param wait_for: one of `WaitFor`.
    :param deadline: epoch seconds when the wait is given up; absolute, so that a triggerer that
        is started again does not start the time again.
    :param timeout_seconds: how long the wait was to be, for the error.
    :param poll_interval_seconds: pause before each look, the first one too: an event that fires
        at once can meet a task that is not yet recorded as deferred.
    :param facts: what this wait needs besides the job.
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
        facts: Mapping[str, Any] | None = None,
        cancel_on_kill: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if wait_for not in [*WaitFor]:
            raise ValueError(f"wait_for is {wait_for!r}, not one of {', '.join(WaitFor)}")
        self.flink_conn_id = flink_conn_id
        self.job_id = job_id
        self.wait_for = WaitFor(wait_for)
        self.deadline = deadline
        self.timeout_seconds = timeout_seconds
        self.poll_interval_seconds = poll_interval_seconds
        self.facts = dict(facts or {})
        self.cancel_on_kill = cancel_on_kill

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give the class path and the arguments that make this trigger again elsewhere."""
        return (
            "flink_rest.triggers.FlinkWaitTrigger",
            {
                "flink_conn_id": self.flink_conn_id,
                "job_id": self.job_id,
                "wait_for": str(self.wait_for),
                "deadline": self.deadline,
                "timeout_seconds": self.timeout_seconds,
                "poll_interval_seconds": self.poll_interval_seconds,
                "facts": self.facts,
                "cancel_on_kill": self.cancel_on_kill,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until it has come about, cannot any more, or the deadline has passed."""
        with ExitStack() as opened:
            try:
                wait = await self._wait(opened)
            except FlinkRestError as error:
                yield self._event(error=error)
                return
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

    async def _wait(self, opened: ExitStack) -> Wait:
        flink = await FlinkHook(flink_conn_id=self.flink_conn_id).aget_conn()
        client = opened.enter_context(closing(flink))
        pulsar = None
        if conn_id := self.facts.get(PULSAR_ADMIN):
            broker = await PulsarAdminHook(pulsar_admin_conn_id=conn_id).aget_conn()
            pulsar = opened.enter_context(closing(broker))
        return make_wait(client, self.wait_for, self.job_id, self.facts, pulsar=pulsar)

    def _event(
        self, *, wait: Wait | None = None, error: FlinkRestError | None = None
    ) -> TriggerEvent:
        payload: dict[str, Any] = {"done": error is None, "job_id": self.job_id}
        if error is not None:
            payload |= {"error": str(error), "may_heal": error.may_heal}
        if isinstance(wait, TellingWait):
            payload["outcome"] = dict(wait.outcome())
        return TriggerEvent(payload)  # type: ignore[no-untyped-call]
