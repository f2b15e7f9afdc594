"""What `explain` hands back: what can be used, what cannot, and why."""

from msgspec import Struct

from frame_contract.message import Detection, Frame
from frame_contract.reasons import Problem, Reason, one_line
from frame_contract.timestamps import format_capture_ts


class Known(Struct, frozen=True, kw_only=True):
    """What could be read of a message's identity, valid or not as a whole; None where nothing.

    `run_id` falls back on `stream_id`; `capture_ts` is in UTC milliseconds, as it is written.
    """

    store_id: str | None = None
    camera_id: str | None = None
    stream_id: str | None = None
    run_id: str | None = None
    frame_index: int | None = None
    capture_ts: str | None = None
    schema_version: str | None = None


def known_of(frame: Frame) -> Known:
    """All that is known of a usable frame."""
    source = frame.source
    return Known(
        store_id=source.store_id,
        camera_id=source.camera_id,
        stream_id=source.stream_id,
        run_id=frame.run_id,
        frame_index=frame.frame_index,
        capture_ts=format_capture_ts(frame.capture_ts),
        schema_version=frame.schema_version,
    )


class RejectedDetection(Struct, frozen=True):
    """A detection of a usable frame that cannot be used: one quarantine row.

    `index` is its place in the message's list, `json` its text as it stands in the message, with
    a placeholder for image data.
    """

    index: int
    json: str
    problems: tuple[Problem, ...]

    @property
    def reason(self) -> Reason:
        """The first problem's code."""
        return self.problems[0].reason

    @property
    def detail(self) -> str:
        """All its problems in one line."""
        return one_line(self.problems)


class Report(Struct, frozen=True, kw_only=True):
    """The judgement on one message.

    Either `frame` is there (its detections are the usable ones, `rejected` the others, and the
    two together are all that the message carries), or `reason` says why the message is unusable.
    """

    frame: Frame | None
    partly_known: Known = Known()
    problems: tuple[Problem, ...] = ()
    rejected: tuple[RejectedDetection, ...] = ()
    kept: str = ""
    """What the quarantine keeps of an unusable message: its text with placeholders for image data,
    or, of what is no JSON object, the beginning. Empty for a usable one."""

    @property
    def known(self) -> Known:
        """The message's identity, as far as it could be read."""
        return self.partly_known if self.frame is None else known_of(self.frame)

    @property
    def detections(self) -> tuple[Detection, ...]:
        """The usable detections."""
        return self.frame.detections if self.frame is not None else ()

    @property
    def is_usable(self) -> bool:
        """Whether the frame can be used, with all its detections or some."""
        return self.frame is not None

    @property
    def reason(self) -> Reason | None:
        """Why the message is unusable: its first message-level problem; None if it is usable."""
        return next((p.reason for p in self.problems if p.reason.concerns_message), None)

    @property
    def detail(self) -> str:
        """All problems in one line, those of the message first."""
        return one_line(sorted(self.problems, key=lambda p: not p.reason.concerns_message))
