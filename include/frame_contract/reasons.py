"""Why a message or a detection cannot be used: codes that never change their meaning."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

PROBLEMS_SHOWN = 10
"""How many problems a one-line text names before it says how many more there are."""


class Reason(StrEnum):
    """A stable code; `message_*` concerns the whole message, `detection_*` one detection."""

    MESSAGE_TOO_LARGE = "message_too_large"
    MESSAGE_NOT_UTF8 = "message_not_utf8"
    MESSAGE_NOT_JSON = "message_not_json"
    MESSAGE_NESTED_TOO_DEEPLY = "message_nested_too_deeply"
    MESSAGE_NOT_AN_OBJECT = "message_not_an_object"
    MESSAGE_IMAGE_DATA = "message_image_data"
    MESSAGE_UNSUPPORTED_SCHEMA_VERSION = "message_unsupported_schema_version"
    MESSAGE_MISSING_FIELD = "message_missing_field"
    MESSAGE_WRONG_TYPE = "message_wrong_type"
    MESSAGE_OUT_OF_RANGE = "message_out_of_range"
    MESSAGE_BAD_TEXT = "message_bad_text"
    MESSAGE_BAD_TIMESTAMP = "message_bad_timestamp"
    DETECTION_IMAGE_DATA = "detection_image_data"
    DETECTION_NOT_AN_OBJECT = "detection_not_an_object"
    DETECTION_MISSING_FIELD = "detection_missing_field"
    DETECTION_WRONG_TYPE = "detection_wrong_type"
    DETECTION_OUT_OF_RANGE = "detection_out_of_range"
    DETECTION_BAD_TEXT = "detection_bad_text"
    DETECTION_BAD_BBOX = "detection_bad_bbox"
    DETECTION_OUTSIDE_IMAGE = "detection_outside_image"
    DETECTION_DUPLICATE_DET_ID = "detection_duplicate_det_id"

    @property
    def concerns_message(self) -> bool:
        """Whether the whole message is unusable."""
        return self.startswith("message_")


class Problem(Struct, frozen=True):
    """One thing that is wrong, where (`detections[0].bbox.x2`; empty for the whole), and how."""

    reason: Reason
    path: str
    detail: str

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{self.reason}: {place}{self.detail}"


def one_line(problems: Sequence[Problem]) -> str:
    """All problems in one line, `PROBLEMS_SHOWN` of them in words."""
    shown = "; ".join(str(problem) for problem in problems[:PROBLEMS_SHOWN])
    more = len(problems) - PROBLEMS_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown


class ContractViolation(ValueError):
    """The message breaks the contract in the ways that `problems` lists."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(one_line(problems))
        self.problems = problems
