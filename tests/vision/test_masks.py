from vision.boxes import PixelBox, SeenObject
from vision.masks import Mask

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def person(x1: int, y1: int, x2: int, y2: int) -> SeenObject:
    return SeenObject("person", 0.9, PixelBox(x1, y1, x2, y2))


def test_who_stands_in_a_polygon_is_ignored_and_who_only_leans_into_it_is_not() -> None:
    inside, leaning, outside = (
        person(10, 10, 50, 90),
        person(90, 10, 130, 90),
        person(150, 0, 190, 90),
    )
    mask = Mask([LEFT_HALF], width=200, height=100)
    assert mask.outside([inside, leaning, outside]) == [leaning, outside]


def test_feet_decide_not_the_head() -> None:
    upper_half = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5))
    tall = person(10, 0, 50, 90)
    assert Mask([upper_half], width=200, height=100).outside([tall]) == [tall]


def test_without_polygons_all_count() -> None:
    everyone = [person(0, 0, 5, 5), person(10, 10, 50, 90)]
    assert Mask([], width=200, height=100).outside(everyone) == everyone


def test_any_of_several_polygons_ignores() -> None:
    right = ((0.9, 0.0), (1.0, 0.0), (1.0, 1.0))
    mask = Mask([LEFT_HALF, right], width=200, height=100)
    assert mask.outside([person(180, 0, 200, 1), person(120, 0, 130, 60)]) == [
        person(120, 0, 130, 60)
    ]
