"""A simulation as files: one JSONL a camera, in the order of sending, and the truth beside them.

The same scenario gives the same bytes, so running it again is harmless.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from replay.progress import Progress
from store_simulator import world
from store_simulator.errors import FolderTaken
from store_simulator.messages import USABLE, Messages
from store_simulator.scenario import Scenario
from store_simulator.simulation import CameraRun
from store_simulator.truth import TruthWriter

DONE_FILE = "simulation.json"
"""Says which scenario the folder holds; written last."""
TRUTH = "truth"
OURS = (DONE_FILE, "*.jsonl", "*.raw", f"{TRUTH}/*.parquet")


@dataclass(slots=True)
class Written:
    """What a folder holds."""

    frames: int = 0
    """That the cameras had; fewer messages where some were dropped."""
    messages: int = 0
    usable: int = 0
    detections: int = 0
    """In usable messages, repetitions included."""
    in_raw: int = 0
    """Messages that are no UTF-8, and stand in `.raw` instead of `.jsonl`."""
    was_stopped: bool = False
    was_there: bool = False
    """Nothing had to be done."""

    def count(self, messages: Messages) -> None:
        """Some more."""
        is_usable = messages.reasons == USABLE
        self.messages += len(messages)
        self.usable += int(is_usable.sum())
        self.detections += int(messages.detections[is_usable].sum())


def write(
    scenario: Scenario, folder: Path, stop: threading.Event, *, overwrite: bool = False
) -> Written:
    """Simulate into the folder; `stop` ends it early, with whole lines and without truth's end.

    A folder that has this very simulation is left as it is. Raises `FolderTaken` for one that has
    something else, unless `overwrite`, which replaces a simulation's files and no others.
    """
    description = msgspec.json.decode(msgspec.json.encode(scenario))
    done = folder / DONE_FILE
    if not overwrite and folder.exists() and any(folder.iterdir()):
        found = _done(done)
        if found is None:
            raise FolderTaken(folder, "holds files, and not a whole simulation")
        if found["scenario"] != description:
            raise FolderTaken(folder, "holds another simulation")
        return Written(**found["written"], was_there=True)
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in OURS:
        for old in folder.glob(pattern):
            old.unlink()

    written = Written()
    cameras = sum(len(store.cameras) for store in scenario.stores)
    total = scenario.frames * cameras
    with TruthWriter(folder / TRUTH) as truth, Progress("simulating", total, "frames") as progress:
        for store in scenario.stores:
            people = world.shoppers(scenario, store)
            truth.store(store.id, people)
            for camera in store.cameras:
                if not _write_camera(
                    CameraRun(scenario, store, camera, people),
                    folder / f"{store.id}-{camera.id}",
                    (truth, people),
                    (written, progress, stop),
                ):
                    written.was_stopped = True
                    return written
                written.frames += scenario.frames
    counts = ("frames", "messages", "usable", "detections", "in_raw")
    marker = {"scenario": description, "written": {name: getattr(written, name) for name in counts}}
    done.write_bytes(msgspec.json.format(msgspec.json.encode(marker)) + b"\n")
    return written


def _write_camera(
    run: CameraRun,
    stem: Path,
    into: tuple[TruthWriter, list[world.Shopper]],
    telling: tuple[Written, Progress, threading.Event],
) -> bool:
    """Whether it came to the end."""
    (truth, people), (written, progress, stop) = into, telling
    raw: BinaryIO | None = None
    try:
        with stem.with_suffix(".jsonl").open("wb") as file:
            for messages in run.messages():
                in_jsonl = _is_text(messages.payloads)
                lines = messages.payloads
                if not in_jsonl.all():
                    raw = raw or stem.with_suffix(".raw").open("wb")
                    _write_lines(raw, messages.pick(np.flatnonzero(~in_jsonl)).payloads)
                    lines = messages.pick(np.flatnonzero(in_jsonl)).payloads
                    written.in_raw += len(messages) - len(lines)
                _write_lines(file, lines)
                truth.messages(run, messages, in_jsonl)
                truth.events(run, run.events(), people)
                written.count(messages)
                progress.advance(len(messages))
                if stop.is_set():
                    return False
    finally:
        if raw is not None:
            raw.close()
    truth.camera(run, people)
    return True


def _write_lines(file: BinaryIO, payloads: list[bytes]) -> None:
    if payloads:
        file.write(b"\n".join(payloads) + b"\n")


def _is_text(payloads: list[bytes]) -> npt.NDArray[np.bool_]:
    """Which can be lines of a UTF-8 file."""
    is_text = np.ones(len(payloads), dtype=bool)
    for place, payload in enumerate(payloads):
        if not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError:
                is_text[place] = False
    return is_text


def _done(path: Path) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None
    is_ours = isinstance(found, dict) and {"scenario", "written"} <= set(found)
    return found if is_ours else None
