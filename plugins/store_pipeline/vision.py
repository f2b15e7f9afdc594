"""Vision as an Airflow task: a function that runs in vision's own environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import ExternalPythonOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from store_pipeline.errors import InputUnusable
from store_pipeline.sources import resolve

if TYPE_CHECKING:
    from airflow.sdk import Context


class VisionOperator(ExternalPythonOperator):
    """Run `extract` by the interpreter of vision's environment, which has no Airflow.

    The inputs are values, pickled for the other interpreter; nothing passes through a shell. What
    vision tells of its progress stands in the task's log. Returns the summary, each of whose
    values is an XCom. Run again on a file, it writes the same again. A camera that stops giving
    frames ends the capture with a warning: what it gave goes on through the pipeline.

    :param inputs: arguments of `vision.settings.ExtractSettings`. (templated, within `op_kwargs`)
    :param python: path of the interpreter. (templated)
    """

    def __init__(self, *, inputs: Any, **kwargs: Any) -> None:
        super().__init__(
            python_callable=extract,
            op_kwargs={"inputs": inputs},
            expect_airflow=False,
            multiple_outputs=True,
            **kwargs,
        )

    def execute(self, context: Context) -> dict[str, Any]:
        """Extract; what vision names as an error is told in its own one line."""
        inputs = self.op_kwargs["inputs"]
        try:
            # not rendered, so that an address of a Variable is stored nowhere
            self.op_kwargs = {"inputs": inputs | {"input": resolve(inputs["input"])}}
        except InputUnusable as error:
            raise AirflowFailException(str(error)) from error
        try:
            told: dict[str, Any] = super().execute(context)
        except ValueError as error:
            raise AirflowFailException(
                f"vision's environment cannot be used ({error}): `make setup` makes it, "
                "or set RVA_VISION_PYTHON"
            ) from error
        if "error" not in told:
            if warning := told.pop("warning", None):
                self.log.warning("%s. Going on with the frames read", warning)
            return told
        raise (AirflowException if told["may_heal"] else AirflowFailException)(told["error"])

    def _is_pendulum_installed_in_target_env(self) -> bool:
        """Say no without asking: asking prints a traceback into every run's log."""
        return False


def extract(inputs: dict[str, Any]) -> dict[str, Any]:
    """Extract frame metadata; runs in vision's environment, hence the inner imports.

    Returns the summary, with a `warning` when a camera was lost after some frames; or `error` and
    `may_heal`: a camera and a download may come back, a wrong file or setting stays wrong.
    """
    import json
    from pathlib import Path

    from vision.errors import SourceError, SourceLostError, VisionError, WeightsError
    from vision.run import ExtractSettings
    from vision.run import extract as run

    try:
        return run(ExtractSettings(**inputs)).as_dict()
    except SourceLostError as error:
        output = Path(inputs["output"])
        summary = json.loads(output.with_name(f"{output.stem}.summary.json").read_text("utf-8"))
        return {**summary, "warning": str(error)}
    except VisionError as error:
        is_camera = isinstance(error, SourceError) and not Path(inputs["input"]).exists()
        return {"error": str(error), "may_heal": is_camera or isinstance(error, WeightsError)}
