"""`python -m store_pipeline ensure` without servers; the whole is in integration/test_resume.py."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from scripted_http import ScriptedServer, serving

from store_pipeline import streams
from store_pipeline.__main__ import main
from store_pipeline.streams import STREAMS

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9"
NAMES = ["bronze_ingest@d", "silver_detections@d", "gold_streaming@d"]
COMMAND = """
import sys
from store_pipeline.__main__ import main
code = main(sys.argv[1:])
heavy = {"airflow", "pyiceberg", "pyarrow", "pulsar", "trino", "lakehouse.catalog"}
print("heavy:", sorted(heavy & set(sys.modules)))
sys.exit(code)
"""


@dataclass
class Machine:
    """A checkpoint folder, and a JobManager's list of jobs."""

    flink: ScriptedServer
    checkpoints: Path

    @property
    def flink_url(self) -> str:
        return self.flink.url

    def runs(self, job_id: str, state: str) -> None:
        """Let the JobManager say more of a job than it lists."""
        task = {"name": "t", "parallelism": 1, "tasks": {"RUNNING": 1}}
        detail = {"jid": job_id, "name": f"of {job_id}", "state": state, "vertices": [task]}
        failure = {"exceptionName": "IOException", "stacktrace": "java.io.IOException: disk full"}
        exceptions = {"exceptionHistory": {"entries": [failure | {"timestamp": 1}]}}
        self.flink.answers[f"/jobs/{job_id}"] = [(200, detail)]
        self.flink.answers[f"/jobs/{job_id}/config"] = [
            (200, {"execution-config": {"user-config": {"closed-days": "2026-11-23"}}})
        ]
        self.flink.answers[f"/jobs/{job_id}/exceptions"] = [(200, exceptions)]

    def ensure(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "PYTHONPATH": str(ROOT / "plugins"),
            "RVA_FLINK_URL": self.flink_url,
            "RVA_CATALOG_URI": NOWHERE,
            "RVA_CHECKPOINT_DIR": str(self.checkpoints),
            "RVA_DATABASE": "d",
        }
        return subprocess.run(
            [sys.executable, "-c", COMMAND, "ensure", *arguments],
            env=environment | variables,
            capture_output=True,
            text=True,
        )

    def has_checkpoint(self, name: str) -> None:
        folder = self.checkpoints / name / "job" / "chk-1"
        folder.mkdir(parents=True)
        (folder / "_metadata").write_bytes(b"m")


def listed(state: str) -> list[dict[str, object]]:
    return [
        {
            "jid": "abc"[at] * 32,
            "name": name,
            "state": state,
            "start-time": 1,
            "tasks": {"total": 1},
        }
        for at, name in enumerate(NAMES)
    ]


@pytest.fixture
def jobs() -> list[dict[str, object]]:
    return []


@pytest.fixture
def machine(tmp_path: Path, jobs: list[dict[str, object]]) -> Iterator[Machine]:
    overview = {"flink-version": "1.20.5", "taskmanagers": 1, "slots-total": 8}
    answers = {
        "/jobs/overview": [(200, {"jobs": jobs})],
        "/overview": [(200, overview | {"slots-available": 8})],
    }
    with serving(answers) as flink:
        yield Machine(flink, tmp_path)


def test_what_nobody_has_started_is_told_without_asking_the_catalogue(machine: Machine) -> None:
    ended = machine.ensure("--resume-only")
    assert (ended.returncode, ended.stderr) == (0, "")
    *told, heavy = ended.stdout.splitlines()
    assert told == ["no streaming job to resume: none has left a checkpoint"]
    assert heavy == "heavy: []"


def test_those_named_alone_are_looked_at(machine: Machine) -> None:
    machine.has_checkpoint("bronze_ingest@d")
    ended = machine.ensure("--resume-only", "gold_streaming")
    assert ended.returncode == 0
    assert ended.stdout.startswith("no streaming job to resume")


@pytest.mark.parametrize("jobs", [listed("FAILED"), listed("RUNNING")], ids=["failed", "runs"])
@pytest.mark.parametrize("known", [NAMES, NAMES[:1], NAMES[1:2]], ids=len)
def test_what_has_failed_or_runs_is_not_left(machine: Machine, known: list[str]) -> None:
    for name in known:
        machine.has_checkpoint(name)
    ended = machine.ensure("--resume-only")
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: the Iceberg REST catalogue at")


@pytest.mark.parametrize(
    ("arguments", "variables", "told"),
    [
        ([], {"RVA_FLINK_URL": NOWHERE}, f"error: Flink's REST API at {NOWHERE} does not answer"),
        ([], {}, f"error: the Iceberg REST catalogue at {NOWHERE} does not answer"),
        (["--database", "a b"], {}, "error: RVA_DATABASE='a b' cannot be used"),
        (
            [],
            {"RVA_CHECKPOINT_INTERVAL_SECONDS": "soon"},
            "error: RVA_CHECKPOINT_INTERVAL_SECONDS='soon' cannot be used",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    machine: Machine, arguments: list[str], variables: dict[str, str], told: str
) -> None:
    ended = machine.ensure(*arguments, **variables)
    assert ended.returncode == 2
    assert ended.stderr.startswith(told)
    assert ended.stderr.count("\n") == 1


def test_job_that_there_is_not_is_told_with_those_that_there_are(machine: Machine) -> None:
    ended = machine.ensure("bronze")
    assert ended.returncode == 2
    assert "'bronze_ingest', 'silver_detections', 'gold_streaming'" in ended.stderr


@pytest.fixture
def told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[str], list[str]]]:
    """Run the command where the catalogue has nothing to say; its code, lines and errors."""
    monkeypatch.setattr(streams, "_ensure_tables", lambda _: None)
    monkeypatch.setattr(streams, "closed_days_of", lambda _: ["2026-11-23"])
    monkeypatch.setenv("RVA_FLINK_URL", machine.flink_url)
    monkeypatch.setenv("RVA_CHECKPOINT_DIR", str(machine.checkpoints))
    monkeypatch.setenv("RVA_DATABASE", "d")

    def told(*arguments: str) -> tuple[int, list[str], list[str]]:
        code = main(["ensure", *arguments])
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()

    return told


@pytest.mark.parametrize("jobs", [listed("CANCELED"), listed("FINISHED")], ids=["cancel", "stop"])
def test_what_somebody_has_ended_is_left_alone_and_told(
    machine: Machine, told: Callable[..., tuple[int, list[str], list[str]]]
) -> None:
    for name in NAMES:
        machine.has_checkpoint(name)
    code, lines, errors = told("--resume-only")
    assert (code, errors) == (0, [])
    assert [line.partition(": ")[0] for line in lines] == list(STREAMS)
    for line, name in zip(lines, NAMES, strict=True):
        assert f": left alone, as somebody has ended {name} (job " in line
        assert line.endswith("; `make streams` resumes it")


@pytest.mark.parametrize("arguments", [[], ["--resume-only"]])
@pytest.mark.parametrize("jobs", [[*listed("RUNNING"), *listed("RUNNING")[:2]]])
def test_jobs_that_cannot_be_ensured_keep_the_next_one_not_down(
    machine: Machine,
    told: Callable[..., tuple[int, list[str], list[str]]],
    arguments: list[str],
) -> None:
    machine.runs("c" * 32, "RUNNING")
    code, lines, errors = told(*arguments)
    assert code == 2
    assert lines == [f"gold_streaming: adopted, job {'c' * 32}"]
    assert [line.partition(" are on the cluster")[0] for line in errors] == [
        f"error: 2 jobs named {name}" for name in NAMES[:2]
    ]


@pytest.mark.parametrize("jobs", [listed("RUNNING")])
def test_job_that_does_not_come_to_run_keeps_the_next_one_not_unlooked_at(
    machine: Machine, told: Callable[..., tuple[int, list[str], list[str]]]
) -> None:
    for job_id, state in (("a" * 32, "FAILED"), ("b" * 32, "RUNNING"), ("c" * 32, "FAILED")):
        machine.runs(job_id, state)
    code, lines, errors = told()
    assert code == 2
    assert [line.partition(",")[0] for line in lines] == [f"{job}: adopted" for job in STREAMS]
    assert [line for line in errors if line.startswith("error: ")] == [
        f"error: Flink job of {job_id} ({job_id}) is FAILED: java.io.IOException: disk full"
        for job_id in ("a" * 32, "c" * 32)
    ]


@pytest.mark.parametrize("target", ["up", "airflow"])
def test_starting_the_servers_resumes_what_ran_before(target: str) -> None:
    planned = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    started = planned.index("-m local_stack up")
    resumed = planned.index("-m store_pipeline ensure --resume-only")
    assert started < resumed
    assert planned.find("-m local_stack airflow") in (-1, *range(resumed, len(planned)))


@pytest.mark.parametrize(("target", "code"), [("up", 2), ("airflow", 0)])
def test_airflow_is_started_though_a_stream_cannot_be_resumed(
    tmp_path: Path, target: str, code: int
) -> None:
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/called\n'
        'case "$*" in *store_pipeline*) echo "error: silver" >&2; exit 2;; esac\n'
    )
    python.chmod(0o755)
    ended = subprocess.run(
        ["make", "SYNCED=", f"ORCHESTRATION={python}", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    called = (tmp_path / "called").read_text().splitlines()
    assert called[:2] == ["-m local_stack fetch --quiet", "-m local_stack up"]
    assert called[2] == (f"-m local_stack exec {python} -m store_pipeline ensure --resume-only")
    assert called[3:] == (["-m local_stack airflow"] if code == 0 else [])
    assert ended.returncode == code
    assert ended.stderr.startswith("error: silver\n")
    assert ("Airflow is started all the same" in ended.stderr) is (code == 0)
