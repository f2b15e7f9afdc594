"""What keeps vision from its work. Each text is one line: what is wrong and what to do."""


class VisionError(Exception):
    """The root of all that vision raises on purpose."""


class SettingsError(VisionError):
    """A setting cannot be used."""


class SourceError(VisionError):
    """The video or camera cannot be read."""


class SourceLostError(SourceError):
    """A camera stopped giving frames; what it gave until then is kept."""


class AccessRefusedError(SourceError):
    """A camera is there and refuses this user: asking again may lock the account."""


class SourceDamagedError(SourceError):
    """Frames of a recording cannot be read; all that can be is kept."""


class SourceChangedError(SourceError):
    """A source goes on with frames of another size; what it gave until then is kept."""


class NoFrameRateError(SourceError):
    """Nobody says how many frames a second there are."""


class StoppedEarlyError(VisionError):
    """The run was stopped before there was a frame to write."""


class WeightsError(VisionError):
    """The detector's weights are missing, cannot be fetched or are no weights."""


class DetectorError(VisionError):
    """The detector cannot be opened or failed at its work; what was written until then is kept."""


class OutputError(VisionError):
    """The metadata cannot be written."""


class DisplayError(VisionError):
    """There is no screen to show a window on."""


def one_line(error: Exception) -> str:
    """What another's code raised: its class and words, 200 characters at most."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
