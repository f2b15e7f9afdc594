"""Which box of this frame is which known person: deep-sort-realtime's tracks, matched anew.

Its own cascade asks first who looks alike and waits with the place; that loses people where few
frames come in a second. Here one assignment weighs both for every confirmed track at once, the
place more for who was seen in the last frame, the looks more for who was lost.
"""

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
Matches = list[tuple[int, int]]

OUT_OF_QUESTION = 1e5
"""A cost beyond any real one, which the assignment still can add up."""


class Sighting(Detection):  # type: ignore[misc]
    """A detection, its place among the frame's objects, and how much it may teach of the looks."""

    def __init__(
        self, ltwh: Array, confidence: float, looks: Appearances, place: int, share_new: float
    ) -> None:
        super().__init__(ltwh, confidence, looks, others=place)
        self.share_new = share_new


class Followed(Track):  # type: ignore[misc]
    """A track that remembers one blended appearance in place of a list of them."""

    def update(self, kf: BoxMotion, detection: Sighting) -> None:
        """Take the detection in."""
        known: npt.NDArray[np.float32] = self.features[-1]  # type: ignore[has-type]
        super().update(kf, detection)
        blend = known + detection.share_new * (detection.feature - known)
        self.features = [blend / max(float(np.linalg.norm(blend)), 1e-9)]


class _NoGallery:
    """In place of the library's store of appearances: ours are kept in the tracks."""

    def partial_fit(self, *_: Any) -> None:
        pass


class Associating(Tracker):  # type: ignore[misc]
    """deep-sort-realtime's tracker with the association described above, for one class."""

    def __init__(self, settings: TrackingSettings, frame_rate: float) -> None:
        super().__init__(
            _NoGallery(),
            max_age=max(1, round(settings.max_age_seconds * frame_rate)),
            n_init=settings.confirm_after_frames,
            override_track_class=Followed,
        )
        self.kf = BoxMotion(settings, frame_rate)
        self._settings = settings
        self._frame_rate = frame_rate

    def follow(self, boxes: Array, confidences: Array, looks: Appearances) -> list[str | None]:
        """The track of each box (N, 4: pixels, xyxy) of the next frame; None: none is confirmed."""
        self.predict()
        self.update(self._sightings(boxes, confidences, looks))
        names: list[str | None] = [None] * len(boxes)
        for track in self.tracks:
            # the library forgets `others` as soon as a frame does not show the track
            if track.others is not None and track.is_confirmed():
                names[track.others] = track.track_id
        return names

    def predict(self) -> None:
        """Move every track on by one frame."""
        self.kf.predict_all(self.tracks)
        for track in self.tracks:
            track.age += 1
            track.time_since_update += 1
            track.others = None

    def _sightings(self, boxes: Array, confidences: Array, looks: Appearances) -> list[Sighting]:
        ltwh = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
        # who stands behind or before somebody shows colours of both
        crowding = pairwise_overlap(boxes, boxes)
        np.fill_diagonal(crowding, 0)
        apart = 1 - crowding.max(axis=1, initial=0)
        shares = (1 - self._settings.appearance_memory) * apart
        return [
            Sighting(ltwh[place], confidences[place], looks[place], place, float(shares[place]))
            for place in range(len(boxes))
            # nothing can be measured on a box without area
            if ltwh[place, 2:].min() > 0
        ]

    def _match(self, detections: Sequence[Sighting]) -> tuple[Matches, list[int], list[int]]:
        """(track, detection) pairs, tracks without a detection, detections without a track."""
        unmatched = list(range(len(self.tracks))), list(range(len(detections)))
        if not self.tracks or not detections:
            return [], *unmatched
        confirmed = np.array([track.is_confirmed() for track in self.tracks])
        cost, plain_overlap, unlike = self._costs(detections)
        matches: Matches = []
        rows, columns = np.ones(len(self.tracks), bool), np.ones(len(detections), bool)

        def assign(of_tracks: npt.NDArray[np.bool_], costs: Array) -> None:
            chosen = np.flatnonzero(of_tracks & rows), np.flatnonzero(columns)
            for row, column in _cheapest(costs[np.ix_(*chosen)]):
                track, detection = int(chosen[0][row]), int(chosen[1][column])
                matches.append((track, detection))
                rows[track] = columns[detection] = False

        assign(confirmed, cost)
        settings = self._settings
        may_be_new = (plain_overlap >= settings.min_first_overlap) & (
            unlike <= settings.max_first_unlikeness
        )
        assign(~confirmed, np.where(may_be_new, 1 - plain_overlap, OUT_OF_QUESTION))
        return matches, np.flatnonzero(rows).tolist(), np.flatnonzero(columns).tolist()

    def _costs(self, detections: Sequence[Sighting]) -> tuple[Array, Array, Array]:
        """Cost, overlap as it is and unlikeness of looks, each (tracks, detections)."""
        settings = self._settings
        expected = np.array([_box_of(track.mean) for track in self.tracks])
        seen = np.array([detection.ltwh for detection in detections], dtype=np.float64)
        seen[:, 2:] += seen[:, :2]
        unseen_frames = np.array([track.time_since_update for track in self.tracks])
        looks = np.array([track.features[-1] for track in self.tracks])
        knows_looks = looks.shape[1] > 0
        unlike = np.zeros((len(expected), len(seen)))
        if knows_looks:
            unlike = 1 - looks @ np.array([detection.feature for detection in detections]).T

        tall, tall_seen = (boxes[:, 3] - boxes[:, 1] for boxes in (expected, seen))
        growth = settings.growth_heights_per_second * unseen_frames / self._frame_rate
        growth = np.minimum(growth, settings.max_growth_heights)
        overlap = grown_overlap(expected, seen, growth, settings.growth_upright_share)
        lost = (unseen_frames > 1)[:, None]
        weight = np.where(lost, settings.lost_appearance_weight, settings.appearance_weight)
        weight = weight * knows_looks
        cost = (1 - weight) * (1 - overlap) + weight * unlike
        too_unlike = np.where(lost, settings.max_lost_unlikeness, settings.max_unlikeness)
        possible = (
            (overlap >= settings.min_overlap)
            & (unlike <= too_unlike)
            & (np.abs(np.log(tall_seen / tall[:, None])) <= np.log(settings.max_height_ratio))
            & (cost <= settings.max_cost)
        )
        cost[~possible] = OUT_OF_QUESTION
        return cost, pairwise_overlap(expected, seen), unlike

    def _initiate_track(self, detection: Sighting) -> None:
        if detection.confidence < self._settings.min_new_confidence:
            return
        super()._initiate_track(detection)
        if self.n_init <= 1:
            self.tracks[-1].state = TrackState.Confirmed


def pairwise_overlap(ones: Array, others: Array) -> Array:
    """Intersection over union of (N, 4) and (M, 4) boxes, pixels, xyxy: (N, M)."""
    return grown_overlap(ones, others, np.zeros(len(ones)), 0)


def grown_overlap(ones: Array, others: Array, growth_heights: Array, upright_share: float) -> Array:
    """The same once every box has been widened by so much of its height, half on each side.

    `growth_heights` (N,) belongs to `ones` and holds for whatever each is compared with; upwards
    and downwards boxes grow by `upright_share` of it.
    """
    shape = (len(ones), len(others))
    spread = np.array([1, upright_share]) * growth_heights[:, None, None] / 2
    tall_ones, tall_others = (boxes[:, 3] - boxes[:, 1] for boxes in (ones, others))
    margin_ones = spread * tall_ones[:, None, None]
    margin_others = spread * tall_others[None, :, None]
    lows = ones[:, None, :2] - margin_ones, others[None, :, :2] - margin_others
    highs = ones[:, None, 2:] + margin_ones, others[None, :, 2:] + margin_others
    sides = np.clip(np.minimum(*highs) - np.maximum(*lows), 0, None)
    shared = sides.prod(axis=2)
    areas = [(high - low).prod(axis=2) for low, high in zip(lows, highs, strict=True)]
    united = np.broadcast_to(areas[0], shape) + np.broadcast_to(areas[1], shape) - shared
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
