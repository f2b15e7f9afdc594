"""What can keep rows from being erased."""

from __future__ import annotations

from collections.abc import Sequence

from lakehouse.errors import LakehouseError


class ErasureRefused(LakehouseError):
    """Somebody still needs what must go, or would write it again."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"nothing was erased: {'; '.join(reasons)}")
        self.reasons = tuple(reasons)


class StillRead(LakehouseError):
    """A job that runs has not moved on in time."""

    def __init__(self, job: str, table: str, minutes: int, why: str) -> None:
        super().__init__(
            f"the rows of {table} are taken out, but {job} has not moved past that within "
            f"{minutes} minutes ({why}), so the older files are still there. See what keeps it "
            "(Flink's UI), then run the same command again: it goes on from here"
        )
        self.job, self.table = job, table


class ErasureCutOff(LakehouseError):
    """Something failed on the way; what was done before stays done."""

    def __init__(self, done: Sequence[str], step: str, cause: str) -> None:
        told = f"done: {'; '.join(done)}" if done else "nothing was changed before"
        super().__init__(
            f"cut off while {step}: {cause}. {told}. Nothing is proven to be gone; run the same "
            "command again: it completes what is left"
        )
        self.done, self.step = tuple(done), step


class NobodyToAsk(LakehouseError):
    """There is no terminal to ask at."""

    def __init__(self) -> None:
        super().__init__("nothing was erased: there is no terminal to ask at; give --yes")
