"""A run's inputs: the form's values checked and completed before anything long starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from store_pipeline.errors import InputUnusable
from store_pipeline.settings import CHECKOUT, PipelineSettings
from store_pipeline.sources import is_live, refuse_password


def captures(
    params: Mapping[str, Any], *, run_after: datetime, settings: PipelineSettings
) -> list[dict[str, Any]]:
    """Return the inputs of the form's video, and of each of its further cameras.

    What a further camera does not say is as the form has it; its frames are written to a file of
    its own.

    :raises InputUnusable: of any of them, as `capture_inputs`; or two have one name.
    """
    found = [capture_inputs(params, run_after=run_after, settings=settings)]
    for further in params.get("further_cameras") or ():
        inputs = capture_inputs({**params, **further}, run_after=run_after, settings=settings)
        if any(inputs["camera_id"] == each["camera_id"] for each in found):
            raise InputUnusable(
                "further_cameras", inputs["camera_id"], "give each camera a camera_id of its own"
            )
        output = settings.metadata_file.with_stem(f"video.{inputs['camera_id']}")
        found.append(inputs | {"output": str(output)})
    return found


def capture_inputs(
    params: Mapping[str, Any], *, run_after: datetime, settings: PipelineSettings
) -> dict[str, Any]:
    """Return the arguments of `vision.settings.ExtractSettings`, in plain types.

    Without a start time the capture begins when the run does, not when the task does: a second
    try, or a cleared task, is then the same capture, and its frames are published once. A camera
    shows other frames to a second try, so each try of it is a capture of its own.

    :raises InputUnusable: the video or the weights do not exist, the start is no time, or a camera
        has no number of frames to stop at.
    """
    video = str(params["video"])
    start_time = params.get("start_time")
    started: datetime | None = None
    if start_time:
        started = _moment("start_time", str(start_time))
    elif not is_live(video):
        started = run_after
    weights = params.get("weights")
    return {
        "input": _video(video, params.get("max_frames")),
        "output": str(settings.metadata_file),
        "store_id": params["store_id"],
        "camera_id": params["camera_id"],
        "stream_id": params["stream_id"],
        "start_time": started and started.astimezone(UTC).isoformat(timespec="milliseconds"),
        "weights": None if not weights else _weights(str(weights)),
        "detector": params["detector"],
        "max_frames": params.get("max_frames"),
        "accept_damage": params["accept_damage"],
    }


def day_to_rebuild(
    params: Mapping[str, Any], *, logical_date: datetime | None, run_after: datetime
) -> str:
    """Return the UTC day, `2026-11-24`: the form's, else the logical date's, else yesterday.

    Today is not rebuilt: streaming Gold goes on writing into it, and what it writes while the batch
    runs would be lost. A run that is triggered by hand has now for its logical date: it is about
    yesterday.

    :raises InputUnusable: it is no day, or one that has not ended.
    """
    today = run_after.astimezone(UTC).date()
    given = params.get("day")
    if given:
        try:
            day = date.fromisoformat(str(given))
        except ValueError:
            raise InputUnusable("day", given, "write it as 2026-11-24") from None
    else:
        yesterday = today - timedelta(days=1)
        day = yesterday if logical_date is None else logical_date.astimezone(UTC).date()
        day = yesterday if day == today else day
    if day >= today:
        raise InputUnusable(
            "day",
            day.isoformat(),
            "it has not ended (UTC): until then streaming Gold shows it, and the night rebuilds it",
        )
    return day.isoformat()


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InputUnusable(name, text, "write it with its zone, as 2026-11-24T10:15:00Z")
    return moment


def _video(text: str, max_frames: int | None) -> str:
    refuse_password(text)
    if is_live(text):
        if max_frames is None:
            raise InputUnusable(
                "video", text, "a camera has no end, so give max_frames too: 900 are 30 s at 30 fps"
            )
        return text
    path = in_checkout(text)
    if not path.is_file():
        raise InputUnusable(
            "video",
            text,
            f"there is no file {path}; give a video's path, or compose the sample: "
            "`make vision ARGS=sample`",
        )
    return str(path)


def _weights(text: str) -> str:
    if "/" not in text and not in_checkout(text).exists():
        return text  # a name that Ultralytics knows and fetches
    path = in_checkout(text)
    if not path.is_file():
        raise InputUnusable(
            "weights", text, f"there is no file {path}; leave it empty for the default"
        )
    return str(path)


def of_capture(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What names a capture's rows in every layer, of vision's summary of it."""
    return {name: summary[name] for name in ("store_id", "camera_id", "run_id")}


def in_checkout(text: str) -> Path:
    """Return a path of the form: a relative one starts at the checkout."""
    return CHECKOUT / Path(text).expanduser()
