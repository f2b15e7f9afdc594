"""Which run a camera's next process writes, and what becomes of the file of the one before."""

import contextlib
from dataclasses import replace
from pathlib import Path

from frame_contract import ContractViolation, decode, format_capture_ts
from vision.cameras.attempts import begins_anew
from vision.cameras.camera import Camera
from vision.cameras.reports import Done, Failed
from vision.paths import partial_path
from vision.settings import ExtractSettings
from vision.timestamps import default_run_id, parse_start_time


def named(camera: Camera) -> ExtractSettings:
    """The settings with a start and a run that a second process can go on with, after a crash."""
    settings = camera.settings
    if settings.resume and camera.output is not None:
        stored = _run_in(partial_path(camera.output)) or _run_in(camera.output)
        if stored is not None:
            return replace(settings, run_id=settings.run_id or stored)
    start = parse_start_time(settings.start_time)
    run_id = settings.run_id or default_run_id(settings.store_id, settings.camera_id, start)
    if camera.is_live:
        return replace(settings, run_id=run_id)
    return replace(settings, run_id=run_id, start_time=format_capture_ts(start))


def again(
    camera: Camera, settings: ExtractSettings, end: Done | Failed | None = None
) -> ExtractSettings:
    """What the next process is told: to go on with the run, if the file has any of it.

    Where the last process came to an `end` with a summary, its file is finished. Where the run
    cannot go on, a new one begins, and the file of the old one is kept under another name; raises
    `OSError` if that cannot be.

    A recording that is only published is read again, as the same run: what the topic has of it is
    not published twice. A camera that is only published begins a new run.
    """
    if camera.output is None:
        return named(camera) if camera.is_live else settings
    partial = partial_path(camera.output)
    if begins_anew(end):
        for path in (partial, camera.output, Path(camera.settings.summary or "")):
            if path.is_file():
                _set_aside(path, settings.run_id or settings.camera_id)
        if not camera.is_live:
            # the same frames: the same run
            return replace(settings, resume=False)
        return named(replace(camera, settings=replace(camera.settings, resume=False)))
    is_finished = end is not None and end.summary is not None
    begun = _run_in(camera.output if is_finished else partial)
    is_begun = settings.run_id is not None and begun == settings.run_id
    return replace(settings, resume=settings.resume or is_begun)


def _set_aside(path: Path, run_id: str) -> None:
    """`door.<run>.jsonl` for `door.jsonl`; with a number where there is one already."""
    stem, _, rest = path.name.partition(".")
    name = f"{stem}.{run_id.replace('/', '_')}"
    free = path.with_name(f"{name}.{rest}")
    number = 1
    while free.exists():
        number += 1
        free = path.with_name(f"{name}-{number}.{rest}")
    path.rename(free)


def _run_in(path: Path) -> str | None:
    """The run of a file's first line."""
    with contextlib.suppress(OSError, ContractViolation), path.open("rb") as lines:
        return decode(lines.readline().rstrip(b"\n")).run_id
    return None
