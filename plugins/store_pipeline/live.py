"""The cameras of a store, live into Pulsar: `python -m vision cameras … --to …`, without files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from store_pipeline.capture import in_checkout
from store_pipeline.errors import InputUnusable
from store_pipeline.settings import PipelineSettings
from store_pipeline.vision import VisionTask, vision_operator
from store_pipeline.vision_command import VisionRun
from store_pipeline.vision_outcome import SIGNALS, VisionResult

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def live_inputs(
    params: Mapping[str, Any], *, settings: PipelineSettings, pulsar_url: str
) -> dict[str, Any]:
    """Return what `CamerasOperator` is given, in plain types.

    :raises InputUnusable: there is no such file.
    """
    path = in_checkout(str(params["cameras"]))
    if not path.is_file():
        raise InputUnusable(
            "cameras",
            params["cameras"],
            f"there is no file {path}; docs/cameras.yaml is an example",
        )
    topic = settings.topic.removeprefix("persistent://")
    return {
        "input": str(path),
        "to": f"{pulsar_url.rstrip('/')}/{topic}",
        "minutes": params["minutes"],
        "only": list(params.get("only") or ()),
    }


def cameras_run(inputs: Mapping[str, Any], settings: PipelineSettings) -> VisionRun:
    """Return the run that the inputs ask for.

    What the file takes from the environment (`${CAM_PASSWORD}`) goes to vision by its environment.
    """
    folder = settings.data_dir.absolute() / "metadata" / "cameras"
    only = [f"--only={','.join(inputs['only'])}"] if inputs["only"] else []
    named = _VARIABLE.findall(Path(inputs["input"]).read_text(encoding="utf-8", errors="replace"))
    summary = folder / "cameras.summary.json"
    return VisionRun(
        arguments=(
            "cameras",
            inputs["input"],
            f"--to={inputs['to']}",
            f"--minutes={inputs['minutes']}",
            *only,
        ),
        output=folder / "cameras.jsonl",
        summary=summary,
        # it tells how each camera ended
        outcome=summary,
        secrets={name: os.environ[name] for name in named if name in os.environ}
        | {"RVA_DATA_DIR": str(settings.data_dir.absolute())},
    )


def cameras_result(run: VisionRun, code: int | None, last_words: str) -> VisionResult:
    """Read what the cameras came to.

    :raises AirflowFailException: the file is wrong, or a camera could not be used.
    :raises AirflowException: vision was stopped, or has crashed.
    """
    try:
        summary: dict[str, Any] = json.loads(run.summary.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = last_words or "the lines above say why"
        error = AirflowFailException if code == 2 else AirflowException
        raise error(f"vision ended with code {'?' if code is None else code}: {told}") from None
    wrong = [f"{each['camera']}: {each['error']}" for each in summary["cameras"] if each["error"]]
    if wrong:
        raise AirflowFailException("; ".join(wrong))
    if summary["exit_code"] in SIGNALS:
        name = SIGNALS[summary["exit_code"]]
        raise AirflowException(f"vision was stopped ({name}) before its time was up")
    return VisionResult(summary)


class OfCameras(VisionTask):
    """What runs all cameras of a file, be it in a container or in vision's environment."""

    custom_operator_name = "CamerasOperator"

    def _plan(self) -> VisionRun:
        return cameras_run(self.inputs, PipelineSettings.from_env())

    def _result(self, run: VisionRun, code: int | None, last_words: str) -> VisionResult:
        return cameras_result(run, code, last_words)


CamerasOperator = type(
    "CamerasOperator", (OfCameras, vision_operator(PipelineSettings.from_env())), {}
)
"""Run the cameras for so many minutes, and publish what they see. `inputs` as `live_inputs` gives
them. Returns vision's summary of all cameras."""
