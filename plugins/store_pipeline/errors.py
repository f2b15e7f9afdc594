"""What can be wrong with a run's inputs, and what to do next."""

from __future__ import annotations


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
