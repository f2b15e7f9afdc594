"""Our default detector alone: a video's first frames, which lie in memory, as many threads as it
can use.

What is left to win end to end: decoding, tracking and writing may cost no more than the rest. They
are the same frames that ours gets, since a frame's cost depends on how many people are in it.
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

from vision.boxes import Image, RawDetection
from vision.detectors import make_detector
from vision.pipeline import InOrder
from vision.settings import ExtractSettings
from vision.sources import FileSource
from vision.video import Video

WARM_UP_FRAMES = 20
"""The first ones, which come again at the end: each is measured once."""


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--frames", type=int, default=400, help="400 of 768x432 take 400 MB")
    arguments = parser.parse_args()
    with Video(FileSource(arguments.video)) as video:
        images = [frame.image for frame in islice(video, arguments.frames)]
    settings = ExtractSettings(input=str(arguments.video), weights=str(arguments.weights))
    height, width = images[0].shape[:2]
    detector = make_detector(settings, (height, width), lambda text: print(text, file=sys.stderr))
    queue = islice(cycle(images), WARM_UP_FRAMES + len(images))

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
    print(json.dumps({"frames": len(images), "seconds": seconds, "detector": name}))


if __name__ == "__main__":
    main()
