"""Sensors on Flink jobs: on their state, and on how far they have come.

Run again, a sensor looks again; killed, it leaves the job alone, since it only looks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from flink_rest.errors import FlinkRestError, SettingUnusable
from flink_rest.hooks import FlinkHook, PulsarAdminHook
from flink_rest.kinds import PULSAR_ADMIN, WaitFor, make_wait
from flink_rest.progress import moment
from flink_rest.records import JobStatus
from flink_rest.tasks import DEFERRABLE, FlinkTask, failing_for_good, raise_event_error
from flink_rest.waits import TellingWait, look_kindly

if TYPE_CHECKING:
    from airflow.sdk import Context


class _FlinkSensor(FlinkTask, BaseSensorOperator):
    """What the sensors share: a look now, and the rest of the wait here or in the triggerer."""

    template_fields: Sequence[str] = ("job_id",)
    wait_for: ClassVar[WaitFor]

    def __init__(
        self,
        *,
        job_id: str,
        flink_conn_id: str = FlinkHook.default_conn_name,
        deferrable: bool = DEFERRABLE,
        poke_interval: float = 2.0,
        timeout: float = 180.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        self.job_id = job_id
        self.flink_conn_id = flink_conn_id
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Look once; then wait here or in the triggerer. Returns what there is to tell."""
        self._show_job(context, self.job_id)
        with self._failing(), ExitStack() as opened:
            facts = self._facts()
            client = opened.enter_context(self._client())
            broker = facts.get(PULSAR_ADMIN)
            pulsar = broker and opened.enter_context(
                closing(PulsarAdminHook(pulsar_admin_conn_id=broker).get_conn())
            )
            self._wait = make_wait(client, self.wait_for, self.job_id, facts, pulsar=pulsar or None)
            self._give_up_at = time.monotonic() + self.timeout
            if not self.deferrable:
                return super().execute(context)
            poked = self.poke(context)
            if not poked:
                self._defer(
                    self.wait_for,
                    self.job_id,
                    facts,
                    timeout_seconds=self.timeout,
                    poll_interval_seconds=self.poke_interval,
                )
            return poked.xcom_value

    def poke(self, context: Context) -> PokeReturnValue:  # noqa: ARG002 - Airflow passes it
        """Look once."""
        if look_kindly(self._wait, self.log.warning):
            outcome = self._wait.outcome() if isinstance(self._wait, TellingWait) else {}
            return PokeReturnValue(is_done=True, xcom_value=self._told(dict(outcome)))
        if time.monotonic() > self._give_up_at:
            raise self._wait.too_late(self.timeout)
        return PokeReturnValue(is_done=False)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after the triggerer has waited."""
        self._show_job(context, self.job_id)
        with self._failing():
            raise_event_error(event)
        return self._told(event.get("outcome", {}))

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Skip where the sensor is told to skip instead of failing."""
        try:
            with failing_for_good():
                yield
        except (FlinkRestError, AirflowFailException) as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    def _facts(self) -> dict[str, Any]:
        """Give what the wait needs besides the job, in plain types."""
        return {}

    def _told(self, outcome: dict[str, Any]) -> Any:
        """Log that it has come about; returns what goes to XCom."""
        raise NotImplementedError


class FlinkJobRunningSensor(_FlinkSensor):
    """Wait until a streaming job is RUNNING with each of its tasks RUNNING.

    A job that has ended fails the sensor at once with the job's root cause. When the time is up,
    the error names the tasks that do not run and the free slots. A Flink that does not answer is
    looked at again until then.

    :param job_id: the job. (templated)
    :param flink_conn_id: reference to the Airflow Connection.
    :param deferrable: wait in the triggerer.
    """

    wait_for = WaitFor.JOB_RUNS

    def _told(self, outcome: dict[str, Any]) -> None:  # noqa: ARG002 - there is none
        self.log.info("Job %s is RUNNING with all its tasks", self.job_id)


class FlinkJobStatusSensor(_FlinkSensor):
    """Wait until a job is in one of some states; returns the state.

    A job that ends in another state fails the sensor at once and for good, with the root cause. One
    that Flink restarts again and again fails the try, with the cause of its newest failure, unless
    a state of failure is what is waited for.

    :param job_id: the job. (templated)
    :param statuses: one or more of `JobStatus`, by name. (templated)
    :param flink_conn_id: reference to the Airflow Connection.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("job_id", "statuses")
    wait_for = WaitFor.JOB_REACHES

    def __init__(
        self, *, statuses: str | Sequence[str] = (JobStatus.FINISHED,), **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.statuses = statuses

    def _facts(self) -> dict[str, Any]:
        named = [self.statuses] if isinstance(self.statuses, str) else [*self.statuses]
        known = [str(each) for each in JobStatus]
        if not named or not {*named} <= {*known}:
            raise SettingUnusable("statuses", [*map(str, named)], f"of {', '.join(known)}")
        return {"statuses": [str(each) for each in named]}

    def _told(self, outcome: dict[str, Any]) -> str:
        status = str(outcome["status"])
        self.log.info("Job %s is %s", self.job_id, status)
        return status


class FlinkCheckpointSensor(_FlinkSensor):
    """Wait until a checkpoint that was triggered after a moment is complete.

    It asks for none: the job's own come in its interval, or FlinkCheckpointOperator asks. Returns
    `checkpoint_id` and `path`. A job that has ended without one fails the sensor at once.

    :param job_id: the job. (templated)
    :param after: a moment with its zone, by the JobManager's clock: ISO 8601 or a datetime.
        (templated)
    :param flink_conn_id: reference to the Airflow Connection.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("job_id", "after")
    wait_for = WaitFor.CHECKPOINT_AFTER

    def __init__(self, *, after: str | datetime, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.after = after

    def _facts(self) -> dict[str, Any]:
        return {"after": moment("after", self.after).isoformat()}

    def _told(self, outcome: dict[str, Any]) -> dict[str, Any]:
        self.log.info("Checkpoint %s is complete: %s", outcome["checkpoint_id"], outcome["path"])
        return outcome


class FlinkBacklogDrainedSensor(_FlinkSensor):
    """Wait until a job has left nothing of its Pulsar subscription unread.

    Pulsar's broker is asked, since the connector has no metric for it. The source acknowledges what
    it has read when a checkpoint that holds it is complete, so an empty backlog says both. A job
    that has ended and left something unread fails the sensor at once, and so does a topic that
    does not exist.

    :param job_id: the job. (templated)
    :param topic: `persistent://tenant/namespace/topic`, also a partitioned one. (templated)
    :param subscription: the source's subscription. (templated)
    :param pulsar_admin_conn_id: reference to the Airflow Connection to Pulsar's admin API.
    :param flink_conn_id: reference to the Airflow Connection.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("job_id", "topic", "subscription")
    wait_for = WaitFor.BACKLOG_DRAINED

    def __init__(
        self,
        *,
        topic: str,
        subscription: str,
        pulsar_admin_conn_id: str = PulsarAdminHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.topic = topic
        self.subscription = subscription
        self.pulsar_admin_conn_id = pulsar_admin_conn_id

    def _facts(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "subscription": self.subscription,
            PULSAR_ADMIN: self.pulsar_admin_conn_id,
        }

    def _told(self, outcome: dict[str, Any]) -> None:  # noqa: ARG002 - there is none
        self.log.info("Job %s has read all of %s", self.job_id, self.topic)


class IcebergCommitSensor(_FlinkSensor):
    """Wait until an Iceberg table has a commit by a Flink job.

    The job writes its id and the checkpoint into each snapshot's summary, which PyIceberg reads.
    Returns `snapshot_id`, `checkpoint_id` and `committed_at`. A job that has ended without such a
    commit fails the sensor at once, and so does a table that does not exist. The sink leaves out
    commits without rows, all but each tenth: FlinkCheckpointOperator does not wait for those.

    :param job_id: the job. (templated)
    :param table: `database.table`. (templated)
    :param checkpoint_id: of this checkpoint of the job or a later one; None or empty for any.
        (templated)
    :param since: committed at this moment or later: ISO 8601 with its zone, or a datetime; None or
        empty for any. (templated)
    :param flink_conn_id: reference to the Airflow Connection.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("job_id", "table", "checkpoint_id", "since")
    wait_for = WaitFor.TABLE_COMMITTED

    def __init__(
        self,
        *,
        table: str,
        checkpoint_id: int | str | None = None,
        since: str | datetime | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.checkpoint_id = checkpoint_id
        self.since = since

    def _facts(self) -> dict[str, Any]:
        given = self.checkpoint_id
        try:
            checkpoint_id = None if given in (None, "") else int(str(given))
        except ValueError:
            raise SettingUnusable("checkpoint_id", given, "a whole number") from None
        since = None if self.since in (None, "") else moment("since", self.since).isoformat()
        return {"table": self.table, "checkpoint_id": checkpoint_id, "since": since}

    def _told(self, outcome: dict[str, Any]) -> dict[str, Any]:
        self.log.info(
            "%s holds checkpoint %s of job %s since %s",
            self.table,
            outcome["checkpoint_id"],
            self.job_id,
            outcome["committed_at"],
        )
        return outcome
