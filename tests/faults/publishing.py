"""Frames that flow while a fault is played: the simulator and a replay, each started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import psutil

from faults.catalogue import REPLAY, SIMULATOR
from faults.stage import Stage, StageFailed
from local_stack.settings import CHECKOUT

HERE = Path(__file__).parent
FIRST_DAY = date(2025, 11, 3)
TIMES_REAL_TIME = 6
"""Twelve minutes of a store take two."""
REPLAYED_PER_SECOND = 24
"""Four frames a second, six times as fast."""
STARTS = 40
"""How often one is started again before it is taken for broken."""


@dataclass
class Publisher:
    """A command that publishes and, started again, goes on where it ended."""

    name: str
    paced: Sequence[str]
    hurried: Sequence[str]
    stage: Stage
    log: Path
    starts: int = 0
    is_hurried: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, or start it again."""
        if self.starts == STARTS:
            raise StageFailed(f"the {self.name} was started {STARTS} times and has not ended")
        self.starts += 1
        command = self.hurried if self.is_hurried else self.paced
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=self.stage.environment,
                cwd=CHECKOUT,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def tend(self) -> bool:
        """Start it again if it has failed; whether it has published everything."""
        if self.process is None or self.process.poll() not in (None, 0):
            self.start()
        assert self.process is not None
        return self.process.poll() == 0

    def hurry(self) -> None:
        """Stop it as Ctrl-C does; what is left is published as fast as it goes."""
        if not self.is_hurried:
            self.is_hurried = True
            self._end(signal.SIGINT)

    def stop(self) -> None:
        """End it for good."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(how)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def running(self) -> psutil.Process:
        """Its process, which is started if it has failed.

        :raises StageFailed: it has published everything, so there is nothing to kill or freeze
        """
        if self.tend():
            raise StageFailed(f"the {self.name} had published everything before its fault")
        assert self.process is not None
        return psutil.Process(self.process.pid)


@dataclass
class Published:
    """What the rounds of a deployment have published so far."""

    files: list[Path] = field(default_factory=list)
    messages: int = 0

    def add(self, frames: Frames) -> None:
        """Count a round's frames in."""
        self.files += frames.files
        self.messages += frames.messages


@dataclass(frozen=True)
class Frames:
    """What one round publishes: a day of its own, so that windows of earlier rounds close."""

    simulator: Publisher
    replay: Publisher
    files: tuple[Path, ...]
    """Every usable frame, as JSONL: what must be in Bronze."""
    messages: int
    """That both send, the doubled and the unusable too: what must be in the topic."""

    @classmethod
    def of_day(cls, stage: Stage, number: int) -> Frames:
        """Simulate the frames of a day into files; nothing is published yet."""
        day = cls.day_of(number)
        folder = stage.folder / "frames" / f"{number:04d}"
        same = ["--seed", str(number), "--start", f"{day}T10:00:00Z"]
        for scenario in ("aisles", "till"):
            out = folder / scenario
            stage.run("store_simulator", str(HERE / f"{scenario}.yaml"), *same, "--out", str(out))
        topic = stage.variables["RVA_TOPIC"].removeprefix("persistent://")
        aisles = [
            "store_simulator",
            str(HERE / "aisles.yaml"),
            *same,
            "--to",
            f"{stage.variables['RVA_PULSAR_URL']}/{topic}",
            "--speed",
        ]
        (till,) = (folder / "till").glob("*.jsonl")
        replay = ["replay", "--input", str(till), "--fps"]
        return cls(
            simulator=Publisher(
                SIMULATOR,
                [*aisles, str(TIMES_REAL_TIME)],
                [*aisles, "max"],
                stage,
                folder / "simulator.log",
            ),
            replay=Publisher(
                REPLAY,
                [*replay, str(REPLAYED_PER_SECOND)],
                [*replay, "0"],
                stage,
                folder / "replay.log",
            ),
            files=(*(folder / "aisles").glob("*.jsonl"), till),
            messages=sum(
                json.loads((folder / scenario / "simulation.json").read_text())["written"][
                    "messages"
                ]
                for scenario in ("aisles", "till")
            ),
        )

    @staticmethod
    def day_of(number: int) -> date:
        """The day of a round's frames."""
        return FIRST_DAY + timedelta(days=number)

    @property
    def publishers(self) -> tuple[Publisher, Publisher]:
        """Both."""
        return self.simulator, self.replay

    def tend(self) -> bool:
        """Start again what has failed; whether everything is published."""
        # each is looked at: `all` would stop at the first that is not done
        done = [each.tend() for each in self.publishers]
        return all(done)

    def hurry(self) -> None:
        """Publish the rest as fast as it goes."""
        for each in self.publishers:
            each.hurry()

    def stop(self) -> None:
        """End what still publishes."""
        for each in self.publishers:
            each.stop()
