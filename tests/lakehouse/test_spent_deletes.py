"""Which files of deletes apply to nothing any more; on a real table it is an integration test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pyiceberg.manifest import DataFileContent, ManifestContent

from lakehouse.maintenance.spent_deletes import spent

MONDAY, TUESDAY = 20_000, 20_001
EQUALITY, POSITION = DataFileContent.EQUALITY_DELETES, DataFileContent.POSITION_DELETES


@dataclass
class File:
    """Of one day."""

    content: DataFileContent
    partition: tuple[int]
    spec_id: int = 0


@dataclass
class Entry:
    """A file, and the number of its commit."""

    data_file: File
    sequence_number: int


@dataclass
class Manifest:
    """As PyIceberg reads one; it writes none of deletes."""

    manifest_path: str
    content: ManifestContent
    entries: list[Entry]

    def fetch_manifest_entry(self, _: Any) -> list[Entry]:
        return self.entries


def data(*numbers: int, day: int = MONDAY) -> Manifest:
    entries = [Entry(File(DataFileContent.DATA, (day,)), number) for number in numbers]
    return Manifest("data", ManifestContent.DATA, entries)


def deletes(*numbers: int, kind: DataFileContent = EQUALITY, day: int = MONDAY) -> Manifest:
    entries = [Entry(File(kind, (day,)), number) for number in numbers]
    return Manifest("deletes", ManifestContent.DELETES, entries)


@pytest.mark.parametrize(
    ("manifests", "is_spent"),
    [
        pytest.param([data(1), deletes(2)], False, id="older data"),
        pytest.param([data(2), deletes(2)], True, id="equality: data of the same commit"),
        pytest.param([data(2), deletes(2, kind=POSITION)], False, id="position: the same commit"),
        pytest.param([data(3), deletes(2, kind=POSITION)], True, id="position: younger data"),
        pytest.param([data(3), deletes(2)], True, id="younger data"),
        pytest.param([data(3, 1), deletes(2)], False, id="older data too"),
        pytest.param([data(1, day=TUESDAY), deletes(2)], True, id="older data of another day"),
        pytest.param([data(1), data(5), deletes(2)], False, id="older data in another manifest"),
        pytest.param([deletes(2)], True, id="no data"),
        pytest.param([data(3), deletes(2, 4)], False, id="one of two applies"),
        pytest.param([data(4), deletes(2, 3)], True, id="none of two applies"),
    ],
)
def test_file_of_deletes_applies_to_older_data_of_its_day(
    manifests: list[Any], is_spent: bool
) -> None:
    found = spent(manifests, io=None)  # type: ignore[arg-type]
    assert list(found) == (["deletes"] if is_spent else [])
