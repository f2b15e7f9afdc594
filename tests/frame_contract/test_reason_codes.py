"""The codes are part of the contract: in words, and never changed."""

import re
from pathlib import Path

from frame_contract import MAX_MESSAGE_BYTES, Reason

MESSAGE_DOC = Path(__file__).parents[2] / "docs" / "message.md"


def test_the_documented_codes_are_the_codes() -> None:
    section = MESSAGE_DOC.read_text().split("## Reason codes")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| \S", section, flags=re.MULTILINE)

    assert documented == [str(reason) for reason in Reason]


def test_the_documented_limit_is_the_limit() -> None:
    assert f"{MAX_MESSAGE_BYTES:,} bytes" in MESSAGE_DOC.read_text()


def test_a_code_says_what_it_concerns() -> None:
    for reason in Reason:
        level = "message" if reason.concerns_message else "detection"
        assert reason.startswith(f"{level}_")
        assert reason.name == reason.upper()
