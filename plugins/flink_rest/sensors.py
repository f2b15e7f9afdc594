"""Sensors on Flink jobs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseSensorOperator
from airflow.sdk.configuration import conf

from flink_rest.hooks import FlinkHook
from flink_rest.operators import failing_for_good, raise_event_error
from flink_rest.triggers import FlinkWaitTrigger
from flink_rest.waits import JobRuns, look_kindly

if TYPE_CHECKING:
    from airflow.sdk import Context


class FlinkJobRunningSensor(BaseSensorOperator):
    """Wait until a streaming job is RUNNING with each of its tasks RUNNING.

    A job that has ended fails the sensor at once with the job's root cause. When the time is up,
    the error names the tasks that do not run and the free slots. A Flink that does not answer is
    looked at again until then.

    :param job_id: the job. (templated)
    :param flink_conn_id: reference to the Airflow Connection.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("job_id",)
    ui_color = "#fbe6ef"

    def __init__(
        self,
        *,
        job_id: str,
        flink_conn_id: str = FlinkHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float = 2.0,
        timeout: float = 180.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self.job_id = job_id
        self.flink_conn_id = flink_conn_id
        self.deferrable = deferrable

    @cached_property
    def hook(self) -> FlinkHook:
        """The hook to Flink."""
        return FlinkHook(flink_conn_id=self.flink_conn_id)

    def execute(self, context: Context) -> Any:
        """Look once; then wait here or in the triggerer."""
        with failing_for_good(), closing(self.hook.get_conn()) as client:
            self._wait = JobRuns(client, self.job_id)
            self._give_up_at = time.monotonic() + self.timeout
            if not self.deferrable:
                return super().execute(context)
            if not self.poke(context):
                self._wait_in_triggerer()
        return None

    def poke(self, context: Context) -> bool:  # noqa: ARG002 - Airflow passes it
        """Look once."""
        if look_kindly(self._wait, self.log.warning):
            self.log.info("Job %s is RUNNING with all its tasks", self.job_id)
            return True
        if time.monotonic() > self._give_up_at:
            raise self._wait.too_late(self.timeout)
        return False

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002 - Airflow passes it
        event: dict[str, Any],
    ) -> None:
        """Go on after the triggerer has waited."""
        raise_event_error(event)
        self.log.info("Job %s is RUNNING with all its tasks", self.job_id)

    def _wait_in_triggerer(self) -> NoReturn:
        self.defer(
            trigger=FlinkWaitTrigger(
                flink_conn_id=self.flink_conn_id,
                job_id=self.job_id,
                wait_for="job_runs",
                deadline=time.time() + self.timeout,
                timeout_seconds=self.timeout,
                poll_interval_seconds=self.poke_interval,
            ),
            method_name="execute_complete",
        )
