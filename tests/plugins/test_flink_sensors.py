"""The sensors, each waiting here against scripted servers; the trigger has tests of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from flink_tasks import DISK_FULL, NO_FAILURES, NOT_FOUND, Serve, checkpoints, context, detail
from scripted_http import Answer, ScriptedServer, serving

from flink_rest import kinds, progress
from flink_rest.commits import Commit
from flink_rest.errors import (
    CatalogueUnreachable,
    CommitUnknown,
    DeadlinePassed,
    FlinkRestError,
    JobFailed,
    PulsarRequestFailed,
)
from flink_rest.records import JobStatus
from flink_rest.sensors import (
    FlinkBacklogDrainedSensor,
    FlinkCheckpointSensor,
    FlinkJobRunningSensor,
    FlinkJobStatusSensor,
    IcebergCommitSensor,
)

JOB = "a" * 32
TOPIC = "persistent://retail/metadata/events"
STATS = "/admin/v2/persistent/retail/metadata/events/stats"
PARTITIONED = "/admin/v2/persistent/retail/metadata/events/partitioned-stats"
MOMENT = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
ENDED = sorted(each for each in JobStatus if each.is_terminal)

Commits = Callable[[], Commit | None]


def quick(sensor: type[Any], **arguments: Any) -> Any:
    settings = {"task_id": "t", "job_id": JOB, "poke_interval": 0.01, "timeout": 5.0}
    return sensor(**settings | arguments)


def status(*statuses: str, **arguments: Any) -> FlinkJobStatusSensor:
    sensor: FlinkJobStatusSensor = quick(FlinkJobStatusSensor, statuses=statuses, **arguments)
    return sensor


def job(*states: str) -> dict[str, list[Answer]]:
    return {
        f"/jobs/{JOB}": [detail(JOB, state) for state in states],
        f"/jobs/{JOB}/exceptions": [NO_FAILURES],
    }


def failing_at(*seconds: int) -> Answer:
    entries = [{"timestamp": each, "stacktrace": "Caused by: a.B: no"} for each in seconds]
    return 200, {"root-exception": None, "exceptionHistory": {"entries": entries}}


def test_status_is_waited_for_and_told(serve: Serve) -> None:
    serve(job("CREATED", "RUNNING", "FINISHED"))
    assert status("FINISHED").execute(context()) == "FINISHED"


def test_first_of_several_statuses_counts(serve: Serve) -> None:
    serve(job("CREATED", "RUNNING", "FINISHED"))
    assert status("RUNNING", "FINISHED").execute(context()) == "RUNNING"


def test_finished_is_what_is_waited_for_where_nothing_is_said(serve: Serve) -> None:
    serve(job("FINISHED"))
    assert quick(FlinkJobStatusSensor).execute(context()) == "FINISHED"


@pytest.mark.parametrize("ended", ENDED)
def test_job_that_ends_otherwise_fails_at_once_and_for_good_with_its_cause(
    serve: Serve, ended: str
) -> None:
    serve(job(ended) | {f"/jobs/{JOB}/exceptions": [DISK_FULL]})
    with pytest.raises(AirflowFailException, match=rf"is {ended}: java.io.IOException: full"):
        status("RUNNING").execute(context())


def test_end_that_is_waited_for_is_no_failure(serve: Serve) -> None:
    serve(job("RUNNING", "FAILED"))
    assert status("FAILED", "CANCELED").execute(context()) == "FAILED"


@pytest.mark.parametrize(("wanted", "fails"), [("RUNNING", True), ("FAILED", False)])
def test_job_that_is_restarted_again_and_again_fails_where_no_failure_is_waited_for(
    serve: Serve, wanted: str, fails: bool
) -> None:
    failures = [NO_FAILURES, failing_at(1, 2, 3)]
    serve(job("RESTARTING") | {f"/jobs/{JOB}/exceptions": failures})
    with pytest.raises(
        JobFailed if fails else DeadlinePassed, match="3 failures" if fails else "RESTARTING"
    ):
        status(wanted, timeout=30 if fails else 0.1).execute(context())


@pytest.mark.parametrize("statuses", [("DREAMING",), (), ("running",)])
def test_status_that_flink_does_not_have_is_told_with_those_it_has(
    serve: Serve, statuses: tuple[str, ...]
) -> None:
    server = serve({})
    with pytest.raises(AirflowFailException, match=r"statuses is .*of INITIALIZING, CREATED"):
        status(*statuses).execute(context())
    assert server.asked == []


def test_status_may_be_one_word_of_a_template(serve: Serve) -> None:
    serve(job("RUNNING"))
    assert quick(FlinkJobStatusSensor, statuses="RUNNING").execute(context()) == "RUNNING"


def test_unknown_job_is_told(serve: Serve) -> None:
    serve({})
    with pytest.raises(FlinkRestError, match=f"Flink knows no job {JOB}"):
        status("RUNNING").execute(context())


def test_server_error_is_told(serve: Serve) -> None:
    serve({f"/jobs/{JOB}": [(500, {"errors": ["Caused by: a.B: no"]})]})
    with pytest.raises(FlinkRestError, match=r"with 500: a\.B: no"):
        status("RUNNING").execute(context())


@pytest.mark.parametrize("option", ["soft_fail", "never_fail"])
def test_sensor_that_shall_skip_skips(serve: Serve, option: str) -> None:
    serve(job("RUNNING"))
    with pytest.raises(AirflowSkipException):
        status("FINISHED", timeout=0.05, **{option: True}).execute(context())
    event = {"done": False, "job_id": JOB, "error": "no", "may_heal": False}
    with pytest.raises(AirflowSkipException, match="no"):
        status("FINISHED", **{option: True}).execute_complete(context(), event)


DEFERRED: list[tuple[type[Any], dict[str, Any], str, dict[str, Any]]] = [
    (FlinkJobRunningSensor, {}, "job_runs", {}),
    (FlinkJobStatusSensor, {}, "job_reaches", {"statuses": ["FINISHED"]}),
    (
        FlinkCheckpointSensor,
        {"after": "2026-11-24T11:15:00+01:00"},
        "checkpoint_after",
        {"after": "2026-11-24T10:15:00+00:00"},
    ),
    (
        FlinkBacklogDrainedSensor,
        {"topic": TOPIC, "subscription": "bronze"},
        "backlog_drained",
        {"topic": TOPIC, "subscription": "bronze", "pulsar_admin_conn_id": "pulsar_admin"},
    ),
    (
        IcebergCommitSensor,
        {"table": "rva.bronze_raw", "checkpoint_id": "7", "since": MOMENT},
        "table_committed",
        {"table": "rva.bronze_raw", "checkpoint_id": 7, "since": "2026-11-24T10:15:00+00:00"},
    ),
]


@pytest.mark.parametrize(("sensor", "arguments", "wait_for", "facts"), DEFERRED)
def test_what_has_not_come_about_yet_is_handed_to_the_trigger(
    serve: Serve,
    commits: list[Commit | None],
    pulsar: Callable[..., ScriptedServer],
    sensor: type[Any],
    arguments: dict[str, Any],
    wait_for: str,
    facts: dict[str, Any],
) -> None:
    commits.append(None)
    pulsar({STATS: [stats(bronze=3)]})
    server = serve(job("RESTARTING") | {f"/jobs/{JOB}/checkpoints": [checkpoints()]})
    told = context()
    with pytest.raises(TaskDeferred) as caught:
        quick(sensor, deferrable=True, **arguments).execute(told)
    serialized = caught.value.trigger.serialize()[1]
    assert (serialized["wait_for"], serialized["facts"]) == (wait_for, facts)
    assert serialized["cancel_on_kill"] is False
    json.dumps(serialized)
    url = f"{server.url}/#/job/running/{JOB}/overview"
    assert told["ti"].pushed == {"_link_FlinkJobLink": url}


def test_what_has_come_about_is_not_deferred(serve: Serve) -> None:
    serve(job("RUNNING"))
    assert status("RUNNING", deferrable=True).execute(context()) == "RUNNING"


def test_what_the_trigger_found_is_told_or_raised(serve: Serve) -> None:
    serve({})
    event = {"done": True, "job_id": JOB, "outcome": {"status": "FINISHED"}}
    assert status("FINISHED").execute_complete(context(), event) == "FINISHED"
    bad = {"done": False, "job_id": JOB, "error": "full", "may_heal": True}
    with pytest.raises(FlinkRestError, match="full"):
        status("FINISHED").execute_complete(context(), bad)


def completed(checkpoint_id: int, at: datetime) -> Answer:
    return checkpoints(
        {
            "id": checkpoint_id,
            "trigger_timestamp": int(at.timestamp() * 1000),
            "external_path": f"file:/c/chk-{checkpoint_id}",
        }
    )


def after(moment: str | datetime = MOMENT, **arguments: Any) -> FlinkCheckpointSensor:
    sensor: FlinkCheckpointSensor = quick(FlinkCheckpointSensor, after=moment, **arguments)
    return sensor


def test_checkpoint_that_was_triggered_after_the_moment_is_waited_for(serve: Serve) -> None:
    history = [
        checkpoints(),
        completed(6, MOMENT - timedelta(seconds=1)),
        completed(7, MOMENT),
        completed(8, MOMENT + timedelta(milliseconds=1)),
    ]
    serve(job("RUNNING") | {f"/jobs/{JOB}/checkpoints": history})
    assert after().execute(context()) == {"checkpoint_id": 8, "path": "file:/c/chk-8"}


def test_checkpoint_of_a_job_that_has_ended_since_counts(serve: Serve) -> None:
    history = [completed(8, MOMENT + timedelta(seconds=1))]
    serve(job("FINISHED") | {f"/jobs/{JOB}/checkpoints": history})
    assert after().execute(context())["checkpoint_id"] == 8


@pytest.mark.parametrize("ended", ENDED)
def test_job_that_has_ended_without_one_fails_at_once(serve: Serve, ended: str) -> None:
    serve(
        job(ended)
        | {
            f"/jobs/{JOB}/exceptions": [DISK_FULL],
            f"/jobs/{JOB}/checkpoints": [completed(6, MOMENT)],
        }
    )
    with pytest.raises(AirflowFailException, match=rf"is {ended}: java.io.IOException: full"):
        after().execute(context())


def test_checkpoint_that_does_not_come_is_told_with_the_newest(serve: Serve) -> None:
    serve(job("RUNNING") | {f"/jobs/{JOB}/checkpoints": [completed(6, MOMENT)]})
    with pytest.raises(
        DeadlinePassed, match="last seen: checkpoint 6, triggered at 2026-11-24 10:15:00 UTC"
    ):
        after(timeout=0.05).execute(context())


@pytest.mark.parametrize("moment", ["2026-11-24T10:15:00", "yesterday", "", "None"])
def test_moment_without_a_zone_or_sense_fails_for_good(serve: Serve, moment: str) -> None:
    serve({})
    with pytest.raises(AirflowFailException, match=r"after is .*a moment with its zone"):
        after(moment).execute(context())


def stats(**backlogs: int) -> Answer:
    each = {name: {"msgBacklog": backlog} for name, backlog in backlogs.items()}
    return 200, {"subscriptions": each}


@pytest.fixture
def pulsar(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ScriptedServer]]:
    """Pulsar's broker, behind the Connection `pulsar_admin`."""
    running = []

    def pulsar(answers: dict[str, list[Answer]]) -> ScriptedServer:
        manager = serving(answers)
        server = manager.__enter__()
        running.append(manager)
        monkeypatch.setenv("AIRFLOW_CONN_PULSAR_ADMIN", server.url)
        return server

    yield pulsar
    for manager in running:
        manager.__exit__(None, None, None)


Pulsar = Callable[[dict[str, list[Answer]]], ScriptedServer]


def drained(**arguments: Any) -> FlinkBacklogDrainedSensor:
    given = {"topic": TOPIC, "subscription": "bronze"} | arguments
    sensor: FlinkBacklogDrainedSensor = quick(FlinkBacklogDrainedSensor, **given)
    return sensor


def test_backlog_is_waited_for_until_nothing_is_left(serve: Serve, pulsar: Pulsar) -> None:
    serve(job("RUNNING"))
    broker = pulsar({STATS: [stats(other=0), stats(bronze=7, other=0), stats(bronze=0, other=9)]})
    assert drained().execute(context()) is None
    assert broker.asked == [f"GET {STATS}?getPreciseBacklog=true"] * 3


def test_backlog_of_a_partitioned_topic_is_that_of_all_partitions(
    serve: Serve, pulsar: Pulsar
) -> None:
    serve(job("RUNNING"))
    broker = pulsar({STATS: [NOT_FOUND], PARTITIONED: [stats(bronze=1), stats(bronze=0)]})
    drained().execute(context())
    assert len(broker.asked) == 4


def test_job_that_has_ended_and_left_nothing_is_done(serve: Serve, pulsar: Pulsar) -> None:
    serve(job("FINISHED"))
    pulsar({STATS: [stats(bronze=0)]})
    drained().execute(context())


@pytest.mark.parametrize("ended", ENDED)
def test_job_that_has_ended_and_left_something_fails_at_once(
    serve: Serve, pulsar: Pulsar, ended: str
) -> None:
    serve(job(ended) | {f"/jobs/{JOB}/exceptions": [DISK_FULL]})
    pulsar({STATS: [stats(bronze=1)]})
    with pytest.raises(AirflowFailException, match=rf"is {ended}: java.io.IOException: full"):
        drained().execute(context())


def test_backlog_that_stays_is_told_with_its_size(serve: Serve, pulsar: Pulsar) -> None:
    serve(job("RUNNING"))
    pulsar({STATS: [stats(bronze=12345)]})
    with pytest.raises(DeadlinePassed, match="last seen: 12,345 entries unread"):
        drained(timeout=0.05).execute(context())


def test_topic_that_does_not_exist_fails_for_good(serve: Serve, pulsar: Pulsar) -> None:
    serve(job("RUNNING"))
    pulsar({})
    with pytest.raises(AirflowFailException, match=f"{TOPIC} by bronze: there is no such topic"):
        drained().execute(context())


def test_subscription_that_a_running_job_does_not_make_fails_for_good(
    serve: Serve, pulsar: Pulsar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SUBSCRIBED_SECONDS", 0.05)
    serve(job("RUNNING"))
    pulsar({STATS: [stats(bronze=0)]})
    with pytest.raises(AirflowFailException, match=r"no such subscription.*; there are: bronze$"):
        drained(subscription="bornze").execute(context())


@pytest.mark.parametrize("topic", ["events", "persistent://retail/events", f"{TOPIC}/../x", ""])
def test_topic_that_is_none_never_gets_into_a_path(
    serve: Serve, pulsar: Pulsar, topic: str
) -> None:
    serve(job("RUNNING"))
    broker = pulsar({})
    with pytest.raises(AirflowFailException, match="it must be persistent://tenant/namespace/"):
        drained(topic=topic).execute(context())
    assert broker.asked == []


def test_broker_that_answers_with_an_error_is_told(serve: Serve, pulsar: Pulsar) -> None:
    serve(job("RUNNING"))
    pulsar({STATS: [(401, {"reason": "HTTP 401 Unauthorized"})]})
    with pytest.raises(PulsarRequestFailed, match=r"401: HTTP 401 Unauthorized.*token"):
        drained().execute(context())
    pulsar({STATS: [(200, {"a": "proxy"})]})
    with pytest.raises(PulsarRequestFailed, match="KeyError"):
        drained().execute(context())


def test_broker_behind_a_proxy_that_does_not_reach_it_is_looked_at_again(
    serve: Serve, pulsar: Pulsar
) -> None:
    serve(job("RUNNING"))
    pulsar({STATS: [(503, {}), stats(bronze=0)]})
    drained().execute(context())


def test_broker_that_is_down_is_looked_at_until_the_time_is_up(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(job("RUNNING"))
    monkeypatch.setenv("AIRFLOW_CONN_PULSAR_ADMIN", "http://127.0.0.1:1")
    with pytest.raises(DeadlinePassed, match="last seen: no subscription"):
        drained(timeout=0.05).execute(context())


def test_missing_connection_to_the_broker_says_what_to_set(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(job("RUNNING"))
    monkeypatch.delenv("AIRFLOW_CONN_ELSEWHERE", raising=False)
    with pytest.raises(
        AirflowFailException, match=r"set AIRFLOW_CONN_ELSEWHERE=http://127\.0\.0\.1:8084"
    ):
        drained(pulsar_admin_conn_id="elsewhere").execute(context())


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[Commit | Exception | None]:
    """The newest commit at each look; the last one stays."""
    seen: list[Commit | Exception | None] = []

    def newest_commits(_: str, __: str) -> Commits:
        def newest() -> Commit | None:
            found = seen.pop(0) if len(seen) > 1 else seen[0]
            if isinstance(found, Exception):
                raise found
            return found

        return newest

    monkeypatch.setattr(kinds, "newest_commits", newest_commits)
    return seen


def commit(checkpoint_id: int, at: datetime = MOMENT) -> Commit:
    return Commit(snapshot_id=100 + checkpoint_id, checkpoint_id=checkpoint_id, committed_at=at)


def committed(**arguments: Any) -> IcebergCommitSensor:
    sensor: IcebergCommitSensor = quick(IcebergCommitSensor, table="rva.bronze_raw", **arguments)
    return sensor


Seen = list[Commit | Exception | None]


@pytest.mark.parametrize("wanted", [None, "", 1])
def test_any_commit_of_the_job_counts_where_nothing_is_said(
    serve: Serve, commits: Seen, wanted: int | str | None
) -> None:
    serve(job("RUNNING"))
    commits += [None, commit(1)]
    assert committed(checkpoint_id=wanted).execute(context()) == {
        "snapshot_id": 101,
        "checkpoint_id": 1,
        "committed_at": "2026-11-24T10:15:00+00:00",
    }


def test_commit_of_the_checkpoint_or_a_later_one_counts(serve: Serve, commits: Seen) -> None:
    serve(job("RUNNING"))
    commits += [commit(6), commit(9)]
    assert committed(checkpoint_id="7").execute(context())["checkpoint_id"] == 9


def test_commit_at_the_moment_or_later_counts(serve: Serve, commits: Seen) -> None:
    serve(job("RUNNING"))
    commits += [commit(6, MOMENT - timedelta(milliseconds=1)), commit(7, MOMENT)]
    assert committed(since=MOMENT).execute(context())["checkpoint_id"] == 7


@pytest.mark.parametrize("state", [*ENDED, None])
def test_commit_of_a_job_that_has_ended_or_is_forgotten_counts(
    serve: Serve, commits: Seen, state: str | None
) -> None:
    serve(job(state) if state else {})
    commits.append(commit(7))
    assert committed(checkpoint_id=7).execute(context())["checkpoint_id"] == 7


@pytest.mark.parametrize("ended", ENDED)
def test_job_that_has_ended_without_such_a_commit_fails_at_once(
    serve: Serve, commits: Seen, ended: str
) -> None:
    serve(job(ended) | {f"/jobs/{JOB}/exceptions": [DISK_FULL]})
    commits.append(commit(6))
    with pytest.raises(AirflowFailException, match=rf"is {ended}: java.io.IOException: full"):
        committed(checkpoint_id=7).execute(context())


def test_forgotten_job_without_such_a_commit_is_told(serve: Serve, commits: Seen) -> None:
    serve({})
    commits.append(commit(6))
    with pytest.raises(FlinkRestError, match=f"Flink knows no job {JOB}"):
        committed(checkpoint_id=7).execute(context())


def test_table_that_does_not_exist_fails_for_good(serve: Serve, commits: Seen) -> None:
    serve(job("RUNNING"))
    commits.append(CommitUnknown("rva.bronze_row", "there is no such table"))
    with pytest.raises(AirflowFailException, match=r"rva\.bronze_row: there is no such table"):
        committed().execute(context())


def test_catalogue_that_is_down_is_looked_at_again(serve: Serve, commits: Seen) -> None:
    serve(job("RUNNING"))
    commits += [CatalogueUnreachable("rva.bronze_raw", "refused"), commit(1)]
    assert committed().execute(context())["checkpoint_id"] == 1


def test_commit_that_does_not_come_is_told_with_the_newest(serve: Serve, commits: Seen) -> None:
    serve(job("RUNNING"))
    commits.append(commit(6))
    told = (
        "a commit of job a+ to rva.bronze_raw of checkpoint 7 or later since 2026-11-24 10:15:00 "
        "UTC did not happen within 0 s; last seen: checkpoint 6, committed at 2026-11-24 10:15:00"
    )
    with pytest.raises(DeadlinePassed, match=told):
        committed(checkpoint_id=7, since=MOMENT, timeout=0.05).execute(context())


def test_checkpoint_id_that_is_no_number_fails_for_good(serve: Serve, commits: Seen) -> None:
    serve(job("RUNNING"))
    commits.append(None)
    with pytest.raises(AirflowFailException, match="checkpoint_id is 'None'; it must be a whole"):
        committed(checkpoint_id="None").execute(context())
