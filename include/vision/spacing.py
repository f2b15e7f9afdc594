"""Whether a file's frames are evenly spaced, told by its packets' time stamps without decoding."""

import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

PACKETS_AT_THE_BEGINNING = 1500
"""A minute at 25 frames/s: most files of varying rate give themselves away in it."""

SAMPLES = 8
"""Places further on at which a long file is looked at too."""

PACKETS_OF_A_SAMPLE = 100

MOST_BYTES = 64 * 1024 * 1024
"""Of what is read at the beginning, and again of all samples: a file may lie on a slow disk."""

TOLERANCE_SECONDS = Fraction(2, 1000)
"""How far a stamp may be from its place: Matroska and FLV round to whole milliseconds."""

TOLERANCE_OF_A_FRAME = Fraction(1, 4)
"""Nor further than this share of a frame's time, which counts above 125 frames/s."""

GUESSED_STAMPS = ("mpeg",)
"""Containers that do not stamp each frame, so that FFmpeg guesses: MPEG program streams."""

HOLES_ALLOWED = Fraction(1, 100)
"""Of the frames of a file without an index: so few are damage, and what is left is even."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """What the stamps and the index of a file tell."""

    is_even: bool | None
    """Whether the stamps follow the rate; None where they do not tell (no stamps, no rate).

    Where no index counts the frames, a few may be left out: then damage has swallowed them.
    """

    counted_frames: int | None
    """How many frames the index counts; None without one, as in Matroska."""


def look_at(path: Path, frame_rate: Fraction | None) -> Spacing:
    """Look at the beginning and at samples, so that the cost is bounded.

    The same file and rate give the same answer.
    """
    counted = None
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            counted = stream.frames or None
            holes_allowed = HOLES_ALLOWED if counted is None else Fraction(0)
            return Spacing(_follows(container, stream, frame_rate, holes_allowed), counted)
    except (av.FFmpegError, IndexError, OSError, ValueError):
        return Spacing(None, counted)


def _follows(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    frame_rate: Fraction | None,
    holes_allowed: Fraction,
) -> bool | None:
    if stream.time_base is None or frame_rate is None or container.format.name in GUESSED_STAMPS:
        return None
    beginning, is_whole = _stamps(container, stream, PACKETS_AT_THE_BEGINNING, MOST_BYTES)
    if len(beginning) < 2:
        return None
    stretches = [beginning]
    duration = stream.duration
    if duration is None and container.duration is not None:
        duration = int(Fraction(container.duration, av.time_base) / stream.time_base)
    if not is_whole and duration is not None:
        for sample in range(1, SAMPLES + 1):
            container.seek(beginning[0] + duration * sample // (SAMPLES + 1), stream=stream)
            stamps, _ = _stamps(container, stream, PACKETS_OF_A_SAMPLE, MOST_BYTES // SAMPLES)
            stretches.append(stamps)
    holes = 0
    for stamps in stretches:
        found = _holes(stamps, beginning[0], stream.time_base, frame_rate)
        if found is None:
            return False
        holes += found
    return holes <= holes_allowed * sum(map(len, stretches))


def all_positions_ms(path: Path) -> list[float]:
    """The time stamp of every frame that the file has, ascending, counted from its beginning.

    Reads the whole file, without decoding. Empty where the stamps cannot be told.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            if stream.time_base is None:
                return []
            stamps, _ = _stamps(container, stream, sys.maxsize, sys.maxsize)
            origin = stamps[0] if stream.start_time is None else stream.start_time
            return [float(1000 * (stamp - origin) * stream.time_base) for stamp in stamps]
    except (av.FFmpegError, IndexError, OSError, ValueError):
        return []


def discarded_frames(path: Path) -> int:
    """How many frames of the file are not to be shown, as its edit list says.

    Reads the whole file, without decoding.
    """
    try:
        with av.open(str(path)) as container:
            return sum(packet.is_discard for packet in container.demux(video=0) if packet.size)
    except (av.FFmpegError, IndexError, OSError, ValueError):
        return 0


def _stamps(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    most_packets: int,
    most_bytes: int,
) -> tuple[list[int], bool]:
    """Presentation stamps from here on, ascending and without a hole, and whether to the end."""
    presentation: list[int | None] = []
    decoding: list[int] = []
    size = 0
    is_whole = True
    try:
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            if len(presentation) == most_packets or size > most_bytes:
                is_whole = False
                break
            size += packet.size
            if packet.dts is not None:
                if decoding and packet.dts <= decoding[-1]:
                    # going back is damage: in the place of what should follow
                    continue
                decoding.append(packet.dts)
            presentation.append(packet.pts)
    except av.FFmpegError:
        # damage: what came before it tells
        is_whole = False
    if None in presentation:
        # AVI's may be of decoding only
        is_complete = len(decoding) == len(presentation)
        return (sorted(decoding) if is_complete else []), is_whole
    known = sorted(stamp for stamp in presentation if stamp is not None)
    if not known or is_whole:
        return known, is_whole
    # frames are stored in the order of decoding: behind these bounds some are still to come
    first = next(iter(stamp for stamp in presentation if stamp is not None))
    last = decoding[-1] if decoding else known[-1]
    return [stamp for stamp in known if first <= stamp <= last], is_whole


def _holes(stamps: list[int], origin: int, time_base: Fraction, frame_rate: Fraction) -> int | None:
    """How often frames are left out between two stamps; None if a stamp is not at a frame's place.

    In whole numbers: a stamp is `(stamp - origin) * scale / unit` frames behind the origin.
    """
    frames_a_tick = time_base * frame_rate
    scale, unit = frames_a_tick.numerator, frames_a_tick.denominator
    tolerance = min(TOLERANCE_SECONDS * frame_rate, TOLERANCE_OF_A_FRAME) * unit
    holes = 0
    latest: int | None = None
    for stamp in stamps:
        place = (stamp - origin) * scale
        nearest = (2 * place + unit) // (2 * unit)
        if abs(place - nearest * unit) > tolerance or nearest == latest:
            return None
        holes += latest is not None and nearest != latest + 1
        latest = nearest
    return holes
