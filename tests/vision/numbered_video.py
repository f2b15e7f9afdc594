"""Videos whose frames show their own number, in any container and with any time stamps."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vision.boxes import Image

WIDTH, HEIGHT = 192, 96
BITS = 12
_BLOCK = WIDTH // BITS


def numbered_image(number: int, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """The number in binary: light and dark stripes from left to right, the lowest bit first."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    row = np.repeat(np.array([60 + 140 * bit for bit in bits], np.uint8), _BLOCK)
    return np.broadcast_to(row[:width, None], (height, min(width, WIDTH), 3)).copy()


def number_in(image: Image) -> int | None:
    """The number that a frame shows; None if it cannot be read for certain, as in a torn one."""
    number = 0
    for bit in range(BITS):
        block = image[8:-8, bit * _BLOCK + 4 : (bit + 1) * _BLOCK - 4]
        if 90 < block.mean() < 170 or block.std() > 20:
            return None
        number |= int(block.mean() > 130) << bit
    return number


def write_numbered_video(
    path: Path,
    frames: int,
    *,
    rate: Fraction | int = 25,
    codec: str = "libx264",
    stamp_ms: Callable[[int], int] | None = None,
    container: str | None = None,
    first_number: int = 0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    muxing: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Evenly spaced at the rate, or with these stamps in milliseconds."""
    with av.open(str(path), "w", format=container, options=muxing or {}) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = (
            {"g": "10", "preset": "ultrafast"} | options if codec == "libx264" else options
        )
        if stamp_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(frames):
            image = numbered_image(first_number + index, *size)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            if stamp_ms is not None:
                frame.pts, frame.time_base = stamp_ms(index), Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def packet_places(path: Path) -> list[tuple[int, int]]:
    """Where each packet of the video lies in the file, in the order of the file: (offset, size)."""
    with av.open(str(path)) as file:
        return [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
