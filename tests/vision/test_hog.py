"""HOG finds what OpenCV's own search finds, and the same whoever computes beside it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from vision.boxes import Image
from vision.hog import MARGIN, PADDING_PX, SCALE_STEP, STRIDE_PX, HogDetector


@pytest.fixture
def _opencv_on_one_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


@pytest.fixture(scope="module")
def images(sample_video: Path) -> list[Image]:
    capture = cv2.VideoCapture(str(sample_video))
    frames = [capture.read()[1] for _ in range(60)]
    capture.release()
    return [np.asarray(frame, dtype=np.uint8) for frame in frames[20::10]]


@pytest.mark.usefixtures("_opencv_on_one_thread")
def test_the_surest_person_is_the_surest_window_of_opencv(images: list[Image]) -> None:
    opencv = cv2.HOGDescriptor()
    opencv.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32))
    detector = HogDetector(confidence=0.5, longer_side_px=None, threads=1)
    whole = 0
    for image in images:
        windows, margins = opencv.detectMultiScale(
            image, winStride=STRIDE_PX, padding=PADDING_PX, scale=SCALE_STEP, groupThreshold=0
        )
        margins = np.ravel(margins)
        best = int(np.argmax(margins))
        surest = detector.detect([image])[0][0]
        assert surest.confidence == pytest.approx(1 / (1 + np.exp(-margins[best])), abs=1e-6)
        x, y, w, h = (float(value) for value in windows[best])
        height, width = image.shape[:2]
        # OpenCV cuts a window off at the image's border, and then its margins are not its own
        if min(x, y) > 0 and x + w < width and y + h < height:
            inner = (x + w * MARGIN[0], y + h * MARGIN[1])
            outer = (x + w * (1 - MARGIN[0]), y + h * (1 - MARGIN[1]))
            assert surest.bbox_xyxy_px == pytest.approx((*inner, *outer), abs=2)
            whole += 1
    assert whole > 0


def test_threads_that_detect_at_once_find_what_one_alone_finds(images: list[Image]) -> None:
    detector = HogDetector(confidence=0.5, longer_side_px=None, threads=8)
    assert detector.concurrency == 8
    alone = [detector.detect([image]) for image in images]
    assert sum(len(found) for [found] in alone) > len(images)
    with ThreadPoolExecutor(8) as threads:
        beside_others = threads.map(lambda image: detector.detect([image]), images * 10)
        assert list(beside_others) == alone * 10
