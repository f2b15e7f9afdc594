"""Which box of this frame is which known person: deep-sort-realtime's tracks, matched anew.

Its own cascade asks first who looks alike and waits with the place; that loses people where few
frames come in a second. Here one assignment weighs both for every confirmed track at once, the
place more for who was seen in the last frame, the looks more for who was lost.
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from deep_sort_realtime.deep_sort.detection import Detection
from deep_sort_realtime.deep_sort.track import Track, TrackState
from deep_sort_realtime.deep_sort.tracker import Tracker
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from vision.appearance import Appearances
from vision.settings import TrackingSettings
from vision.trackers.motion import BoxMotion

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Matches = list[tuple[int, int]]

OUT_OF_QUESTION = 1e5
"""A cost beyond any real one, which the assignment still can add up."""


class Followed(Track):  # type: ignore[misc]
    """A track that remembers one blended appearance in place of a list of them, and how long ago
    it was seen, where the library's counts frames."""

    memory = 0.0
    """The share of the old looks in the new."""

    unseen_ms = 0
    unseen_seconds = 0.0
    """As motion counts time: see `TrackingSettings.max_motion_rate`."""

    def update(self, kf: BoxMotion, detection: Detection) -> None:
        """Take the detection in."""
        self.unseen_ms, self.unseen_seconds = 0, 0.0
        known: npt.NDArray[np.float32] = self.features[-1]  # type: ignore[has-type]
        super().update(kf, detection)
        blend = self.memory * known + (1 - self.memory) * detection.feature
        self.features = [blend / max(float(np.linalg.norm(blend)), 1e-9)]


class _NoGallery:
    """In place of the library's store of appearances: ours are kept in the tracks."""

    def partial_fit(self, *_: Any) -> None:
        pass


class Associating(Tracker):  # type: ignore[misc]
    """deep-sort-realtime's tracker with the association described above, for one class."""

    tracks: list[Followed]

    def __init__(self, settings: TrackingSettings) -> None:
        super().__init__(
            _NoGallery(),
            # it counts frames; ours end by the clock
            max_age=sys.maxsize,
            n_init=settings.confirm_after_frames,
            override_track_class=Followed,
        )
        self._settings = settings
        self.kf = BoxMotion(settings)

    def follow(
        self, passed_ms: int, boxes: Array, confidences: Array, looks: Appearances
    ) -> list[str | None]:
        """The track of each box (N, 4: pixels, xyxy) of the next frame, which was captured
        `passed_ms` after the one before; None: no track of it is confirmed."""
        self._let_pass(passed_ms)
        ltwh = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
        self.update(
            [
                Detection(ltwh[place], confidences[place], looks[place], others=place)
                # nothing can be measured on a box without area
                for place in np.flatnonzero(ltwh[:, 2:].min(axis=1) > 0).tolist()
            ]
        )
        names: list[str | None] = [None] * len(boxes)
        for track in self.tracks:
            # the library forgets `others` as soon as a frame does not show the track
            if track.others is not None and track.is_confirmed():
                names[track.others] = track.track_id
        return names

    def _let_pass(self, passed_ms: int) -> None:
        """Move every track on; those that nobody has seen for too long end here."""
        seconds = max(passed_ms / 1000, 1 / self._settings.max_motion_rate)
        for track in self.tracks:
            track.age += 1
            track.time_since_update += 1
            track.unseen_ms += passed_ms
            track.unseen_seconds += seconds
            track.others = None
        longest_ms = 1000 * self._settings.max_age_seconds
        self.tracks = [track for track in self.tracks if track.unseen_ms <= longest_ms]
        self.kf.predict_all(self.tracks, seconds)

    def _match(self, detections: Sequence[Detection]) -> tuple[Matches, list[int], list[int]]:
        """(track, detection) pairs, tracks without a detection, detections without a track."""
        unmatched = list(range(len(self.tracks))), list(range(len(detections)))
        if not self.tracks or not detections:
            return [], *unmatched
        settings = self._settings
        confirmed = np.array([track.is_confirmed() for track in self.tracks])
        just_seen = ~self._are_lost()
        confidences = np.array([detection.confidence for detection in detections])
        sure = confidences >= settings.min_new_confidence
        cost, overlap, unlike = self._costs(detections)
        free_tracks, free_detections = np.ones(len(confirmed), bool), np.ones(len(sure), bool)
        matches: Matches = []

        def assign(tracks: Mask, detections: Mask, costs: Array) -> None:
            rows = np.flatnonzero(tracks & free_tracks)
            columns = np.flatnonzero(detections & free_detections)
            for row, column in _cheapest(costs[np.ix_(rows, columns)]):
                matches.append((int(rows[row]), int(columns[column])))
                free_tracks[rows[row]] = free_detections[columns[column]] = False

        assign(confirmed, sure, cost)
        # who stays in place is followed on when the light goes out, or hardly seen
        stays = np.where(overlap >= settings.min_stay_overlap, 1 - overlap, OUT_OF_QUESTION)
        assign(confirmed & just_seen, free_detections, stays)
        goes_on = (overlap >= settings.min_first_overlap) & (
            unlike <= settings.max_first_unlikeness
        )
        assign(~confirmed, sure, np.where(goes_on, 1 - overlap, OUT_OF_QUESTION))
        left = np.flatnonzero(free_tracks), np.flatnonzero(free_detections)
        return matches, left[0].tolist(), left[1].tolist()

    def _costs(self, detections: Sequence[Detection]) -> tuple[Array, Array, Array]:
        """Cost, overlap as it is and unlikeness of looks, each (tracks, detections)."""
        settings = self._settings
        expected = np.array([_box_of(track.mean) for track in self.tracks])
        seen = np.array([detection.ltwh for detection in detections], dtype=np.float64)
        seen[:, 2:] += seen[:, :2]
        unseen_seconds = np.array([track.unseen_seconds for track in self.tracks])
        looks = np.array([track.features[-1] for track in self.tracks])
        knows_looks = looks.shape[1] > 0
        unlike = np.zeros((len(expected), len(seen)))
        if knows_looks:
            unlike = 1 - looks @ np.array([detection.feature for detection in detections]).T

        growth = settings.growth_heights_per_second * unseen_seconds
        growth = np.minimum(growth, settings.max_growth_heights)
        overlap = widened_overlap(expected, seen, growth)
        lost = self._are_lost()[:, None]
        weight = np.where(lost, settings.lost_appearance_weight, settings.appearance_weight)
        weight = weight * knows_looks
        cost = (1 - weight) * (1 - overlap) + weight * unlike
        max_cost = settings.max_cost if knows_looks else settings.max_cost_by_place
        too_unlike = np.where(lost, settings.max_lost_unlikeness, settings.max_unlikeness)
        possible = (overlap >= settings.min_overlap) & (unlike <= too_unlike) & (cost <= max_cost)
        cost[~possible] = OUT_OF_QUESTION
        return cost, widened_overlap(expected, seen, np.zeros(len(expected))), unlike

    def _are_lost(self) -> Mask:
        """(tracks,): not seen in the frame before, or in one that is too long ago."""
        longest_ms = 1000 * self._settings.max_step_seconds
        return np.array(
            [track.time_since_update > 1 or track.unseen_ms > longest_ms for track in self.tracks]
        )

    def _initiate_track(self, detection: Detection) -> None:
        if detection.confidence < self._settings.min_new_confidence:
            return
        super()._initiate_track(detection)
        self.tracks[-1].memory = self._settings.appearance_memory
        if self.n_init <= 1:
            self.tracks[-1].state = TrackState.Confirmed


def widened_overlap(ones: Array, others: Array, growth_heights: Array) -> Array:
    """Intersection over union of (N, 4) and (M, 4) boxes, pixels, xyxy, once widened: (N, M).

    `growth_heights` (N,): half of so much of its height is added left and right to each of `ones`
    and to whatever it is compared with. People walk sideways more than up the picture.
    """
    half = growth_heights[:, None] / 2
    x1, y1, x2, y2 = (side[:, None] for side in ones.T)
    other_x1, other_y1, other_x2, other_y2 = (side[None] for side in others.T)
    tall, other_tall = y2 - y1, other_y2 - other_y1
    x1, x2 = x1 - half * tall, x2 + half * tall
    other_x1, other_x2 = other_x1 - half * other_tall, other_x2 + half * other_tall
    wide = np.minimum(x2, other_x2) - np.maximum(x1, other_x1)
    high = np.minimum(y2, other_y2) - np.maximum(y1, other_y1)
    shared = np.maximum(wide, 0) * np.maximum(high, 0)
    united = (x2 - x1) * tall + (other_x2 - other_x1) * other_tall - shared
    return np.asarray(shared / np.maximum(united, 1e-9))


def _box_of(mean: Array) -> tuple[float, float, float, float]:
    x, y, aspect, height = mean[:4].tolist()
    half_width, half_height = aspect * height / 2, height / 2
    return x - half_width, y - half_height, x + half_width, y + half_height


def _cheapest(cost: Array) -> list[tuple[int, int]]:
    if not cost.size:
        return []
    rows, columns = linear_sum_assignment(cost)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [pair for pair in pairs if cost[pair] < OUT_OF_QUESTION]
