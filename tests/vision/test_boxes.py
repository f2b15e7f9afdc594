import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.boxes import PixelBox, RawDetection, clip_box, clip_detections, overlaps

WIDTH, HEIGHT = 640, 480


@pytest.mark.parametrize(
    ("name", "box", "expected"),
    [
        ("inside", (10.4, 20.6, 30.4, 40.6), PixelBox(10, 21, 30, 41)),
        ("out on the left and top", (-5.0, -9.0, 30.0, 40.0), PixelBox(0, 0, 30, 40)),
        ("out on the right and bottom", (600.0, 400.0, 700.0, 500.0), PixelBox(600, 400, 640, 480)),
        ("the whole image", (0.0, 0.0, 640.0, 480.0), PixelBox(0, 0, 640, 480)),
        ("beside the image", (650.0, 10.0, 700.0, 40.0), None),
        ("above the image", (10.0, -40.0, 30.0, -1.0), None),
        ("thinner than a pixel", (10.1, 10.0, 10.4, 40.0), None),
        ("inside out", (30.0, 10.0, 10.0, 40.0), None),
        ("no number", (float("nan"), 10.0, 20.0, 40.0), None),
        ("endless", (0.0, 0.0, float("inf"), 40.0), None),
    ],
)
def test_box_is_clipped_to_the_image(name: str, box: tuple, expected: PixelBox | None) -> None:
    assert clip_box(box, WIDTH, HEIGHT) == expected, name


coordinate = st.floats(-2000, 2000)


@given(st.tuples(coordinate, coordinate, coordinate, coordinate))
def test_clipped_box_always_keeps_the_contract(box: tuple) -> None:
    clipped = clip_box(box, WIDTH, HEIGHT)
    if clipped is not None:
        assert 0 <= clipped.x1 < clipped.x2 <= WIDTH
        assert 0 <= clipped.y1 < clipped.y2 <= HEIGHT


def test_only_detections_that_show_are_kept_in_their_order() -> None:
    raw = [
        RawDetection("person", 0.91239, (0.0, 0.0, 10.0, 10.0)),
        RawDetection("person", 0.9, (-20.0, 0.0, -10.0, 10.0)),
        RawDetection("dog", 1.0000001, (5.0, 5.0, 9.0, 9.0)),
    ]
    seen = clip_detections(raw, WIDTH, HEIGHT)
    assert [(one.class_name, one.confidence) for one in seen] == [("person", 0.9124), ("dog", 1.0)]


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("itself", PixelBox(0, 0, 10, 10), 1.0),
        ("half", PixelBox(0, 0, 10, 5), 0.5),
        ("beside", PixelBox(10, 0, 20, 10), 0.0),
        ("a corner", PixelBox(5, 5, 15, 15), 25 / 175),
    ],
)
def test_overlap_is_intersection_over_union(name: str, other: PixelBox, expected: float) -> None:
    one = PixelBox(0, 0, 10, 10)
    assert overlaps([one], [other, one]).tolist() == [pytest.approx([expected, 1])], name


def test_overlaps_of_nobody_are_none() -> None:
    assert overlaps([], [PixelBox(0, 0, 10, 10)]).shape == (0, 1)
    assert overlaps([PixelBox(0, 0, 10, 10)], []).shape == (1, 0)
