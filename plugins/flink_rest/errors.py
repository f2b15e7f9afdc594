"""What can go wrong with Flink, each with its facts and what to do next.

No Airflow import: the client and its errors serve tests and scripts as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class FlinkRestError(Exception):
    """Base of this package's errors.

    `may_heal` says whether the same call may succeed later without anybody's doing: an operator
    lets Airflow retry those and fails for good on the others.
    """

    may_heal: ClassVar[bool] = True


class FlinkConnectionUnusable(FlinkRestError):
    """The Airflow Connection does not say where Flink is, or Pulsar's broker."""

    may_heal = False

    def __init__(self, conn_id: str, why: str, example: str = "http://127.0.0.1:8081") -> None:
        super().__init__(
            f"Airflow connection {conn_id!r} cannot be used ({why}): set "
            f"AIRFLOW_CONN_{conn_id.upper()}={example} or make it in the UI"
        )
        self.conn_id, self.why = conn_id, why


class FlinkUnreachable(FlinkRestError):
    """Flink's REST API does not answer."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(
            f"Flink's REST API at {url} does not answer ({cause}): "
            "see `make status`, start it with `make up`"
        )
        self.url, self.cause = url, cause


class FlinkRequestFailed(FlinkRestError):
    """Flink answered with an error."""

    def __init__(self, request: str, status: int, answer: str) -> None:
        super().__init__(
            f"Flink answered {request} with {status}: {answer}. See `make logs S=flink-jobmanager`"
        )
        self.request, self.status, self.answer = request, status, answer


class FlinkAnswerUnusable(FlinkRestError):
    """What answered is not Flink's REST API, or another version of it."""

    def __init__(self, url: str, request: str, detail: str) -> None:
        super().__init__(
            f"what answers {request} at {url} is not Flink's REST API ({detail}): "
            "check the address and the port"
        )
        self.url, self.request, self.detail = url, request, detail


class PythonJarMissing(FlinkRestError):
    """flink-python's jar, which runs Python jobs, is not where RVA_FLINK_PYTHON_JAR says."""

    may_heal = False

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} does not exist: set RVA_FLINK_PYTHON_JAR to flink-python-1.20.5.jar, or to "
            "nothing, where Flink has that in its lib"
        )
        self.path = path


class PythonDriverMissing(FlinkRestError):
    """Flink has no flink-python, which runs Python jobs, and none was uploaded."""

    may_heal = False

    def __init__(self) -> None:
        super().__init__(
            "Flink has no flink-python: copy flink-python-1.20.5.jar from its opt to its lib and "
            "start it again, or set RVA_FLINK_PYTHON_JAR to that jar, to be uploaded"
        )


class JobScriptMissing(FlinkRestError):
    """The JobManager cannot find a job's Python file."""

    may_heal = False

    def __init__(self, script: str) -> None:
        super().__init__(
            f"the JobManager finds no job file {script}: check its name, and that RVA_JOBS_DIR "
            "is the folder of the jobs as the JobManager sees it"
        )
        self.script = script


class JobScriptFailed(FlinkRestError):
    """A job's Python file ended with an error before it submitted a job."""

    def __init__(self, script: str, output: str) -> None:
        super().__init__(f"{script} failed before it submitted a job:\n{output}")
        self.script, self.output = script, output


class NoJobSubmitted(FlinkRestError):
    """A job's Python file ended well and submitted nothing, or two submissions met."""

    def __init__(self, script: str, answer: str) -> None:
        super().__init__(
            f"{script} submitted no job ({answer}): either it makes none, or another submission "
            "came at the same time. Flink takes one at a time; in Airflow the pool "
            "flink_submission with one slot sees to that"
        )
        self.script, self.answer = script, answer


class JobNotFound(FlinkRestError):
    """Flink does not know a job id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"Flink knows no job {job_id}: a JobManager that was started again has forgotten it. "
            "Clear the task that ensures the job; it resumes from the newest checkpoint"
        )
        self.job_id = job_id


class JobIdUnusable(FlinkRestError, ValueError):
    """What is given for an id is none."""

    may_heal = False

    def __init__(self, text: str) -> None:
        super().__init__(f"not a Flink id (32 hex digits): {text!r}")
        self.text = text


class NoJobOfName(FlinkRestError):
    """Flink knows no job of a name, not even one that has ended."""

    may_heal = False

    def __init__(self, job: str, known: str) -> None:
        super().__init__(
            f"Flink knows no job named {job} (it knows: {known or 'none'}): check the name. "
            "A JobManager that was started again has forgotten the jobs that had ended"
        )
        self.job, self.known = job, known


class SettingUnusable(FlinkRestError):
    """A value that a task was given, mostly by a template, cannot be used."""

    may_heal = False

    def __init__(self, name: str, value: object, wanted: str) -> None:
        super().__init__(f"{name} is {value!r}; it must be {wanted}")
        self.name, self.value, self.wanted = name, value, wanted


class JobFailed(FlinkRestError):
    """A job ended otherwise than it should."""

    def __init__(self, job: str, job_id: str, state: str, root_cause: str) -> None:
        super().__init__(f"Flink job {job} ({job_id}) is {state}: {root_cause}")
        self.job, self.job_id, self.state, self.root_cause = job, job_id, state, root_cause


class JobEnded(JobFailed):
    """A streaming job that should run has ended; it will not run again under this id."""

    may_heal = False

    def __init__(self, job: str, job_id: str, state: str, root_cause: str) -> None:
        advice = f"Clear the task that ensures {job}: it resumes from the newest checkpoint"
        super().__init__(job, job_id, state, f"{root_cause}\n{advice}")


class JobMissedStatus(JobFailed):
    """A job has ended in another state than the one that was waited for."""

    may_heal = False


class EndedWithoutSavepoint(JobFailed):
    """A job that was to be stopped with a savepoint has ended in another way."""

    may_heal = False

    def __init__(self, job: str, job_id: str, state: str, root_cause: str) -> None:
        advice = (
            f"It was not stopped with a savepoint; who ensures {job} resumes it from its newest "
            "checkpoint"
        )
        super().__init__(job, job_id, state, f"{root_cause}\n{advice}")


class JobNotRunning(FlinkRestError):
    """A job did not come to run with all its tasks in time."""

    def __init__(self, job: str, job_id: str, state: str, waiting_tasks: str, facts: str) -> None:
        super().__init__(
            f"Flink job {job} ({job_id}) is {state}, but not all of its tasks run "
            f"({waiting_tasks or 'none exist yet'}); {facts}"
        )
        self.job, self.job_id, self.state = job, job_id, state
        self.waiting_tasks, self.facts = waiting_tasks, facts


class SeveralJobsOfOneName(FlinkRestError):
    """Two or more jobs of one name run: each would write every row."""

    may_heal = False

    def __init__(self, job: str, job_ids: tuple[str, ...]) -> None:
        super().__init__(
            f"{len(job_ids)} jobs named {job} are on the cluster ({', '.join(job_ids)}): "
            "cancel all but one in Flink's UI, then clear this task"
        )
        self.job, self.job_ids = job, job_ids


class JobStillRunning(FlinkRestError):
    """A rebuild was asked for while the job runs, or it takes too long to end."""

    may_heal = False

    def __init__(self, job: str, job_id: str, state: str) -> None:
        super().__init__(
            f"Flink job {job} ({job_id}) is {state}: wait until it has ended, or cancel it in "
            "Flink's UI, before it is started anew"
        )
        self.job, self.job_id, self.state = job, job_id, state


class EndedByHand(FlinkRestError):
    """Somebody has cancelled a job, or stopped it with a savepoint, and it was to be left so."""

    may_heal = False

    def __init__(self, job: str, job_id: str, state: str) -> None:
        super().__init__(
            f"somebody has ended {job} (job {job_id}, {state}); `make streams` resumes it"
        )
        self.job, self.job_id, self.state = job, job_id, state


class FreshStartRefused(FlinkRestError):
    """A start without a checkpoint would write every row again."""

    may_heal = False

    def __init__(
        self, job: str, rows: Mapping[str, int], searched: str, how_to_rebuild: str
    ) -> None:
        super().__init__(
            f"{job} is not started afresh: {_told(rows)} and {searched} has no checkpoint to "
            "resume from, so every row would be written twice. Bring the checkpoint back, or "
            f"{how_to_rebuild}"
        )
        self.job, self.rows, self.searched = job, dict(rows), searched


class RebuildRefused(FlinkRestError):
    """A rebuild was asked for, and the tables still hold rows, which it would write again."""

    may_heal = False

    def __init__(self, job: str, rows: Mapping[str, int], how_to_rebuild: str) -> None:
        super().__init__(f"{job} is not rebuilt: {_told(rows)}. First {how_to_rebuild}")
        self.job, self.rows = job, dict(rows)


class CheckpointDoesNotFit(FlinkRestError):
    """A job has changed so that the state of its checkpoint does not fit it any more."""

    may_heal = False

    def __init__(self, job: str, checkpoint: str, cause: str, how_to_rebuild: str) -> None:
        super().__init__(
            f"{job} cannot be resumed from {checkpoint}, since the job has changed: {cause}. "
            f"Go back to the version that wrote it, or {how_to_rebuild}"
        )
        self.job, self.checkpoint, self.cause = job, checkpoint, cause


class NoFreeSlots(FlinkRestError):
    """No TaskManager has room for the job."""

    def __init__(self, job: str, needed: int, free: int, total: int, taken_by: str) -> None:
        super().__init__(
            f"{job} needs {needed} task slots; {free} of {total} are free "
            f"(taken by: {taken_by or 'nobody'}). "
            + (
                "Cancel a job that is not needed, or give the TaskManager more slots"
                if total
                else "No TaskManager is registered: see `make status`"
            )
        )
        self.job, self.needed, self.free, self.total = job, needed, free, total
        self.taken_by = taken_by


class CheckpointFailed(FlinkRestError):
    """A checkpoint that was asked for did not complete."""

    def __init__(self, job_id: str, cause: str) -> None:
        super().__init__(f"the checkpoint asked of Flink job {job_id} failed: {cause}")
        self.job_id, self.cause = job_id, cause


class CatalogueUnreachable(FlinkRestError):
    """The Iceberg catalogue does not answer, so nobody knows what is committed."""

    def __init__(self, table: str, cause: str) -> None:
        super().__init__(f"cannot see what is committed to {table}: {cause}")
        self.table, self.cause = table, cause


class CommitUnknown(FlinkRestError):
    """The table of a commit cannot be read."""

    may_heal = False

    def __init__(self, table: str, cause: str) -> None:
        super().__init__(f"cannot see what is committed to {table}: {cause}")
        self.table, self.cause = table, cause


class PulsarUnreachable(FlinkRestError):
    """Pulsar's admin API does not answer, so nobody knows what is unread."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(
            f"Pulsar's admin API at {url} does not answer ({cause}): see `make status`"
        )
        self.url, self.cause = url, cause


class PulsarRequestFailed(FlinkRestError):
    """Pulsar's admin API answered with an error, or what answered is not it."""

    def __init__(self, url: str, request: str, detail: str) -> None:
        super().__init__(
            f"{request} of Pulsar's admin API at {url} failed ({detail}): check the Connection's "
            "address, port and token"
        )
        self.url, self.request, self.detail = url, request, detail


class BacklogUnknown(FlinkRestError):
    """There is no such topic or subscription."""

    may_heal = False

    def __init__(self, topic: str, subscription: str, why: str) -> None:
        super().__init__(f"nobody knows what is unread of {topic} by {subscription}: {why}")
        self.topic, self.subscription, self.why = topic, subscription, why


class SavepointFailed(FlinkRestError):
    """A job could not be stopped with a savepoint; it runs on, or Flink restarts it."""

    def __init__(self, job: str, job_id: str, cause: str) -> None:
        super().__init__(
            f"{job} ({job_id}) could not be stopped with a savepoint: {cause}. Clear this task to "
            "try again; if that does not help, cancel the job in Flink's UI: who ensures it again "
            "resumes it from its newest checkpoint"
        )
        self.job, self.job_id, self.cause = job, job_id, cause


class DeadlinePassed(FlinkRestError):
    """Something did not happen in the time that was given."""

    def __init__(self, what: str, seconds: float, last_seen: str) -> None:
        super().__init__(f"{what} did not happen within {seconds:.0f} s; last seen: {last_seen}")
        self.what, self.seconds, self.last_seen = what, seconds, last_seen


def _told(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{table} holds {count:,} rows" for table, count in rows.items())
