"""Where a message's JSON holds image data, and its text without it.

One pass over the text without recursion: values that a later member of the same name overrides are
looked at too, and everything else stays as it was sent, byte for byte.
"""

import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from frame_contract.fields import EXCERPT_CHARACTERS, excerpt
from frame_contract.image_data import NUMBERS, is_image_text

ENTRIES = "detections"
_TOKEN = re.compile(r'["\[\]{}]|[^\s"\[\]{},:]+')
_NUMBER_OR_BOOLEAN = frozenset("-0123456789tf")


class ImageData(Struct, frozen=True):
    """One value, or name of a member, that is image data: `text[start:end]`."""

    start: int
    end: int
    path: str
    """As a problem names it, cut to one short line; of a name, the path of its object."""
    entry: int | None
    """Place of the detection that it stands in; None: outside of them."""
    length: int
    unit: str
    """What `length` counts: `characters` or `numbers`."""

    @property
    def placeholder(self) -> str:
        """What stands in its place."""
        return f"<image data: {self.length} {self.unit}>"

    @property
    def detail(self) -> str:
        """What a problem says of it."""
        return f"{self.length:,} {self.unit} that look like a picture"


def find(text: str) -> tuple[ImageData, ...]:
    """All image data of a sound JSON object, in order; of one in another the outer."""
    search = _Search(text)
    # what earlier members of this name hold is no detection: the last counts
    last = search.last_entries_at
    return tuple(replace(each, entry=None) if each.start < last else each for each in search.found)


def without(text: str, found: Sequence[ImageData]) -> str:
    """The text with a placeholder for each."""
    parts, place = [], 0
    for each in found:
        parts += [text[place : each.start], f'"{each.placeholder}"']
        place = each.end
    return "".join([*parts, text[place:]])


class _Container(Struct):
    """An array or object on the way to where the search is."""

    is_array: bool
    start: int
    numbers: int = 0
    place: int = 0
    """Of an array: the next item's."""
    name: str | None = None
    """Of an object: the next value's; None: a name comes next."""

    def step(self) -> str:
        return f"[{self.place}]" if self.is_array else f".{self.name}"

    def goes_on(self) -> None:
        self.place += 1
        self.name = None


class _Search:
    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[ImageData] = []
        self.last_entries_at = 0
        self._open: list[_Container] = []
        place = 0
        while token := _TOKEN.search(text, place):
            place = token.end()
            match token[0]:
                case '"':
                    place = self._string(token.start())
                case "[" | "{":
                    self._open.append(_Container(token[0] == "[", token.start()))
                case "]" | "}":
                    self._close(place)
                case scalar:
                    self._open[-1].numbers += scalar[0] in _NUMBER_OR_BOOLEAN
                    self._open[-1].goes_on()

    def _string(self, start: int) -> int:
        """Take a value or a name; its end."""
        end = _string_end(self.text, start)
        string = self.text[start + 1 : end - 1]
        if "\\" in string:
            string = msgspec.json.decode(self.text[start:end], type=str)
        inner = self._open[-1]
        is_name = not inner.is_array and inner.name is None
        if is_image_text(string):
            within = self._open[:-1] if is_name else self._open
            found = self._image(start, end, within, len(string), "characters")
            self.found.append(found)
            string = found.placeholder
        if not is_name:
            inner.goes_on()
            return end
        inner.name = string
        if string == ENTRIES and len(self._open) == 1:
            self.last_entries_at = start
        return end

    def _close(self, end: int) -> None:
        closed = self._open.pop()
        outer = self._open[-1] if self._open else None
        if closed.is_array and outer is not None and outer.is_array:
            outer.numbers += closed.numbers
        elif closed.numbers >= NUMBERS:
            while self.found and self.found[-1].start > closed.start:
                self.found.pop()
            found = self._image(closed.start, end, self._open, closed.numbers, "numbers")
            self.found.append(found)
        if outer is not None:
            outer.goes_on()

    def _image(
        self, start: int, end: int, within: Sequence[_Container], length: int, unit: str
    ) -> ImageData:
        steps = (each.step() for each in within[: EXCERPT_CHARACTERS + 2])
        path = "".join(steps).removeprefix(".")
        return ImageData(start, end, excerpt(path), self._entry(), length, unit)

    def _entry(self) -> int | None:
        match self._open:
            case [message, entries, *_] if message.name == ENTRIES and entries.is_array:
                return entries.place
        return None


def _string_end(text: str, start: int) -> int:
    """Behind the closing quote of the string that opens at `start`."""
    end = start
    while True:
        end = text.index('"', end + 1)
        escape = end
        while text[escape - 1] == "\\":
            escape -= 1
        if (end - escape) % 2 == 0:
            return end + 1
