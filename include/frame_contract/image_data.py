"""What looks like a picture or film in a message: the rule of docs/message.md, *Image data*.

A message carries numbers about people, never pictures of them.
"""

import re
from base64 import b64decode

DATA_URI = ("data:image/", "data:video/")
SIGNED_CHARACTERS = 64
"""A run of base64 or hex of so many characters is looked at for the beginning of a file: no
picture of anybody is smaller."""
RUN_CHARACTERS = 1024
"""A longer run of base64 or hex is image data however it begins: no id or token is as long, and no
more than 768 bytes fit into a shorter one."""
BINARY_CHARACTERS = 64
"""So many characters that no writing has are bytes that were made a text."""
NUMBERS = 512
"""So many numbers in one array are pixels or a likeness; 133 keypoints of a person are 399."""

_RUN = re.compile(rf"[A-Za-z0-9+/_-]{{{SIGNED_CHARACTERS},}}")
_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}(?:WEBP|AVI )|BM.{4}\0{4}"
    rb"|II\*\0|MM\0\*|\0\0..ftyp|\x1a\x45\xdf\xa3",
    re.DOTALL,
)
_SIGNATURE_BYTES = 12
_HEX = re.compile(rf"[0-9A-Fa-f]{{{2 * _SIGNATURE_BYTES}}}")
_BINARY = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]|\\x[0-9A-Fa-f]{2}")

# the slash may be written as an escape
_DATA_URI_BYTES = tuple(uri.removesuffix("/").encode() for uri in DATA_URI)
_COMMAS_OF_DETECTION = 7
"""Those of a sound detection without `track_id`, and the one behind it."""
# any character below U+00A0, ASCII and control characters among them, may hide in such an escape
_HIDDEN = re.compile(rb"\\u00[0-9]")
_RUN_BYTES = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
    b"\\"  # an escape may be a slash or a line break
)
_IS_RUN = bytes(ord("x") if byte in _RUN_BYTES else ord(" ") for byte in range(256))
_LEAST_RUN = b"x" * SIGNED_CHARACTERS


def is_image_text(text: str) -> bool:
    """Whether a text, a value or a member's name, is image data."""
    if text[: len(DATA_URI[0])].lower() in DATA_URI:
        return True
    if len(text) < min(SIGNED_CHARACTERS, BINARY_CHARACTERS):
        return False
    unbroken = text.replace("\r", "").replace("\n", "")
    if any(_is_image_run(run[0]) for run in _RUN.finditer(unbroken)):
        return True
    return sum(1 for _ in _BINARY.finditer(text)) >= BINARY_CHARACTERS


def _is_image_run(run: str) -> bool:
    if len(run) > RUN_CHARACTERS:
        return True
    of_base64 = run[: _SIGNATURE_BYTES * 4 // 3].replace("-", "+").replace("_", "/")
    if _SIGNATURE.match(b64decode(of_base64)):
        return True
    of_hex = _HEX.match(run)
    return of_hex is not None and _SIGNATURE.match(bytes.fromhex(of_hex[0])) is not None


def is_suspected(payload: bytes, detections: int) -> bool:
    """Whether a sound frame of so many detections may hold image data.

    Some 2 µs for what nearly every message is. Never false where there is image data:
    a test holds it to `image_search.find`.
    """
    if b"/" in payload:
        in_lower_case = payload.lower()
        if any(uri in in_lower_case for uri in _DATA_URI_BYTES):
            return True
    if _LEAST_RUN in payload.translate(_IS_RUN):
        return True
    # one detection may be the object that holds the numbers
    if payload.count(b",") >= NUMBERS - 1 + _COMMAS_OF_DETECTION * (detections - 1):
        return True
    backslashes = payload.count(b"\\")
    if backslashes and _HIDDEN.search(payload):
        return True
    binary = backslashes + payload.count(b"\x7f")
    if not payload.isascii():
        binary += payload.count(b"\xc2") + payload.count("\ufffd".encode())
    return binary >= BINARY_CHARACTERS
