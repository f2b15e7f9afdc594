"""Frames as JSON lines, fast: text by formatting, many frames at a time.

The bytes are those of `frame_contract.encode`, which makes an object for every box and reads each
line back: too slow for days of a whole store. A test holds the two equal.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from frame_contract import SCHEMA_VERSION

Ints = npt.NDArray[np.int64]

CONF_STEPS = 10_000
"""Confidence has four digits, as vision writes it."""
DETECTOR = TRACKER = "simulated"
NO_TRACK = 0
"""In arrays, where the message has null."""

_CONF_TEXT = [msgspec.json.encode(step / CONF_STEPS).decode() for step in range(CONF_STEPS + 1)]
_DETECTION = (
    '{"det_id":"d_%d_%03d","class":"person","bbox":{"x1":%d,"y1":%d,"x2":%d,"y2":%d},'
    '"conf":%s,"track_id":%s}'
)


@dataclass(slots=True)
class Frames:
    """Frames of one camera, and their detections in the order of frames."""

    frame_index: Ints
    capture_ms: Ints
    dropped_before: Ints
    """0: the message says nothing."""
    counts: Ints
    """Detections of each frame; they add up to the length of what follows."""
    boxes: Ints
    """(n, 4), whole pixels, xyxy."""
    conf_steps: Ints
    track_ids: Ints

    def at(self) -> Ints:
        """For each detection, the place of its frame in these arrays."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


class LineWriter:
    """Writes the lines of one run, to be handed all frames in order: detections are numbered."""

    def __init__(
        self, store_id: str, camera_id: str, stream_id: str, run_id: str, width: int, height: int
    ) -> None:
        head = {
            "schema_version": SCHEMA_VERSION,
            "run_id": run_id,
            "source": {"store_id": store_id, "camera_id": camera_id, "stream_id": stream_id},
        }
        self._frame = (
            _json(head)[:-1].replace("%", "%%")
            + ',"frame_index":%d,"capture_ts":"%sZ","image_size":'
            + _json({"width": width, "height": height})
            + ',"detections":[%s],"model":'
            + _json({"detector": DETECTOR, "tracker": TRACKER})
            + "%s}"
        )
        self._second, self._number = -1, 0

    def lines(self, frames: Frames) -> list[bytes]:
        """One line a frame, without its line feed."""
        if not len(frames.frame_index):
            return []
        at = frames.at()
        seconds = frames.capture_ms[at] // 1000
        numbers = self._numbers(seconds)
        x1, y1, x2, y2 = (frames.boxes[:, side].tolist() for side in range(4))
        conf = [_CONF_TEXT[step] for step in frames.conf_steps.tolist()]
        tracks: list[object] = frames.track_ids.tolist()
        for index in np.flatnonzero(frames.track_ids == NO_TRACK).tolist():
            tracks[index] = "null"
        columns = (seconds.tolist(), numbers.tolist(), x1, y1, x2, y2, conf, tracks)
        detections = [_DETECTION % each for each in zip(*columns, strict=True)]

        ends = np.cumsum(frames.counts)
        slices = zip((ends - frames.counts).tolist(), ends.tolist(), strict=True)
        moments = np.datetime_as_string(frames.capture_ms.astype("datetime64[ms]"), unit="ms")
        tails = [
            f',"dropped_frames":{dropped}' if dropped else ""
            for dropped in frames.dropped_before.tolist()
        ]
        texts = [
            self._frame % (index, moment, ",".join(detections[start:end]), tail)
            for index, moment, (start, end), tail in zip(
                frames.frame_index.tolist(), moments.tolist(), slices, tails, strict=True
            )
        ]
        return "\n".join(texts).encode().split(b"\n")

    def _numbers(self, seconds: Ints) -> Ints:
        """Each detection's number in its second, from 1, going on where the last call ended."""
        if not len(seconds):
            return seconds
        changes = np.append(True, seconds[1:] != seconds[:-1])
        starts = np.maximum.accumulate(np.where(changes, np.arange(len(seconds)), 0))
        numbers = np.arange(len(seconds)) - starts + 1
        numbers[seconds == self._second] += self._number
        self._second, self._number = int(seconds[-1]), int(numbers[-1])
        return numbers


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
