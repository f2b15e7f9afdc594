"""A YAML file's content together with the line on which each part of it stands."""

from pathlib import Path
from typing import Any

import yaml

from vision.errors import SettingsError

Step = str | int
"""A key of a mapping, or the place in a list counted from 0."""


class LocatedYaml:
    """What a YAML file says, as plain types, and where it says so."""

    def __init__(self, path: Path) -> None:
        """Read it. Raises `SettingsError` for no file, no YAML, and a key that is there twice."""
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SettingsError(
                f"no such file: {path} (docs/cameras.yaml is an example to begin with)"
            ) from None
        except OSError as error:
            raise SettingsError(f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{path} is no UTF-8 text: is it a YAML file?") from None
        try:
            self._root, self.data = self._parse(text)
        except yaml.MarkedYAMLError as error:
            line = 1 if error.problem_mark is None else error.problem_mark.line + 1
            raise self._error_in_line(line, f"no YAML: {error.problem or error.context}") from None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            told = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SettingsError(f"{path}: no YAML: {told}") from None

    def _parse(self, text: str) -> tuple[yaml.Node | None, Any]:
        loader = yaml.SafeLoader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return None, None
            self._refuse_twins(root, set())
            return root, loader.construct_document(root)
        finally:
            loader.dispose()

    def error(self, steps: tuple[Step, ...], text: str) -> SettingsError:
        """The error about what stands there, with its line: `cameras.yaml:12: …`."""
        return self._error_in_line(self.line(steps), text)

    def line(self, steps: tuple[Step, ...]) -> int:
        """The line of what the steps from the top lead to, counted from 1.

        Where a step leads nowhere it is the line of the last that did.
        """
        node = self._root
        line: int = 1 if node is None else node.start_mark.line + 1
        for step in steps:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
        return line

    def _error_in_line(self, line: int, text: str) -> SettingsError:
        return SettingsError(f"{self.path}:{line}: {text}")

    def _refuse_twins(self, node: yaml.Node, seen: set[int]) -> None:
        """YAML would silently take the last of two equal keys."""
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for each in node.value:
                self._refuse_twins(each, seen)
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in keys:
                    line = key.start_mark.line + 1
                    raise self._error_in_line(line, f"{key.value} is given twice")
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    keys.add(key.value)
                self._refuse_twins(value, seen)


def _child(node: yaml.Node | None, step: Step) -> tuple[yaml.Node, int] | None:
    """What is behind one step, and the line that it begins on: that of the key, if it has one."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        if step < len(node.value):
            each = node.value[step]
            return each, each.start_mark.line + 1
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == step:
                return value, key.start_mark.line + 1
    return None
