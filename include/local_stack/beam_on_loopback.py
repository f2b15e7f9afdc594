"""Makes Flink's channels to its Python workers listen on 127.0.0.1 only.

Beam, which PyFlink's workers talk through, opens them with `NettyServerBuilder.forPort(port)`:
on every interface, without authentication, and no setting changes that. Its own code has the
loopback address at hand and takes just the port of it; here the class is rewritten to call
`forAddress(address)` instead, and put into a jar that stands before flink-python on the class
path. The original is left as it is.
"""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

from local_stack.errors import StackError

CLASS = "org/apache/beam/sdk/fn/server/ServerFactory$InetSocketAddressServerFactory.class"
OLD_METHOD, NEW_METHOD = b"forPort", b"forAddress"
NEW_PARAMETER = b"(Ljava/net/SocketAddress;)"

UTF8, CLASS_OR_STRING, REFERENCE, NAME_AND_TYPE = 1, (7, 8, 16, 19, 20), (9, 10, 11, 17, 18), 12
FOUR_BYTES, EIGHT_BYTES, METHOD_HANDLE = (3, 4), (5, 6), 15
METHOD_REFERENCE = 10
CONSTANTS_START = 10
"""Bytes before the constant pool: magic number, version, number of constants."""

INVOKE_VIRTUAL, INVOKE_STATIC, NOP = b"\xb6", b"\xb8", b"\x00"


@dataclass(frozen=True, slots=True)
class Constants:
    """The constant pool of a class file."""

    entries: dict[int, tuple[int, bytes]]
    """Index → tag and content."""
    offsets: dict[int, int]
    """Index → where its content stands in the file."""
    end: int
    """Where the pool ends in the file."""
    count: int
    """The file's own count: one more than the highest index."""

    def utf8(self, text: bytes) -> int:
        """Index of a text.

        :raises ValueError: it is not there
        """
        for index, entry in self.entries.items():
            if entry == (UTF8, text):
                return index
        raise ValueError(f"{text.decode()} is not in it")

    def method(self, name: bytes) -> tuple[int, int]:
        """Indices of a reference to a method of that name, and of its name and type.

        :raises ValueError: it is not there
        """
        named = self.utf8(name)
        for i, (tag, content) in self.entries.items():
            if tag != METHOD_REFERENCE:
                continue
            (name_and_type,) = struct.unpack(">2xH", content)
            if struct.unpack(">H2x", self.entries[name_and_type][1])[0] == named:
                return i, name_and_type
        raise ValueError(f"{name.decode()} is not called in it")


def read_constants(code: bytes) -> Constants:
    """Parse the constant pool (JVM specification, 4.4)."""
    (count,) = struct.unpack_from(">8xH", code)
    entries: dict[int, tuple[int, bytes]] = {}
    offsets: dict[int, int] = {}
    at, index = CONSTANTS_START, 1
    while index < count:
        tag = code[at]
        start = at + 1
        if tag == UTF8:
            start, size = at + 3, struct.unpack_from(">H", code, at + 1)[0]
        elif tag in CLASS_OR_STRING:
            size = 2
        elif tag in REFERENCE or tag == NAME_AND_TYPE or tag in FOUR_BYTES:
            size = 4
        elif tag in EIGHT_BYTES:
            size = 8
        elif tag == METHOD_HANDLE:
            size = 3
        else:
            raise ValueError(f"unknown constant {tag} at {at}")
        entries[index], offsets[index] = (tag, code[start : start + size]), start
        at = start + size
        index += 2 if tag in EIGHT_BYTES else 1
    return Constants(entries, offsets, at, count)


def rewritten(code: bytes) -> bytes:
    """The class with `forAddress(address)` in place of `forPort(address.getPort())`.

    :raises ValueError: it is not the class that this was made for
    """
    constants = read_constants(code)
    method, name_and_type = constants.method(OLD_METHOD)
    get_port = _call_before(code, constants, method)
    descriptor = struct.unpack(">2xH", constants.entries[name_and_type][1])[0]
    returned = constants.entries[descriptor][1].partition(b")")[2]

    added = [NEW_METHOD, NEW_PARAMETER + returned]
    pool = bytearray(code[: constants.end])
    struct.pack_into(">H", pool, CONSTANTS_START - 2, constants.count + len(added))
    new_name_and_type = struct.pack(">HH", constants.count, constants.count + 1)
    start = constants.offsets[name_and_type]
    pool[start : start + len(new_name_and_type)] = new_name_and_type
    for text in added:
        pool += struct.pack(">BH", UTF8, len(text)) + text

    call = INVOKE_STATIC + struct.pack(">H", method)
    before = INVOKE_VIRTUAL + struct.pack(">H", get_port) + call
    body = code[constants.end :]
    if body.count(before) != 1 or body.count(call) != 1:
        raise ValueError("the calls are not where they were")
    return bytes(pool) + body.replace(before, NOP * 3 + call)


def _call_before(code: bytes, constants: Constants, method: int) -> int:
    """Index of `getPort`, which is called just before the method."""
    at = code.index(INVOKE_STATIC + struct.pack(">H", method), constants.end)
    if code[at - 3 : at - 2] != INVOKE_VIRTUAL:
        raise ValueError("the port is not taken where it was")
    (index,) = struct.unpack_from(">H", code, at - 2)
    name_and_type = struct.unpack(">2xH", constants.entries[index][1])[0]
    name = struct.unpack(">H2x", constants.entries[name_and_type][1])[0]
    if constants.entries[name][1] != b"getPort":
        raise ValueError("another method is called where the port was taken")
    return int(index)


def write_jar(flink_python: Path, target: Path) -> None:
    """Write the jar with the rewritten class.

    :raises StackError: flink-python is not the version that this was made for
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(flink_python) as jar:
            code = rewritten(jar.read(CLASS))
    except (KeyError, ValueError) as error:
        raise StackError(
            f"{flink_python.name} is not the version that local_stack/beam_on_loopback.py was made "
            f"for ({error}): the Python workers' channels would be open to the network"
        ) from error
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as jar:
        jar.writestr(CLASS, code)
    partial.rename(target)
