"""What operators and sensors on Flink share: the Connection, the link, waiting, errors."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException

from flink_rest.client import FlinkClient
from flink_rest.errors import FlinkRestError
from flink_rest.hooks import FlinkHook
from flink_rest.kinds import WaitFor, make_wait
from flink_rest.links import FlinkJobLink
from flink_rest.triggers import FlinkWaitTrigger
from flink_rest.waits import TellingWait, wait_for

if TYPE_CHECKING:
    from airflow.sdk import Context

JOB_ID_KEY = "job_id"
"""XCom key under which an operator leaves the job's id as soon as it is known."""
COLOUR = "#fbe6ef"
"""Of these tasks in Airflow's graph: Flink's own pink, pale."""
DEFERRABLE: bool = conf.getboolean("operators", "default_deferrable", fallback=False)


@contextmanager
def failing_for_good() -> Iterator[None]:
    """Let Airflow retry only what may heal without anybody's doing."""
    try:
        yield
    except FlinkRestError as error:
        if error.may_heal:
            raise
        raise AirflowFailException(str(error)) from error


def raise_event_error(event: Mapping[str, Any]) -> None:
    """Raise what a trigger found, so that it stands in the task's log."""
    if event["done"]:
        return
    if event["may_heal"]:
        raise FlinkRestError(event["error"])
    raise AirflowFailException(event["error"])


def ids_of_tries(context: Context) -> list[str]:
    """Return an id of each of this task's tries, this one first: 32 hex digits.

    The run's `run_after` is among the facts, since `dags test` uses one run id again.
    """
    ti = context["ti"]
    facts = (ti.dag_id, ti.run_id, str(context["dag_run"].run_after), ti.task_id, ti.map_index)
    return [
        hashlib.md5(f"{facts}/{number}".encode(), usedforsecurity=False).hexdigest()
        for number in range(ti.try_number, 0, -1)
    ]


class FlinkTask(BaseOperator):
    """The Connection to Flink, and the link to the job's page there."""

    ui_color = COLOUR
    operator_extra_links = (FlinkJobLink(),)
    flink_conn_id: str
    flink_job_id: str | None = None
    """The job that the task is about; None as long as it knows none."""
    flink_job_url = ""
    """Where the link leads; empty as long as the task knows no job."""

    @cached_property
    def hook(self) -> FlinkHook:
        """The hook to Flink."""
        return FlinkHook(flink_conn_id=self.flink_conn_id)

    def _client(self) -> closing[FlinkClient]:
        return closing(self.hook.get_conn())

    def _show_job(self, context: Context, job_id: str) -> None:
        """Have the task's page link to the job, from now on."""
        self.flink_job_id = job_id
        try:
            self.flink_job_url = self.hook.job_url(job_id)
        except FlinkRestError as error:
            # what needs the Connection says so itself; a task that is done shall not fail for this
            self.log.debug("no link to the job: %s", error)
            return
        link = FlinkJobLink()
        context["ti"].xcom_push(key=link.xcom_key, value=self.flink_job_url)

    def _defer(
        self,
        kind: WaitFor,
        job_id: str,
        facts: Mapping[str, Any] | None,
        *,
        timeout_seconds: float,
        poll_interval_seconds: float,
        cancel_on_kill: bool = False,
    ) -> NoReturn:
        self.defer(
            trigger=FlinkWaitTrigger(
                flink_conn_id=self.flink_conn_id,
                job_id=job_id,
                wait_for=kind,
                deadline=time.time() + timeout_seconds,
                timeout_seconds=timeout_seconds,
                poll_interval_seconds=poll_interval_seconds,
                facts=facts,
                cancel_on_kill=cancel_on_kill,
            ),
            method_name="execute_complete",
        )


class FlinkOperator(FlinkTask):
    """What the operators share: waiting with or without the triggerer."""

    def __init__(
        self,
        *,
        flink_conn_id: str = FlinkHook.default_conn_name,
        timeout_seconds: float = 600.0,
        poll_interval_seconds: float = 2.0,
        deferrable: bool = DEFERRABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.flink_conn_id = flink_conn_id
        self.timeout_seconds = timeout_seconds
        self.poll_interval_seconds = poll_interval_seconds
        self.deferrable = deferrable

    def _wait_here(
        self,
        client: FlinkClient,
        kind: WaitFor,
        job_id: str,
        facts: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Wait; returns what the wait has to tell."""
        wait = make_wait(client, kind, job_id, facts or {})
        wait_for(
            wait,
            self.timeout_seconds,
            tell=self.log.warning,
            every_seconds=self.poll_interval_seconds,
        )
        return dict(wait.outcome()) if isinstance(wait, TellingWait) else {}

    def _wait_in_triggerer(
        self,
        kind: WaitFor,
        job_id: str,
        facts: Mapping[str, Any] | None = None,
        *,
        cancel_on_kill: bool = False,
    ) -> NoReturn:
        self._defer(
            kind,
            job_id,
            facts,
            timeout_seconds=self.timeout_seconds,
            poll_interval_seconds=self.poll_interval_seconds,
            cancel_on_kill=cancel_on_kill,
        )
