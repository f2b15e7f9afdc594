"""A scenario file that is wrong is refused in one line that names the place."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from store_simulator.errors import ScenarioInvalid
from store_simulator.scenario_file import load, parse, shipped

GOOD = """\
seed: 7
start: 2026-11-23T10:00:00+01:00
duration_minutes: 0.5
frames_per_second: 12.5
stores:
  - id: store_01
    opens: 9:00
    shoppers_per_hour: 60
    entrance: [2, 0.5]
    cross_aisles_y: [2]
    places:
      - {name: fruit, at: [4, 5]}
    cameras:
      - {id: cam_01, at: [1, 0.5], looks_at: [6, 8]}
noise:
  late: 0.5
""".replace("9:00", "09:00")


def test_file_is_read_with_its_defaults() -> None:
    scenario = parse(GOOD, Path("a.yaml"))

    assert scenario.start.astimezone(UTC) == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert (scenario.rate, scenario.frames) == (Fraction(25, 2), 375)
    assert scenario.stores[0].opens == "09:00"
    assert scenario.stores[0].cameras[0].width == 1280
    assert (scenario.noise.late, scenario.noise.missed_boxes) == (0.5, 0)


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenario_is_sound(name: str) -> None:
    assert load(name).frames > 0


def test_noisy_scenario_is_half_a_million_frames_with_every_dial_turned() -> None:
    noisy = load("noisy")

    cameras = sum(len(store.cameras) for store in noisy.stores)
    assert (cameras, noisy.duration_minutes) == (8, 120)
    assert 450_000 < noisy.frames * cameras < 650_000
    dials = {name: getattr(noisy.noise, name) for name in noisy.noise.__struct_fields__}
    assert not [name for name, value in dials.items() if value == 0]


def test_stores_that_are_alike_are_written_once_and_merged() -> None:
    alike = GOOD.replace("  - id: store_01\n", "  - &like\n    id: store_01\n").replace(
        "noise:", "  - {id: store_02, <<: *like, shoppers_per_hour: 5}\nnoise:"
    )

    one, other = parse(alike, Path("a.yaml")).stores

    assert (other.id, other.shoppers_per_hour) == ("store_02", 5)
    assert (other.places, other.cameras, other.opens) == (one.places, one.cameras, one.opens)
    with pytest.raises(ScenarioInvalid, match=r"a.yaml:16: .*shoppers_per_hour: Expected `float`"):
        parse(alike.replace("shoppers_per_hour: 5", "shoppers_per_hour: x"), Path("a.yaml"))
    with pytest.raises(ScenarioInvalid, match=r"a.yaml:16: << takes one mapping"):
        parse(alike.replace("<<: *like", "<<: 7"), Path("a.yaml"))


CASES = {
    "unknown key at the top": ("seed: 7", "sead: 7", 1, "unknown key sead"),
    "unknown key of a store": ("    opens:", "    open:", 7, "unknown key open"),
    "unknown key of a camera": ("looks_at", "look_at", 14, "unknown key look_at"),
    "unknown dial": ("  late: 0.5", "  missed: 0.5", 16, "unknown key missed"),
    "share above one": ("late: 0.5", "late: 1.5", 16, "noise.late: Expected `float` <= 1.0"),
    "negative rate": (
        "shoppers_per_hour: 60",
        "shoppers_per_hour: -1",
        8,
        "stores[0].shoppers_per_hour: Expected `float` >= 0.0",
    ),
    "text for a number": (
        "duration_minutes: 0.5",
        "duration_minutes: soon",
        3,
        "duration_minutes: Expected `float`, got `str`",
    ),
    "no time zone": ("10:00:00+01:00", "10:00:00", 2, "start: Expected `datetime` with a timezone"),
    "closes before it opens": (
        "opens: 09:00",
        "opens: 09:00\n    closes: 08:00",
        6,
        "closes 08:00 is not after opens 09:00",
    ),
    "no such hour": ("opens: 09:00", "opens: 25:00", 7, "stores[0].opens: Expected `str` matching"),
    "camera looks straight down": ("looks_at: [6, 8]", "looks_at: [1, 0.5]", 14, "straight down"),
    "point with one number": ("at: [4, 5]", "at: [4]", 12, "places[0].at: Expected `array`"),
    "missing key": ("    entrance: [2, 0.5]\n", "", 6, "missing required field `entrance`"),
    "key twice": ("seed: 7", "seed: 7\nseed: 8", 2, "seed is there twice"),
    "name that is no part of a file": ("id: cam_01", "id: ../x", 14, "cameras[0].id"),
    "no YAML": ("seed: 7", "seed: [7", 2, "no YAML"),
    "no number that can be": ("seed: 7", f"seed: {'9' * 5000}", 1, "seed: Expected `int`"),
    "no number for its underscores": (
        "duration_minutes: 0.5",
        "duration_minutes: 1__0",
        3,
        "duration_minutes: Expected `float`, got `str`",
    ),
    "frame in a million years": (
        "frames_per_second: 12.5",
        "frames_per_second: 1e-300",
        4,
        "frames_per_second: Expected `float` >= 0.001",
    ),
    "late from above to": (
        "late: 0.5",
        "late_from_seconds: 500",
        15,
        "late_from_seconds 500 is above late_to_seconds 120",
    ),
    "no frame in so short a time": (
        "duration_minutes: 0.5",
        "duration_minutes: 0.000001",
        1,
        "make no frame",
    ),
    "store twice": (
        "noise:",
        "  - {id: store_01, shoppers_per_hour: 1, entrance: [0, 0], cross_aisles_y: [0], "
        "places: [{name: a, at: [1, 1]}], cameras: [{id: c, at: [0, 0], looks_at: [1, 1]}]}\n"
        "noise:",
        1,
        "store store_01 is there 2 times",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "said"), CASES.values(), ids=CASES.keys())
def test_wrong_file_is_refused_in_one_line_that_names_the_place(
    old: str, new: str, line: int, said: str
) -> None:
    assert old in GOOD

    with pytest.raises(ScenarioInvalid) as caught:
        parse(GOOD.replace(old, new, 1), Path("a.yaml"))

    text = str(caught.value)
    assert text.startswith(f"a.yaml:{line}: "), text
    assert said in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("- 1", "Expected `object`"),
        ("a: &a [*a]", "nested too deeply, or in itself"),
        ("7", "Expected"),
    ],
)
def test_file_of_something_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(ScenarioInvalid, match=said):
        parse(text, Path("a.yaml"))


def test_missing_file_names_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(ScenarioInvalid, match="no such file; shipped are: noisy, small"):
        load(str(tmp_path / "none.yaml"))
