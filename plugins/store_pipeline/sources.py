"""What the form's `video` can be: a file, a camera, or an Airflow Variable with a camera's address.

An address with a password stands in a Variable: the form's values, XComs and rendered fields are
kept and shown, and hold its name only.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from store_pipeline.errors import InputUnusable

_ADDRESS = re.compile(r"(rtsps?|https?)://\S+", re.IGNORECASE)
_CAMERA_INDEX = re.compile(r"[0-9]+")
_PASSWORD = re.compile(
    r"(?<=://)(?P<user>[^/?#@:]*):(?P<password>[^/?#]*)@"
    r"|(?P<name>[?&;][^=&;#]*(?:pas|pw|secret|token|key|auth|sig)[^=&;#]*)=(?P<value>[^&;#]+)",
    re.IGNORECASE,
)
"""A password before the host, and a parameter that is called like one."""
_VARIABLE = "variable:"


def is_live(video: str) -> bool:
    """Whether it gives frames without an end: all but a file."""
    return (
        _ADDRESS.fullmatch(video) is not None
        or _CAMERA_INDEX.fullmatch(video) is not None
        or video.startswith(_VARIABLE)
    )


def refuse_password(video: str) -> None:
    """Keep a password out of what is stored.

    :raises InputUnusable: the address has one.
    """
    if _PASSWORD.search(video):
        raise InputUnusable(
            "video",
            without_password(video),
            "the form's values are stored and shown, so a password must not stand there; put the "
            "address into an Airflow Variable, such as front_door, and give variable:front_door",
        )


def without_password(video: str) -> str:
    """Return the address with `***` in place of what is secret in it."""

    def hidden(found: re.Match[str]) -> str:
        return f"{found['name']}=***" if found["name"] else f"{found['user']}:***@"

    return _PASSWORD.sub(hidden, video)


def hide_password(video: str) -> None:
    """Mask what is secret in an address in this task's logs, as written and as meant."""
    from airflow.sdk.log import mask_secret

    for found in _PASSWORD.finditer(video):
        secret = found["password"] or found["value"]
        for written in dict.fromkeys((secret, unquote(secret or ""))):
            if written:
                mask_secret(written)


def resolve(video: str) -> str:
    """Return the address that `variable:front_door` names, its password masked; else the same.

    :raises InputUnusable: there is no such Variable, or it holds no camera's address.
    """
    if not video.startswith(_VARIABLE):
        return video
    from airflow.sdk import Variable

    name = video.removeprefix(_VARIABLE)
    address = str(Variable.get(name, default=""))
    hide_password(address)
    if not _ADDRESS.fullmatch(address):
        raise InputUnusable(
            "video",
            video,
            f"the Airflow Variable {name} must hold a camera's address, for example "
            "rtsp://user:password@10.0.0.7/stream; set it in the UI, or as "
            f"AIRFLOW_VAR_{name.upper()}",
        )
    return address
