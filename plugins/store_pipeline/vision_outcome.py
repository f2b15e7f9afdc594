"""What a run of vision comes to: a summary, a summary with a warning, or an error in one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from store_pipeline.vision_command import VisionRun

LOST_CAMERA = "SourceLostError"
"""The error after which what was read goes on through the pipeline."""

SIGNALS = {130: "SIGINT", 143: "SIGTERM"}
KILLED = 137
"""The exit code of what was ended by SIGKILL: by the system for want of memory, or by somebody."""


@dataclass(frozen=True)
class VisionResult:
    """What goes on through the pipeline."""

    summary: Mapping[str, Any]
    warning: str | None = None
    """Why a camera's capture ended before it should."""


def forget_earlier(run: VisionRun) -> None:
    """Take away what an earlier run has left, so that it is not taken for this one's."""
    run.outcome.unlink(missing_ok=True)


def result_of(run: VisionRun, code: int | None, last_words: str = "") -> VisionResult:
    """Read what vision has left.

    :param code: its exit code, where it is known.
    :param last_words: the last line that it printed.
    :raises AirflowFailException: it failed, and would again.
    :raises AirflowException: it failed, and another try may help.
    """
    outcome = _read(run.outcome)
    if outcome is None:
        raise AirflowException(_crashed(run, code, last_words))
    if outcome["kind"] == LOST_CAMERA:
        return VisionResult(_summary(run), outcome["error"])
    if outcome["error"] is not None:
        error = AirflowException if outcome["may_heal"] else AirflowFailException
        raise error(outcome["error"])
    if outcome["code"] != 0:
        name = SIGNALS.get(outcome["code"], f"code {outcome['code']}")
        raise AirflowException(f"vision was stopped ({name}) before it was done")
    return VisionResult(_summary(run))


def _summary(run: VisionRun) -> Mapping[str, Any]:
    summary = _read(run.summary)
    if summary is None:
        raise AirflowException(
            f"vision has ended well, but {run.summary} cannot be read: is the folder the same one "
            "for Airflow and for vision? RVA_VISION_VOLUMES says what a container is given"
        )
    return summary


def _read(path: Any) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content


def _crashed(run: VisionRun, code: int | None, last_words: str) -> str:
    told = f"vision ended with code {'?' if code is None else code} and left no {run.outcome}"
    if code == KILLED:
        return f"{told}: it was killed, perhaps for want of memory; look at the machine's"
    if code == 0:
        return (
            f"{told}: is the folder the same one for Airflow and for vision? "
            "RVA_VISION_VOLUMES says what a container is given"
        )
    return f"{told}: {last_words or 'the lines above say why'}"
