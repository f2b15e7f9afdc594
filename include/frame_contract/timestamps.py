"""Capture times: RFC 3339 text with an offset, and aware UTC datetimes in whole milliseconds."""

from datetime import UTC, datetime, timedelta

import msgspec

from frame_contract.message import AwareTime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class TimestampError(ValueError):
    """The text is no moment that a camera can have captured; the message says why."""


def parse_capture_ts(text: str) -> datetime:
    """The moment in UTC, cut to whole milliseconds.

    Raises `TimestampError` for anything but RFC 3339 with `Z` or an offset, from 1970 on (a Pulsar
    event time cannot be negative) to 9999.
    """
    try:
        moment = msgspec.convert(text, AwareTime)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise TimestampError(
            "no UTC offset: write Z or an offset such as +02:00"
            if "timezone component" in str(error)
            else "not an RFC 3339 time such as 2026-11-24T10:15:41.133Z"
        ) from None
    return in_utc_milliseconds(moment)


def in_utc_milliseconds(moment: datetime) -> datetime:
    """The aware `moment` in UTC, cut to whole milliseconds; raises `TimestampError`."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise TimestampError("outside the years 1970 to 9999 in UTC") from None
    if moment < EPOCH:
        raise TimestampError("before 1970: is the camera's clock set?")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def format_capture_ts(moment: datetime) -> str:
    """`2026-11-24T10:15:41.133Z`: UTC, cut to milliseconds. Raises `TimestampError` if naive."""
    if moment.utcoffset() is None:
        raise TimestampError(f"{moment!r} has no time zone")
    text = in_utc_milliseconds(moment).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def epoch_milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970 of the aware `moment`, cut off."""
    return (moment - EPOCH) // MILLISECOND
