"""Options that several commands have, said once."""

import argparse
import json
from typing import Any

from vision.settings import (
    BACKENDS,
    DETECTORS,
    EMBEDDERS,
    TRACKERS,
    ExtractSettings,
    Polygon,
    TrackingSettings,
)

DETECTOR_HELP = (
    f"{', '.join(DETECTORS)} or a plug-in's name; auto (default): yolo where weights can be had, "
    "else hog"
)
TRACKER_HELP = f"{', '.join(TRACKERS)} (default: {ExtractSettings.tracker})"
EMBEDDER_HELP = (
    f"what deepsort knows people by: {', '.join(EMBEDDERS)} (default: {ExtractSettings.embedder})"
)


def add_looking_options(parser: argparse.ArgumentParser) -> None:
    """How a video is looked at: all that `to_extract_settings` takes but names and places."""
    add = parser.add_argument
    add(
        "--weights",
        metavar="FILE",
        help="YOLO weights, or a name that Ultralytics publishes "
        "(default: RVA_WEIGHTS, else yolo11n.pt, fetched once into the cache)",
    )
    add(
        "--backend",
        choices=BACKENDS,
        default=ExtractSettings.backend,
        help="what computes YOLO (default: auto, the fastest on the device)",
    )
    add(
        "--device",
        default=ExtractSettings.device,
        metavar="NAME",
        help="cpu, cuda, cuda:1, or auto (default): CUDA where there is one, else the CPU",
    )
    add(
        "--confidence",
        type=float,
        metavar="0..1",
        help="ignore what is less sure (default: 0.35 for yolo, 0.65 for hog)",
    )
    add(
        "--image-size",
        type=int,
        metavar="PX",
        help="scale frames for the detector so that their longer side has PX pixels (default: "
        "640 for yolo; for hog as it is, but 640 to 960)",
    )
    add("--threads", type=int, metavar="N", help="threads of the detector (default: one a CPU)")
    add(
        "--batch",
        type=int,
        default=ExtractSettings.batch,
        metavar="N",
        help="frames that the detector is handed at once (default: %(default)s)",
    )
    add(
        "--fps-limit",
        type=float,
        metavar="N",
        help="look at no more than N frames a second (default: at all)",
    )
    add(
        "--still-threshold",
        type=float,
        default=ExtractSettings.still_threshold,
        metavar="0..255",
        help="detect a frame only if it differs as much from the last one detected; 0: every "
        "frame (default: %(default)g)",
    )
    add(
        "--mask",
        type=_polygons,
        default=(),
        metavar="JSON",
        help="ignore who stands in one of these polygons of shares of the image: "
        "[[[0,0],[0.3,0],[0.3,1]]] (default: none)",
    )
    add(
        "--confirm-after-frames",
        type=_count,
        default=TrackingSettings.confirm_after_frames,
        metavar="N",
        help="deepsort gives an id from the N-th frame in a row on that shows somebody: more are "
        "surer, and find fewer (default: %(default)s)",
    )


def to_extract_settings(given: dict[str, Any]) -> ExtractSettings:
    """The settings that options ask for, by their names with _; raises `SettingsError`."""
    rest = dict(given)
    tracking = TrackingSettings(confirm_after_frames=rest.pop("confirm_after_frames"))
    return ExtractSettings(**rest, tracking=tracking)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return int(text)


def _polygons(text: str) -> tuple[Polygon, ...]:
    try:
        return tuple(
            tuple((float(x), float(y)) for x, y in polygon) for polygon in json.loads(text)
        )
    except (ValueError, TypeError):
        raise argparse.ArgumentTypeError(
            f"no list of polygons such as [[[0,0],[0.3,0],[0.3,1]]]: {text!r}"
        ) from None
