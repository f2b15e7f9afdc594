"""How much time lies between two frames of one run."""


class Elapsed:
    """Tells for each frame, in their order, how long ago the one before was captured."""

    def __init__(self) -> None:
        self._latest_ms: int | None = None

    def ms_until(self, captured_epoch_ms: int) -> int:
        """0 for the first frame, and where a clock was put back."""
        before = captured_epoch_ms if self._latest_ms is None else self._latest_ms
        self._latest_ms = captured_epoch_ms
        return max(captured_epoch_ms - before, 0)
