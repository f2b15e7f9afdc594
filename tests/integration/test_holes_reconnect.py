"""Pulsar's topic comes back within a checkpoint: what had not been acknowledged comes again."""

from __future__ import annotations

import pytest

from flink_rest.jobs import JobSpec
from integration.bronze_counts import bronze_count, distinct_payloads
from integration.conftest import Deployment, new_deployment, wait_until
from integration.flink_metrics import wait_until_read
from integration.publishing import numbered, publish
from integration.pulsar_admin import TopicAdmin

pytestmark = pytest.mark.integration

MESSAGES = 300
LONG = ("--checkpoint-interval-seconds", "864000")
"""The first comes by chance, within the interval: in ten days it is as good as never."""


def reconnect_between_two_checkpoints(deployment: Deployment, spec: JobSpec) -> None:
    """Publish, have the topic unloaded, as brokers do when they move it; publish, checkpoint."""
    topic = TopicAdmin.of(deployment)
    job_id = deployment.submit(spec)
    wait_until("Bronze runs", lambda: deployment.flink.job(job_id).runs_with_all_tasks)

    def given() -> int:
        subscription = topic.stats()["subscriptions"].get("bronze", {})
        return int(subscription.get("msgOutCounter", 0))

    publish(deployment, numbered("before", MESSAGES))
    wait_until_read(deployment, job_id, MESSAGES)
    topic.unload()
    publish(deployment, numbered("after", MESSAGES))
    wait_until("Bronze has been given some again", lambda: given() >= MESSAGES)

    def has_all() -> bool:
        # what it is given last may come after a checkpoint has begun, and none comes by itself
        deployment.flink.request_checkpoint(job_id)
        return distinct_payloads(deployment) == 2 * MESSAGES

    wait_until("Bronze has all", has_all)


@pytest.mark.parametrize("is_covered", [False, True], ids=["hole", "covered"])
def test_messages_that_the_broker_gives_again_are_taken_once(
    stack: dict[str, str], is_covered: bool
) -> None:
    """Without the cover all that came since the last checkpoint is doubled."""
    with new_deployment(stack) as deployment:
        spec = (
            deployment.spec("bronze_ingest", *LONG)
            if is_covered
            else deployment.uncovered_spec("bronze_ingest reconnecting", *LONG)
        )
        reconnect_between_two_checkpoints(deployment, spec)
        given_again = 0 if is_covered else MESSAGES
        assert bronze_count(deployment) == 2 * MESSAGES + given_again
