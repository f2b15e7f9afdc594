import numpy as np
import pytest

from vision.appearance import colour_histogram
from vision.boxes import Image, PixelBox, SeenObject
from vision.settings import TrackingSettings
from vision.tracking import DeepSortTracker

WIDTH, HEIGHT = 640, 480
CONFIRMED_AFTER = TrackingSettings().confirm_after_frames

RED, GREEN, BLUE = (40, 40, 200), (40, 180, 40), (200, 60, 40)


def seen(x: int, y: int = 100, class_name: str = "person", confidence: float = 0.9) -> SeenObject:
    return SeenObject(class_name, confidence, PixelBox(x, y, x + 50, y + 120))


def picture(*objects: tuple[SeenObject, tuple[int, int, int]]) -> Image:
    image = np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8)
    for one, colour in objects:
        image[one.box.y1 : one.box.y2, one.box.x1 : one.box.x2] = colour
    return image


def tracker(*classes: str, **settings: int) -> DeepSortTracker:
    return DeepSortTracker(classes or ("person",), TrackingSettings(**settings))


def test_moving_box_keeps_one_id_once_it_is_confirmed() -> None:
    follow = tracker()
    ids = []
    for step in range(40):
        one = seen(20 + 6 * step)
        ids += follow.update(picture((one, RED)), [one])
    assert ids[: CONFIRMED_AFTER - 1] == [None] * (CONFIRMED_AFTER - 1)
    assert ids[CONFIRMED_AFTER - 1 :] == [1] * (41 - CONFIRMED_AFTER)
    assert all(type(one) is int for one in ids if one is not None)


def test_two_people_who_cross_keep_their_ids_in_whatever_order_they_are_listed() -> None:
    follow = tracker()
    left_ids, right_ids = set(), set()
    for step in range(50):
        going_right, going_left = seen(40 + 10 * step, y=100), seen(540 - 10 * step, y=130)
        image = picture((going_right, RED), (going_left, BLUE))
        objects = [going_right, going_left] if step % 2 else [going_left, going_right]
        ids = dict(zip(map(id, objects), follow.update(image, objects), strict=True))
        left_ids.add(ids[id(going_right)])
        right_ids.add(ids[id(going_left)])
    assert len(left_ids - {None}) == len(right_ids - {None}) == 1
    assert left_ids & right_ids <= {None}


def test_unmatched_detection_is_kept_without_an_id() -> None:
    follow = tracker()
    for step in range(10):
        one = seen(20 + 6 * step)
        follow.update(picture((one, RED)), [one])
    known, stranger = seen(86), seen(400, 300)
    image = picture((known, RED), (stranger, GREEN))
    assert follow.update(image, [stranger, known]) == [None, 1]


def test_track_that_is_not_seen_in_a_frame_is_not_reported_in_it() -> None:
    follow = tracker()
    for _ in range(5):
        follow.update(picture((seen(100), RED)), [seen(100)])
    assert follow.update(picture(), []) == []
    elsewhere = seen(500, 300)
    assert follow.update(picture((elsewhere, BLUE)), [elsewhere]) == [None]
    assert follow.update(picture((seen(100), RED)), [seen(100)]) == [1]


def test_frames_without_objects_age_a_track_until_it_is_forgotten() -> None:
    follow = tracker(max_age_frames=5)
    for _ in range(5):
        follow.update(picture((seen(100), RED)), [seen(100)])
    for _ in range(7):
        assert follow.update(picture(), []) == []
    later = [follow.update(picture((seen(100), RED)), [seen(100)])[0] for _ in range(4)]
    assert later == [None, None, 2, 2]


def test_classes_are_followed_apart_and_share_one_count_of_ids() -> None:
    follow = tracker("person", "dog")
    for _ in range(6):
        person, dog = seen(100), seen(110, class_name="dog")
        ids = follow.update(picture((person, RED)), [dog, person])
    assert sorted(ids) == [1, 2]
    ids = follow.update(picture((seen(100), RED)), [seen(100, class_name="dog")])
    assert ids == [2]


def test_first_empty_frames_do_no_harm() -> None:
    follow = tracker()
    assert [follow.update(picture(), []) for _ in range(3)] == [[], [], []]


def test_memory_of_a_track_is_bounded() -> None:
    follow = tracker(appearances_kept=4)
    for _ in range(30):
        follow.update(picture((seen(100), RED)), [seen(100)])
    (deepsort,) = follow._by_class.values()
    assert [len(kept) for kept in deepsort.tracker.metric.samples.values()] == [4]


@pytest.mark.parametrize(
    "box",
    [
        PixelBox(0, 0, 1, 1),
        PixelBox(639, 0, 640, 480),
        PixelBox(0, 479, 640, 480),
        PixelBox(5, 5, 7, 7),
    ],
)
def test_appearance_of_the_smallest_boxes_is_still_of_length_one(box: PixelBox) -> None:
    appearance = colour_histogram(picture(), box)
    assert np.linalg.norm(appearance) == pytest.approx(1, abs=1e-5)


def test_same_clothes_look_alike_and_others_do_not() -> None:
    red, shifted, blue = seen(100), seen(103), seen(300)
    image = picture((red, RED), (blue, BLUE))
    same = colour_histogram(image, red.box) @ colour_histogram(image, shifted.box)
    other = colour_histogram(image, red.box) @ colour_histogram(image, blue.box)
    assert same > 0.8 > 0.5 > other
