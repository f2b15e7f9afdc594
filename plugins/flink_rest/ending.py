"""Operators that end a streaming job: with a savepoint, or at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from flink_rest.client import FlinkClient
from flink_rest.errors import NoJobOfName, SeveralJobsOfOneName
from flink_rest.jobs import status_of
from flink_rest.kinds import WaitFor, make_wait
from flink_rest.records import JobStatus, JobSummary
from flink_rest.settings import FlinkSettings
from flink_rest.stopping import request_ids
from flink_rest.tasks import (
    JOB_ID_KEY,
    FlinkOperator,
    failing_for_good,
    ids_of_tries,
    raise_event_error,
)
from flink_rest.waits import look_kindly

if TYPE_CHECKING:
    from airflow.sdk import Context


class _EndingOperator(FlinkOperator):
    """Finds the job by its id or its name, and again the same one in a later try."""

    template_fields: Sequence[str] = ("job_id", "job_name")
    wait_for: ClassVar[WaitFor]
    ended_well: ClassVar[Collection[JobStatus]]
    """How a job stands with which an earlier try has done its work."""

    def __init__(
        self, *, job_id: str | None = None, job_name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if (job_id is None) == (job_name is None):
            raise ValueError("give either job_id or job_name")
        self.job_id = job_id
        self.job_name = job_name

    def execute(self, context: Context) -> str | None:
        """Ask for the end, where nobody has, and wait for it."""
        with failing_for_good(), self._client() as client:
            job_id = self._find(client, context)
            if job_id is None:
                self._nothing_to_end(client)
                return None
            context["ti"].xcom_push(key=JOB_ID_KEY, value=job_id)
            self._show_job(context, job_id)
            facts = self._facts(client, job_id, context)
            if self.deferrable:
                wait = make_wait(client, self.wait_for, job_id, facts)
                if not look_kindly(wait, self.log.warning):
                    self._wait_in_triggerer(self.wait_for, job_id, facts)
            outcome = self._wait_here(client, self.wait_for, job_id, facts)
        return self._ended(context, job_id, outcome)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> str | None:
        """Go on after the triggerer has waited."""
        self._show_job(context, event["job_id"])
        raise_event_error(event)
        return self._ended(context, event["job_id"], event["outcome"])

    def _find(self, client: FlinkClient, context: Context) -> str | None:
        """Return the job's id.

        Which job a name meant is kept in the task's state until the task has succeeded, since
        another job of the name may have been started by the time of a later try.
        """
        if self.job_name is None:
            # a template may have made nothing of it
            return str(self.job_id)
        store = context.get("task_state_store")
        before = store.get(JOB_ID_KEY) if store else None
        if before is not None:
            status = status_of(client, str(before))
            if status is not None and (not status.is_terminal or status in self.ended_well):
                self.log.info("%s was job %s in an earlier try", self.job_name, before)
                return str(before)
        job = _newest_of_name(client, self.job_name)
        if job is not None and store:
            store.set(JOB_ID_KEY, job.job_id)
        return None if job is None else job.job_id

    def _ended(self, context: Context, job_id: str, outcome: dict[str, Any]) -> str | None:
        store = context.get("task_state_store")
        if self.job_name is not None and store:
            # a task that is cleared after it has succeeded shall end the job of that day
            store.delete(JOB_ID_KEY)
        return self._told(job_id, outcome)

    def _facts(
        self,
        client: FlinkClient,  # noqa: ARG002 - for those who need it
        job_id: str,  # noqa: ARG002
        context: Context,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {}

    def _nothing_to_end(self, client: FlinkClient) -> None:
        raise NotImplementedError

    def _told(self, job_id: str, outcome: dict[str, Any]) -> str | None:
        raise NotImplementedError


class FlinkStopWithSavepointOperator(_EndingOperator):
    """Stop a streaming job with a savepoint; returns the savepoint's directory.

    What the job has written until then is committed, and `FlinkRunJobOperator` goes on from there.

    Run again it makes no second savepoint and no error. It asks under an id derived from the task's
    try, and Flink takes a second request of an id for the first; a later try looks first what came
    of those before, and a job that has ended with its savepoint is done, whoever stopped it. A job
    that has ended in another way fails the task at once, with its root cause. A job that comes up
    is waited for, since Flink makes savepoints of running jobs only.

    A savepoint that was asked for cannot be taken back. So killing the task, running or deferred,
    leaves Flink to complete it: the job ends with its savepoint, or runs on as it was if it had not
    been asked for. A time that is up leaves the same.

    The job's id is pushed to XCom under `job_id` as soon as it is known.

    :param job_id: the job. (templated)
    :param job_name: or its `pipeline.name`; where none of that name runs, the newest that has
        ended. Two that run are an error. (templated)
    :param directory: where the savepoint is made, as the JobManager sees it; None for `savepoints`
        in the job's folder of `RVA_CHECKPOINT_DIR`, where FlinkRunJobOperator looks. (templated)
    :param flink_conn_id: reference to the Airflow Connection.
    :param timeout_seconds: how long it may take in all.
    :param poll_interval_seconds: pause between looks.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("job_id", "job_name", "directory")
    wait_for = WaitFor.JOB_STOPS
    ended_well = (JobStatus.FINISHED,)

    def __init__(self, *, directory: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.directory = directory

    def on_kill(self) -> None:
        """Leave Flink to complete what was asked for: a savepoint cannot be taken back."""
        self.log.info("A savepoint that was asked for is completed by Flink, and the job then ends")

    def _facts(self, client: FlinkClient, job_id: str, context: Context) -> dict[str, Any]:
        directory = self.directory
        if directory is None:
            own = FlinkSettings.from_env().checkpoint_dir / client.job(job_id).name
            directory = str(own / "savepoints")
        this_try, *before = (request_ids(each) for each in ids_of_tries(context))
        return {
            "directory": directory,
            "request_ids": this_try,
            "earlier_ids": [request_id for ids in before for request_id in ids],
        }

    def _nothing_to_end(self, client: FlinkClient) -> None:
        known = sorted({job.name for job in client.jobs()})
        raise NoJobOfName(str(self.job_name), ", ".join(known))

    def _told(self, job_id: str, outcome: dict[str, Any]) -> str:
        location = str(outcome["savepoint"])
        self.log.info("Job %s has ended with the savepoint %s", job_id, location)
        return location


class FlinkCancelJobOperator(_EndingOperator):
    """Cancel a job and wait until it has ended; returns its last state, such as `CANCELED`.

    Its checkpoints are kept, so that it can be resumed. What it has written since the newest one is
    not committed: FlinkStopWithSavepointOperator is for that.

    Run again, or on a job that has ended, it does nothing and returns the state; on one that Flink
    does not know it returns None, and the log says so.

    Killing the task, running or deferred, changes nothing: Flink goes on with a cancel that was
    asked for.

    The job's id is pushed to XCom under `job_id` as soon as it is known.

    :param job_id: the job. (templated)
    :param job_name: or its `pipeline.name`; where none of that name runs, there is nothing to do.
        Two that run are an error. (templated)
    :param flink_conn_id: reference to the Airflow Connection.
    :param timeout_seconds: how long its end may take.
    :param poll_interval_seconds: pause between looks.
    :param deferrable: wait in the triggerer.
    """

    wait_for = WaitFor.JOB_ENDS
    ended_well = frozenset(JobStatus)

    def on_kill(self) -> None:
        """Leave Flink to go on with a cancel that was asked for."""
        self.log.info("A cancel that was asked for goes on in Flink")

    def _nothing_to_end(self, client: FlinkClient) -> None:  # noqa: ARG002 - the other asks it
        self.log.info("Flink knows no job named %s: there is nothing to cancel", self.job_name)

    def _told(self, job_id: str, outcome: dict[str, Any]) -> str | None:
        status: str | None = outcome["status"]
        if status is None:
            self.log.info("Flink knows no job %s: there is nothing to cancel", job_id)
        else:
            self.log.info("Job %s is %s", job_id, status)
        return status


def _newest_of_name(client: FlinkClient, name: str) -> JobSummary | None:
    """Return the job of a name that runs, else the one that is ending, else the newest ended."""
    of_name = [job for job in client.jobs() if job.name == name]
    alive = [job for job in of_name if not job.status.is_terminal]
    staying = [job for job in alive if not job.status.is_ending]
    if len(staying) > 1:
        raise SeveralJobsOfOneName(name, tuple(job.job_id for job in staying))
    return max(staying or alive or of_name, key=lambda job: job.started_at_ms, default=None)
