"""The quick lines are the contract's own, byte for byte."""

from __future__ import annotations

import numpy as np
import pytest
import scenes
from msgspec import structs

from frame_contract import BBox, decode, encode
from store_simulator.lines import CONF_STEPS, NO_TRACK, Frames, LineWriter


def frames(counts: list[int], times_ms: list[int], dropped: list[int] | None = None) -> Frames:
    total = sum(counts)
    return Frames(
        frame_index=np.arange(len(counts)),
        capture_ms=np.array(times_ms),
        dropped_before=np.array(dropped or [0] * len(counts)),
        counts=np.array(counts),
        boxes=np.tile([0, 0, 1280, 720], (total, 1)),
        conf_steps=np.arange(total) % (CONF_STEPS + 1),
        track_ids=np.arange(total),
    )


def by_the_contract(line: bytes) -> bytes:
    """The line read, and written from objects with whole pixels, as vision makes them."""
    frame = decode(line)
    whole = tuple(
        structs.replace(
            each,
            bbox=BBox(**{side: int(value) for side, value in structs.asdict(each.bbox).items()}),
        )
        for each in frame.detections
    )
    return encode(structs.replace(frame, detections=whole))


def writer(store_id: str = "s") -> LineWriter:
    return LineWriter(store_id, "c", "stream", "s-c-run", 1280, 720)


@pytest.mark.parametrize("camera", [0, 1])
@pytest.mark.parametrize(
    "dials",
    [
        {},
        {"missed_boxes": 0.3, "false_boxes": 0.5, "dropped_frames": 0.3, "clock_skew_seconds": 77},
    ],
    ids=["no noise", "all that the camera and the detector do"],
)
def test_lines_are_those_of_the_contract_to_the_byte(camera: int, dials: dict[str, float]) -> None:
    messages = scenes.sent(scenes.run_of(scenes.with_noise(3, **dials), camera))

    assert len(messages) > 1000
    assert messages.detections.sum() > 1000
    for payload in messages.payloads:
        assert by_the_contract(payload) == payload


def test_every_confidence_is_written_as_the_contract_writes_it() -> None:
    for line in writer().lines(frames([100] * 101, [0] * 101)):
        assert by_the_contract(line) == line


def test_detections_are_numbered_within_their_second_also_across_pieces() -> None:
    whole = frames([2, 1, 1, 0, 1], [1000, 1999, 2000, 2500, 2999])

    wanted = ["d_1_001", "d_1_002", "d_1_003", "d_2_001", "d_2_002"]
    for cut in range(6):
        write = writer()
        lines: list[bytes] = []
        for part in (slice(0, cut), slice(cut, 5)):
            ends = np.append(0, np.cumsum(whole.counts))
            inside = slice(ends[part.start], ends[part.stop])
            lines += write.lines(
                Frames(
                    whole.frame_index[part],
                    whole.capture_ms[part],
                    whole.dropped_before[part],
                    whole.counts[part],
                    whole.boxes[inside],
                    whole.conf_steps[inside],
                    whole.track_ids[inside],
                )
            )
        found = [each.det_id for line in lines for each in decode(line).detections]
        assert found == wanted, cut


def test_detection_without_a_track_has_null_and_dropped_frames_are_told() -> None:
    first, second = (decode(line) for line in writer().lines(frames([1, 1], [0, 100], [0, 3])))

    assert NO_TRACK == 0
    assert [frame.detections[0].track_id for frame in (first, second)] == [None, 1]
    assert [frame.dropped_frames for frame in (first, second)] == [None, 3]


def test_percent_sign_in_a_name_is_a_percent_sign() -> None:
    assert decode(writer("100%s").lines(frames([0], [0]))[0]).source.store_id == "100%s"
