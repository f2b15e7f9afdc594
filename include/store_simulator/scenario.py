"""The scenario: stores, cameras, shoppers and noise, as frozen records with units in their names.

Types, ranges and defaults stand here only; `scenario_file` reads them from YAML. Floors are in
metres, (0, 0) any corner; times of day are UTC.
"""

import math
from datetime import datetime
from fractions import Fraction
from typing import Annotated

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
HourWeight = Annotated[float, Meta(ge=0, le=10)]
Positive = Annotated[float, Meta(gt=0, le=1e6)]
Metres = Annotated[float, Meta(ge=-1e4, le=1e4)]
SidePx = Annotated[int, Meta(ge=16, le=16384)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,64}\Z")]
"""Also part of a file's name, where a hyphen parts store from camera."""
TimeOfDay = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z|^24:00\Z")]
Point = tuple[Metres, Metres]

HOURS = 24
MAX_FRAMES = 2**39
"""Of one camera; more years than anybody simulates."""
RATE_DENOMINATOR = 10_000
"""The largest, so that 29.97002997002997 is 30000/1001 and frames times it stay within 64 bits."""
SIGHT_METRES = 0.1
"""A camera must look at another spot than the one below it, or nothing says what is up."""


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shelf or a stand before which shoppers linger."""

    name: Name
    at: Point
    linger_seconds: Positive = 30.0
    """On average; exponential, at least `world.LEAST_LINGER_SECONDS`."""
    popularity: Positive = 1.0
    """How often it is chosen, relative to the other places."""


class Camera(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pinhole camera without roll or distortion."""

    id: Name
    at: Point
    height_metres: Annotated[float, Meta(gt=0, le=50)] = 3.0
    looks_at: Point
    """The spot of the floor in the middle of the image."""
    field_of_view_degrees: Annotated[float, Meta(ge=10, le=150)] = 75.0
    """From the left edge of the image to the right one."""
    width: SidePx = 1280
    height: SidePx = 720

    def __post_init__(self) -> None:
        if math.dist(self.at, self.looks_at) < SIGHT_METRES:
            raise ValueError(f"camera {self.id} looks straight down: move looks_at from under it")


class Store(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store, its opening hours and how people use it."""

    id: Name
    opens: TimeOfDay = "00:00"
    closes: TimeOfDay = "24:00"
    """Nobody enters from then on; who is inside finishes."""
    shoppers_per_hour: Annotated[float, Meta(ge=0, le=20_000)]
    hourly_profile: Annotated[tuple[HourWeight, ...], Meta(min_length=HOURS, max_length=HOURS)] = (
        1.0,
    ) * HOURS
    """What `shoppers_per_hour` is multiplied by in each hour of the day."""
    entrance: Point
    places: Annotated[tuple[Place, ...], Meta(min_length=1)]
    cross_aisles_y: Annotated[tuple[Metres, ...], Meta(min_length=1)]
    """Aisles run along y at the places' x; these run along x and join them."""
    checkouts: tuple[Point, ...] = ()
    """One queue each, which stands along +x."""
    buyers: Share = 0.8
    service_seconds: Positive = 25.0
    stops: Positive = 4.0
    """Places that a shopper visits, on average."""
    cameras: Annotated[tuple[Camera, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if seconds_of_day(self.closes) <= seconds_of_day(self.opens):
            raise ValueError(f"closes {self.closes} is not after opens {self.opens}")
        _refuse_twice("place", [place.name for place in self.places])
        _refuse_twice("camera", [camera.id for camera in self.cameras])
        if self.checkouts and "checkout" in {place.name for place in self.places}:
            raise ValueError("a place named checkout: the store has checkouts already")


class Noise(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The dials. 0, the default of each, is off; shares are probabilities."""

    missed_boxes: Share = 0.0
    """Of detections: not found, and so not tracked."""
    false_boxes: Annotated[float, Meta(ge=0, le=100)] = 0.0
    """Detections a frame where nobody is, on average; they have no track."""
    id_switches_per_minute: Annotated[float, Meta(ge=0, le=600)] = 0.0
    """How often a person who is in view all the time gets a new track id."""
    dropped_frames: Share = 0.0
    """Of frames: never looked at; the next message counts them in `dropped_frames`."""
    clock_skew_seconds: Annotated[float, Meta(ge=0, le=86400)] = 0.0
    """Each camera's clock is wrong by up to so much, either way, all the time."""
    first_generation: Share = 0.0
    """Of messages: without `schema_version`, `run_id` and `model`."""
    partial: Share = 0.0
    """Of messages: one detection of the frame cannot be used, the rest can."""
    malformed: Share = 0.0
    """Of messages: no JSON, or none that keeps the contract."""
    oversize: Share = 0.0
    """Of messages: larger than the contract allows (some 4 MiB each!)."""
    other_encodings: Share = 0.0
    """Of messages: UTF-16, Latin-1, or UTF-8 behind a byte order mark."""
    pictures: Share = 0.0
    """Of messages: a picture of what the camera sees in a field of its own."""
    duplicates: Share = 0.0
    """Of messages: sent again, byte for byte, up to `duplicate_seconds` later."""
    duplicate_seconds: Positive = 30.0
    out_of_order: Share = 0.0
    """Of messages: sent up to `out_of_order_seconds` late."""
    out_of_order_seconds: Positive = 3.0
    late: Share = 0.0
    """Of messages: sent `late_from_seconds` to `late_to_seconds` late."""
    late_from_seconds: Positive = 10.0
    late_to_seconds: Positive = 120.0

    def __post_init__(self) -> None:
        if self.late_from_seconds > self.late_to_seconds:
            raise ValueError(
                f"late_from_seconds {self.late_from_seconds:g} is above "
                f"late_to_seconds {self.late_to_seconds:g}"
            )


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a simulation depends on."""

    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    start: Annotated[datetime, Meta(tz=True)]
    """The first frame's capture; whoever is inside then was let in before."""
    duration_minutes: Positive
    frames_per_second: Annotated[float, Meta(ge=0.001, le=240)] = 10.0
    track_gap_seconds: Annotated[float, Meta(ge=0, le=3600)] = 2.0
    """A person unseen for longer gets a new track id."""
    stores: Annotated[tuple[Store, ...], Meta(min_length=1)]
    noise: Noise = Noise()

    def __post_init__(self) -> None:
        _refuse_twice("store", [store.id for store in self.stores])
        if not 1970 < self.start.year < 9000:
            raise ValueError(f"start {self.start.isoformat()} is not in the years 1971 to 8999")
        if not 1 <= self.frames <= MAX_FRAMES:
            raise ValueError("duration_minutes and frames_per_second make no frame, or too many")

    @property
    def rate(self) -> Fraction:
        """Frames a second, as they were meant: 0.1 is a tenth, 29.97002997 is 30000/1001."""
        return Fraction(str(self.frames_per_second)).limit_denominator(RATE_DENOMINATOR)

    @property
    def duration_ms(self) -> int:
        """The whole length."""
        return round(self.duration_minutes * 60_000)

    @property
    def frames(self) -> int:
        """Frames of each camera: those whose time is before the end."""
        return math.ceil(self.duration_ms * self.rate / 1000)

    @property
    def start_ms(self) -> int:
        """Whole milliseconds since 1970."""
        return math.floor(Fraction(str(self.start.timestamp())) * 1000)


def seconds_of_day(time_of_day: str) -> int:
    """`09:30` as seconds since midnight."""
    hours, minutes = time_of_day.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _refuse_twice(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{what} {name} is there {names.count(name)} times")
