"""What all tasks of the DAGs have in common: tries, pauses, an end, and one line when they fail."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(minutes=5)


def defaults(
    *, retries: int = 2, retry_delay: timedelta, execution_timeout: timedelta
) -> dict[str, Any]:
    """Return a DAG's `default_args`: each pause between tries is twice the one before."""
    return {
        "owner": "retail-video-analytics",
        "retries": retries,
        "retry_delay": retry_delay,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": LONGEST_PAUSE,
        "execution_timeout": execution_timeout,
        "on_failure_callback": tell_failure,
        "on_retry_callback": tell_retry,
    }


def tell_failure(context: Context) -> None:
    """Write one line: what failed for good, in which run, why, and where it says what to do."""
    log.error("%s. What to do: the DAG's page, under %r", _happened(context), "When a step fails")


def tell_retry(context: Context) -> None:
    """Write one line: what failed and will be tried again."""
    log.warning("%s. It will be tried again", _happened(context))


def _happened(context: Context) -> str:
    ti = context["ti"]
    where = f"{ti.dag_id}.{ti.task_id}"
    if ti.map_index is not None and ti.map_index >= 0:
        where += f"[{ti.map_index}]"
    error = context.get("exception")
    first_line = next(iter(str(error).splitlines()), "") if error is not None else ""
    cause = f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
    return f"{where} of run {ti.run_id} failed on try {ti.try_number}: {cause}"
