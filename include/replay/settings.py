"""Where to publish to, and how fast."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from replay.errors import InvalidSetting

DEFAULT_FPS = 30.0
"""A usual camera's, so that a demonstration runs in real time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySettings:
    """How a file is published; raises `InvalidSetting` for what cannot be."""

    pulsar_url: str = "pulsar://127.0.0.1:6650"
    topic: str = "persistent://retail/metadata/events"
    fps: float = DEFAULT_FPS
    """Frames a second over the whole file; 0 is as fast as it goes."""
    raw: bool = False
    """Publish every line as it is, whether or not it is a message."""
    limit: int | None = None
    """Publish the first lines only."""
    in_flight: int = 1000
    """Messages sent and not acknowledged yet: enough to keep the broker busy, little to lose."""
    connect_timeout_seconds: float = 8.0
    """How long the broker may take to answer at the start."""
    ack_timeout_seconds: float = 60.0
    """How long the broker may acknowledge nothing: longer than it takes to start again (16 s)."""

    def __post_init__(self) -> None:
        if not self.pulsar_url.startswith(("pulsar://", "pulsar+ssl://")):
            advice = "write pulsar://HOST:PORT"
            raise InvalidSetting("RVA_PULSAR_URL", self.pulsar_url, advice)
        if not self.topic.startswith("persistent://") or self.topic.count("/") != 4:
            advice = "write persistent://TENANT/NAMESPACE/TOPIC"
            raise InvalidSetting("RVA_TOPIC", self.topic, advice)
        if not (math.isfinite(self.fps) and self.fps >= 0):
            raise InvalidSetting("fps", self.fps, "0 (as fast as it goes) or more")
        if self.limit is not None and self.limit < 1:
            raise InvalidSetting("limit", self.limit, "1 or more")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings that RVA_PULSAR_URL and RVA_TOPIC name, defaults for the rest."""
        environ = os.environ if environ is None else environ
        names = {"pulsar_url": "RVA_PULSAR_URL", "topic": "RVA_TOPIC"}
        given = {field: environ[name] for field, name in names.items() if environ.get(name)}
        return cls(**given)  # type: ignore[arg-type]
