"""A scenario out of a YAML file; what is wrong is said in one line that names its place.

Plain scalars are read as YAML 1.2 has them: 09:00 is text and not 540, `no` is a text too.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from store_simulator.errors import ScenarioInvalid
from store_simulator.scenario import Scenario

SHIPPED = Path(__file__).parent / "scenarios"
_INTEGER = re.compile(r"[-+]?[0-9](_?[0-9]){0,30}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_MERGE = "tag:yaml.org,2002:merge"
_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(?P<key>[^`]*)`")
_PLACE = re.compile(r" - at `(?P<path>[^`]*)`\Z")


def shipped() -> dict[str, Path]:
    """The scenarios that come with the simulator, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def load(name_or_path: str) -> Scenario:
    """The scenario of that file, or the shipped one of that name; raises `ScenarioInvalid`."""
    path = Path(name_or_path)
    if not path.exists() and name_or_path in shipped():
        path = shipped()[name_or_path]
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        names = ", ".join(shipped())
        raise ScenarioInvalid(path, None, f"no such file; shipped are: {names}") from None
    except OSError as error:
        raise ScenarioInvalid(path, None, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise ScenarioInvalid(path, None, f"no UTF-8 text at byte {error.start}") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Scenario:
    """The scenario that the text describes; `path` is for what is said of it."""
    reader = _Reader(path)
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else None
        raise ScenarioInvalid(path, line, f"no YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ScenarioInvalid(path, None, f"no YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ScenarioInvalid(path, None, "nested too deeply") from None
    if node is None:
        raise ScenarioInvalid(path, None, "empty")
    try:
        return msgspec.convert(reader.value(node, "$"), Scenario)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        where = place["path"] if place else "$"
        cause = _PLACE.sub("", str(error))
        unknown = _UNKNOWN_KEY.match(cause)
        if unknown:
            where, cause = f"{where}.{unknown['key']}", f"unknown key {unknown['key']}"
        else:
            name = where.removeprefix("$").removeprefix(".")
            cause = f"{name}: {cause}" if name else cause
        raise ScenarioInvalid(path, reader.line_of(where), cause) from None
    except RecursionError:
        raise ScenarioInvalid(path, None, "nested too deeply, or in itself") from None


class _Reader:
    """Turns nodes into plain values and remembers on which line each path stands."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, int] = {}

    def line_of(self, path: str) -> int | None:
        """The line of that path, or of the nearest thing around it."""
        while path not in self._lines and path:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self._lines.get(path)

    def value(self, node: yaml.Node, path: str) -> Any:
        """The node as dict, list or scalar."""
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, f"{path}[{index}]") for index, each in enumerate(node.value)]
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        # what is merged comes first, so that lines are those of what stands here
        for key_node, value_node in sorted(node.value, key=lambda pair: pair[0].tag != _MERGE):
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise ScenarioInvalid(self._path, line, "a key must be a word")
            if key_node.tag == _MERGE:
                if not isinstance(value_node, yaml.MappingNode):
                    raise ScenarioInvalid(self._path, line, "<< takes one mapping")
                merged |= self.value(value_node, path)
                continue
            key = str(key_node.value)
            if key in found:
                raise ScenarioInvalid(self._path, line, f"{key} is there twice")
            self._lines[f"{path}.{key}"] = line
            found[key] = self.value(value_node, f"{path}.{key}")
        return merged | found


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.style is not None:  # quoted
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
