"""Variables that OpenCV and Ultralytics read when they are imported, and where our cache is."""

import os
from pathlib import Path

_TRUE = {"1", "true", "yes", "on"}

OFFLINE_BY_USER = os.environ.get("YOLO_OFFLINE", "").lower() in _TRUE
"""Whether the user told Ultralytics to stay off the network: then no weights are fetched."""


def cache_directory() -> Path:
    """Where downloads are kept between runs and clones: `RVA_CACHE_DIR`, else the user's cache."""
    if configured := os.environ.get("RVA_CACHE_DIR"):
        return Path(configured).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "retail-video-analytics"


def data_directory() -> Path:
    """Where a run's files go: `RVA_DATA_DIR`, else `data` in the working directory."""
    return Path(os.environ.get("RVA_DATA_DIR") or "data")


def keep_libraries_quiet() -> None:
    """No telemetry, no installing, no writing outside the cache, no chatter, no spinning.

    A variable that the user has set stays as it is, save `YOLO_OFFLINE`: without it Ultralytics
    asks the network at each import.
    """
    cache = cache_directory()
    for name, value in {
        # threads that wait by spinning make each other five times slower on a busy machine
        "OMP_WAIT_POLICY": "passive",
        "OPENCV_LOG_LEVEL": "FATAL",
        "OPENCV_FFMPEG_LOGLEVEL": "-8",
        "QT_LOGGING_RULES": "*=false",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_VERBOSE": "false",
        "YOLO_CONFIG_DIR": str(cache),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
    }.items():
        os.environ.setdefault(name, value)
    os.environ["YOLO_OFFLINE"] = "true"


def usable_cpus() -> int:
    """How many CPUs this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
