"""How many frames the detector is handed at once changes no byte of what is written."""

from pathlib import Path

import pytest
from conftest import read_lines

from vision.run import extract
from vision.settings import ExtractSettings

pytestmark = pytest.mark.slow

FRAMES = 50
"""Not to be divided by four: the last batch is a short one."""


def written(video: Path, folder: Path, batch: int, **detector: object) -> bytes:
    output = folder / f"batch-{batch}.jsonl"
    extract(
        ExtractSettings(
            input=str(video),
            output=str(output),
            start_time="2026-11-24T10:15:00Z",
            max_frames=FRAMES,
            batch=batch,
            **detector,  # type: ignore[arg-type]
        )
    )
    lines = read_lines(output)
    assert len(lines) == FRAMES
    assert sum(len(line["detections"]) for line in lines) > FRAMES / 2
    return output.read_bytes()


def test_opencvs_detector_in_batches(sample_video: Path, tmp_path: Path) -> None:
    assert len({written(sample_video, tmp_path, batch, detector="hog") for batch in (1, 4)}) == 1


def test_exported_model_in_batches_by_two_threads(
    sample_video: Path, tmp_path: Path, yolo_weights: Path
) -> None:
    detector = {"weights": str(yolo_weights), "backend": "onnx", "image_size": 320, "threads": 2}
    assert len({written(sample_video, tmp_path, batch, **detector) for batch in (1, 4)}) == 1
