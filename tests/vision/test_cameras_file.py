"""`cameras.yaml`: what it says becomes settings, and every mistake is one line with its place."""

import dataclasses
import re
from pathlib import Path

import pytest
from conftest import CHECKOUT

from vision.cameras.reading import OPTIONS, OWN_KEYS, TOP_KEYS, CamerasFile, read_cameras
from vision.cli import main
from vision.errors import SettingsError
from vision.settings import ExtractSettings, TrackingSettings

EXAMPLE = CHECKOUT / "docs" / "cameras.yaml"
HEAD = "store: store_07\n"
ONE = HEAD + "cameras:\n  - camera: door\n    source: rtsp://10.0.0.7/ch1\n"
"""One sound camera, which ends with line 4."""


def read(tmp_path: Path, text: str, **options: object) -> CamerasFile:
    path = tmp_path / "cameras.yaml"
    path.write_text(text, encoding="utf-8")
    options.setdefault("environ", {})
    return read_cameras(path, **options)  # type: ignore[arg-type]


def settings(tmp_path: Path, text: str, **options: object) -> ExtractSettings:
    return read(tmp_path, text, **options).cameras[0].settings


def test_example_of_the_documentation_is_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAM_PASSWORD", "s3cret")
    monkeypatch.chdir(CHECKOUT)
    assert main(["cameras", str(EXAMPLE), "--check"]) == 0
    shown = capsys.readouterr()
    assert f"{EXAMPLE} is right: 3 cameras of store_01" in shown.out
    assert "rtsp://viewer:***@10.0.0.7:554/ch1" in shown.out
    assert "s3cret" not in shown.out + shown.err


def test_example_names_no_option_that_is_gone_also_where_it_is_commented_out() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    named = set(re.findall(r"^[ #-]*([a-z_]+):(?: |$)", text, re.MULTILINE))
    of_tracking = {each.name for each in dataclasses.fields(TrackingSettings)}
    assert named <= {*TOP_KEYS, *OWN_KEYS, *OPTIONS, *of_tracking}
    assert {"threads", "reconnect_seconds", "output"} <= named


def test_example_names_all_options_that_defaults_cannot_have(tmp_path: Path) -> None:
    _, _, told = EXAMPLE.read_text(encoding="utf-8").partition("lists them), but for ")
    said = told.partition(".\n")[0].replace("\n#", "")
    for name in ("input", "output", "summary", "run_id", "resume", "show"):
        assert name in said
        with pytest.raises(SettingsError, match=f"{name} is not known here"):
            read(tmp_path, ONE.replace("cameras:", f"defaults: {{{name}: x}}\ncameras:"))
    for name in OPTIONS:
        assert name not in re.findall(r"\w+", said)


def test_damage_can_be_accepted(tmp_path: Path) -> None:
    assert not settings(tmp_path, ONE).accept_damage
    assert settings(tmp_path, ONE + "    accept_damage: true\n").accept_damage


def test_cameras_have_the_defaults_save_where_they_say_otherwise(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        HEAD
        + """\
defaults: {fps_limit: 10, detector: hog, classes: [person, dog],
  tracking: {confirm_after_frames: 3}}
cameras:
  - {camera: door, source: 0, stream: left, fps_limit: null}
  - {camera: till, source: "rtsp://10.0.0.8/x", confidence: 1, threads: 3, reconnect_seconds: 5}
""",
        output_dir=tmp_path,
    )
    door, till = (camera.settings for camera in file.cameras)
    assert (door.store_id, door.camera_id, door.stream_id) == ("store_07", "door", "left")
    assert (door.input, door.fps_limit, door.reconnect_seconds) == ("0", None, None)
    assert (till.fps_limit, till.detector, till.classes) == (10.0, "hog", ("person", "dog"))
    assert (till.confidence, till.threads, till.reconnect_seconds) == (1.0, 3, 5.0)
    assert door.tracking == TrackingSettings(confirm_after_frames=3)
    assert [camera.is_live for camera in file.cameras] == [True, True]
    assert door.output == str(tmp_path / "door.jsonl")
    assert door.summary == str(tmp_path / "door.summary.json")


def test_mask_is_a_list_of_polygons(tmp_path: Path) -> None:
    text = ONE + "    mask:\n      - [[0, 0], [0.3, 0], [0.3, 1]]\n"
    assert settings(tmp_path, text).mask == (((0, 0), (0.3, 0), (0.3, 1)),)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("2026-11-24T10:15:00Z", "2026-11-24T10:15:00+00:00"),
        ("2026-11-24T12:15:00+02:00", "2026-11-24T12:15:00+02:00"),
        ("'2026-11-24T10:15:00Z'", "2026-11-24T10:15:00Z"),
        ("2026-11-24", "2026-11-24"),
    ],
)
def test_times_need_no_quotes(tmp_path: Path, written: str, read_as: str) -> None:
    text = HEAD + f"cameras:\n  - camera: a\n    source: a.mp4\n    start_time: {written}\n"
    assert settings(tmp_path, text).start_time == read_as


@pytest.mark.parametrize(("written", "read_as"), [("25", "25"), ("29.97", "29.97")])
def test_rates_need_no_quotes(tmp_path: Path, written: str, read_as: str) -> None:
    assert settings(tmp_path, ONE + f"    frame_rate: {written}\n").frame_rate == read_as


def test_password_comes_from_the_environment(tmp_path: Path) -> None:
    text = ONE.replace("rtsp://10.0.0.7/ch1", "rtsp://${USER_1}:${PASS}@10.0.0.7/$HOME")
    environ = {"USER_1": "viewer", "PASS": "s3${X}cret"}
    assert (
        settings(tmp_path, text, environ=environ).input == "rtsp://viewer:s3${X}cret@10.0.0.7/$HOME"
    )


def test_published_cameras_write_files_only_where_they_are_told_to(tmp_path: Path) -> None:
    to = "pulsar://127.0.0.1:6650"
    assert settings(tmp_path, ONE, to=to).output is None
    assert settings(tmp_path, ONE + f"    to: {to}\n").output is None
    assert settings(tmp_path, ONE, to=to, output_dir=tmp_path).output == str(
        tmp_path / "door.jsonl"
    )
    named = settings(tmp_path, ONE + "    output: x/y.jsonl\n", to=to, output_dir=tmp_path)
    assert named.output == str(tmp_path / "x" / "y.jsonl")
    assert named.summary == str(tmp_path / "x" / "y.summary.json")
    assert (named.to, settings(tmp_path, ONE + "    to: pulsar://a\n", to=to).to) == (to, to)


def test_recording_is_looked_for_here_and_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HEAD + "cameras: [{camera: a, source: a.mp4}]"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert settings(tmp_path, text).input == "a.mp4"
    (tmp_path / "a.mp4").touch()
    assert settings(tmp_path, text).input == str(tmp_path / "a.mp4")
    (tmp_path / "here" / "a.mp4").touch()
    assert settings(tmp_path, text).input == "a.mp4"


MISTAKES = {
    "nothing": ("", 1, "it is empty"),
    "a list": ("- a\n", 1, "write `name: value`"),
    "no store": ("cameras: []\n", 1, "store: is missing"),
    "no cameras": (HEAD, 1, "cameras: is missing"),
    "an empty list": (HEAD + "cameras: []\n", 2, "lists no camera"),
    "a camera without source": (HEAD + "cameras:\n - camera: a\n", 3, "source: is missing"),
    "a camera without name": (HEAD + "cameras:\n - source: 0\n", 3, "camera: is missing"),
    "a camera that is a text": (HEAD + "cameras:\n - door\n", 3, "camera: and source:"),
    "not YAML": (HEAD + "cameras: [\n", 3, "no YAML: "),
    "a tab": (HEAD + "cameras:\n\t- camera: a\n", 3, "no YAML: "),
    "Python in it": (HEAD + "cameras: !!python/object:os.system x\n", 2, "no YAML: "),
    "a key twice": (ONE + "    source: 1\n", 5, "source is given twice"),
    "an unknown key at the top": (
        "stroe: a\n" + ONE,
        1,
        "stroe is not known here: did you mean st",
    ),
    "an unknown key in defaults": (
        "defaults:\n  detector: hog\n  confidense: 0.4\n" + ONE,
        3,
        "confidense is not known here: did you mean confidence?",
    ),
    "an option with hyphens": (ONE + "    fps-limit: 3\n", 5, "did you mean fps_limit?"),
    "an option of the command": (ONE + "    resume: true\n", 5, "resume is not known here"),
    "a setting that is named otherwise": (ONE + "    camera_id: a\n", 5, "did you mean camera?"),
    "a run for all": ("defaults: {run_id: a}\n" + ONE, 1, "run_id is not known here"),
    "a number as text": (ONE + "    threads: '2'\n", 5, "threads: expected int | null, got str"),
    "a text as number": (ONE + "    fps_limit: fast\n", 5, "fps_limit: expected float | null"),
    "a name that is a number": (
        HEAD + "cameras:\n  - camera: 7\n    source: 0\n",
        3,
        "camera: expected str, got int: put it in quotes",
    ),
    "yes as a name": (
        HEAD + "cameras:\n  - camera: yes\n    source: 0\n",
        3,
        "put it in quotes",
    ),
    "a corner without y": (ONE + "    mask: [[[0, 0], [1], [1, 1]]]\n", 5, "mask: expected"),
    "a mask in pixels": (ONE + "    mask: [[[0, 0], [640, 0], [1, 1]]]\n", 3, "not in pixels"),
    "a value out of range": (ONE + "    confidence: 35\n", 3, "door: --confidence must be from"),
    "an unknown tracking setting": (
        ONE + "    tracking: {max_age: 3}\n",
        5,
        "max_age is not known here: did you mean max_age_seconds?",
    ),
    "a word for seconds": (ONE + "    reconnect_seconds: never\n", 5, "give seconds, or `ever`"),
    "an unset variable": (
        ONE.replace("10.0.0.7", "u:${CAM_1}@10.0.0.7"),
        4,
        "source: ${CAM_1} is not set in the environment",
    ),
    "a source that is no camera's": (ONE.replace("rtsp:", "ftp:"), 4, "ftp:// is no address"),
    "an empty source": (ONE.replace("rtsp://10.0.0.7/ch1", "''"), 4, "source: is empty"),
    "a name with a slash": (ONE.replace("door", "a/b"), 3, "cannot name a file"),
    "a name that is hidden": (ONE.replace("door", ".."), 3, "cannot name a file"),
    "one name twice": (
        ONE + "  - {camera: Door, source: 1}\n",
        5,
        "there is a camera named door in line 3 already",
    ),
    "one output twice": (
        ONE + "  - {camera: till, source: 1, output: ./door.jsonl}\n",
        5,
        "till would write",
    ),
    "an output that is another's health": (
        ONE + "  - {camera: door.health, source: 1}\n",
        5,
        "and so would door (line 3)",
    ),
    "the name of the summary": (ONE.replace("door", "cameras"), 3, "is the summary of all cameras"),
    "a start for a camera": (ONE + "    start_time: 2026-11-24\n", 5, "start_time is for files"),
    "a run for a camera": (ONE + "    run_id: a\n", 5, "run_id is for files"),
    "a start that is none": (
        HEAD + "cameras:\n  - camera: a\n    source: a.mp4\n    start_time: noon\n",
        3,
        "a: --start-time must be ISO 8601",
    ),
    "a broker that is none": (ONE + "    to: http://x\n", 3, "door: --to http://x is no address"),
}


@pytest.mark.parametrize(("text", "line", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    told = str(caught.value)
    assert told.startswith(f"{tmp_path / 'cameras.yaml'}:{line}: "), told
    assert words in told
    assert "\n" not in told


def test_anchors_and_merges_of_yaml_work(tmp_path: Path) -> None:
    text = (
        HEAD
        + "cameras:\n  - &a {camera: a, source: 0, threads: 3}\n"
        + "  - {<<: *a, camera: b, source: 1}\n"
    )
    assert [each.settings.threads for each in read(tmp_path, text).cameras] == [3, 3]


@pytest.mark.parametrize(
    "content", [None, b"\xff\xfe", b"store: \x01\n"], ids=["no file", "no text", "control bytes"]
)
def test_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cameras.yaml"
    if content is not None:
        path.write_bytes(content)
    assert main(["cameras", str(path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert str(path) in told
    assert told.count("\n") == 1


def test_only_an_unknown_camera_is_told_with_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cameras.yaml").write_text(ONE)
    assert main(["cameras", str(tmp_path / "cameras.yaml"), "--only", "doer", "--check"]) == 2
    assert "has no camera 'doer': did you mean door?" in capsys.readouterr().err


def test_cpus_are_shared_out_among_the_cameras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vision.cameras.command.usable_cpus", lambda: 8)
    text = ONE + "  - {camera: till, source: 1}\n  - {camera: back, source: 2, threads: 7}\n"
    (tmp_path / "cameras.yaml").write_text(text)
    assert main(["cameras", str(tmp_path / "cameras.yaml"), "--check"]) == 0
    threads = [line.split()[-2] for line in capsys.readouterr().out.splitlines()[1:4]]
    assert threads == ["2", "2", "7"]


@pytest.mark.parametrize("reader", ["door", "till"])
def test_video_that_a_camera_reads_is_no_output(tmp_path: Path, reader: str) -> None:
    video = tmp_path / "visit.mp4"
    video.write_bytes(b"video")
    entries = [
        f"  - {{camera: {name}, source: {video if name == reader else 0}}}\n"
        for name in ("door", "till")
    ]
    entries[0] = entries[0].replace("}", f", output: {tmp_path / 'x' / '..' / 'visit.mp4'}}}")
    with pytest.raises(SettingsError, match=f":3: door would overwrite .*, which {reader} reads"):
        read(tmp_path, HEAD + "cameras:\n" + "".join(entries))


@pytest.mark.parametrize(
    ("option", "path"),
    [
        ("source", "~nobody-of-this-name/x"),
        ("output", "~nobody-of-this-name/x"),
        ("source", "x" * 300),
    ],
)
def test_path_that_cannot_be_asked_about_is_told_with_its_line(
    tmp_path: Path, option: str, path: str
) -> None:
    given = {"source": "0", option: path}
    entry = ", ".join(f"{key}: {value}" for key, value in given.items())
    with pytest.raises(SettingsError, match="yaml:3: .*" + path[:20]):
        read(tmp_path, f"{HEAD}cameras:\n  - {{camera: door, {entry}}}\n")


def test_summary_of_all_that_cannot_be_written_is_told_before_a_camera_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cameras.yaml").write_text(ONE)
    (tmp_path / "out" / "cameras.summary.json").mkdir(parents=True)
    arguments = ["cameras", str(tmp_path / "cameras.yaml"), "--output-dir", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "cameras.summary.json is a folder" in capsys.readouterr().err


def test_table_is_shown_also_where_its_file_cannot_be_written_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class DiskThatGoesAway:
        processes = ()
        signal_number = None

        def __init__(self, _: object, *, seconds: float | None) -> None: ...

        def run(self) -> None:
            (tmp_path / "out" / "cameras.summary.json").mkdir()

    monkeypatch.setattr("vision.cameras.command.Fleet", DiskThatGoesAway)
    (tmp_path / "cameras.yaml").write_text(ONE)
    arguments = ["cameras", str(tmp_path / "cameras.yaml"), "--output-dir", str(tmp_path / "out")]
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert "camera" in shown.out
    assert "cameras.summary.json is a folder" in shown.err
