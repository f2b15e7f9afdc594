"""What a replay of the quarantine would mend, what it leaves alone, and its command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from silver_items import items

from flink_jobs.settings import Connections, JobSettings
from frame_contract import explain
from lakehouse.__main__ import main
from lakehouse.quarantine import mending
from lakehouse.quarantine.mending import Mended, Skipped, judge, keys_of, remembered_since
from lakehouse.quarantine.rows import QuarantineRow

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SINCE = remembered_since(NOW)
MESSAGE_ID = bytes.fromhex("08071008")
GOOD = {"det_id": "d1", "class": "person", "bbox": {"x1": 1, "y1": 1, "x2": 5, "y2": 9}, "conf": 1}
BAD = {**GOOD, "det_id": "d2", "conf": 7}
FRAME: dict[str, Any] = {
    "source": {"store_id": "s", "camera_id": "c", "stream_id": "t"},
    "frame_index": 4,
    "capture_ts": "2026-11-24T10:15:41.133Z",
    "image_size": {"width": 100, "height": 100},
    "detections": [GOOD, BAD],
}


def sent(**changes: object) -> bytes:
    return json.dumps({**FRAME, **changes}).encode()


def quarantined(payload: bytes, at: datetime = NOW) -> list[QuarantineRow]:
    """The rows that Silver makes of a message."""
    return [
        QuarantineRow(**{name: item.row.get(name) for name in QuarantineRow._fields})
        for item in items(payload, MESSAGE_ID, at)
        if item.table == "silver_quarantine"
    ]


def in_silver(payload: bytes, at: datetime = NOW) -> dict[mending.DetectionKey, datetime]:
    frame = explain(payload).frame
    assert frame is not None
    return dict.fromkeys(keys_of(frame), at)


def test_corrected_detection_is_gained_and_the_rest_of_its_frame_kept() -> None:
    rows = quarantined(sent())
    corrected = sent(detections=[GOOD, {**BAD, "conf": 0.7}])
    assert judge(corrected, rows, in_silver(sent()), SINCE) == Mended(tuple(rows), gained=1, kept=1)


@pytest.mark.parametrize(
    "payload", [sent(), sent(frame_index=-1), b"no JSON"], ids=["detection", "message", "bytes"]
)
def test_what_is_still_unusable_is_not_published_again(payload: bytes) -> None:
    verdict = judge(payload, quarantined(payload), {}, SINCE)
    assert isinstance(verdict, Skipped)
    assert verdict.why.startswith("still unusable: ")


@pytest.mark.parametrize(
    "changes",
    [{"frame": [7] * 600}, {"detections": [GOOD, {**BAD, "conf": 1, "crop": "data:image/png,"}]}],
    ids=["message", "detection"],
)
def test_message_with_a_picture_is_published_again_only_without_it(
    changes: dict[str, object],
) -> None:
    rows = quarantined(sent(**changes))
    assert [row.reason.split("_", 1)[1] for row in rows[:1]] == ["image_data"]
    assert isinstance(judge(sent(**changes), rows, {}, SINCE), Skipped)
    corrected = sent(detections=[GOOD, {**BAD, "conf": 1}])
    assert judge(corrected, rows, {}, SINCE) == Mended(tuple(rows), gained=2, kept=0)


def test_row_whose_detection_is_still_unusable_stays_unworked() -> None:
    old_parser = quarantined(sent(detections=[GOOD, {**BAD, "det_id": ""}, BAD]))
    assert len(old_parser) == 2
    only_one_still_bad = sent(detections=[GOOD, {**GOOD, "det_id": "d3"}, BAD])
    verdict = judge(only_one_still_bad, old_parser, {}, SINCE)
    assert isinstance(verdict, Mended)
    assert [row.payload for row in verdict.rows] == [old_parser[0].payload]


def test_message_of_a_frame_without_detections_is_mended_and_gains_none() -> None:
    rows = quarantined(sent(frame_index=-1, detections=[]))
    corrected = sent(detections=[])
    assert judge(corrected, rows, {}, SINCE) == Mended(tuple(rows), gained=0, kept=0)


def test_detections_that_silver_has_forgotten_are_not_sent_to_it_again() -> None:
    rows = quarantined(sent(), NOW - timedelta(days=8))
    corrected = sent(detections=[GOOD, {**BAD, "conf": 0.7}])
    long_ago = in_silver(sent(), NOW - timedelta(days=8))
    verdict = judge(corrected, rows, long_ago, SINCE)
    assert isinstance(verdict, Skipped)
    assert "1 of its detections are in Silver since 2026-11-16 12:00" in verdict.why
    the_rest_alone = sent(detections=[{**BAD, "conf": 0.7}])
    assert judge(the_rest_alone, rows, long_ago, SINCE) == Mended(tuple(rows), gained=1, kept=0)


def test_detection_that_stays_bad_is_not_quarantined_twice_once_it_is_forgotten() -> None:
    rows = quarantined(sent(detections=[{**BAD, "det_id": ""}, BAD]), NOW - timedelta(days=8))
    verdict = judge(sent(), rows, {}, SINCE)
    assert isinstance(verdict, Skipped)
    assert "1 of its detections would be quarantined again" in verdict.why


def test_what_silver_remembers_is_its_jobs_setting_less_a_margin() -> None:
    job = JobSettings(job="silver_detections", connections=Connections())
    assert job.state_ttl_seconds == mending.STATE_TTL_HOURS * 3600
    assert remembered_since(NOW) == NOW - timedelta(days=6)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--since", "yesterday"], "no time such as 2026-11-24"),
        (["list", "--since", "0001-01-01T00:00:00+01:00"], "no time such as 2026-11-24"),
        (["list", "--reason", "message_not_jsn"], "invalid choice: 'message_not_jsn'"),
        (["show", "--message", "xyz"], "no message id in hex"),
        (["show", "--message", "ffff"], "no message id in hex"),
        (["show", "--limit", "0"], "1 or more"),
        (["replay", "--limit", "1"], "unrecognized arguments"),
    ],
)
def test_argument_that_cannot_be_used_is_named_with_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["quarantine", *arguments])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list"], "Trino at http://127.0.0.1:9"),
        (["show"], "Trino at http://127.0.0.1:9"),
        (["replay"], "Trino at http://127.0.0.1:9"),
        (["show", "--write", "x"], "--write is for one message"),
        (["replay", "--payload", "x"], "--payload is for one message"),
        (["replay", "--message", "08071008", "--payload", "/no/such"], "/no/such: No such file"),
        (["replay", "--message", "08071008", "--payload", "{BAD}"], "breaks the contract"),
    ],
    ids=lambda each: " ".join(each[:2]) if isinstance(each, list) else "",
)
def test_failure_is_one_line_and_exit_code_2(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "bad.json").write_bytes(sent())
    monkeypatch.setenv("RVA_TRINO_URL", "http://127.0.0.1:9")
    given = [each.replace("{BAD}", str(tmp_path / "bad.json")) for each in arguments]
    assert main(["quarantine", *given]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert error.count("\n") == 1
