"""Answers that the real Flink does not give on demand; what it does give is tested against it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from flink_rest.client import EMPTY_JAR, FlinkClient
from flink_rest.errors import (
    FlinkAnswerUnusable,
    FlinkRequestFailed,
    FlinkRestError,
    FlinkUnreachable,
    JobScriptFailed,
    NoFreeSlots,
    NoJobSubmitted,
    PythonJarMissing,
)

JOB = "0" * 31 + "1"


def client_answering(
    answer: Callable[[httpx.Request], httpx.Response], **settings: object
) -> FlinkClient:
    return FlinkClient(
        "http://flink.test",
        transport=httpx.MockTransport(answer),
        backoff_seconds=0,
        **settings,  # type: ignore[arg-type]
    )


def test_server_error_names_the_request_the_status_and_the_innermost_cause() -> None:
    trace = (
        "java.lang.RuntimeException: outer\n\tat x.y(Z.java:1)\n"
        "Caused by: java.io.IOException: disk is full\n\tat a.b(C.java:2)"
    )
    client = client_answering(lambda _: httpx.Response(500, json={"errors": [trace]}))
    with pytest.raises(FlinkRequestFailed) as caught:
        client.overview()
    assert caught.value.status == 500
    assert caught.value.answer == "java.io.IOException: disk is full"
    assert "GET /overview" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(200, text="<html>a proxy</html>"), id="no JSON"),
        pytest.param(httpx.Response(200, json={"slots": 8}), id="another server's JSON"),
        pytest.param(httpx.Response(200, json=[]), id="a list"),
        pytest.param(httpx.Response(200, json={"taskmanagers": None}), id="null"),
    ],
)
def test_what_is_not_flink_is_told_so(answer: httpx.Response) -> None:
    with pytest.raises(FlinkAnswerUnusable, match=r"not Flink's REST API"):
        client_answering(lambda _: answer).overview()


def test_unknown_job_state_of_another_version_is_told() -> None:
    job = {"jid": JOB, "name": "x", "state": "DREAMING", "vertices": []}
    with pytest.raises(FlinkAnswerUnusable, match="DREAMING"):
        client_answering(lambda _: httpx.Response(200, json=job)).job(JOB)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(502, text="Bad Gateway"), "502: Bad Gateway"),
        (
            httpx.Response(503, json={"errors": ["ongoing leader election. Please refresh."]}),
            "503: ongoing leader election",
        ),
        (httpx.Response(504), "504: no reason"),
        (httpx.Response(429, text="slow down"), "429: slow down"),
    ],
)
def test_answer_in_place_of_flink_s_is_asked_for_again_and_then_told_as_nobody_s(
    answer: httpx.Response, told: str
) -> None:
    calls: list[str] = []

    def give(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        return answer

    with pytest.raises(FlinkUnreachable, match=told):
        client_answering(give, attempts=3).jobs()
    assert calls == ["/jobs/overview"] * 3


def test_leader_that_is_elected_meanwhile_answers() -> None:
    answers = iter([httpx.Response(503), httpx.Response(200, json={"jobs": []})])
    assert client_answering(lambda _: next(answers)).jobs() == ()


def test_headers_are_sent_with_each_request() -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("x-token"))
        return httpx.Response(200, json={"jobs": []})

    client_answering(answer, headers={"X-Token": "t"}).jobs()
    assert seen == ["t"]


def test_lost_connection_is_tried_again_and_then_told_with_the_address() -> None:
    calls: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        raise httpx.ConnectError("connection refused")

    with pytest.raises(FlinkUnreachable, match=r"http://flink.test does not answer.*make up"):
        client_answering(refuse, attempts=3).overview()
    assert calls == ["/overview"] * 3


def test_connection_that_comes_back_heals() -> None:
    answers = iter([httpx.ReadTimeout("slow"), None])

    def answer(_: httpx.Request) -> httpx.Response:
        error = next(answers)
        if error is not None:
            raise error
        return httpx.Response(200, json={"jobs": []})

    assert client_answering(answer).jobs() == ()


def test_submission_is_never_repeated() -> None:
    submissions: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/jars":
            return httpx.Response(200, json={"files": [{"id": "a", "name": EMPTY_JAR}]})
        submissions.append(request)
        raise httpx.ReadTimeout("no answer")

    with pytest.raises(FlinkUnreachable):
        client_answering(answer).run_python("/jobs/x.py", job_id=JOB)
    assert len(submissions) == 1


def test_jar_is_uploaded_only_when_the_jobmanager_has_none_of_its_name(tmp_path: Path) -> None:
    jar = tmp_path / "flink-python.jar"
    jar.write_bytes(b"jar")
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/jars":
            return httpx.Response(200, json={"files": [{"id": "b_other.jar", "name": "other.jar"}]})
        if request.url.path == "/jars/upload":
            return httpx.Response(200, json={"filename": "/tmp/up/a_flink-python.jar"})
        return httpx.Response(200, json={"jobid": JOB})

    assert client_answering(answer, python_jar=jar).run_python("/jobs/x.py", job_id=JOB) == JOB
    assert asked == ["/jars", "/jars/upload", "/jars/a_flink-python.jar/run"]


def test_flink_that_has_flink_python_in_its_lib_gets_an_empty_jar() -> None:
    uploads: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/jars":
            return httpx.Response(200, json={"files": []})
        if request.url.path == "/jars/upload":
            uploads.append(request.read())
            return httpx.Response(200, json={"filename": "/tmp/up/a_python-driver.jar"})
        assert request.url.path == "/jars/a_python-driver.jar/run"
        return httpx.Response(200, json={"jobid": JOB})

    assert client_answering(answer).run_python("/jobs/x.py", job_id=JOB) == JOB
    (upload,) = uploads
    assert b'filename="python-driver.jar"' in upload
    content = upload[upload.index(b"PK") : upload.rindex(b"\r\n--")]
    with zipfile.ZipFile(io.BytesIO(content)) as jar:
        assert jar.namelist() == ["META-INF/MANIFEST.MF"]


def test_missing_jar_says_which_setting_names_it(tmp_path: Path) -> None:
    with pytest.raises(PythonJarMissing, match="RVA_FLINK_PYTHON_JAR"):
        FlinkClient(python_jar=tmp_path / "none.jar").run_python("/jobs/x.py", job_id=JOB)


def failed_submission(trace: str, log: httpx.Response) -> FlinkRestError:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/jars":
            return httpx.Response(200, json={"files": [{"id": "a", "name": EMPTY_JAR}]})
        if request.url.path == "/jobmanager/log":
            return log
        return httpx.Response(400, json={"errors": [trace]})

    with pytest.raises(FlinkRestError) as caught:
        client_answering(answer).run_python("/jobs/x.py", job_id=JOB)
    return caught.value


def test_failed_script_whose_log_cannot_be_had_says_where_it_is() -> None:
    error = failed_submission(
        "Caused by: java.lang.RuntimeException: Python process exits with code: 1",
        httpx.Response(404, json={"errors": ["no log"]}),
    )
    assert isinstance(error, JobScriptFailed)
    assert "make logs S=flink-jobmanager" in str(error)


def test_two_submissions_at_once_are_told_so() -> None:
    error = failed_submission(
        "Caused by: FlinkRuntimeException: No jobs included in application.",
        httpx.Response(404),
    )
    assert isinstance(error, NoJobSubmitted)
    assert "flink_submission" in str(error)


def test_no_free_slot_names_who_takes_them() -> None:
    answers = {
        "/overview": {
            "flink-version": "1.20.5",
            "taskmanagers": 1,
            "slots-total": 2,
            "slots-available": 0,
        },
        "/jobs/overview": {
            "jobs": [
                {"jid": JOB, "name": name, "state": state, "start-time": 1, "tasks": {"total": 2}}
                for name, state in (("gold", "RUNNING"), ("old", "CANCELED"))
            ]
        },
    }
    client = client_answering(lambda r: httpx.Response(200, json=answers[r.url.path]))
    with pytest.raises(NoFreeSlots, match=r"bronze needs 1 task slots; 0 of 2.*taken by: gold\)"):
        client.require_slots("bronze", 1)


@pytest.mark.parametrize("job_id", ["", "x", "../jars", "0" * 31, "A" * 32])
def test_what_is_no_job_id_never_gets_into_a_path(job_id: str) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise AssertionError("asked")

    with pytest.raises(ValueError, match="not a Flink id"):
        client_answering(refuse).job(job_id)
