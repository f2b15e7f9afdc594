"""What can go wrong with the local stack, said in one line that names the next step."""

from __future__ import annotations

import errno

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


class StackError(Exception):
    """Something that a person can mend; its text says what and how."""


class NotReady(Exception):
    """A server does not answer yet; its text says what it was asked and what came back."""


def explain(error: OSError, what: str = "", setting: str = "") -> str:
    """What the system has refused, of which file, and what to do.

    :param what: what was tried; without it, the file alone is named
    :param setting: the variable that names another folder
    """
    reason = error.strerror or " ".join(str(error).split()) or type(error).__name__
    where = f"{error.filename}: {reason}" if error.filename is not None else reason
    told = f"{what} ({where})" if what else where
    if error.errno in NO_SPACE:
        return f"{told}: free some space (`df -h` shows the disks) and run the same command again"
    if setting or error.errno in NO_ACCESS:
        name = setting or "RVA_DATA_DIR or RVA_CACHE_DIR"
        return f"{told}: make it a folder that you may write to, or set {name} to another in .env"
    return told
