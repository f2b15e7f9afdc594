"""A run's inputs: the form's values checked and completed before anything long starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from store_pipeline.errors import InputUnusable
from store_pipeline.settings import CHECKOUT, PipelineSettings

_ADDRESS = re.compile(r"(rtsps?|https?)://\S+")
_CAMERA_INDEX = re.compile(r"\d+")


def capture_inputs(
    params: Mapping[str, Any], *, run_after: datetime, settings: PipelineSettings
) -> dict[str, Any]:
    """Return the arguments of `vision.settings.ExtractSettings`, in plain types.

    Without a start time the capture begins when the run does, not when the task does: a second
    try, or a cleared task, is then the same capture, and its frames are published once.

    :raises InputUnusable: the video or the weights do not exist, or the start is no time.
    """
    start_time = params.get("start_time")
    started = run_after if not start_time else _moment("start_time", str(start_time))
    weights = params.get("weights")
    return {
        "input": _video(str(params["video"])),
        "output": str(settings.metadata_file),
        "store_id": params["store_id"],
        "camera_id": params["camera_id"],
        "stream_id": params["stream_id"],
        "start_time": started.astimezone(UTC).isoformat(timespec="milliseconds"),
        "weights": None if not weights else _weights(str(weights)),
        "detector": params["detector"],
    }


def day_to_rebuild(
    params: Mapping[str, Any], *, logical_date: datetime | None, run_after: datetime
) -> str:
    """Return the UTC day, `2026-11-24`: the form's, else the logical date's, else yesterday.

    :raises InputUnusable: the form's value is no day.
    """
    given = params.get("day")
    if given:
        try:
            return date.fromisoformat(str(given)).isoformat()
        except ValueError:
            raise InputUnusable("day", given, "write it as 2026-11-24") from None
    moment = logical_date or run_after - timedelta(days=1)
    return moment.astimezone(UTC).date().isoformat()


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InputUnusable(name, text, "write it with its zone, as 2026-11-24T10:15:00Z")
    return moment


def _video(text: str) -> str:
    if _ADDRESS.fullmatch(text) or _CAMERA_INDEX.fullmatch(text):
        return text
    path = _in_checkout(text)
    if not path.is_file():
        raise InputUnusable(
            "video",
            text,
            f"there is no file {path}; give a video's path, or compose the sample: "
            "`make vision ARGS=sample`",
        )
    return str(path)


def _weights(text: str) -> str:
    if "/" not in text and not _in_checkout(text).exists():
        return text  # a name that Ultralytics knows and fetches
    path = _in_checkout(text)
    if not path.is_file():
        raise InputUnusable(
            "weights", text, f"there is no file {path}; leave it empty for the default"
        )
    return str(path)


def _in_checkout(text: str) -> Path:
    return CHECKOUT / Path(text).expanduser()
