"""Messages as they are sent, and what the truth knows of each."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from frame_contract import Reason

Ints = npt.NDArray[np.int64]

USABLE = -1
REASONS = tuple(Reason)


@dataclass(slots=True)
class Messages:
    """Some messages of one run; each array has an entry for each payload."""

    payloads: list[bytes]
    sent_ms: Ints
    """After the start of the simulation."""
    frame_index: Ints
    capture_ms: Ints
    """As the camera's clock says, since 1970."""
    kinds: Ints
    """The set of `Kind.bit`."""
    detections: Ints
    """In the message, usable or not."""
    rejected: Ints
    """Those of them that cannot be used."""
    reasons: Ints
    """Place in `REASONS` of why the whole message cannot be used, or `USABLE`."""

    def __len__(self) -> int:
        return len(self.payloads)

    def pick(self, places: Ints) -> Self:
        """Those at `places`, in that order."""
        payloads = self.payloads
        return type(self)(
            [payloads[place] for place in places.tolist()],
            *(array[places] for array in self._arrays()),
        )

    def then(self, others: Self) -> Self:
        """These and those behind them."""
        pairs = zip(self._arrays(), others._arrays(), strict=True)
        return type(self)(
            self.payloads + others.payloads, *(np.concatenate(pair) for pair in pairs)
        )

    def _arrays(self) -> tuple[Ints, ...]:
        return (
            self.sent_ms,
            self.frame_index,
            self.capture_ms,
            self.kinds,
            self.detections,
            self.rejected,
            self.reasons,
        )
