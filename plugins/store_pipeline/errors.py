"""What can be wrong with a run's inputs, and what to do next."""

from __future__ import annotations

from datetime import datetime


class InputUnusable(ValueError):
    """A value of the form cannot be used; trying again does not help."""

    def __init__(self, name: str, value: object, advice: str) -> None:
        super().__init__(f"{name}={value!r} cannot be used: {advice}")
        self.name, self.value = name, value


class NotAllPublished(RuntimeError):
    """The replay did not bring every frame of the file to the topic."""

    def __init__(self, run_id: str, frames: int, published: int, already: int) -> None:
        super().__init__(
            f"{run_id}: {frames:,} frames extracted, but {published:,} published and {already:,} "
            "published before: clear the task `replay`, which goes on where it stopped"
        )
        self.run_id, self.frames = run_id, frames
        self.published, self.already = published, already


class StreamNotRunning(RuntimeError):
    """A streaming job that must read on does not run, or not as it must."""

    def __init__(self, job: str, why: str) -> None:
        super().__init__(
            f"{job} {why}: bring it up with `make streams`, then give the command again"
        )
        self.job = job


class NothingToFinish(RuntimeError):
    """Silver has no row, so no window of Gold is open."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"{table} is empty, so streaming Gold has nothing open: replay first; if one has "
            'ended, `make lakehouse ARGS="quarantine list"` tells what could not be used, and why'
        )
        self.table = table


class EndAhead(RuntimeError):
    """The end would lie in the future: all that cameras send until then would be left out."""

    def __init__(self, captured: datetime, up_to: datetime) -> None:
        super().__init__(
            f"the last capture, {captured:%Y-%m-%d %H:%M:%S} UTC, keeps windows open until "
            f"{up_to:%Y-%m-%d %H:%M:%S}, which is yet to come: whatever is captured until then "
            "would be left out by streaming Gold. Give the command again after that, or now with "
            "--ahead if nothing more comes"
        )
        self.captured, self.up_to = captured, up_to
