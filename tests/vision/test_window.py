import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import cli_command, read_lines

from vision.boxes import PixelBox, SeenObject
from vision.window import TITLE, draw_live_frame

XVFB, XDOTOOL = shutil.which("Xvfb"), shutil.which("xdotool")


def test_drawing_marks_each_box_and_leaves_the_frame_itself_alone() -> None:
    image = np.full((240, 320, 3), 90, dtype=np.uint8)
    before = image.copy()
    boxes = [PixelBox(100, 60, 150, 200), PixelBox(300, 0, 320, 240)]
    objects = [SeenObject("person", 0.9, box) for box in boxes]
    drawn = draw_live_frame(image, objects, [5, None], 12.3)
    assert (image == before).all()
    assert drawn.shape == image.shape
    for box in boxes:
        assert (drawn[box.y1 + 40 : box.y2 - 40, box.x1] != 90).any()
    assert (drawn[70:190, 110:140] == 90).all()


def test_people_of_different_tracks_differ_in_colour() -> None:
    image = np.zeros((100, 100, 3), dtype=np.uint8)
    one = [SeenObject("person", 0.9, PixelBox(10, 30, 60, 90))]
    colours = {
        tuple(draw_live_frame(image, one, [n], None)[60, 10].tolist()) for n in (1, 2, 3, None)
    }
    assert len(colours) == 4


@pytest.fixture
def screen() -> Iterator[str]:
    """The name of a display that lives in memory."""
    if XVFB is None or XDOTOOL is None:
        pytest.skip("needs Xvfb and xdotool: apt-get install xvfb xdotool")
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        # -noreset: a server that resets when its last client leaves refuses the one that comes then
        [XVFB, "-noreset", "-displayfd", str(write_end), "-screen", "0", "1024x768x24"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.mark.slow
@pytest.mark.parametrize("key", ["q", "Escape"])
def test_key_in_the_window_ends_cleanly_with_a_whole_file(
    key: str, screen: str, sample_video: Path, tmp_path: Path
) -> None:
    output = tmp_path / "video.jsonl"
    environment = os.environ | {"DISPLAY": screen}
    with subprocess.Popen(
        cli_command(
            *("--input", sample_video, "--output", output, "--detector", "hog"),
            *("--image-size", "320", "--show", "--frame-rate", "10"),
        ),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            window = _window(process, environment)
            time.sleep(1)
            subprocess.run([XDOTOOL, "key", "--window", window, key], env=environment, check=True)
            _, err = process.communicate(timeout=120)
        finally:
            if process.poll() is None:
                process.kill()
    assert process.returncode == 0
    assert err == ""
    summary = json.loads((tmp_path / "video.summary.json").read_text())
    assert summary["ended_by"] == "window"
    assert summary["frames"] == len(read_lines(output)) < 200


def _window(process: subprocess.Popen[str], environment: dict[str, str]) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = subprocess.run(
            [XDOTOOL, "search", "--name", TITLE],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        if found:
            return found[0]
        time.sleep(0.1)
    process.kill()
    raise AssertionError(f"no window has opened: {process.communicate()}")
