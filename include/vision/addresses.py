"""Addresses of cameras, with what is secret in them left out."""

import re
from urllib.parse import unquote

HIDDEN = "***"

_AUTHORITY = re.compile(r"(?<=://)[^/?#]*")
_SECRET_PARAMETER = re.compile(
    r"([?&;][^=&;#]*(?:pas|pw|secret|token|key|auth|sig)[^=&;#]*=)[^&;#]*", re.IGNORECASE
)


def without_secrets(address: str) -> str:
    """The address with `***` in place of the password, and of parameters that are called like one.

    A password with an unencoded `@` or `/` is left out whole, though the address is then no good.
    """
    begin, end = _userinfo(address)
    userinfo = address[begin:end]
    if ":" in userinfo:
        user = userinfo.partition(":")[0]
        address = f"{address[:begin]}{user}:{HIDDEN}{address[end:]}"
    return _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", address)


def has_user(address: str) -> bool:
    """Whether the address carries a user's name."""
    begin, end = _userinfo(address)
    return end > begin


def scrub(text: str, address: str) -> str:
    """A library's text about the address without the password, however it is encoded there."""
    begin, end = _userinfo(address)
    password = address[begin:end].partition(":")[2]
    for secret in {password, unquote(password)} - {""}:
        text = text.replace(secret, HIDDEN)
    return text


def _userinfo(address: str) -> tuple[int, int]:
    """Where `user:password` stands: from, up to the `@`; an empty stretch if there is none."""
    authority = _AUTHORITY.search(address)
    if authority is None:
        return 0, 0
    begin = authority.start()
    at = authority[0].rfind("@")
    if at >= 0:
        return begin, begin + at
    port = authority[0].rpartition("]")[2].partition(":")[2]
    if port and not port.isdecimal() and "@" in address[begin:]:
        # what looks like a port is the beginning of a password with a slash in it
        return begin, address.rindex("@")
    return begin, begin
