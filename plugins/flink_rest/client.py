"""A client of Flink's REST API (1.20). It imports nothing of Airflow.

Calls that can be repeated without harm are repeated on connection errors; a submission never is.
"""

from __future__ import annotations

import io
import re
import ssl
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from flink_rest.errors import (
    FlinkRequestFailed,
    JobIdUnusable,
    JobNotFound,
    JobScriptFailed,
    JobScriptMissing,
    NoFreeSlots,
    NoJobSubmitted,
    PythonDriverMissing,
    PythonJarMissing,
)
from flink_rest.records import (
    CheckpointHistory,
    CheckpointRequest,
    ClusterOverview,
    JobDetail,
    JobFailure,
    JobSummary,
    SavepointRequest,
)
from flink_rest.rest import Rest
from flink_rest.root_cause import python_output, root_cause

DEFAULT_URL = "http://127.0.0.1:8081"
PYTHON_DRIVER = "org.apache.flink.client.python.PythonDriver"
EMPTY_JAR = "python-driver.jar"
"""Uploaded in place of flink-python's: Flink runs no class without a jar."""

_LOG_TAIL_BYTES = 400_000
"""How much of the JobManager's log is searched for a failed script's output: one submission
writes some 20 kB there."""

_NO_JOB_SIGNS = (
    "No jobs included in application",
    "Expected exactly one job",
    # a second Python gateway in one JobManager
    "PythonEnvUtils.setGatewayServer",
)
_NO_DRIVER_SIGN = "' was not found in the jar file"
_NO_LOG = "its traceback is in the JobManager's log: `make logs S=flink-jobmanager`"


class FlinkClient:
    """Flink's REST API with typed answers and errors.

    :param url: base address, `http://host:port`
    :param python_jar: flink-python's jar, for servers that lack it in their lib; uploaded once to
        each JobManager before the first run. Every job then carries its 33 MB to the TaskManagers
    :param timeout_seconds: how long one answer may take
    :param submit_timeout_seconds: how long a submission may take; the JobManager runs the Python
        file meanwhile, which takes 5 to 40 s on busy cores
    :param attempts: how often a repeatable call is tried when nobody answers
    :param backoff_seconds: pause before the second attempt, doubled before each further one
    :param auth: user and password of a proxy before Flink
    :param headers: sent with each request, such as a proxy's token
    :param verify: check the TLS certificate, or what to check it by
    :param transport: replaces the network, in tests
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        python_jar: Path | None = None,
        timeout_seconds: float = 15.0,
        submit_timeout_seconds: float = 180.0,
        attempts: int = 3,
        backoff_seconds: float = 0.5,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        verify: bool | ssl.SSLContext = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._python_jar = python_jar
        self._submit_timeout_seconds = submit_timeout_seconds
        self._rest = Rest(
            url,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            backoff_seconds=backoff_seconds,
            auth=auth,
            headers=headers or {},
            verify=verify,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._rest.close()

    def overview(self) -> ClusterOverview:
        """Version, TaskManagers and slots of the cluster."""
        return self._rest.read("GET", "/overview", ClusterOverview.of)

    def jobs(self) -> tuple[JobSummary, ...]:
        """Every job that the JobManager remembers, the ended ones too."""
        return self._rest.read(
            "GET",
            "/jobs/overview",
            lambda answer: tuple(JobSummary.of(job) for job in answer["jobs"]),
        )

    def job(self, job_id: str) -> JobDetail:
        """One job with the states of its tasks.

        :raises JobNotFound: the JobManager does not know it.
        """
        return self._rest.read("GET", f"/jobs/{_hex_id(job_id)}", JobDetail.of, job_id=job_id)

    def parameters(self, job_id: str) -> dict[str, str]:
        """Return a job's `pipeline.global-job-parameters`: what it tells of its own start."""
        return self._rest.read(
            "GET",
            f"/jobs/{_hex_id(job_id)}/config",
            lambda answer: {
                str(name): str(value)
                # a job that is still being made has no configuration yet
                for name, value in answer.get("execution-config", {}).get("user-config", {}).items()
            },
            job_id=job_id,
        )

    def failures(self, job_id: str) -> tuple[JobFailure, ...]:
        """Return a job's failures, the newest first, at most 20: it is restarted after each."""
        path = f"/jobs/{_hex_id(job_id)}/exceptions"
        return self._rest.read("GET", path, JobFailure.all_of, job_id=job_id)

    def failure(self, job_id: str) -> str:
        """Return the root cause of a job's newest failure."""
        failures = self.failures(job_id)
        return failures[0].cause if failures else "Flink names no exception"

    def checkpoints(self, job_id: str) -> CheckpointHistory:
        """Count a job's checkpoints and name the newest."""
        path = f"/jobs/{_hex_id(job_id)}/checkpoints"
        return self._rest.read("GET", path, CheckpointHistory.of, job_id=job_id)

    def request_checkpoint(self, job_id: str) -> str:
        """Ask for a checkpoint; returns the request's id. Asked twice, Flink makes two."""
        return self._rest.read(
            "POST",
            f"/jobs/{_hex_id(job_id)}/checkpoints",
            _request_id,
            job_id=job_id,
            body={"checkpointType": "CONFIGURED"},
            repeat=True,
        )

    def checkpoint_request(self, job_id: str, request_id: str) -> CheckpointRequest:
        """How a checkpoint that was asked for stands."""
        path = f"/jobs/{_hex_id(job_id)}/checkpoints/{_hex_id(request_id)}"
        return self._rest.read("GET", path, CheckpointRequest.of, job_id=job_id)

    def request_stop_with_savepoint(
        self, job_id: str, directory: str, *, request_id: str | None = None
    ) -> str:
        """Ask a job to write a savepoint under `directory` and end; returns the request's id.

        :param request_id: 32 hex digits, the caller's choice: Flink takes a second request of the
            same id for the first, until five minutes after that one's end
        """
        body: dict[str, Any] = {"targetDirectory": directory, "drain": False}
        if request_id is not None:
            body["triggerId"] = _hex_id(request_id)
        return self._rest.read(
            "POST",
            f"/jobs/{_hex_id(job_id)}/stop",
            _request_id,
            job_id=job_id,
            body=body,
            repeat=request_id is not None,
        )

    def savepoint_request(self, job_id: str, request_id: str) -> SavepointRequest:
        """How a savepoint that was asked for stands."""
        path = f"/jobs/{_hex_id(job_id)}/savepoints/{_hex_id(request_id)}"
        return self._rest.read("GET", path, SavepointRequest.of, job_id=job_id)

    def cancel(self, job_id: str) -> None:
        """Cancel a job; one that has ended already stays as it is. Its checkpoints are kept."""
        try:
            self._rest.send("PATCH", f"/jobs/{_hex_id(job_id)}?mode=cancel", repeat=True)
        except FlinkRequestFailed as error:
            if error.status == httpx.codes.NOT_FOUND:
                raise JobNotFound(job_id) from error
            if error.status != httpx.codes.CONFLICT:
                raise

    def require_slots(self, job: str, needed: int) -> None:
        """Make sure that the cluster has room for a job.

        :raises NoFreeSlots: it has not; the error names who takes the slots.
        """
        cluster = self.overview()
        if cluster.slots_free < needed:
            takers = (f"{each.name}" for each in self.jobs() if not each.status.is_terminal)
            raise NoFreeSlots(
                job, needed, cluster.slots_free, cluster.slots_total, ", ".join(takers)
            )

    def run_python(
        self,
        script: str,
        arguments: Sequence[str] = (),
        *,
        job_id: str,
        restore_from: str | None = None,
        claim: bool = False,
    ) -> str:
        """Submit a Python job and return its id. Never repeated.

        The JobManager runs the file, which must submit exactly one job; it takes the id given, so
        that a caller who lost the answer can look whether the job is there.

        :param script: path of the file as the JobManager sees it
        :param job_id: 32 hex digits, not used before on this JobManager
        :param restore_from: directory of a checkpoint or savepoint to resume from
        :param claim: it becomes the job's own: Flink deletes it when it is not needed any more
        :raises JobScriptFailed: the file ended with an error, whose traceback is told.
        """
        answer = self._rest.send(
            "POST",
            f"/jars/{self._python_jar_id()}/run",
            body={
                "entryClass": PYTHON_DRIVER,
                "programArgsList": ["-py", script, *arguments],
                "jobId": _hex_id(job_id),
                "savepointPath": restore_from,
                "claimMode": "CLAIM" if claim else "NO_CLAIM",
                "allowNonRestoredState": False,
            },
            timeout_seconds=self._submit_timeout_seconds,
            on_error=lambda status, trace: self._submission_error(script, status, trace),
        )
        return self._rest.parse(answer, lambda body: str(body["jobid"]))

    def _python_jar_id(self) -> str:
        jar = self._python_jar
        if jar is not None and not jar.is_file():
            raise PythonJarMissing(str(jar))
        name = EMPTY_JAR if jar is None else jar.name
        uploaded = self._rest.read(
            "GET",
            "/jars",
            lambda answer: [str(file["id"]) for file in answer["files"] if file["name"] == name],
        )
        if uploaded:
            return uploaded[0]
        with _empty_jar() if jar is None else jar.open("rb") as content:
            answer = self._rest.send("POST", "/jars/upload", files={"jarfile": (name, content)})
        return self._rest.parse(
            answer, lambda body: str(body["filename"]).rsplit("/", maxsplit=1)[-1]
        )

    def _submission_error(self, script: str, status: int, trace: str) -> Exception:
        cause = root_cause(trace)
        if "NoSuchFileException" in cause:
            return JobScriptMissing(script)
        if _NO_DRIVER_SIGN in trace:
            return PythonDriverMissing()
        if any(sign in trace for sign in _NO_JOB_SIGNS):
            return NoJobSubmitted(script, cause)
        if "Python process exits with code" in trace:
            return JobScriptFailed(script, self._last_python_output() or f"{cause}; {_NO_LOG}")
        return FlinkRequestFailed(f"the submission of {script}", status, cause)

    def _last_python_output(self) -> str:
        """What the script printed: REST gives its exit code only, the JobManager's log the rest."""
        return python_output(self._rest.tail("/jobmanager/log", _LOG_TAIL_BYTES))


def _empty_jar() -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n")
    content.seek(0)
    return content


def _request_id(answer: Any) -> str:
    return str(answer["request-id"])


def _hex_id(text: str) -> str:
    """Return an id unchanged, so that nothing else can get into a path.

    :raises JobIdUnusable: it is not 32 hex digits.
    """
    # what a template makes may be of any type
    if not re.fullmatch(r"[0-9a-f]{32}", str(text)):
        raise JobIdUnusable(text)
    return text
