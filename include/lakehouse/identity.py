"""Two numbers that must be equal: what a proof and an audit are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """Two numbers that must be equal. `faults` says where rows differ though numbers agree."""

    left_is: str
    left: int
    right_is: str
    right: int
    faults: str = ""

    @property
    def holds(self) -> bool:
        """Whether the numbers are equal and nothing else is wrong."""
        return self.left == self.right and not self.faults

    def __str__(self) -> str:
        """Both with what they are, by how much they differ, and what else is wrong."""
        equal = self.left == self.right
        wrong = [
            each for each in ("" if equal else f"{self.left - self.right:+,}", self.faults) if each
        ]
        told = f" ({'; '.join(wrong)})" if wrong else ""
        return (
            f"{self.left_is} {self.left:,} {'=' if equal else '≠'} "
            f"{self.right_is} {self.right:,}{told}"
        )
