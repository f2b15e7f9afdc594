"""From a task's page in Airflow to its job's page in Flink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class FlinkJobLink(BaseOperatorLink):
    """The job in Flink's UI.

    A task pushes it to XCom as soon as it knows the job, so that it shows while the task runs;
    Airflow asks here once more when the task's process ends.
    """

    name = "Flink job"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow passes it
        """Return the address; empty where the task has come to no job."""
        return str(getattr(operator, "flink_job_url", ""))
