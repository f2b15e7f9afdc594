import numpy as np
import pytest

from vision.boxes import PixelBox
from vision.drawing import (
    UNTRACKED_COLOUR,
    draw_banner,
    draw_box,
    draw_text,
    draw_trail,
    track_colour,
)


def grey(height: int = 240, width: int = 320) -> np.ndarray:
    return np.full((height, width, 3), 90, dtype=np.uint8)


def test_ids_near_each_other_have_colours_that_can_be_told_apart() -> None:
    colours = [np.array(track_colour(track_id), dtype=int) for track_id in range(1, 40)]
    for place, colour in enumerate(colours):
        for other in colours[max(0, place - 12) : place]:
            assert np.abs(colour - other).sum() >= 40
    assert track_colour(7) == track_colour(7)
    assert track_colour(-3) != track_colour(None) == UNTRACKED_COLOUR


def test_box_lies_on_its_own_pixels() -> None:
    image = grey()
    draw_box(image, PixelBox(100, 60, 150, 200), (0, 0, 255), "")
    rows, columns = np.nonzero((image != 90).any(axis=2))
    # two pixels thick: one of them may lie outside
    assert 99 <= columns.min() <= 100 <= 149 <= columns.max() <= 150
    assert 59 <= rows.min() <= 60 <= 199 <= rows.max() <= 200


@pytest.mark.parametrize("place", [(0, 0), (310, 5), (-50, 400), (150, 120)])
def test_label_stays_inside_the_image(place: tuple[int, int]) -> None:
    image = grey(height=400)
    draw_text(image, "person 5 0.92", place, (0, 0, 0))
    assert (image == 0).all(axis=2).sum() > 400


def test_banner_uses_two_lines_where_one_is_too_short() -> None:
    wide, narrow = grey(width=700), grey(width=260)
    for image in (wide, narrow):
        draw_banner(image, "12 people, 14 this minute", "2026-11-24 10:15:20.000 UTC")
    lowest = [np.nonzero((image != 90).any(axis=(1, 2)))[0].max() for image in (wide, narrow)]
    assert lowest[1] > lowest[0] + 10


def test_trail_shows_as_strongly_as_it_is_new() -> None:
    image = grey()
    draw_trail(image, [(20, 100), (60, 100), (100, 100)], [0.0, 0.25, 1.0], (90, 90, 250))
    assert image[100, 80].tolist() == [90, 90, 250]
    assert image[100, 40].tolist() == pytest.approx([90, 90, 130], abs=1)
    assert (image[105:] == 90).all()
    assert (image[:, 110:] == 90).all()


def test_trail_may_leave_the_image_and_have_one_point() -> None:
    image = grey()
    draw_trail(image, [(50, 50)], [1.0], (0, 0, 250))
    draw_trail(image, [(400, 300), (500, 400)], [1.0, 1.0], (0, 0, 250))
    draw_trail(image, [(-500, -300), (-400, -200)], [1.0, 1.0], (0, 0, 250))
    assert (image == 90).all()
    draw_trail(image, [(-100, 120), (500, 120)], [1.0, 1.0], (0, 0, 250))
    assert (image[120] == (0, 0, 250)).all()
