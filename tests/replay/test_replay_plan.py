"""What is known of a file before anything of it is published."""

from datetime import timedelta
from pathlib import Path

import pytest
from frames import RUN, STARTED_AT, first_generation_line, line, write

from replay import jsonl
from replay.errors import InputRefused, InputUnreadable
from replay.plan import FilePlan, RunPlan, plan_messages, plan_raw


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "video.jsonl"


def only_run(plan: FilePlan) -> RunPlan:
    (run,) = plan.runs.values()
    return run


def test_the_producer_of_a_run_is_named_after_the_run(path: Path) -> None:
    run = only_run(plan_messages(write(path, [line(0), line(1)])))

    assert (run.producer_name, run.sequence_base, run.frames) == (RUN, 0, 2)


def test_a_run_name_that_another_camera_may_have_too_is_told_apart(path: Path) -> None:
    plan = plan_messages(
        write(path, [line(0, run_id="monday"), line(0, run_id="monday", camera_id="cam_02")])
    )

    assert [run.producer_name for run in plan.runs.values()] == [
        "store_01/cam_01/monday",
        "store_01/cam_02/monday",
    ]


def test_hyphens_do_not_make_two_cameras_share_a_producer(path: Path) -> None:
    plan = plan_messages(
        write(
            path,
            [
                line(0, run_id="a-b-c-1", store_id="a-b", camera_id="c"),
                line(0, run_id="a-b-c-1", store_id="a", camera_id="b-c"),
            ],
        )
    )

    assert len({run.producer_name for run in plan.runs.values()}) == 2


def test_the_later_part_of_a_run_goes_on_behind_the_earlier(path: Path) -> None:
    run = only_run(plan_messages(write(path, [line(101), line(100), line(102)])))

    assert run.sequence_base == 100


def test_each_capture_of_a_first_generation_camera_has_its_own_producer(tmp_path: Path) -> None:
    monday, tuesday = (
        plan_messages(write(tmp_path / name, [first_generation_line(0, started_at)]))
        for name, started_at in (("a", STARTED_AT), ("b", STARTED_AT + timedelta(days=1)))
    )

    assert only_run(monday).producer_name == "S001/CAM01/stream1@2026-11-24T10:15:00.000Z"
    assert only_run(tuesday).producer_name == "S001/CAM01/stream1@2026-11-25T10:15:00.000Z"


def test_a_first_generation_camera_that_starts_again_keeps_its_place(path: Path) -> None:
    later = STARTED_AT + timedelta(hours=1)
    lines = [first_generation_line(i) for i in (5, 6)] + [first_generation_line(5, later)]

    run = only_run(plan_messages(write(path, lines)))

    assert (run.sequence_base, run.frames) == (0, 3)


def test_blank_lines_and_line_ends_of_windows_do_no_harm(path: Path) -> None:
    path.write_bytes(line(0) + b"\r\n" + b"\n  \n" + line(1))

    assert plan_messages(path).lines == 2


def test_malformed_lines_are_refused_with_their_numbers_and_reasons(path: Path) -> None:
    write(path, [line(0), b"hello", line(1), line(2).replace(b'"conf":0.5', b'"conf":5')])

    with pytest.raises(InputRefused) as caught:
        plan_messages(path)

    text = str(caught.value)
    assert "2 of 4 lines break the contract" in text
    assert "nothing was published" in text
    assert "\n  line 2: message_not_json: " in text
    assert "\n  line 4: detection_out_of_range: detections[0].conf: expected 0 to 1, got 5" in text
    assert [bad.number for bad in caught.value.lines] == [2, 4]


def test_of_many_malformed_lines_the_first_ten_are_listed(path: Path) -> None:
    with pytest.raises(InputRefused) as caught:
        plan_messages(write(path, [b"x"] * 1234))

    assert [bad.number for bad in caught.value.lines] == list(range(1, 11))
    assert str(caught.value).endswith("\n  and 1,224 more")


def test_a_last_line_that_was_cut_off_is_named_as_such(path: Path) -> None:
    path.write_bytes(line(0) + b"\n" + line(1)[:80])

    with pytest.raises(InputRefused, match=r"line 2: .*the last line has no end"):
        plan_messages(path)


def test_a_whole_last_line_without_a_line_feed_is_taken(path: Path) -> None:
    path.write_bytes(line(0) + b"\n" + line(1))

    assert plan_messages(path).lines == 2


UNREADABLE = {
    "missing": (None, r"no such file: `make vision"),
    "empty": (b"", "empty"),
    "blank": (b"\n\r\n", "empty"),
}


@pytest.mark.parametrize(("content", "cause"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_file_without_messages_is_refused(path: Path, content: bytes | None, cause: str) -> None:
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InputUnreadable, match=cause):
        plan_messages(path)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="Is a directory"):
        plan_messages(tmp_path)


def test_a_file_that_is_no_jsonl_is_not_read_into_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 100)
    write(path, [b"x" * 100, b"x" * 101])

    with pytest.raises(InputUnreadable, match="line 2 is longer than 100 bytes"):
        plan_raw(path)


def test_a_frame_index_that_leaves_no_sequence_id_is_refused(path: Path) -> None:
    with pytest.raises(InputUnreadable, match="leaves no room for sequence ids"):
        plan_messages(
            write(path, [line(0).replace(b'"frame_index":0', b'"frame_index":9223372036854775807')])
        )


def test_a_raw_file_is_known_by_its_content(tmp_path: Path) -> None:
    one, same, other = (
        plan_raw(write(tmp_path / name, lines))
        for name, lines in (("a", [b"x", b""]), ("b", [b"x", b""]), ("c", [b"x", b"", b"y"]))
    )

    assert one.raw_producer_name == same.raw_producer_name != other.raw_producer_name
    assert (one.lines, other.lines) == (2, 3)
    assert one.raw_producer_name.startswith("raw-")
