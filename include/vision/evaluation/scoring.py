"""Tracks against ground truth by TrackEval, and by how many people a minute's count is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from trackeval.metrics import CLEAR, HOTA, Identity  # type: ignore[import-untyped]

from vision.boxes import overlaps
from vision.evaluation.truth import IdentifiedBox, Truth, TruthError

LEAST_IOU = 0.5
"""A box is right from this overlap on, as MOTChallenge has it; HOTA goes through 0.05 to 0.95."""

SECONDS_A_MINUTE = 60


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How right the tracks are. Shares are from 0 to 1 (MOTA may be below 0)."""

    mota: float
    """1 - (people missed + boxes too many + switches) / true boxes."""

    idf1: float
    """How long one track stays with one person: F1 over boxes of the best pairing of the two."""

    hota: float
    """The geometric mean of `deta` and `assa`, over overlaps of 0.05 to 0.95."""

    deta: float
    """Detection: right boxes / (right + too many + missed)."""

    assa: float
    """Association: for a right box, how much of the person and of the track are each other's."""

    switches: int
    """How often a person's track became another one."""

    recall: float
    """True boxes that a track was on."""

    precision: float
    """Boxes of tracks that were on a person."""

    people_count_error_per_minute: float
    """By which share a minute's people count is wrong, on average.

    A minute's count is of different track ids in it, as `unique_people` of
    gold_people_per_minute counts; its error is |counted - true| / true (a minute with nobody in
    it counts as one with one person). Minutes are counted from the sequence's first frame by its
    frame rate; the last one, though shorter, counts as much as the others.
    """

    people_off_per_minute: float
    """The same as people: |counted - true|, on average."""


@dataclass(frozen=True)
class Measured:
    """What one sequence was measured to be; several can be combined into one row."""

    _hota: dict[str, Any]
    _clear: dict[str, Any]
    _identity: dict[str, Any]
    minutes: tuple[tuple[int, int], ...]
    """People counted and true people of each minute."""

    @property
    def scores(self) -> Scores:
        """Of this sequence alone."""
        return combine([self])


def measure(truth: Truth, tracks: Mapping[int, Sequence[IdentifiedBox]]) -> Measured:
    """How right `tracks` are: of each frame that was looked at, by its place, the tracked boxes.

    Frames that are not in it are not scored. Only tracked boxes go in, in the truth's pixels:
    detections without a track id count as not found. Raises `TruthError` for a frame that the
    truth has not, and for a track that is in a frame twice.
    """
    places = sorted(tracks)
    if not places or places[0] < 0 or places[-1] >= len(truth.people):
        raise TruthError(
            f"{truth.name} has {len(truth.people)} frames, and the tracks are of frames "
            f"{places[0]} to {places[-1]}: they must be of the same video"
            if places
            else f"no frame of {truth.name} has been looked at: there is nothing to score"
        )
    people = [truth.people[place] for place in places]
    kept = [
        _without_distractors(tracks[place], truth.people[place], truth.distractors[place])
        for place in places
    ]
    data = _trackeval_data(truth.name, places, people, kept)
    return Measured(
        HOTA().eval_sequence(data),
        CLEAR({"THRESHOLD": LEAST_IOU, "PRINT_CONFIG": False}).eval_sequence(data),
        Identity({"THRESHOLD": LEAST_IOU, "PRINT_CONFIG": False}).eval_sequence(data),
        people_per_minute(places, kept, people, truth.frame_rate),
    )


def combine(measured: Sequence[Measured]) -> Scores:
    """One row over several sequences, every box (and every minute) weighing the same."""
    hota = HOTA().combine_sequences(_numbered(one._hota for one in measured))
    clear = CLEAR({"PRINT_CONFIG": False}).combine_sequences(
        _numbered(one._clear for one in measured)
    )
    identity = Identity({"PRINT_CONFIG": False}).combine_sequences(
        _numbered(one._identity for one in measured)
    )
    minutes = [minute for one in measured for minute in one.minutes]
    return Scores(
        mota=float(clear["MOTA"]),
        idf1=float(identity["IDF1"]),
        hota=float(np.mean(hota["HOTA"])),
        deta=float(np.mean(hota["DetA"])),
        assa=float(np.mean(hota["AssA"])),
        switches=int(clear["IDSW"]),
        recall=float(clear["CLR_Re"]),
        precision=float(clear["CLR_Pr"]),
        people_count_error_per_minute=float(
            np.mean([abs(counted - true) / max(true, 1) for counted, true in minutes])
        ),
        people_off_per_minute=float(np.mean([abs(counted - true) for counted, true in minutes])),
    )


def people_per_minute(
    places: Sequence[int],
    tracks: Sequence[Sequence[IdentifiedBox]],
    people: Sequence[Sequence[IdentifiedBox]],
    frame_rate: Fraction,
) -> tuple[tuple[int, int], ...]:
    """For each minute the number of different identities among `tracks` and among `people`.

    Both are of the frames at these places; a minute without one is not counted.
    """
    seen: dict[int, tuple[set[int], set[int]]] = {}
    for place, tracked, true in zip(places, tracks, people, strict=True):
        minute = int(place / (frame_rate * SECONDS_A_MINUTE))
        counted, truly = seen.setdefault(minute, (set(), set()))
        counted.update(one.identity for one in tracked)
        truly.update(one.identity for one in true)
    return tuple((len(counted), len(truly)) for counted, truly in seen.values())


def _overlaps(
    some: Sequence[IdentifiedBox], others: Sequence[IdentifiedBox]
) -> npt.NDArray[np.float64]:
    return overlaps([one.bbox_xyxy_px for one in some], [one.bbox_xyxy_px for one in others])


def _without_distractors(
    tracked: Sequence[IdentifiedBox],
    people: Sequence[IdentifiedBox],
    distractors: Sequence[IdentifiedBox],
) -> Sequence[IdentifiedBox]:
    """MOT16's rule: a box that fits a distractor better than a person is neither good nor bad."""
    if not distractors or not tracked:
        return tracked
    fit = _overlaps([*people, *distractors], tracked)
    fit[fit < LEAST_IOU - np.finfo(float).eps] = 0
    rows, columns = linear_sum_assignment(-fit)
    ignored = {
        int(column)
        for row, column in zip(rows, columns, strict=True)
        if row >= len(people) and fit[row, column] > 0
    }
    return [one for place, one in enumerate(tracked) if place not in ignored]


def _trackeval_data(
    name: str,
    places: Sequence[int],
    people: Sequence[Sequence[IdentifiedBox]],
    tracks: Sequence[Sequence[IdentifiedBox]],
) -> dict[str, Any]:
    """What TrackEval's metrics take for one sequence; identities are numbered from 0."""
    true_ids, true_count = _renumbered(places, people, f"the truth of {name}")
    track_ids, track_count = _renumbered(places, tracks, "the tracks")
    return {
        "num_timesteps": len(true_ids),
        "num_gt_ids": true_count,
        "num_tracker_ids": track_count,
        "num_gt_dets": sum(map(len, true_ids)),
        "num_tracker_dets": sum(map(len, track_ids)),
        "gt_ids": true_ids,
        "tracker_ids": track_ids,
        "similarity_scores": [
            _overlaps(true, tracked) for true, tracked in zip(people, tracks, strict=True)
        ],
    }


def _renumbered(
    places: Sequence[int], frames: Sequence[Sequence[IdentifiedBox]], whose: str
) -> tuple[list[npt.NDArray[np.int64]], int]:
    numbers: dict[int, int] = {}
    renumbered = []
    for place, frame in zip(places, frames, strict=True):
        ids = [numbers.setdefault(one.identity, len(numbers)) for one in frame]
        if len(set(ids)) < len(ids):
            raise TruthError(f"{whose} have one identity twice in frame {place}")
        renumbered.append(np.array(ids, dtype=np.int64))
    return renumbered, len(numbers)


def _numbered(results: Any) -> dict[int, Any]:
    return dict(enumerate(results))
