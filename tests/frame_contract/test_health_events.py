"""The health event, as it is written and read."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from frame_contract.health import (
    CameraHealth,
    HealthEvent,
    HealthViolation,
    _Wire,
    decode_health,
    encode_health,
    health_properties,
)

AT = datetime(2026, 11, 24, 10, 15, 41, 133000, tzinfo=UTC)
SILENT = CameraHealth(
    event=HealthEvent.SILENT,
    store_id="store_01",
    camera_id="cam_01",
    run_id="store_01-cam_01-20261124T101500Z",
    at=AT,
    last_capture_ts=AT - timedelta(seconds=10),
    silent_seconds=10.0,
    frames=412,
    dropped_frames=3,
    reconnections=1,
    detail="no frame from rtsp://cam_01",
)


def test_event_is_written_in_the_order_of_its_definition() -> None:
    assert encode_health(SILENT) == (
        b'{"schema_version":"1.0","event":"camera_silent","store_id":"store_01",'
        b'"camera_id":"cam_01","run_id":"store_01-cam_01-20261124T101500Z",'
        b'"at":"2026-11-24T10:15:41.133Z","last_capture_ts":"2026-11-24T10:15:31.133Z",'
        b'"silent_seconds":10.0,"frames":412,"dropped_frames":3,"reconnections":1,'
        b'"detail":"no frame from rtsp://cam_01"}'
    )


def test_what_is_written_is_read_back() -> None:
    never_seen = msgspec.structs.replace(SILENT, last_capture_ts=None)
    assert decode_health(encode_health(SILENT)) == SILENT
    assert decode_health(encode_health(never_seen)) == never_seen


def test_fields_on_the_wire_are_those_of_the_event() -> None:
    assert _Wire.__struct_fields__ == CameraHealth.__struct_fields__


def test_times_are_read_in_utc_and_whole_milliseconds() -> None:
    line = encode_health(SILENT).replace(
        b'"2026-11-24T10:15:41.133Z"', b'"2026-11-24T11:15:41.1339+01:00"'
    )
    assert decode_health(line).at == AT
    elsewhere = msgspec.structs.replace(SILENT, at=AT.astimezone(timezone(timedelta(hours=1))))
    assert encode_health(elsewhere) == encode_health(SILENT)


def test_later_minor_version_with_more_fields_is_read() -> None:
    line = encode_health(SILENT).replace(b'"1.0"', b'"1.7"').replace(b"{", b'{"more":[1],', 1)
    assert decode_health(line).frames == 412


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"hello",
        b"[]",
        b"\xff",
        encode_health(SILENT).replace(b'"1.0"', b'"2.0"'),
        encode_health(SILENT).replace(b"camera_silent", b"camera_bored"),
        encode_health(SILENT).replace(b"412", b"-1"),
        encode_health(SILENT).replace(b"412", b'"412"'),
        encode_health(SILENT).replace(b"41.133Z", b"41.133"),
        encode_health(SILENT).replace(b'"store_01",', b'"",'),
    ],
    ids=[
        "empty",
        "no JSON",
        "an array",
        "no UTF-8",
        "another major version",
        "an unknown event",
        "a negative count",
        "a count in quotes",
        "a time without offset",
        "an empty name",
    ],
)
def test_what_is_no_event_is_refused(payload: bytes) -> None:
    with pytest.raises(HealthViolation):
        decode_health(payload)


def test_event_that_breaks_its_own_rules_is_not_written() -> None:
    with pytest.raises(HealthViolation):
        encode_health(msgspec.structs.replace(SILENT, frames=-1))
    with pytest.raises(HealthViolation):
        encode_health(msgspec.structs.replace(SILENT, at=AT.replace(tzinfo=None)))


def test_properties_let_readers_choose_without_parsing() -> None:
    assert health_properties(SILENT) == {
        "schema_version": "1.0",
        "event": "camera_silent",
        "store_id": "store_01",
        "camera_id": "cam_01",
        "run_id": "store_01-cam_01-20261124T101500Z",
    }
