"""Our default detector alone: frames that lie in memory, as many threads as it can use.

What is left to win end to end: decoding, tracking and writing may cost no more than the rest.
Prints `{"frames": …, "seconds": …, "detector": …}`; loading and the first frames do not count.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np

from vision.boxes import Image, RawDetection
from vision.detectors import make_detector
from vision.pipeline import InOrder
from vision.settings import ExtractSettings

FRAMES_IN_MEMORY = 100
"""Spread over the video; at 1080p they take 600 MB."""

WARM_UP_FRAMES = 20


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--frames", type=int, default=500)
    arguments = parser.parse_args()
    images = spread_over(arguments.video)
    settings = ExtractSettings(input=str(arguments.video), weights=str(arguments.weights))
    height, width = images[0].shape[:2]
    detector = make_detector(settings, (height, width), lambda text: print(text, file=sys.stderr))
    queue = islice(cycle(images), WARM_UP_FRAMES + arguments.frames)

    def take() -> list[Image]:
        return list(islice(queue, settings.batch))

    def detect(batch: Sequence[Image]) -> Sequence[list[RawDetection]]:
        return detector.detect(batch)

    began = 0.0
    with InOrder(take, detect, detector.concurrency) as found:
        for number, _ in enumerate(found.results(lambda: False), start=1):
            if number == WARM_UP_FRAMES:
                began = time.perf_counter()
    seconds = time.perf_counter() - began
    name = f"{detector.name} by {detector.backend}, {detector.concurrency} at once"
    print(json.dumps({"frames": arguments.frames, "seconds": seconds, "detector": name}))


def spread_over(video: Path) -> list[Image]:
    """Some of its frames, first to last."""
    capture = cv2.VideoCapture(str(video))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = {round(place) for place in np.linspace(0, count - 1, FRAMES_IN_MEMORY)}
    images: list[Image] = []
    for index in range(count):
        fine, image = capture.read()
        if fine and index in wanted:
            images.append(np.asarray(image, dtype=np.uint8))
    return images


if __name__ == "__main__":
    main()
