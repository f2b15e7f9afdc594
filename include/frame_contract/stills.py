"""Where a camera's still is: vision writes it when it is asked to, the store page shows it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

CHECKOUT = Path(__file__).resolve().parents[2]


def folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where stills are: RVA_STILLS_DIR, or `stills` beside the other data."""
    environ = os.environ if environ is None else environ
    data = Path(environ.get("RVA_DATA_DIR") or CHECKOUT / "data")
    return Path(environ.get("RVA_STILLS_DIR") or data / "stills")


def path_of(stills: Path, store: str, camera: str) -> Path:
    """A camera's JPEG; no name leads out of the folder."""
    return stills / f"{quote(store, safe='')}@{quote(camera, safe='')}.jpg"


def found(stills: Path, store: str, camera: str) -> Path | None:
    """A camera's still, if there is one."""
    path = path_of(stills, store, camera)
    try:
        return path if path.is_file() else None
    except OSError:
        # a name that is too long for a file
        return None
