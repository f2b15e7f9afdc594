"""The faults that can be drawn, and how a seed draws them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SIMULATOR, REPLAY, AIRFLOW_WORKER = "simulator", "replay", "airflow-worker"
SERVERS = ("flink-taskmanager", "flink-jobmanager", "pulsar", "minio", "catalog", "trino")
"""As the local stack names them."""
FREEZE_SECONDS = (5.0, 40.0)
"""On both sides of Flink's heartbeat timeout (8 s) and of the clients' own (30 s and less)."""
CUT_SECONDS = (60.0, 60.0)
FULL_SECONDS = (15.0, 30.0)


class Kind(StrEnum):
    """What is done to a target."""

    KILL = "kill"
    """SIGKILL; what supervises it starts it again."""
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT after a while: connections stay open and nobody answers."""
    CUT = "cut off"
    """No packet goes to or from its ports, as when a cable is pulled."""
    FILL = "fill the disk of"
    UNLOAD = "unload the topic of"
    """The broker lets the topic go and loads it again: consumers and producers connect anew."""


@dataclass(frozen=True)
class Fault:
    """What is done to whom; `seconds` bounds how long it lasts, and is (0, 0) for a moment's."""

    kind: Kind
    target: str
    seconds: tuple[float, float] = (0.0, 0.0)

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"


EVERY_FAULT = (
    *(Fault(Kind.KILL, each) for each in (*SERVERS, SIMULATOR, REPLAY, AIRFLOW_WORKER)),
    *(
        Fault(Kind.FREEZE, each, FREEZE_SECONDS)
        for each in (*SERVERS, SIMULATOR, REPLAY, AIRFLOW_WORKER)
    ),
    *(Fault(Kind.CUT, each, CUT_SECONDS) for each in SERVERS),
    Fault(Kind.FILL, "minio", FULL_SECONDS),
    Fault(Kind.UNLOAD, "pulsar"),
)


def draw(seed: int, number: int, faults: Sequence[Fault]) -> Fault:
    """The fault of a round, counted from 1: at random, but each once before any comes again."""
    turn, place = divmod(number - 1, len(faults))
    shuffled = list(faults)
    random.Random(f"{seed}/{turn}").shuffle(shuffled)
    return shuffled[place]


def chosen(names: Sequence[str]) -> tuple[Fault, ...]:
    """The faults of these names (all without any).

    :raises ValueError: names those that there are
    """
    by_name = {str(fault): fault for fault in EVERY_FAULT}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ValueError(f"there is no fault {unknown[0]!r}; choose from: {', '.join(by_name)}")
    return tuple(by_name[name] for name in names) or EVERY_FAULT
