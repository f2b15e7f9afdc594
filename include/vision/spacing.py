"""Whether a file's frames are evenly spaced, told by its packets' time stamps without decoding."""

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


def has_even_spacing(path: Path, frame_rate: Fraction) -> bool | None:
    """Whether the stamps follow this rate; None where they do not tell (no stamps, no FFmpeg).

    Looks at the beginning and at samples, so that its cost is bounded; the same file gives the
    same answer.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            if stream.time_base is None:
                return None
            beginning, is_whole = _stamps(container, stream, PACKETS_AT_THE_BEGINNING, MOST_BYTES)
            if len(beginning) < 2:
                return None
            if not _is_even(beginning, beginning[0], stream.time_base, frame_rate):
                return False
            if is_whole or not stream.duration:
                return True
            for sample in range(1, SAMPLES + 1):
                at = beginning[0] + stream.duration * sample // (SAMPLES + 1)
                container.seek(at, stream=stream)
                stamps, _ = _stamps(container, stream, PACKETS_OF_A_SAMPLE, MOST_BYTES // SAMPLES)
                if not _is_even(stamps, beginning[0], stream.time_base, frame_rate):
                    return False
            return True
    except (av.FFmpegError, IndexError, OSError, ValueError):
        return None


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
            presentation.append(packet.pts)
            if packet.dts is not None:
                decoding.append(packet.dts)
            size += packet.size
    except av.FFmpegError:
        # damage: what came before it tells
        is_whole = False
    if None in presentation:
        # AVI's stamps are of decoding only
        return sorted(decoding), is_whole
    known = sorted(stamp for stamp in presentation if stamp is not None)
    if not known or is_whole:
        return known, is_whole
    # frames are stored in the order of decoding: behind these bounds some are still to come
    first = next(iter(stamp for stamp in presentation if stamp is not None))
    last = decoding[-1] if decoding else known[-1]
    return [stamp for stamp in known if first <= stamp <= last], is_whole


def _is_even(stamps: list[int], origin: int, time_base: Fraction, frame_rate: Fraction) -> bool:
    """Whether each stamp is where its frame belongs, counted from the origin, and none is left out.

    In whole numbers: a stamp is `(stamp - origin) * scale / unit` frames behind the origin.
    """
    frames_a_tick = time_base * frame_rate
    scale, unit = frames_a_tick.numerator, frames_a_tick.denominator
    tolerance = min(TOLERANCE_SECONDS * frame_rate, TOLERANCE_OF_A_FRAME) * unit
    expected: int | None = None
    for stamp in stamps:
        place = (stamp - origin) * scale
        nearest = (2 * place + unit) // (2 * unit)
        if abs(place - nearest * unit) > tolerance or nearest != (expected or nearest):
            return False
        expected = nearest + 1
    return True
