"""Where tracked boxes are expected next: deep-sort-realtime's Kalman filter, by the second.

The library's filter counts in frames, as if every camera gave as many a second and lost none. Here
places and uncertainty move on with time, so that few frames a second are followed as well, and all
tracks are predicted at once.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from deep_sort_realtime.deep_sort.kalman_filter import KalmanFilter

from vision.settings import TrackingSettings

Array = npt.NDArray[np.float64]

SHAPE = 2
"""The place of the aspect ratio (width / height) in (x, y, aspect, height); pixels elsewhere."""

SHAPE_ERROR = 1e-2
SHAPE_CHANGE = 1e-4
"""Standard deviations of the aspect ratio from frame to frame, and of its change in a second."""


class BoxMotion(KalmanFilter):  # type: ignore[misc]
    """State: x, y of the centre, aspect ratio, height, and the change of each in a second."""

    def __init__(self, settings: TrackingSettings) -> None:
        super().__init__()
        self._settings = settings

    def initiate(self, measurement: Array) -> tuple[Array, Array]:
        """(8,) and (8, 8) of a track that begins at the measurement (x, y, aspect, height)."""
        height = measurement[3]
        deviation = np.full(8, 2 * self._settings.box_error_heights * height)
        deviation[4:] = self._settings.first_speed_heights * height
        deviation[SHAPE], deviation[4 + SHAPE] = SHAPE_ERROR, SHAPE_CHANGE
        return np.concatenate([measurement, np.zeros(4)]), np.diag(deviation**2)

    def predict_all(self, tracks: Sequence[Any], seconds: float) -> None:
        """Move tracks on to the next frame; who was not seen in the last slowly comes to a halt."""
        if not tracks:
            return
        settings = self._settings
        means = np.array([track.mean for track in tracks])
        covariances = np.array([track.covariance for track in tracks])
        unseen = np.array([track.time_since_update > 1 for track in tracks])
        means[unseen, 4:6] *= math.exp(-seconds / settings.speed_memory_seconds)
        # a person behind a shelf gets neither taller nor wider
        means[unseen, 6:] = 0
        heights = means[:, 3:4]
        deviation = np.empty((len(tracks), 8))
        # a random walk spreads with the root of the time
        deviation[:, :4] = settings.drift_heights * seconds**0.5 * heights
        deviation[:, 4:] = settings.speed_change_heights * seconds**0.5 * heights
        deviation[:, SHAPE], deviation[:, 4 + SHAPE] = SHAPE_ERROR, SHAPE_CHANGE
        moving = np.eye(8) + seconds * np.eye(8, k=4)
        means = means @ moving.T
        covariances = moving @ covariances @ moving.T
        covariances[:, range(8), range(8)] += deviation**2
        for track, mean, covariance in zip(tracks, means, covariances, strict=True):
            track.mean, track.covariance = mean, covariance

    def update(self, mean: Array, covariance: Array, measurement: Array) -> tuple[Array, Array]:
        """The state once the box (x, y, aspect, height) has been seen."""
        error = np.full(4, self._settings.box_error_heights * mean[3])
        error[SHAPE] = 1e-1
        seen_covariance = covariance[:4, :4] + np.diag(error**2)
        gain = np.linalg.solve(seen_covariance, covariance[:4]).T
        return mean + gain @ (measurement - mean[:4]), covariance - gain @ covariance[:4]
