"""Runs a DAG by `airflow dags test` and shows its steps; the whole log goes to a file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from local_stack import processes
from local_stack.errors import StackError
from local_stack.servers import airflow
from local_stack.settings import CHECKOUT, StackSettings
from local_stack.supervision import Supervisor

LINE = re.compile(
    r"^\S+Z? \[(?P<level>\w+)\s*\] (?P<event>.*?)\s+\[(?P<logger>[\w.-]+)\](?: (?P<facts>.*))?$"
)
STEP = re.compile(r"^\[DAG TEST\] (?P<what>starting|end task) task_id=(?P<task>\S+)(?P<rest>.*)$")
CAMERA = re.compile(r"(rtsps?|https?)://|variable:|[0-9]+$", re.IGNORECASE)
PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")
MAPPED = re.compile(r"map_index=(\d+)")
VERDICT = re.compile(r"\bnew_state=failed\b")
OUR_LOGGERS = re.compile(
    r"^(airflow\.task\.operators\.)?(flink_rest|trino_checks|store_pipeline|replay|lakehouse)\b"
    r"|^airflow\.providers\.standard\.utils\.python_virtualenv$"
)
"""What a person follows: our own steps, and what vision prints."""
NOT_NEWS = (
    "Output:",
    "Executing cmd:",
    "Use 'pickle'",
    "Done. Returned value was:",
    "No tasks to run.",
    # how Airflow's client ends the list of what mapped tasks have returned, as an error
    "XCom not found",
)
NOISY_LOGGERS = ("py.warnings",)
PROBLEM_LEVELS = ("error", "critical")
INTERRUPTS = 3
INTERRUPT_SECONDS = 3.0
WOULD_TAKE_PART = ("airflow-scheduler", "airflow-triggerer")


@dataclass(slots=True)
class Steps:
    """Turns Airflow's log lines into few lines for a person."""

    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    failed: list[str] = field(default_factory=list)
    """Steps whose last try has failed, in their order."""
    _step: str = ""
    _step_began: float = 0.0
    _problem: bool = False

    def read(self, line: str) -> None:
        """Take in one line of the log."""
        found = LINE.match(line)
        if found is None:
            self._continue(line)
            return
        event, level, logger = found["event"], found["level"], found["logger"]
        self._problem = False
        if step := STEP.match(event):
            self._begin_or_end(step)
        elif VERDICT.search(found["facts"] or "") and self._step not in self.failed:
            self.failed.append(self._step)
        elif logger in NOISY_LOGGERS or event.startswith(NOT_NEWS):
            return
        elif level in PROBLEM_LEVELS:
            self._problem = True
            self.say(f"      {event}")
        elif level == "warning" or OUR_LOGGERS.match(logger):
            self.say(f"      {event}")

    def _begin_or_end(self, step: re.Match[str]) -> None:
        mapped = MAPPED.search(step["rest"])
        name = step["task"] + (f" {int(mapped[1]) + 1}" if mapped else "")
        if step["what"] == "starting":
            self._step, self._step_began = name, self.clock()
            self.say(f"  {name}")
        else:
            self.say(f"      {self.clock() - self._step_began:.0f} s")

    def _continue(self, line: str) -> None:
        """Of a traceback, which follows an error, only the exception itself is news."""
        if self._problem and re.match(r"^[\w.]+(Error|Exception|Mismatch|\w+): ", line):
            self.say(f"      {line}")


def run_dag(settings: StackSettings, dag_id: str, conf: Mapping[str, object]) -> None:
    """Run a DAG to its end.

    :raises StackError: it failed; names the step and the log; or another one is at work
    """
    processes.reject_dag_at_work(settings.stack_dir)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = settings.data_dir / "logs" / f"{dag_id}-{moment}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    steps = Steps(say=_say)
    with _airflow_at_rest(settings), path.open("w", encoding="utf-8") as record:
        _say(f"DAG {dag_id} (the whole log: {path})")
        status = _run(settings, dag_id, conf, steps, record)
    if status != 0:
        where = f" in {', '.join(steps.failed)}" if steps.failed else ""
        raise StackError(f"the DAG {dag_id} failed{where}; the whole log is {path}")


def _run(
    settings: StackSettings,
    dag_id: str,
    conf: Mapping[str, object],
    steps: Steps,
    record: TextIO,
) -> int:
    environment = (
        os.environ
        | airflow.environment(settings, settings.environment())
        | processes.marks(settings.stack_dir)
        | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "SPT_NOENV": "1"}
    )
    with subprocess.Popen(
        [str(airflow.COMMAND), "dags", "test", dag_id, "--conf", json.dumps(dict(conf))],
        env=environment,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # an interrupt reaches it by us, so that what its tasks have started is ended too
        start_new_session=True,
    ) as run:
        try:
            for line in run.stdout or ():
                record.write(line)
                steps.read(line.rstrip("\n"))
        except BaseException:
            _say("stopping the run")
            # what the tasks still say while they end must find a reader
            threading.Thread(target=_drain, args=(run, record), daemon=True).start()
            _stop(run)
            raise
    return run.returncode


def _stop(run: subprocess.Popen[str]) -> None:
    """Interrupt Airflow and all that its tasks have started; kill what stays.

    Airflow takes a first interrupt for a failed try of the task, and would try again.
    """
    try:
        for _ in range(INTERRUPTS):
            os.killpg(run.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(INTERRUPT_SECONDS)
                break
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)


def _drain(run: subprocess.Popen[str], record: TextIO) -> None:
    # the file may be full or closed by now
    with contextlib.suppress(OSError, ValueError):
        record.writelines(run.stdout or ())


@contextlib.contextmanager
def _airflow_at_rest(settings: StackSettings) -> Iterator[None]:
    """Keep a running Airflow from taking part in the run, which stands in its database too.

    :raises StackError: Airflow is at work on a run
    """
    supervisor = Supervisor(settings)
    states = supervisor.states()
    rests = [n for n in WOULD_TAKE_PART if n in states and states[n].state == "RUNNING"]
    if rests and (active := airflow.active_runs(settings)):
        raise StackError(
            f"Airflow is at work on {active[0].dag_id}, run {active[0].run_id}: wait until it has "
            f"ended, or mark it as failed at {airflow.base_url(settings)}"
        )
    for name in rests:
        supervisor.stop(name)
    airflow.end_dead_runs(settings)
    try:
        yield
    finally:
        airflow.end_dead_runs(settings)
        for name in rests:
            supervisor.start(name)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def checked_file(text: str, what: str, setting: str) -> str:
    """A file's absolute path.

    :raises StackError: there is no such file
    """
    path = Path(text).expanduser()
    if not path.is_file():
        raise StackError(f"there is no {what} {path.absolute()}: correct {setting}=…")
    return str(path.resolve())


def checked_video(text: str, frames: int | None = None) -> str:
    """A video file's absolute path; a camera's address, index or Airflow Variable as it is.

    :param frames: after how many the capture ends
    :raises StackError: it is none of these, or a camera that would never end
    """
    if not CAMERA.match(text):
        return checked_file(text, "video", "VIDEO")
    shown = PASSWORD.sub(r"\1:***@", text)
    if shown != text:
        raise StackError(
            f"VIDEO={shown}: a run's settings are stored and shown, so a password must not stand "
            "there; export AIRFLOW_VAR_CAMERA with the address, and give VIDEO=variable:camera"
        )
    if frames is None:
        raise StackError(
            f"VIDEO={text} is a camera, which does not end by itself: "
            "say how many frames to take, such as FRAMES=300"
        )
    return text
