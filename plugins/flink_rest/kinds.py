"""The waits by name: what a task waits for here, and what it hands to the triggerer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flink_rest.client import FlinkClient
from flink_rest.commits import committed_checkpoints, newest_commits
from flink_rest.progress import BacklogDrained, CheckpointAfter, TableCommitted, moment
from flink_rest.pulsar import PulsarAdmin, Subscription
from flink_rest.records import JobStatus
from flink_rest.stopping import JobStops
from flink_rest.waits import CheckpointCommitted, JobEnds, JobFinishes, JobReaches, JobRuns, Wait

PULSAR_ADMIN = "pulsar_admin_conn_id"
"""The fact that names the Connection to Pulsar's broker."""


class WaitFor(StrEnum):
    """What is waited for; beside each, the facts that it needs."""

    JOB_RUNS = "job_runs"
    JOB_FINISHES = "job_finishes"
    CHECKPOINT_COMMITTED = "checkpoint_committed"
    """`table`: `database.table`, or None."""
    JOB_REACHES = "job_reaches"
    """`statuses`."""
    JOB_ENDS = "job_ends"
    JOB_STOPS = "job_stops"
    """`directory`, `request_ids`, `earlier_ids`."""
    CHECKPOINT_AFTER = "checkpoint_after"
    """`after`: ISO 8601."""
    TABLE_COMMITTED = "table_committed"
    """`table`, `checkpoint_id` or None, `since` (ISO 8601) or None."""
    BACKLOG_DRAINED = "backlog_drained"
    """`topic`, `subscription`, `pulsar_admin_conn_id`."""


def make_wait(
    client: FlinkClient,
    wait_for: WaitFor,
    job_id: str,
    facts: Mapping[str, Any],
    *,
    pulsar: PulsarAdmin | None = None,
) -> Wait:
    """Make the wait of a name.

    :param facts: in plain types, so that they can be handed to the triggerer
    :param pulsar: for a wait whose facts name a Connection to it
    """
    match wait_for:
        case WaitFor.JOB_RUNS:
            return JobRuns(client, job_id)
        case WaitFor.JOB_FINISHES:
            return JobFinishes(client, job_id)
        case WaitFor.JOB_REACHES:
            return JobReaches(client, job_id, [JobStatus(each) for each in facts["statuses"]])
        case WaitFor.JOB_ENDS:
            return JobEnds(client, job_id)
        case WaitFor.JOB_STOPS:
            return JobStops(
                client, job_id, facts["directory"], facts["request_ids"], facts["earlier_ids"]
            )
        case WaitFor.CHECKPOINT_COMMITTED:
            table = facts.get("table")
            committed = committed_checkpoints(table, job_id) if table else None
            return CheckpointCommitted(client, job_id, committed)
        case WaitFor.CHECKPOINT_AFTER:
            return CheckpointAfter(client, job_id, moment("after", facts["after"]))
        case WaitFor.TABLE_COMMITTED:
            table, since = facts["table"], facts["since"]
            return TableCommitted(
                client,
                job_id,
                table,
                newest_commits(table, job_id),
                facts["checkpoint_id"],
                None if since is None else moment("since", since),
            )
        case WaitFor.BACKLOG_DRAINED:
            if pulsar is None:
                raise ValueError("the wait for a backlog needs Pulsar's broker")
            subscription = Subscription(pulsar, facts["topic"], facts["subscription"])
            return BacklogDrained(client, job_id, subscription)
