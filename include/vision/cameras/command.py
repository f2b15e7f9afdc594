"""`python -m vision cameras`: every camera of a store, each in a process of its own."""

import argparse
import difflib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vision import progress
from vision.cameras.camera import Camera
from vision.cameras.fleet import Fleet
from vision.cameras.reading import (
    SUMMARY_NAME,
    CamerasFile,
    default_output_dir,
    read_cameras,
    with_threads,
)
from vision.cameras.summary import as_json, as_table, exit_code, format_table, summarize
from vision.environment import usable_cpus
from vision.errors import SettingsError, SourceError
from vision.output import check_writable, write_whole
from vision.parser import OneLineParser
from vision.publishing import parse_destination
from vision.sources import check_reachable

_EPILOG = """\
docs/cameras.yaml is an annotated example. A camera that is lost is tried again for ever, and a
process that crashes is started again; a file is read to its end. Ctrl-C stops all cameras, each
file being whole; once more stops at once.

exit codes: 0 all done, or stopped after --minutes; 2 bad input, of the file or of any camera; 130
after Ctrl-C and 143 after SIGTERM.
"""


def run_cameras(arguments: Sequence[str]) -> int:
    """Run the cameras that the command line asks for; the exit code. Raises `VisionError`."""
    given = _parse(arguments)
    file = read_cameras(given.file, output_dir=given.output_dir, to=given.to)
    chosen = _chosen(file, given.only)
    threads = max(1, usable_cpus() // len(chosen))
    cameras = [with_threads(camera, threads) for camera in chosen]
    if given.check:
        _show(file, cameras)
        return 0
    if given.resume:
        cameras = [_resumed(camera) for camera in cameras]
    summary_path = (given.output_dir or default_output_dir()) / SUMMARY_NAME
    check_writable(summary_path)
    began = time.monotonic()
    fleet = Fleet(cameras, seconds=None if given.minutes is None else given.minutes * 60)
    fleet.run()
    summaries = [summarize(process) for process in fleet.processes]
    code = exit_code(summaries, fleet.signal_number)
    seconds = time.monotonic() - began
    print(as_table(summaries))
    for each in summaries:
        if each.error is not None:
            print(f"{each.camera}: {each.error}")
    write_whole(summary_path, as_json(file.store, summaries, code, seconds))
    print(summary_path)
    return code


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = OneLineParser(
        prog="python -m vision cameras",
        description="Runs every camera of a cameras.yaml, each in a process of its own.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("file", type=Path, metavar="cameras.yaml", help="the cameras of one store")
    add(
        "--to",
        metavar="URL",
        help="publish all lines to pulsar://HOST:PORT[/TENANT/NAMESPACE/TOPIC]; files are then "
        "written only with --output-dir (default: what the file says)",
    )
    add(
        "--output-dir",
        type=Path,
        metavar="DIR",
        help="where <camera>.jsonl, its summary and cameras.summary.json go (default: "
        "metadata/cameras in RVA_DATA_DIR, or in ./data)",
    )
    add("--only", metavar="NAMES", help="only these cameras, comma separated (default: all)")
    add(
        "--minutes",
        type=_minutes,
        metavar="N",
        help="stop after N minutes, as Ctrl-C would, but with code 0 (default: when all have "
        "ended)",
    )
    add("--resume", action="store_true", help="go on behind the last lines of the files")
    add("--check", action="store_true", help="look whether the file is right, and run nothing")
    return parser.parse_args(arguments)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of minutes over 0, not {text!r}")
    return minutes


def _chosen(file: CamerasFile, only: str | None) -> list[Camera]:
    if only is None:
        return list(file.cameras)
    by_name = {camera.name: camera for camera in file.cameras}
    names = list(dict.fromkeys(filter(None, (name.strip() for name in only.split(",")))))
    for name in names or [""]:
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(by_name)}"
            raise SettingsError(f"--only: {file.path} has no camera {name!r}: {meant}")
    return [by_name[name] for name in names]


def _resumed(camera: Camera) -> Camera:
    if camera.output is None:
        raise SettingsError(
            f"--resume goes on from a file, and {camera.name} is only published: give --output-dir"
        )
    return replace(camera, settings=replace(camera.settings, resume=True))


def _show(file: CamerasFile, cameras: Sequence[Camera]) -> None:
    """What would run; with a warning for a recording that is not there."""
    rows = []
    for camera in cameras:
        settings = camera.settings
        if not camera.is_live:
            try:
                check_reachable(camera.source)
            except SourceError as error:
                progress.warn(f"{camera.name}: {error}")
        to = "" if settings.to is None else parse_destination(settings.to).topic
        output = "" if camera.output is None else str(camera.output)
        kind = "live" if camera.is_live else "recording"
        rows.append([camera.name, kind, str(camera.source), str(settings.threads), output, to])
    heads = ["camera", "kind", "source", "threads", "output", "topic"]
    print(format_table(heads, rows, texts=set(heads) - {"threads"}))
    count = "1 camera" if len(cameras) == 1 else f"{len(cameras)} cameras"
    print(f"{file.path} is right: {count} of {file.store}")
