import pytest

from vision import progress


@pytest.mark.parametrize(
    ("done", "total", "seconds", "expected"),
    [
        (412, 1394, 41.2, "412 of 1394 frames, 10.0 frames/s, 1:38 left"),
        (50, None, 10.0, "50 frames, 5.0 frames/s"),
        (0, 10, 0.0, "0 of 10 frames, 0.0 frames/s"),
        (10, 10, 1.0, "10 of 10 frames, 10.0 frames/s, 0:00 left"),
        (12, 10, 1.0, "12 of 10 frames, 12.0 frames/s"),
    ],
)
def test_line_tells_frames_rate_and_what_is_left(
    done: int, total: int | None, seconds: float, expected: str
) -> None:
    assert progress.progress_line(done, total, seconds) == expected


def test_lines_come_every_few_seconds_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Progress(total=200) as shown:
        for _ in range(80):
            now[0] += 0.125
            shown.advance()
    told = capfd.readouterr().err.splitlines()
    assert told == [
        "40 of 200 frames, 8.0 frames/s, 0:20 left",
        "80 of 200 frames, 8.0 frames/s, 0:15 left",
    ]
