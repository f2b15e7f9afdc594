"""The names of the noises, as the truth records them."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Kind(StrEnum):
    """One dial's doing."""

    MISSED_BOX = "missed_box"
    FALSE_BOX = "false_box"
    ID_SWITCH = "id_switch"
    DROPPED_FRAME = "dropped_frame"
    CLOCK_SKEW = "clock_skew"
    FIRST_GENERATION = "first_generation"
    PARTIAL = "partial"
    MALFORMED = "malformed"
    OVERSIZE = "oversize"
    OTHER_ENCODING = "other_encoding"
    PICTURE = "picture"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"
    LATE = "late"

    @property
    def bit(self) -> int:
        """Its place in a message's set of noises."""
        return 1 << KINDS.index(self)


KINDS = tuple(Kind)


def mark(kinds: Ints, places: npt.NDArray[np.int64], kind: Kind) -> None:
    """Set the noise for the messages at `places`."""
    kinds[places] |= kind.bit


def has(kinds: Ints, kind: Kind) -> npt.NDArray[np.bool_]:
    """Which messages have the noise."""
    found: npt.NDArray[np.bool_] = (kinds & kind.bit) != 0
    return found
