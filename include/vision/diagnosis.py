"""Why a file or a camera on the network cannot be read: OpenCV says only that it cannot."""

from pathlib import Path

import av

from vision.addresses import has_user, scrub
from vision.errors import AccessRefusedError, SourceError
from vision.sources import StreamSource


def why_no_video(path: Path) -> str:
    """One line about a file that OpenCV cannot open."""
    damaged = (
        f"{path} cannot be read as a video: it is none, or it is damaged "
        "(a recording that was cut off lacks its index)"
    )
    try:
        with av.open(str(path)) as container:
            if container.streams.video:
                codec = container.streams.video[0].codec_context.name
                return f"{path} is damaged, or its pictures ({codec}) cannot be decoded here"
            return f"{path} holds no pictures, only sound or text: give a video"
    except (av.FFmpegError, OSError, ValueError):
        return damaged


def why_no_stream(source: StreamSource, timeout_seconds: float) -> SourceError:
    """What to raise for a camera that is there and gives no video. Asks it once more."""
    try:
        av.open(
            source.address,
            options={"rtsp_transport": "tcp"},
            timeout=(timeout_seconds, timeout_seconds),
        ).close()
    except av.HTTPUnauthorizedError:
        if has_user(source.address):
            return AccessRefusedError(f"{source} refuses this user or password (401): check both")
        return AccessRefusedError(
            f"{source} asks for a user and a password (401): "
            f"write {_scheme(source)}://USER:PASSWORD@HOST/PATH"
        )
    except av.HTTPForbiddenError:
        return AccessRefusedError(
            f"{source} lets this user not see it (403): give the user the right, or use another"
        )
    except av.HTTPNotFoundError:
        return SourceError(
            f"{source} has nothing at this path (404): check what is behind the host's name"
        )
    except (av.HTTPClientError, av.HTTPServerError) as error:
        return SourceError(f"{source} refuses: {_reason(error, source)}")
    except (TimeoutError, av.ExitError):
        return SourceError(says_nothing(source))
    except (av.FFmpegError, OSError, ValueError) as error:
        spoken = _scheme(source).upper()
        return SourceError(
            f"{source} answers, but not with video over {spoken} ({_reason(error, source)}): "
            "check port and path"
        )
    return SourceError(
        f"{source} gives no video that can be decoded: check path and the camera's codec"
    )


def says_nothing(source: StreamSource) -> str:
    """One line about what takes the connection and does not answer."""
    return f"{source} takes the connection and says nothing: is it a camera, and the port right?"


def _scheme(source: StreamSource) -> str:
    return source.address.partition("://")[0].lower()


def _reason(error: Exception, source: StreamSource) -> str:
    text = getattr(error, "strerror", None) or type(error).__name__
    return scrub(" ".join(str(text).split()), source.address)
