"""Operators on Flink jobs. Every one can be run again without a second job or a second row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flink_rest.client import FlinkClient
from flink_rest.commits import rows_of
from flink_rest.ending import FlinkCancelJobOperator, FlinkStopWithSavepointOperator
from flink_rest.errors import EndedByHand, FlinkRestError, JobFailed
from flink_rest.jobs import (
    EnsuredJob,
    JobSpec,
    ensure_job,
    is_known,
    status_of,
    submit,
)
from flink_rest.kinds import WaitFor
from flink_rest.lineage import job_lineage
from flink_rest.records import JobStatus
from flink_rest.settings import FlinkSettings
from flink_rest.tasks import (
    JOB_ID_KEY,
    FlinkOperator,
    failing_for_good,
    ids_of_tries,
    raise_event_error,
)
from flink_rest.waits import JobFinishes

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

__all__ = [
    "FlinkCancelJobOperator",
    "FlinkCheckpointOperator",
    "FlinkRunJobOperator",
    "FlinkStopWithSavepointOperator",
]


class FlinkRunJobOperator(FlinkOperator):
    """Bring a Python job onto the cluster; for a batch job, wait until it is FINISHED.

    A streaming job is ensured: adopted when it runs under its name, or stopped with a savepoint and
    restarted from it when it tells other facts of itself than `restart_when_changed`; else resumed
    from its newest checkpoint or savepoint, else started; a start that would write rows again is
    refused. It is the cluster's, not the task's: killing the task leaves it running.

    A batch job is submitted under an id derived from the task's try, so that a retry after a
    worker's death finds the job that is still at work, or has finished since. When that one is
    cancelled after all, by a worker that Airflow had given up too early, the retry submits its own.
    Killing the task cancels the job, whether the task runs or is deferred.

    The job's id is pushed to XCom under `job_id` as soon as it is known, and returned; `how` and
    `restored_from` are pushed for a streaming job.

    :param job_name: the job's `pipeline.name`. (templated)
    :param script: file in the jobs' folder, such as `bronze_ingest.py`. (templated)
    :param arguments: command line of the script. (templated)
    :param batch: the job ends by itself and is waited for.
    :param wait_for_termination: False: a batch job is left when it is submitted, for a
        FlinkJobStatusSensor to wait for.
    :param refuse_fresh_start_when_rows_in: each `database.table` that a start without a checkpoint
        would fill a second time; none for a job that replaces rows by key. (templated)
    :param restart_when_changed: what the running job's `pipeline.global-job-parameters` must say,
        lest it is restarted. (templated)
    :param start: whether a job that nobody has started yet is started; else the task leaves it and
        returns None.
    :param leave_ended_by_hand: whether a job that somebody has cancelled, or stopped with a
        savepoint, is left too, as `ensure_job` says.
    :param rebuild: start afresh, ignoring checkpoints; refused while the job runs or its tables
        have rows. A second try goes on with what the first one started. (templated)
    :param how_to_rebuild: what to type for a rebuild, for errors.
    :param slots: the job's parallelism.
    :param reads: the datasets that the job reads, for OpenLineage's events: `DatasetName`s, or
        pairs of namespace and name. (templated)
    :param writes: those that it writes. (templated)
    :param flink_conn_id: reference to the Airflow Connection.
    :param timeout_seconds: how long a batch job may take; it is cancelled then.
    :param poll_interval_seconds: pause between looks at a batch job.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = (
        "job_name",
        "script",
        "arguments",
        "refuse_fresh_start_when_rows_in",
        "restart_when_changed",
        "rebuild",
        "reads",
        "writes",
    )
    template_fields_renderers = {"restart_when_changed": "json"}  # noqa: RUF012 - Airflow's

    def __init__(
        self,
        *,
        job_name: str,
        script: str,
        arguments: Sequence[str] = (),
        batch: bool = False,
        wait_for_termination: bool = True,
        refuse_fresh_start_when_rows_in: Sequence[str] = (),
        restart_when_changed: Mapping[str, str] | None = None,
        start: bool = True,
        leave_ended_by_hand: bool = False,
        rebuild: bool | str = False,
        how_to_rebuild: str = JobSpec.how_to_rebuild,
        slots: int = 1,
        reads: Sequence[tuple[str, str]] = (),
        writes: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.script = script
        self.arguments = arguments
        self.batch = batch
        self.wait_for_termination = wait_for_termination
        self.refuse_fresh_start_when_rows_in = refuse_fresh_start_when_rows_in
        self.restart_when_changed = restart_when_changed or {}
        self.start = start
        self.leave_ended_by_hand = leave_ended_by_hand
        self.rebuild = rebuild
        self.how_to_rebuild = how_to_rebuild
        self.slots = slots
        self.reads = reads
        self.writes = writes
        self._job_id: str | None = None

    def execute(self, context: Context) -> str | None:
        """Bring the job onto the cluster; returns its id, or None when it was to be left."""
        settings = FlinkSettings.from_env()
        spec = JobSpec(
            name=self.job_name,
            script=f"{settings.jobs_dir}/{self.script}",
            arguments=tuple(str(each) for each in self.arguments),
            refuse_fresh_start_when_rows_in=tuple(self.refuse_fresh_start_when_rows_in),
            restart_when_changed=self.restart_when_changed,
            how_to_rebuild=self.how_to_rebuild,
            slots=self.slots,
        )
        with failing_for_good(), self._client() as client:
            if not self.batch:
                return self._ensure(client, spec, settings, context)
            job_id = self._submit_or_find(client, spec, settings, context)
            if not self.wait_for_termination:
                return self._done(context, job_id)
            if self.deferrable and not JobFinishes(client, job_id).look():
                self._wait_in_triggerer(WaitFor.JOB_FINISHES, job_id, cancel_on_kill=True)
            try:
                self._finish_here(client, job_id)
            except JobFailed as error:
                is_earlier = job_id != ids_of_tries(context)[0]
                if not (is_earlier and error.state == JobStatus.CANCELED):
                    raise
                # that try's worker lived on after Airflow had given it up, and tidied up at last
                self.log.warning("Job %s was cancelled by its own try: submitting another", job_id)
                job_id = self._submit_or_find(client, spec, settings, context)
                self._finish_here(client, job_id)
        self.log.info("%s (%s) is FINISHED", self.job_name, job_id)
        return self._done(context, job_id)

    def execute_complete(
        self,
        context: Context,
        event: dict[str, Any],
    ) -> str:
        """Go on after the triggerer has waited for a batch job."""
        self._job_id = str(event["job_id"])
        self._show_job(context, self._job_id)
        if not event["done"]:
            self._cancel()
        raise_event_error(event)
        self.log.info("%s (%s) is FINISHED", self.job_name, self._job_id)
        return self._done(context, self._job_id)

    def on_kill(self) -> None:
        """Cancel a batch job; a streaming job is the cluster's and stays."""
        if self.batch:
            self._cancel()

    def get_openlineage_facets_on_start(self) -> OperatorLineage[Any, Any]:
        """Tell OpenLineage what the job reads and writes."""
        return job_lineage(self.reads, self.writes, job_id=None, cluster="")

    def get_openlineage_facets_on_complete(
        self, _task_instance: object
    ) -> OperatorLineage[Any, Any] | None:
        """Tell it which job did; nothing of one that was left alone. A failure tells the same."""
        if self.flink_job_id is None:
            return None
        return job_lineage(
            self.reads, self.writes, job_id=self.flink_job_id, cluster=self.hook.ui_url()
        )

    def _ensure(
        self, client: FlinkClient, spec: JobSpec, settings: FlinkSettings, context: Context
    ) -> str | None:
        checkpoint_dir = settings.checkpoint_dir
        if not self.start and not is_known(client, spec.name, checkpoint_dir=checkpoint_dir):
            self.log.info("Nobody has started %s: it is left so", self.job_name)
            return None
        try:
            job = ensure_job(
                client,
                spec,
                checkpoint_dir=checkpoint_dir,
                target_rows=rows_of,
                # a template gives text
                rebuild_as=ids_of_tries(context) if str(self.rebuild) == "True" else (),
                leave_ended_by_hand=self.leave_ended_by_hand,
            )
        except EndedByHand as ended:
            self.log.info("Left alone, as %s", ended)
            return None
        self._tell(job, context)
        return job.job_id

    def _tell(self, job: EnsuredJob, context: Context) -> None:
        ti = context["ti"]
        ti.xcom_push(key=JOB_ID_KEY, value=job.job_id)
        self._show_job(context, job.job_id)
        ti.xcom_push(key="how", value=str(job.how))
        ti.xcom_push(key="restored_from", value=job.restored_from)
        came_from = f" from {job.restored_from}" if job.restored_from else ""
        where = self.flink_job_url or f"job {job.job_id}"
        self.log.info("%s is %s%s: %s", self.job_name, job.how, came_from, where)

    def _submit_or_find(
        self, client: FlinkClient, spec: JobSpec, settings: FlinkSettings, context: Context
    ) -> str:
        ti = context["ti"]
        store = context.get("task_state_store")
        submitted = store.get(JOB_ID_KEY) if store else None
        ids = ids_of_tries(context)
        for candidate in ids:
            status = status_of(client, candidate)
            # one that has finished since its worker's death is done; not so that of a task which
            # has succeeded, and is cleared to do it again
            is_done = status is JobStatus.FINISHED and candidate == submitted
            if status is not None and (not status.is_terminal or is_done):
                self.log.info("Found job %s of an earlier try: it is %s", candidate, status)
                job_id = candidate
                break
        else:
            client.require_slots(spec.name, spec.slots)
            job_id = ids[0] if status_of(client, ids[0]) is None else uuid4().hex
            if store:
                store.set(JOB_ID_KEY, job_id)
            submit(client, spec, checkpoint_dir=settings.checkpoint_dir, job_id=job_id)
        self._job_id = job_id
        ti.xcom_push(key=JOB_ID_KEY, value=job_id)
        self._show_job(context, job_id)
        self.log.info("%s: %s", self.job_name, self.flink_job_url or f"job {job_id}")
        return job_id

    @staticmethod
    def _done(context: Context, job_id: str) -> str:
        # a task that is cleared after this does it again
        if store := context.get("task_state_store"):
            store.delete(JOB_ID_KEY)
        return job_id

    def _finish_here(self, client: FlinkClient, job_id: str) -> None:
        try:
            self._wait_here(client, WaitFor.JOB_FINISHES, job_id)
        except FlinkRestError:
            self._cancel()
            raise

    def _cancel(self) -> None:
        if self._job_id is None:
            return
        try:
            with self._client() as client:
                status = status_of(client, self._job_id)
                if status is not None and not status.is_terminal:
                    self.log.info("Cancelling Flink job %s", self._job_id)
                    client.cancel(self._job_id)
        except FlinkRestError as error:
            self.log.warning("job %s could not be cancelled: %s", self._job_id, error)


class FlinkCheckpointOperator(FlinkOperator):
    """Ask a streaming job for a checkpoint and wait until its rows are committed to a table.

    Run again it asks for another checkpoint, which changes no rows. Returns `checkpoint_id`, the
    table's `committed_id`, and `nothing_new`: the checkpoint held no rows to commit.

    :param job_id: the job. (templated)
    :param table: `database.table` that the job commits to; None to wait for the checkpoint only.
        (templated)
    :param flink_conn_id: reference to the Airflow Connection.
    :param timeout_seconds: how long the checkpoint and its commit may take.
    :param poll_interval_seconds: pause between looks.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("job_id", "table")

    def __init__(self, *, job_id: str, table: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_id = job_id
        self.table = table

    def execute(self, context: Context) -> dict[str, int | bool | None]:
        """Ask for the checkpoint and wait for the commit."""
        facts = {"table": self.table}
        self._show_job(context, self.job_id)
        if self.deferrable:
            self._wait_in_triggerer(WaitFor.CHECKPOINT_COMMITTED, self.job_id, facts)
        with failing_for_good(), self._client() as client:
            return self._told(
                self._wait_here(client, WaitFor.CHECKPOINT_COMMITTED, self.job_id, facts)
            )

    def execute_complete(
        self,
        context: Context,
        event: dict[str, Any],
    ) -> dict[str, int | bool | None]:
        """Go on after the triggerer has waited."""
        self._show_job(context, self.job_id)
        raise_event_error(event)
        return self._told(event["outcome"])

    def _told(self, outcome: dict[str, Any]) -> dict[str, int | bool | None]:
        if outcome["nothing_new"]:
            self.log.info("Checkpoint %s held nothing to commit", outcome["checkpoint_id"])
        else:
            self.log.info("Checkpoint %s is committed", outcome["checkpoint_id"])
        return outcome
