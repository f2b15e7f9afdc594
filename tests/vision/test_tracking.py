from collections.abc import Callable, Sequence

import numpy as np
import pytest

from vision.boxes import Image, PixelBox, SeenObject
from vision.errors import SettingsError
from vision.settings import EMBEDDERS, TRACKERS, ExtractSettings, TrackingSettings
from vision.tracking import Tracker, make_tracker

WIDTH, HEIGHT = 640, 480
FRAME_RATE = 10.0
CONFIRMED_AFTER = TrackingSettings().confirm_after_frames

RED, GREEN, BLUE = (40, 40, 200), (40, 180, 40), (200, 60, 40)

Colour = tuple[int, int, int]
Make = Callable[..., "Steady"]


def seen(x: int, y: int = 100, class_name: str = "person", confidence: float = 0.9) -> SeenObject:
    return SeenObject(class_name, confidence, PixelBox(x, y, x + 50, y + 120))


def picture(*objects: tuple[SeenObject, Colour]) -> Image:
    image = np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8)
    for one, colour in objects:
        image[one.box.y1 : one.box.y2, one.box.x1 : one.box.x2] = colour
    return image


class Steady:
    """A tracker that is handed so many frames a second, but where something is left out."""

    def __init__(self, tracker: Tracker, rate: float = FRAME_RATE) -> None:
        self.name = tracker.name
        self._tracker, self._rate = tracker, rate
        self._seconds = 0.0

    def update(
        self, image: Image, objects: Sequence[SeenObject], seconds: float | None = None
    ) -> list[int | None]:
        """The next frame, `seconds` after the one before."""
        self._seconds += 1 / self._rate if seconds is None else seconds
        return self._tracker.update(image, objects, round(1000 * self._seconds))


def tracker(*classes: str, rate: float = FRAME_RATE, **settings: float) -> Steady:
    tracking = TrackingSettings(**settings)
    made = ExtractSettings(input="x", classes=classes or ("person",), tracking=tracking)
    return Steady(make_tracker(made), rate)


@pytest.fixture(
    params=[("deepsort", name) for name in EMBEDDERS if name != "mobilenet"]
    + [(name, "histogram") for name in TRACKERS if name != "deepsort"],
    ids="/".join,
)
def make_any(request: pytest.FixtureRequest) -> Make:
    """Each tracker, DeepSORT once for each embedder that is quick; mobilenet has its own test."""
    name, embedder = request.param

    def make(*classes: str) -> Steady:
        settings = ExtractSettings(
            input="x", classes=classes or ("person",), tracker=name, embedder=embedder
        )
        return Steady(make_tracker(settings))

    return make


def test_every_tracker_says_its_name(make_any: Make) -> None:
    assert make_any().name in TRACKERS


def test_every_tracker_keeps_one_id_from_1_on_who_walks(make_any: Make) -> None:
    follow = make_any()
    for _ in range(3):
        assert follow.update(picture(), []) == []
    ids = []
    for step in range(40):
        one = seen(20 + 6 * step)
        ids += follow.update(picture((one, RED)), [one])
    assert ids[3:] == [1] * 37
    assert all(type(one) is int for one in ids if one is not None)


def test_every_tracker_gives_ids_to_the_detections_that_it_matched_alone(make_any: Make) -> None:
    follow = make_any()
    for step in range(10):
        one = seen(20 + 6 * step)
        follow.update(picture((one, RED)), [one])
    known, stranger = seen(80), seen(400, 300)
    image = picture((known, RED), (stranger, GREEN))
    assert follow.update(image, [stranger, known]) == [None, 1]
    elsewhere = seen(500, 20)
    assert follow.update(picture((elsewhere, BLUE)), [elsewhere]) == [None]
    assert follow.update(picture(), []) == []


def test_every_tracker_follows_each_class_by_itself(make_any: Make) -> None:
    follow = make_any("person", "dog")
    for _ in range(6):
        person, dog = seen(100), seen(110, class_name="dog")
        ids = follow.update(picture((person, RED)), [dog, person])
    assert sorted(ids) == [1, 2]
    # where the person was there is only a dog now: it keeps its own id
    assert follow.update(picture((seen(100), RED)), [seen(100, class_name="dog")]) == [ids[0]]


def test_every_tracker_says_the_same_of_the_same_frames(make_any: Make) -> None:
    """And at the same time as another: neither has a count or a memory that the other shares."""
    one, other = make_any(), make_any()
    generator = np.random.default_rng(4)
    for _ in range(60):
        objects = [
            SeenObject("person", round(float(confidence), 4), PixelBox(x, y, x + w, y + 2 * w))
            for x, y, w, confidence in zip(
                generator.integers(0, 400, 6).tolist(),
                generator.integers(0, 200, 6).tolist(),
                generator.integers(20, 120, 6).tolist(),
                generator.uniform(0.3, 1, 6),
                strict=True,
            )
        ]
        image = generator.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        assert one.update(image, objects) == other.update(image, objects)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_every_tracker_survives_the_smallest_boxes_and_those_without_area(make_any: Make) -> None:
    follow = make_any()
    boxes = [
        PixelBox(0, 0, 1, 1),
        PixelBox(WIDTH - 1, HEIGHT - 1, WIDTH, HEIGHT),
        PixelBox(5, 5, 5, 60),
        PixelBox(5, 60, 60, 60),
        PixelBox(WIDTH, 0, WIDTH + 40, 90),
        PixelBox(0, 0, WIDTH, HEIGHT),
    ]
    for _ in range(4):
        ids = follow.update(picture(), [SeenObject("person", 0.9, box) for box in boxes])
    assert len(ids) == len(boxes)
    assert ids[2:4] == [None, None]
    assert ids[5] is not None


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


@pytest.mark.parametrize("rate", [7.0, 25.0])
def test_who_is_hidden_behind_another_comes_out_with_the_same_id(rate: float) -> None:
    follow = tracker(rate=rate)
    ids: dict[Colour, set[int | None]] = {RED: set(), BLUE: set()}
    for step in range(int(6 * rate)):
        moved = round(80 * step / rate)
        front, behind = (seen(40 + moved), RED), (seen(520 - moved, y=96), BLUE)
        hidden = abs(front[0].box.x1 - behind[0].box.x1) < 35
        shown = [front] if hidden else [front, behind]
        found = follow.update(picture(behind, front), [one for one, _ in shown])
        for (_, colour), track_id in zip(shown, found, strict=True):
            ids[colour].add(track_id)
    assert len(ids[RED] - {None}) == len(ids[BLUE] - {None}) == 1
    assert ids[RED] & ids[BLUE] <= {None}


def test_who_changes_places_with_another_while_both_are_unseen_is_known_by_the_looks() -> None:
    red, blue = seen(200), seen(260)
    ids = {}
    for embedder in ("histogram", "none"):
        follow = Steady(make_tracker(ExtractSettings(input="x", embedder=embedder)))
        for _ in range(5):
            before = follow.update(picture((red, RED), (blue, BLUE)), [red, blue])
        for _ in range(8):
            follow.update(picture(), [])
        swapped = picture((red, BLUE), (blue, RED))
        ids[embedder] = before, follow.update(swapped, [red, blue])
    assert ids["histogram"] == ([1, 2], [2, 1])
    assert ids["none"] == ([1, 2], [1, 2])


@pytest.mark.parametrize("rate", [5.0, 30.0])
def test_track_is_remembered_for_so_many_seconds_at_any_frame_rate(rate: float) -> None:
    for seconds, comes_back in ((1.6, True), (2.4, False)):
        follow = tracker(rate=rate, max_age_seconds=2.0)
        for _ in range(5):
            follow.update(picture((seen(100), RED)), [seen(100)])
        for _ in range(round(seconds * rate)):
            assert follow.update(picture(), []) == []
        later = [follow.update(picture((seen(100), RED)), [seen(100)])[0] for _ in range(4)]
        assert later == ([1] * 4 if comes_back else [None, 2, 2, 2])


@pytest.mark.parametrize("frames", [1, 2])
def test_detections_that_are_not_sure_continue_a_track_and_begin_none(frames: int) -> None:
    follow = tracker(min_new_confidence=0.5, confirm_after_frames=frames)
    unsure = seen(100, confidence=0.4)
    for _ in range(5):
        assert follow.update(picture((unsure, RED)), [unsure]) == [None]
    for _ in range(3):
        follow.update(picture((unsure, RED)), [seen(100)])
    assert follow.update(picture((unsure, RED)), [unsure]) == [1]


def test_who_stays_in_place_is_known_when_the_light_goes_out() -> None:
    follow = tracker()
    for _ in range(5):
        follow.update(picture((seen(100), RED)), [seen(100)])
    dark = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    assert [follow.update(dark, [seen(100)]) for _ in range(3)] == [[1]] * 3


def test_box_that_collapses_does_no_harm() -> None:
    follow = tracker()
    for height in (400, 300, 200, 100, 30, 4, 1, 1, 1):
        one = SeenObject("person", 0.9, PixelBox(100, 20, 140, 20 + height))
        assert len(follow.update(picture((one, RED)), [one])) == 1


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_id_is_given_from_the_frame_that_confirms_the_track(frames: int) -> None:
    follow = tracker(confirm_after_frames=frames)
    ids = [follow.update(picture((seen(100), RED)), [seen(100)])[0] for _ in range(6)]
    assert ids == [None] * (frames - 1) + [1] * (7 - frames)


def test_who_walks_fast_is_followed_though_the_file_claims_too_many_frames_a_second() -> None:
    follow = tracker(rate=60.0)
    ids = []
    for step in range(12):
        one = seen(20 + 42 * step)
        ids += follow.update(picture((one, RED)), [one])
        if step == 0:
            # the first step overlaps enough to confirm the track
            ids += follow.update(picture((seen(45), RED)), [seen(45)])
    assert set(ids[1:]) == {1}


def test_every_tracker_forgets_everybody_across_a_gap_longer_than_its_memory(
    make_any: Make,
) -> None:
    follow = make_any()
    for _ in range(5):
        before = follow.update(picture((seen(100), RED)), [seen(100)])
    gap = TrackingSettings().max_age_seconds + 0.1
    later = [follow.update(picture((seen(100), RED)), [seen(100)], gap)]
    later += [follow.update(picture((seen(100), RED)), [seen(100)]) for _ in range(4)]
    assert before == [1]
    assert later[-1] == [2]
    assert [1] not in later


@pytest.mark.parametrize(("gap", "is_taken_for_the_same"), [(0.2, True), (0.3, False)])
def test_stranger_in_somebodys_place_after_a_gap_is_not_known_by_the_place(
    gap: float, is_taken_for_the_same: bool
) -> None:
    follow = tracker()
    for _ in range(5):
        follow.update(picture((seen(100), RED)), [seen(100)])
    # up to a quarter of a second it may as well be the light
    same = follow.update(picture((seen(100), BLUE)), [seen(100)], gap) == [1]
    assert same == is_taken_for_the_same


def test_who_walks_on_while_frames_are_dropped_keeps_the_id() -> None:
    follow = tracker()
    x, ids = 20, []
    for frames in (1, 1, 1, 1, 1, 5, 1, 1, 8, 2, 1, 9, 1, 1, 7):
        # a height a second
        x += 12 * frames
        ids += follow.update(picture((seen(x), RED)), [seen(x)], frames / FRAME_RATE)
    assert ids == [None, *[1] * 14]


def test_clock_that_is_put_back_does_no_harm() -> None:
    follow = tracker()
    passed = (0.1, 0.1, 0.1, -3600.0, 0.1, 0.0, 0.0, 0.1)
    ids = [follow.update(picture((seen(100), RED)), [seen(100)], seconds) for seconds in passed]
    assert ids == [[None], *[[1]] * 7]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_age_seconds", 0),
        ("confirm_after_frames", 0),
        ("appearance_weight", 1.2),
        ("min_overlap", -0.1),
        ("max_cost", float("nan")),
        ("growth_heights_per_second", float("inf")),
    ],
)
def test_tracking_settings_that_cannot_be_are_told_in_one_line(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=f"^tracking: {name} must be [^\n]+$"):
        TrackingSettings(**{name: value})
