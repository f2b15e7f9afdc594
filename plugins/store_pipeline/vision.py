"""Vision as an Airflow task: `VisionOperator`, in a container or in vision's own environment.

Where `RVA_VISION_IMAGE` names an image, a Docker engine runs it; where it is empty, the interpreter
of vision's environment does. The command line, the files, the result and the errors are the same.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import ExternalPythonOperator
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from store_pipeline.errors import InputUnusable
from store_pipeline.settings import PipelineSettings
from store_pipeline.sources import resolve
from store_pipeline.vision_command import VisionRun, vision_run
from store_pipeline.vision_outcome import VisionResult, forget_earlier, result_of

if TYPE_CHECKING:
    from airflow.sdk import Context

MAP_INDEX_TEMPLATE = "{{ task.inputs['store_id'] }}/{{ task.inputs['camera_id'] }}"
"""How the mapped tasks of several cameras are called in the UI, if the DAG says nothing else."""


class VisionTask(BaseOperator):
    """What both ways share: inputs in, a summary or an error in one line out.

    Returns the summary, each of whose values is an XCom. Run again on a file, it writes the same
    again. A camera that stops giving frames ends the capture with a warning: what it gave goes on
    through the pipeline. Tried again is only what may heal: a camera that is away, a download. An
    address that an Airflow Variable holds reaches vision by its environment: it is in no command
    line, no XCom and no rendered field, and its password is masked in the log.
    """

    def __init__(self, *, inputs: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inputs = inputs

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Begin a task for each of several cameras; each is named by its store and camera."""
        kwargs.setdefault("map_index_template", MAP_INDEX_TEMPLATE)
        return super().partial(**kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        """Extract; what vision names as an error is told in its own one line."""
        try:
            run = self._plan()
        except InputUnusable as error:
            raise AirflowFailException(str(error)) from error
        forget_earlier(run)
        code, last_words = self._run(run, context)
        result = self._result(run, code, last_words)
        if result.warning is not None:
            self.log.warning("%s. Going on with the frames read", result.warning)
        return dict(result.summary)

    def _plan(self) -> VisionRun:
        """Say what is to be run."""
        # not rendered, so that an address of a Variable is stored nowhere
        return vision_run(self.inputs, resolve(self.inputs["input"]))

    def _result(self, run: VisionRun, code: int | None, last_words: str) -> VisionResult:
        """Read what it came to."""
        return result_of(run, code, last_words)

    def _run(self, run: VisionRun, context: Context) -> tuple[int | None, str]:
        """Run it to its end; returns the exit code and the last line that it printed."""
        raise NotImplementedError


class VisionInEnvironment(VisionTask, ExternalPythonOperator):
    """Run vision by the interpreter of its environment, which has no Airflow.

    Killed, it asks vision to stop: the frame at hand is finished, and the file is whole. So does
    vision when the worker has died, so that a second try does not meet the first.

    :param inputs: options of `python -m vision extract`, by their names with _. (templated)
    :param python: path of the interpreter; default: `RVA_VISION_PYTHON`. (templated)
    """

    template_fields: Sequence[str] = (*ExternalPythonOperator.template_fields, "inputs")
    template_fields_renderers = {"inputs": "json"}  # noqa: RUF012 - Airflow's
    custom_operator_name = "VisionOperator"

    def __init__(self, *, inputs: Any, python: str | None = None, **kwargs: Any) -> None:
        super().__init__(
            inputs=inputs,
            python=python or PipelineSettings.from_env().vision_python,
            python_callable=run_vision,
            expect_airflow=False,
            multiple_outputs=True,
            **kwargs,
        )
        self._pid_file: Path | None = None

    def on_kill(self) -> None:
        """Ask vision to stop."""
        with contextlib.suppress(OSError, ValueError):
            if self._pid_file is not None:
                os.kill(int(self._pid_file.read_text()), signal.SIGTERM)

    def _run(self, run: VisionRun, context: Context) -> tuple[int | None, str]:
        with tempfile.TemporaryDirectory(prefix="vision-") as folder:
            self._pid_file = Path(folder) / "pid"
            self.op_kwargs: Mapping[str, Any] = {
                "arguments": list(run.arguments),
                "pid_file": str(self._pid_file),
            }
            self.env_vars = {**(self.env_vars or {}), **run.secrets}
            try:
                code: int = ExternalPythonOperator.execute(self, context)
            except ValueError as error:
                raise AirflowFailException(
                    f"vision's environment cannot be used ({error}): `make setup` makes it, "
                    "or set RVA_VISION_PYTHON"
                ) from error
            except CalledProcessError as error:
                raise AirflowException(
                    f"{self.python} ended with code {error.returncode} before vision did: "
                    "the lines above say why"
                ) from error
        return code, ""

    def _is_pendulum_installed_in_target_env(self) -> bool:
        """Say no without asking: asking prints a traceback into every run's log."""
        return False


def run_vision(arguments: list[str], pid_file: str) -> int:
    """Run `python -m vision …`; in vision's own interpreter, hence the inner imports.

    Returns the exit code, as a shell counts it. Stops vision when this process's parent, the
    worker's task, is gone.
    """
    import os
    import subprocess
    import sys
    from pathlib import Path

    seconds_between_looks = 0.5
    parent = os.getppid()
    process = subprocess.Popen(
        [sys.executable, "-m", "vision", *arguments], stdin=subprocess.DEVNULL
    )
    Path(pid_file).write_text(str(process.pid))
    is_told = False
    while True:
        try:
            code = process.wait(timeout=seconds_between_looks)
        except subprocess.TimeoutExpired:
            if os.getppid() != parent and not is_told:
                is_told = True
                process.terminate()
        else:
            return code if code >= 0 else 128 - code


def vision_operator(settings: PipelineSettings) -> type[Any]:
    """Return the operator for this deployment: by Docker where an image is named."""
    if not settings.vision_image:
        return VisionInEnvironment
    # Docker's client is imported where it is used only
    from store_pipeline.vision_container import VisionInContainer

    return VisionInContainer


VisionOperator = vision_operator(PipelineSettings.from_env())
"""The one that DAGs use; both take `inputs`, and what every operator takes."""
