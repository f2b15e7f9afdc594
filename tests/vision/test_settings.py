import pickle

import pytest

from vision.cli import parse_extract_arguments
from vision.errors import SettingsError
from vision.settings import ExtractSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input", ""),
        ("store_id", ""),
        ("camera_id", "  "),
        ("stream_id", "a\x00b"),
        ("run_id", "two\nlines"),
        ("backend", "magic"),
        ("device", "gpu"),
        ("tracker", "sort"),
        ("embedder", "retina"),
        ("clock", "sun"),
        ("classes", ()),
        ("classes", ("person", " ")),
        ("confidence", 1.01),
        ("confidence", float("nan")),
        ("image_size", 0),
        ("max_frames", 0),
        ("threads", -1),
        ("frame_rate", "0"),
        ("frame_rate", "30/0"),
        ("frame_rate", "fast"),
        ("batch", 0),
        ("fps_limit", 0),
        ("still_threshold", 256),
        ("reconnect_seconds", -1),
        ("reconnect_seconds", float("nan")),
        ("mask", (((0, 0), (1, 0)),)),
        ("mask", (((0, 0), (640, 0), (640, 480)),)),
    ],
)
def test_settings_cannot_hold_a_wrong_value(name: str, value: object) -> None:
    with pytest.raises(SettingsError) as error:
        ExtractSettings(**({"input": "x.mp4"} | {name: value}))
    assert f"--{name.replace('_', '-')}" in str(error.value)
    assert "\n" not in str(error.value)


def test_settings_travel_between_processes() -> None:
    settings = ExtractSettings(input="0", classes=("person", "dog"))
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301


def test_command_line_without_options_has_the_defaults_of_the_settings() -> None:
    assert parse_extract_arguments(["--input", "x.mp4"]) == ExtractSettings(input="x.mp4")


def test_classes_are_split_and_each_taken_once() -> None:
    settings = parse_extract_arguments(
        ["--input", "x", "--classes", "person, traffic light,person,"]
    )
    assert settings.classes == ("person", "traffic light")


@pytest.mark.parametrize(
    "arguments",
    [[], ["--input"], ["--inpt", "x"], ["--input", "x", "--max-frames", "ten"], ["x.mp4"]],
)
def test_arguments_that_make_no_sense_are_told_in_one_line(arguments: list[str]) -> None:
    with pytest.raises(SettingsError) as error:
        parse_extract_arguments(arguments)
    assert "\n" not in str(error.value)


def test_output_is_in_the_data_directory_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RVA_DATA_DIR", "/somewhere")
    assert ExtractSettings(input="0").output_path() == "/somewhere/metadata/video.jsonl"
    monkeypatch.delenv("RVA_DATA_DIR")
    assert ExtractSettings(input="0").output_path() == "data/metadata/video.jsonl"
